"""Fetching a commit from a real Git server over HTTPS."""

from __future__ import annotations

import itertools
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
from dulwich.objects import Blob, Tree

from agentcore_lambdas.skills import GitError, Limits, Source, checkout

if TYPE_CHECKING:
    from pathlib import Path

    from support.git_server import GitServer, Repository

SKILL = "---\nname: excel\ndescription: Reads workbooks.\n---\nOpen it.\n"
TOKEN = "glpat-t0ps3cret"
names = (f"repository{number}" for number in itertools.count())


@pytest.fixture
def repository(server: GitServer) -> Repository:
    return server.repository(next(names))


def fetch(
    server: GitServer, repository: Repository, path: str = "", ref: str | None = None, **others: object
) -> dict[str, bytes]:
    limits = others.pop("limits", None)
    source = Source(repository.url, path, ca_certificates=server.ca_certificates, **others)  # type: ignore[arg-type]
    with checkout(source, ref, limits) as found:  # type: ignore[arg-type]
        return {file.path: content for file, content in found.contents()}


def commit_of(server: GitServer, repository: Repository, ref: str | None) -> str:
    with checkout(Source(repository.url, ca_certificates=server.ca_certificates), ref) as found:
        return found.commit


def refusal(server: GitServer, repository: Repository, path: str = "", ref: str | None = None, **others: object) -> str:
    with pytest.raises(GitError) as caught:
        fetch(server, repository, path, ref, **others)
    return str(caught.value)


class TestRefs:
    @pytest.fixture(scope="class")
    @classmethod
    def history(cls, server: GitServer) -> tuple[Repository, list[str]]:
        repository = server.repository("history")
        commits = [repository.commit({"SKILL.md": SKILL + str(number)}) for number in range(4)]
        repository.tag("light", commits[1])
        repository.tag("annotated", commits[2], annotated=True)
        repository.commit({"SKILL.md": "branch"}, branch="feature/x")
        repository.tag("feature/y", commits[0])
        repository.commit({"SKILL.md": "y"}, branch="feature/y")
        return repository, commits

    @pytest.mark.parametrize(
        ("ref", "expected"),
        [(None, 3), ("main", 3), ("refs/heads/main", 3), ("light", 1), ("annotated", 2), ("feature/y", 0)],
        ids=str,
    )
    def test_names(
        self, server: GitServer, history: tuple[Repository, list[str]], ref: str | None, expected: int
    ) -> None:
        repository, commits = history
        assert commit_of(server, repository, ref) == commits[expected]

    def test_any_commit_of_the_history_also_from_a_server_that_hands_out_branches_and_tags_only(
        self, server: GitServer, history: tuple[Repository, list[str]]
    ) -> None:
        repository, commits = history
        assert [commit_of(server, repository, commit) for commit in commits] == commits
        assert commit_of(server, repository, commits[0].upper()) == commits[0]

    def test_a_commit_that_is_not_there(self, server: GitServer, history: tuple[Repository, list[str]]) -> None:
        repository, _ = history
        assert refusal(server, repository, ref="0" * 40) == (
            f"{repository.url} has no commit {'0' * 40} on any branch or tag; check the hash, and that it is pushed"
        )

    def test_a_name_that_is_not_there(self, server: GitServer, history: tuple[Repository, list[str]]) -> None:
        repository, commits = history
        for ref in ("nope", commits[0][:12], "refs/tags/main"):
            assert refusal(server, repository, ref=ref).startswith(
                f"{repository.url} has no tag and no branch {ref!r}; check the name, or write all 40 characters of a"
            )

    def test_a_repository_without_a_commit(self, server: GitServer, repository: Repository) -> None:
        assert "has no default branch, or no commit on it" in refusal(server, repository)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
