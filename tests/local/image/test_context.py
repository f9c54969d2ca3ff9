"""What a build would say of a Dockerfile and its context."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from support import stacks

from agentcore_local.codebuild.commands import Build
from agentcore_local.codebuild.context import BuildFailed, built, instructions


def build(**members: Any) -> Build:
    return Build(
        **{
            "context": ".",
            "file": None,
            "tags": ("x:1",),
            "target": None,
            "platform": "linux/arm64",
            "arguments": {},
            "secrets": {},
            "push": False,
            **members,
        }
    )


def run(files: dict[str, str], environment: dict[str, str] | None = None, **members: Any) -> tuple[str, list[str]]:
    said: list[str] = []
    source = zipfile.ZipFile(io.BytesIO(stacks.zipped(files)))
    return built(source, build(**members), environment or {}, said.append), said


def refused(dockerfile: str, **members: Any) -> str:
    files = {"Dockerfile": dockerfile, "a.txt": "a", "tools/x.sh": "x", **members.pop("files", {})}
    with pytest.raises(BuildFailed) as caught:
        run(files, **members)
    return str(caught.value)


def test_the_digest_is_that_of_all_that_makes_the_image() -> None:
    files = {"Dockerfile": "FROM a", "b": "1"}
    first = run(files)[0]
    assert first.startswith("sha256:")
    assert run(dict(reversed(files.items())))[0] == first
    others = [
        run({**files, "b": "2"})[0],
        run({**files, "c": "1"})[0],
        run(files, arguments={"A": "1"})[0],
        run({**files, "Dockerfile": "FROM a AS b"}, target="b")[0],
    ]
    assert len({first, *others}) == 5


def test_a_context_within_the_source() -> None:
    files = {"app/Dockerfile": "FROM a\nCOPY x /x", "app/x": "1", "x": "2"}
    assert run(files, context="app")[0] == run({**files, "x": "3"}, context="app")[0]
    assert run(files, context="./app/", file="app/Dockerfile")[0] == run(files, context="app")[0]


def test_each_instruction_is_told_and_none_is_run() -> None:
    said = run({"Dockerfile": "FROM a\nRUN --mount=type=cache,target=/x pip install \\\n b\nUSER 5"})[1]
    assert said == ["Dockerfile:1 FROM a", "Dockerfile:2 RUN pip install  b   (not run)", "Dockerfile:4 USER 5"]


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FROM a\nRUN exit 3", 'process "/bin/sh -c exit 3" did not complete successfully: exit code: 3'),
        ("FROM a\nRUN false", "exit code: 1"),
        ("FROM a\nCOPY missing /x", '"/missing": not found'),
        ("FROM a\nCOPY a.txt missing.txt /x/", '"/missing.txt": not found'),
        ("FROM a\nADD tools/*.py /x/", '"/tools/*.py": not found'),
        ("# nothing", "file with no instructions"),
    ],
)
def test_what_fails(dockerfile: str, words: str) -> None:
    assert words in refused(dockerfile)


@pytest.mark.parametrize(
    "line",
    [
        "RUN exit 0",
        "RUN echo exit 1",
        "COPY a.txt /x",
        "COPY . /x",
        "COPY ./ /x",
        "COPY tools /x",
        "COPY tools/ /x",
        "COPY too* /x",
        "COPY tools/*.sh /x/",
        "COPY --chown=1:1 a.txt /x",
        "COPY --from=build /y /x",
        "ADD https://example.com/x /x",
        "COPY $WHAT /x",
        'COPY ["a b", "/x"]',
        "COPY <<EOF /x\nRUN exit 1\nEOF",
        "RUN <<EOF\nexit 1\nEOF",
    ],
)
def test_what_does_not(line: str) -> None:
    run({"Dockerfile": f"FROM a\n{line}", "a.txt": "a", "tools/x.sh": "x"})


def test_no_dockerfile() -> None:
    assert refused("FROM a", file="other") == (
        "ERROR: failed to read dockerfile: open other: no such file or directory"
    )


def test_another_platform() -> None:
    assert "linux/amd64 is not the platform" in refused("FROM a", platform="linux/amd64")


def test_stages_after_the_target_are_not_built() -> None:
    run({"Dockerfile": "FROM a AS one\nFROM b AS two\nRUN exit 1"}, target="ONE")
    assert "exit code: 1" in refused("FROM a AS one\nFROM b AS two\nRUN exit 1", target="two")
    assert "exit code: 1" in refused("FROM a AS one\nRUN exit 1\nFROM b AS two", target="0")


def test_a_target_there_is_not() -> None:
    assert 'target stage "three" could not be found' in refused("FROM a AS one", target="three")


def test_a_secret_that_is_required() -> None:
    dockerfile = "FROM a\nRUN --mount=type=secret,id=index,required=true pip install x"
    assert "secret index: not found" in refused(dockerfile)
    assert "secret index: not found" in refused(dockerfile, secrets={"index": "VARIABLE"})
    run({"Dockerfile": dockerfile}, {"VARIABLE": "x"}, secrets={"index": "VARIABLE"})
    run({"Dockerfile": dockerfile.replace(",required=true", "")})


def test_line_numbers_count_comments() -> None:
    assert [one.line for one in instructions("# a\n\nFROM a\n# b\nRUN c \\\n# d\n e\nUSER 1")] == [3, 5, 8]
