"""A Git server on localhost over HTTPS: a real one, made of dulwich's web application and a certificate of its own."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_AUTHOR = b"Somebody <somebody@example.com>"
_WHEN = 1_760_000_000


@dataclass
class Repository:
    """A repository that is served.

    Attributes:
        url: Where.
        repo: What.
    """

    url: str
    repo: Repo

    def commit(
        self, files: Mapping[str, str | bytes], *, branch: str = "main", links: Mapping[str, str] | None = None
    ) -> str:
        """Puts files onto a branch, in place of what was there; returns the commit's hash."""
        entries: dict[str, tuple[int, bytes]] = {}
        for path, content in files.items():
            mode = 0o100755 if path.endswith(".sh") else 0o100644
            entries[path] = (mode, content.encode() if isinstance(content, str) else content)
        for path, target in (links or {}).items():
            entries[path] = (0o120000, target.encode())
        return self.commit_tree(self._tree(entries), branch=branch)

    def commit_tree(self, tree: bytes, *, branch: str = "main") -> str:
        commit, ref = Commit(), f"refs/heads/{branch}".encode()
        commit.tree = tree
        commit.parents = [self.repo.refs[ref]] if ref in self.repo.refs else []
        commit.author = commit.committer = _AUTHOR
        commit.author_time = commit.commit_time = _WHEN
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"A commit"
        self.repo.object_store.add_object(commit)
        self.repo.refs[ref] = commit.id
        return commit.id.decode()

    def tag(self, name: str, commit: str, *, annotated: bool = False) -> None:
        ref, target = f"refs/tags/{name}".encode(), commit.encode()
        if annotated:
            tag = Tag()
            tag.name, tag.object, tag.tagger, tag.message = name.encode(), (Commit, target), _AUTHOR, b"A tag"
            tag.tag_time, tag.tag_timezone = _WHEN, 0
            self.repo.object_store.add_object(tag)
            target = tag.id
        self.repo.refs[ref] = target

    def _tree(self, entries: Mapping[str, tuple[int, bytes]]) -> bytes:
        tree, below = Tree(), dict[str, dict[str, tuple[int, bytes]]]()
        for path, (mode, content) in entries.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = (mode, content)
            else:
                blob = Blob.from_string(content)
                self.repo.object_store.add_object(blob)
                tree.add(name.encode(), mode, blob.id)
        for name, inner in below.items():
            tree.add(name.encode(), 0o040000, self._tree(inner))
        self.repo.object_store.add_object(tree)
        return tree.id


@dataclass
class GitServer:
    """The server.

    Attributes:
        address: `https://localhost:<port>`.
        ca_certificates: Its authority, in PEM.
        ca_file: The same, as a file.
        tokens: Name of a repository to the token that it wants.
        requests: Method, path and user (None without credentials) of each request.
        answers: Taken one by one in place of an answer: a status, with headers.
        protocol: Lets the `git` program answer instead of dulwich, in at most this version of the protocol.
    """

    address: str
    ca_certificates: str
    ca_file: Path
    folder: Path
    backend: DictBackend
    tokens: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    answers: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    protocol: int | None = None

    def repository(self, name: str, *, token: str | None = None) -> Repository:
        """Makes an empty repository; one with a token is private."""
        path = self.folder / f"{name}.git"
        path.mkdir()
        repo = Repo.init_bare(str(path))
        repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")
        self.backend.repos[f"/{name}.git".encode()] = repo  # type: ignore[index]
        if token is not None:
            self.tokens[name] = token
        return Repository(f"{self.address}/{name}.git", repo)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        user, password = _credentials(environ.get("HTTP_AUTHORIZATION"))
        self.requests.append((environ["REQUEST_METHOD"], path, user))
        if self.answers:
            status, headers = self.answers.pop(0)
            start_response(status, headers)
            return [b""]
        name = path.lstrip("/").partition(".git")[0]
        if name in self.tokens and password != self.tokens[name]:
            start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"')])
            return [b""]
        if f"/{name}.git".encode() not in self.backend.repos:  # type: ignore[comparison-overlap]
            start_response("404 Not Found", [])
            return [b""]
        if self.protocol is not None:
            return self._by_git(environ, start_response)
        return make_wsgi_chain(self.backend)(environ, start_response)

    def _by_git(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        passed = {name: value for name, value in environ.items() if name.isupper() and isinstance(value, str)}
        passed |= {"GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH": os.environ["PATH"]}
        if self.protocol == 2:
            passed["GIT_PROTOCOL"] = environ.get("HTTP_GIT_PROTOCOL", "")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        done = subprocess.run(["git", "http-backend"], input=body, env=passed, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        start_response(headers.pop("Status", "200 OK"), list(headers.items()))
        return [content]


def _credentials(header: str | None) -> tuple[str | None, str | None]:
    if not header:
        return None, None
    user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return user, password


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Server(WSGIServer):
    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or a refused want, is part of the tests."""


@contextlib.contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """Serves until the context ends.

    Args:
        folder: For repositories and certificates.
    """
    ca, certificate, key = certificates()
    (folder / "ca.pem").write_bytes(ca)
    (folder / "server.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = _Server(("127.0.0.1", 0), _Quiet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    backend = DictBackend({})
    app = GitServer(f"https://localhost:{server.server_port}", ca.decode(), folder / "ca.pem", folder, backend)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificates() -> tuple[bytes, bytes, bytes]:
    """An authority, and what it has issued to localhost: certificate and key."""
    now = dt.datetime.now(dt.UTC)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])

    def builder(subject: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(authority)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    ca = (
        builder("Authority of the tests", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        builder("localhost", server_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca.public_bytes(pem), certificate.public_bytes(pem), key
