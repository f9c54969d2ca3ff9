"""Fetches one commit of a repository over HTTPS: no history, nothing executed, nothing checked out.

`dulwich` speaks the protocol. What it raises is turned into one sentence each, since its own messages hold the URL as
it was written.
"""

from __future__ import annotations

import re
import ssl
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from dulwich.client import HTTPUnauthorized, Urllib3HttpGitClient
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID, Tag
from dulwich.refs import HEADREF
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError, SSLError

from .errors import GitError
from .limits import Limits
from .mirror import Mirror, mirror_of
from .tree import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMIT = re.compile(r"[0-9a-fA-F]{40}")
_STATUS = re.compile(r"unexpected http resp (\d{3})")
_NAMED = (b"refs/heads/", b"refs/tags/")
_CONNECT_SECONDS, _SILENT_SECONDS = 10, 30
_TRANSIENT = (429, 502, 503, 504)
# Servers tell clients of Git from browsers by how this begins.
_USER_AGENT = "git/agentcore-harness-cdk (dulwich)"


@dataclass(frozen=True, slots=True)
class Source:
    """A repository, and what it takes to read it.

    Attributes:
        url: Its `https://` URL.
        path: The skill's directory in it; empty for the whole repository.
        username: Goes with the password.
        password: Password or access token of a private repository; never shown.
        ca_certificates: In PEM, to trust beside those of the machine: for a server with a private authority.
    """

    url: str
    path: str = ""
    username: str = "oauth2"
    password: str | None = field(default=None, repr=False)
    ca_certificates: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The URL without what may be secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


@contextmanager
def checkout(
    source: Source, ref: str | None = None, limits: Limits | None = None, *, complete: bool = True
) -> Iterator[Checkout]:
    """Fetches a commit and walks the skill in it; the files can be read until the context ends.

    Args:
        source: The repository.
        ref: A commit (40 hexadecimal characters), a tag, or a branch; a tag wins over a branch of the same name, as in
            Git. The default branch unless given.
        limits: What it may cost.
        complete: Whether the directory must be a skill; it may be one of skills otherwise.

    Raises:
        GitError: It cannot be had; one sentence that says why.
    """
    limits = limits or Limits()
    if (mirror := mirror_of(source.url)) is not None:
        with closing(mirror):
            yield Checkout(mirror.store, _mirrored(mirror, source, ref), source.path, limits, complete=complete)
        return
    with tempfile.TemporaryDirectory(prefix="skill-") as folder, Repo.init_bare(folder) as repo:
        with _in_words(source):
            commit = _Fetch(source, repo, limits).commit(ref)
            found = Checkout(repo.object_store, commit, source.path, limits, complete=complete)
        yield found


class _Fetch:
    """One fetch into an empty repository."""

    def __init__(self, source: Source, repo: Repo, limits: Limits) -> None:
        self._shown = source.shown
        self._repo = repo
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._client = Urllib3HttpGitClient(
            source.url,
            pool_manager=_Https(_trust(source.ca_certificates)),
            username=None if source.password is None else source.username,
            password=source.password,
            quiet=True,
        )

    def commit(self, ref: str | None) -> ObjectID:
        """Fetches what a ref names, and returns the commit's hash."""
        remote = self._client.get_refs("")
        if remote.object_format not in (None, "sha1"):
            raise GitError(f"{self._shown} names commits by SHA-256, which is not supported; copy the skill to S3")
        refs = {name: found for name, found in remote.refs.items() if found is not None}
        if ref is None:
            wanted = refs.get(HEADREF)
            if wanted is None:
                raise GitError(f"{self._shown} has no default branch, or no commit on it; push one")
        elif _COMMIT.fullmatch(ref):
            wanted = ObjectID(ref.lower().encode())
        else:
            wanted = _named(refs, ref)
            if wanted is None:
                raise GitError(
                    f"{self._shown} has no tag and no branch {ref!r}; check the name, or write all 40 characters of a "
                    "commit"
                )
        self._fetch(wanted, refs)
        return self._peeled(wanted)

    def _fetch(self, wanted: ObjectID, refs: dict[Any, ObjectID]) -> None:
        try:
            self._pack([wanted], depth=1)
        except (GitProtocolError, NotGitRepository):
            # Older servers hand out only what a branch or a tag names, so the rest has to come with it.
            named = {found for name, found in refs.items() if name.startswith(_NAMED) and not name.endswith(b"^{}")}
            if wanted in named or not named:
                raise
            self._pack(sorted(named), depth=None)
        if wanted not in self._repo.object_store:
            raise GitError(
                f"{self._shown} has no commit {wanted.decode()} on any branch or tag; check the hash, and that it is "
                "pushed"
            )

    def _pack(self, wants: list[ObjectID], depth: int | None) -> None:
        file, finish, abort = self._repo.object_store.add_pack()
        received = 0

        def write(data: bytes) -> int:
            nonlocal received
            received += len(data)
            if received > self._limits.pack_bytes:
                raise GitError(
                    f"the archive of {self._shown} is larger than {self._limits.pack_bytes >> 20} MiB; keep the "
                    "skill in a smaller repository, or copy it to S3 (Skill.s3)"
                )
            self._in_time(b"")
            return file.write(data)

        walker = ObjectStoreGraphWalker([], lambda _: [])
        try:
            self._client.fetch_pack("", lambda *_, **__: wants, walker, write, progress=self._in_time, depth=depth)
        except BaseException:
            abort()
            raise
        finish()

    def _in_time(self, _progress: bytes) -> None:
        if time.monotonic() > self._deadline:
            raise GitError(f"{self._shown} did not send the commit within {self._limits.seconds:g} s; try again")

    def _peeled(self, wanted: ObjectID) -> ObjectID:
        """The commit that an annotated tag is of."""
        found = self._repo.object_store[wanted]
        while isinstance(found, Tag):
            _, wanted = found.object
            if wanted not in self._repo.object_store:
                self._pack([wanted], depth=1)
            found = self._repo.object_store[wanted]
        if found.type_name != b"commit":
            raise GitError(f"{wanted.decode()} is a {found.type_name.decode()}, not a commit; name a commit")
        return wanted