class TestGitItself:
    """The same against the program that most servers run."""

    @pytest.mark.parametrize("protocol", [0, 2])
    def test_refs(self, server: GitServer, protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
        repository = server.repository(f"git-{protocol}")
        first = repository.commit({"SKILL.md": SKILL})
        second = repository.commit({"SKILL.md": SKILL + "2"})
        repository.tag("v1", first, annotated=True)
        monkeypatch.setattr(server, "protocol", protocol)
        asked = [None, "main", "v1", first, second]
        assert [commit_of(server, repository, ref) for ref in asked] == [second, second, first, first, second]
        assert f"has no commit {'0' * 40} on any branch or tag" in refusal(server, repository, ref="0" * 40)


class TestFiles:
    def test_a_directory_of_the_repository(self, server: GitServer, repository: Repository) -> None:
        repository.commit(
            {"skills/excel/SKILL.md": SKILL, "skills/excel/scripts/run.sh": "echo", "skills/word/SKILL.md": "", "a": ""}
        )
        assert fetch(server, repository, "./skills/excel/") == {"SKILL.md": SKILL.encode(), "scripts/run.sh": b"echo"}
        with checkout(Source(repository.url, "skills/excel", ca_certificates=server.ca_certificates)) as found:
            assert {file.path: file.executable for file in found.files} == {"SKILL.md": False, "scripts/run.sh": True}

    def test_links_within_the_repository_are_followed(self, server: GitServer, repository: Repository) -> None:
        repository.commit(
            {"excel/SKILL.md": SKILL, "shared/a/notes.md": "notes", "LICENSE": "free"},
            links={
                "excel/LICENSE": "../LICENSE",
                "excel/shared": "./again",
                "excel/again": "../shared",
                "alias": "excel",
            },
        )
        files = fetch(server, repository, "alias")
        assert {path: text for path, text in files.items() if path != "SKILL.md"} == {
            "LICENSE": b"free",
            "shared/a/notes.md": b"notes",
            "again/a/notes.md": b"notes",
        }

    @pytest.mark.parametrize(
        ("target", "problem"),
        [
            ("../../secret", "'excel/link' leads out of the repository, through '..' or a symbolic link; remove that"),
            ("/etc/passwd", "'excel/link' leads out of the repository, through a symbolic link; remove that"),
            ("link", "'excel/link' leads through more than 40 symbolic links; remove some"),
            ("gone", "there is no 'excel/link' in the repository at commit"),
            ("..", "'link/excel' is a symbolic link to a directory that it is in; remove it"),
            (".", "'link' is a symbolic link to a directory that it is in; remove it"),
        ],
    )
    def test_links_that_lead_elsewhere(
        self, server: GitServer, repository: Repository, target: str, problem: str
    ) -> None:
        repository.commit({"excel/SKILL.md": SKILL}, links={"excel/link": target})
        assert refusal(server, repository, "excel").startswith(problem)

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("../other", "'../other' leads out of the repository, through '..' or a symbolic link; remove that"),
            ("excel/SKILL.md", "'excel/SKILL.md' is a file in the repository; name the directory that holds it"),
            ("Excel", "there is no 'Excel' in the repository at commit"),
            ("", "there is no SKILL.md in the root of the repository at commit"),
            ("empty", "there is no SKILL.md in the directory 'empty' at commit"),
        ],
    )
    def test_a_path_without_a_skill(self, server: GitServer, repository: Repository, path: str, problem: str) -> None:
        repository.commit({"excel/SKILL.md": SKILL, "empty/README.md": ""})
        assert refusal(server, repository, path).startswith(problem)

    def test_a_submodule(self, server: GitServer, repository: Repository) -> None:
        tree = Tree()
        tree.add(b"vendor", 0o160000, b"1" * 40)
        repository.repo.object_store.add_object(tree)
        repository.commit_tree(tree.id)
        assert refusal(server, repository) == (
            "'vendor' is a submodule, which is not fetched; put its files into the repository"
        )

    @pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"a\\b", b"a\nb"])
    def test_names_that_would_leave_the_directory(self, server: GitServer, repository: Repository, name: bytes) -> None:
        tree, blob = Tree(), Blob.from_string(b"x")
        tree.add(name, 0o100644, blob.id)
        repository.repo.object_store.add_object(blob)
        repository.repo.object_store.add_object(tree)
        repository.commit_tree(tree.id)
        assert "is not allowed in a skill; rename it" in refusal(server, repository)


