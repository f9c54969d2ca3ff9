"""The file systems that sessions share: EFS and S3 Files, here directories of the host.

Two mounts show the same files when they lead to the same directory of the same file system, in whichever session,
harness or access point: unlike session storage, which is the session's own. They go with the account or the process.

A mount is read-only unless the execution role may write, as it is on the service. It is also read-only where the access
point acts as root and the role has no root access: the service squashes root to nobody then, who owns nothing.
"""

from __future__ import annotations

import atexit
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from agentcore_local import actions, facts
from agentcore_local.agents import bucket_files
from agentcore_local.agents.machine import remove
from agentcore_local.agents.permissions import denial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_local.agents.plan import Plan

_S3_FILES = "s3FilesAccessPoint"
_KINDS = {"efsAccessPoint": "elasticfilesystem", _S3_FILES: "s3files"}


@dataclass(frozen=True, slots=True)
class SharedDirectory:
    """A mounted directory of a shared file system.

    Attributes:
        path: Where it is on the host.
        read_only: Whether sessions may only read.
    """

    path: Path
    read_only: bool


class Shares:
    """The directories of all shared file systems. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._cleared_at_exit = False

    def directory(self, account: str, file_system: str, directory: str) -> Path:
        """A directory of a file system, made when it is missing.

        Args:
            account: Whose it is.
            file_system: What tells it from others: its ARN.
            directory: A path in it.
        """
        name = hashlib.sha256(file_system.encode()).hexdigest()[:24]
        with self._lock:
            path = self._place() / account / name
            for part in ("", *(part for part in directory.split("/") if part not in {"", ".", ".."})):
                path /= part
                if path.is_symlink():  # which a command of an agent may have left there
                    path.unlink()
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return path

    def clear(self, account: str | None = None) -> None:
        """Remove everything, or what belongs to one account."""
        with self._lock:
            if self._root is not None:
                remove(self._root if account is None else self._root / account)
            if account is None:
                self._root = None

    def _place(self) -> Path:
        if self._root is None:
            self._root = Path(mkdtemp(prefix="agentcore-mounts-"))
            if not self._cleared_at_exit:
                self._cleared_at_exit = True
                atexit.register(self.clear)
        return self._root


SHARES = Shares()


def shared(plan: Plan) -> dict[str, SharedDirectory]:
    """The shared file systems of a harness by their mount paths."""
    return {
        config["mountPath"].rstrip("/"): _shared(plan, kind, config["accessPointArn"])
        for kind, config in _access_points(plan)
    }


def bring_in(plan: Plan) -> None:
    """Makes objects of buckets that are mounted files. Blocking."""
    for system, root in _buckets(plan):
        bucket_files.bring_in(plan.account, system, root)


def take_out(plan: Plan) -> None:
    """Makes files of buckets that are mounted objects. Blocking."""
    for system, root in _buckets(plan):
        bucket_files.take_out(plan.account, system, root)


def has_buckets(plan: Plan) -> bool:
    """Whether a harness mounts buckets."""
    return any(kind == _S3_FILES for kind, _ in _access_points(plan))


def _buckets(plan: Plan) -> Iterator[tuple[str, Path]]:
    systems = {
        facts.access_point(plan.account, config["accessPointArn"]).file_system
        for kind, config in _access_points(plan)
        if kind == _S3_FILES
    }
    for system in sorted(filter(None, systems)):
        yield system, SHARES.directory(plan.account, system, "/")


def _access_points(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    for mount in actions.runtime_environment(plan).get("filesystemConfigurations") or ():
        for kind, config in mount.items():
            if kind in _KINDS:
                yield kind, config


def _shared(plan: Plan, kind: str, arn: str) -> SharedDirectory:
    point = facts.access_point(plan.account, arn)
    path = SHARES.directory(plan.account, point.file_system or arn, point.directory)
    asks = actions.writing(_KINDS[kind], point.file_system, arn, as_root=point.user == "0")
    return SharedDirectory(path, read_only=denial(plan, asks) is not None)