def _named(refs: dict[Any, ObjectID], ref: str) -> ObjectID | None:
    encoded = ref.encode()
    names = [encoded] if ref.startswith("refs/") else [b"refs/tags/" + encoded, b"refs/heads/" + encoded]
    return next((refs[name] for name in names if name in refs), None)


def _mirrored(mirror: Mirror, source: Source, ref: str | None) -> ObjectID:
    if ref is None or mirror.refs is None:
        return mirror.head
    wanted = ObjectID(ref.lower().encode()) if _COMMIT.fullmatch(ref) else _named(mirror.refs, ref)
    if wanted is None or wanted not in mirror.store:
        raise GitError(f"what stands in for {source.shown} has no commit, tag or branch {ref!r}; add it there")
    found = mirror.store[wanted]
    while isinstance(found, Tag):
        found = mirror.store[found.object[1]]
    return found.id


class _Https(urllib3.PoolManager):
    """Requests that stay on HTTPS, whatever a server redirects to."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__(
            ssl_context=trust,
            headers={"User-Agent": _USER_AGENT},
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENT_SECONDS),
            retries=urllib3.Retry(
                total=3, redirect=3, status_forcelist=_TRANSIENT, allowed_methods=None, backoff_factor=0.2,
                raise_on_status=False, respect_retry_after_header=False,
            ),
        )  # fmt: skip

    def urlopen(self, method: str, url: str, *arguments: Any, **named: Any) -> urllib3.BaseHTTPResponse:
        """Requests a URL: the first one, and each that a server redirects to."""
        if not url.startswith("https://"):
            scheme = urlsplit(url).scheme
            raise GitError(
                f"the server redirects to {scheme}://, which is not encrypted; write the repository's new URL"
            )
        return super().urlopen(method, url, *arguments, **named)


def _trust(ca_certificates: str | None) -> ssl.SSLContext:
    """What the machine trusts (`SSL_CERT_FILE` names another bundle), and the given certificates."""
    context = ssl.create_default_context()
    if ca_certificates:
        try:
            context.load_verify_locations(cadata=ca_certificates)
        except ssl.SSLError as error:
            raise GitError(
                "ca_certificates must be certificates in PEM; begin with -----BEGIN CERTIFICATE-----"
            ) from error
    return context


@contextmanager
def _in_words(source: Source) -> Iterator[None]:
    """Turns what the client raises into sentences that show neither credentials nor queries."""
    try:
        yield
    except GitError:
        raise
    except HTTPUnauthorized as error:
        given = "refuses the credential" if source.password is not None else "asks for a credential"
        raise GitError(f"{source.shown} {given}; pass a credential that may read the repository") from error
    except NotGitRepository as error:
        raise GitError(
            f"there is no repository at {source.shown}, or the credential may not see it; check the URL"
        ) from error
    except (GitProtocolError, HTTPError) as error:
        raise GitError(_reason(source, error)) from error
    except (OSError, AssertionError, ValueError, KeyError, EOFError) as error:
        raise GitError(f"{source.shown} sent what is no valid Git data ({type(error).__name__}); try again") from error


def _reason(source: Source, error: BaseException) -> str:
    status = _STATUS.search(str(error))
    if status and status[1] in ("403", "407"):
        return f"{source.shown} refuses the credential (HTTP {status[1]}); pass one that may read the repository"
    if status:
        return f"{source.shown} answers with HTTP {status[1]}; try again, or ask who runs it"
    cause: BaseException | None = error
    while cause is not None:
        reason = getattr(cause, "reason", None)
        if isinstance(cause, SSLError) or isinstance(reason, SSLError):
            return (
                f"the certificate of {source.shown} is not trusted; pass the authority that issued it (ca_certificates)"
            )
        cause = cause.__cause__
    if isinstance(error.__cause__, HTTPError):
        kind = type(error.__cause__).__name__
        return f"{source.shown} cannot be reached ({kind}); check the host, and that it is public"
    return f"{source.shown} broke off the transfer ({type(error).__name__}); try again"