class TestLimits:
    def test_of_the_archive(self, server: GitServer, repository: Repository) -> None:
        noise = b"".join(bytes([(n * n * 7 + n // 3) % 251]) for n in range(1 << 16))
        repository.commit({"SKILL.md": SKILL, "noise": noise})
        assert fetch(server, repository, limits=Limits(pack_bytes=1 << 20))
        assert refusal(server, repository, limits=Limits(pack_bytes=1 << 8)).startswith(
            f"the archive of {repository.url} is larger than 0 MiB; keep the skill in a smaller repository"
        )

    def test_of_the_files(self, server: GitServer, repository: Repository) -> None:
        repository.commit({"SKILL.md": SKILL, "zeros": b"\0" * (1 << 20)})
        assert fetch(server, repository, limits=Limits(skill_bytes=(1 << 20) + len(SKILL)))
        assert "the skill is larger than 1 MiB" in refusal(
            server, repository, limits=Limits(skill_bytes=(1 << 20) + len(SKILL) - 1)
        )

    def test_of_their_number_also_when_links_multiply_them(self, server: GitServer, repository: Repository) -> None:
        repository.commit({"SKILL.md": SKILL, "a/1": "", "a/2": ""}, links={"b": "a", "c": "a"})
        assert len(fetch(server, repository, limits=Limits(files=10))) == 7
        assert "the skill has more than 9 files and directories" in refusal(server, repository, limits=Limits(files=9))

    @pytest.mark.parametrize(("length", "fits"), [(698, True), (699, False)])
    def test_of_a_path(self, server: GitServer, repository: Repository, length: int, *, fits: bool) -> None:
        path = f"é{'/x' * ((length - 2) // 2)}{'y' * (length % 2)}/z"  # é has two bytes
        repository.commit({"SKILL.md": SKILL, path: ""})
        if fits:
            assert path in fetch(server, repository)
        else:
            assert "has more than 700 bytes; shorten it" in refusal(server, repository)

    def test_of_time(self, server: GitServer, repository: Repository) -> None:
        repository.commit({"SKILL.md": SKILL})
        assert "did not send the commit within 0 s; try again" in refusal(server, repository, limits=Limits(seconds=0))


class TestServers:
    def test_a_private_repository(self, server: GitServer) -> None:
        repository = server.repository("private", token=TOKEN)
        repository.commit({"SKILL.md": SKILL})
        assert fetch(server, repository, password=TOKEN)
        assert server.requests[-1][2] == "oauth2"
        assert refusal(server, repository) == (
            f"{repository.url} asks for a credential; pass a credential that may read the repository"
        )
        refused = refusal(server, repository, password="wr0ng-t0ken")
        assert refused == f"{repository.url} refuses the credential; pass a credential that may read the repository"
        assert TOKEN not in repr(Source(repository.url, password=TOKEN))

    def test_there_is_no_repository(self, server: GitServer) -> None:
        with (
            pytest.raises(
                GitError, match=r"there is no repository at https://localhost:\d+/none.git, or the credential"
            ),
            checkout(Source(f"{server.address}/none.git", ca_certificates=server.ca_certificates)),
        ):
            pass

    def test_an_unknown_authority(self, repository: Repository) -> None:
        with (
            pytest.raises(GitError, match=r"the certificate of .* is not trusted; pass the authority that issued it"),
            checkout(Source(repository.url)),
        ):
            pass

    def test_the_environment_may_name_the_authorities(
        self, server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = repository.commit({"SKILL.md": SKILL})
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(server.ca_file))
        with checkout(Source(repository.url)) as found:
            assert found.commit == commit

    def test_certificates_that_are_none(self, server: GitServer, repository: Repository) -> None:
        with (
            pytest.raises(GitError, match="ca_certificates must be certificates in PEM; begin with -----BEGIN"),
            checkout(Source(repository.url, ca_certificates="nonsense")),
        ):
            pass

    def test_a_host_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        with (
            pytest.raises(
                GitError, match=r"https://localhost:1/x.git cannot be reached \(MaxRetryError\); check the host"
            ),
            checkout(Source("https://localhost:1/x.git")),
        ):
            pass

    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            ("403 Forbidden", "refuses the credential (HTTP 403); pass one that may read the repository"),
            ("500 Oops", "answers with HTTP 500; try again, or ask who runs it"),
        ],
    )
    def test_refusals(self, server: GitServer, repository: Repository, status: str, problem: str) -> None:
        repository.commit({"SKILL.md": SKILL})
        server.answers[:] = [(status, [])]
        assert refusal(server, repository) == f"{repository.url} {problem}"

    @pytest.mark.parametrize("status", ["429 Slow", "502 Bad", "503 Busy", "504 Late"])
    def test_what_passes_is_tried_again(
        self, server: GitServer, repository: Repository, status: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        repository.commit({"SKILL.md": SKILL})
        server.answers[:] = [(status, [])] * 3
        assert fetch(server, repository)

    def test_a_redirect_to_http_is_not_followed(self, server: GitServer, repository: Repository) -> None:
        server.answers[:] = [("301 Moved", [("Location", repository.url.replace("https", "http") + "/info/refs")])]
        assert refusal(server, repository, password=TOKEN) == (
            "the server redirects to http://, which is not encrypted; write the repository's new URL"
        )

    def test_a_credential_stays_with_its_host(self, server: GitServer, repository: Repository) -> None:
        repository.commit({"SKILL.md": SKILL})
        elsewhere = repository.url.replace("localhost", "127.0.0.1")
        where = f"{elsewhere}/info/refs?service=git-upload-pack"
        server.answers[:] = [("301 Moved", [("Location", where)])] * 1
        server.requests.clear()
        assert fetch(server, repository, password=TOKEN)
        assert server.requests[0][2] == "oauth2"
        assert [user for _, _, user in server.requests[1:2]] == [None]

    def test_a_query_is_not_shown(self) -> None:
        assert Source("https://u:p@host:8443/x.git?private_token=abc#frag").shown == "https://host:8443/x.git"

    def test_what_is_no_git(self, server: GitServer, repository: Repository) -> None:
        server.answers[:] = [("200 OK", [("Content-Type", "application/x-git-upload-pack-advertisement")])]
        assert refusal(server, repository).startswith(f"{repository.url} ")


def test_nothing_stays_on_disk(
    server: GitServer, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    repository.commit({"SKILL.md": SKILL})
    fetch(server, repository)
    refusal(server, repository, ref="nope")
    refusal(server, repository, limits=Limits(pack_bytes=1))
    assert list(tmp_path.iterdir()) == []


class TestMirrors:
    """Folders that stand in for repositories."""

    def test_a_folder_is_every_ref(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "excel").mkdir()
        (tmp_path / "excel" / "SKILL.md").write_text(SKILL)
        (tmp_path / "excel" / "copy.md").symlink_to("SKILL.md")
        monkeypatch.setenv("AGENTCORE_GIT_MIRRORS", f"https://x.example/a=/nowhere,https://x.example/b={tmp_path}")
        found = set()
        for ref in (None, "v1", "0" * 40):
            with checkout(Source("https://x.example/b.git", "excel"), ref) as mirrored:
                assert {file.path: content for file, content in mirrored.contents()}.keys() == {"SKILL.md", "copy.md"}
                found.add(mirrored.commit)
        assert len(found) == 1

    def test_a_repository_is_itself(self, server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
        repository = server.repository(next(names))
        first = repository.commit({"SKILL.md": SKILL})
        second = repository.commit({"SKILL.md": SKILL + "2"})
        repository.tag("v1", first, annotated=True)
        url = "https://x.example/c"
        monkeypatch.setenv("AGENTCORE_GIT_MIRRORS", f"{url}={repository.repo.path}")
        server.requests.clear()
        for ref, expected in ((None, second), ("main", second), ("v1", first), (first, first)):
            with checkout(Source(url), ref) as found:
                assert found.commit == expected
        with (
            pytest.raises(
                GitError, match=r"what stands in for https://x.example/c has no commit, tag or branch 'gone'"
            ),
            checkout(Source(url), "gone"),
        ):
            pass
        assert server.requests == []

    def test_a_folder_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AGENTCORE_GIT_MIRRORS", "https://x.example/d=/nowhere/at/all")
        with (
            pytest.raises(GitError, match="AGENTCORE_GIT_MIRRORS names /nowhere/at/all, which is no folder"),
            checkout(Source("https://x.example/d")),
        ):
            pass
