"""State between runs: what ministack's services keep, and where they find it again."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from .base import Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_APP = "ministack.app"
_PERSISTENCE = "ministack.core.persistence"
_LAMBDA = "ministack.services.lambda_svc"
_CLOUDFORMATION = "ministack.services.cloudformation"
_REVIEWED = "REVIEW_IN_PROGRESS"
# What becomes of an operation whose server has gone: a status that says so, and that a next deployment can start from.
_SETTLED = (
    ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"),
    ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
    ("DELETE_", "DELETE_FAILED"),
    ("UPDATE_", "UPDATE_ROLLBACK_FAILED"),
    ("", "ROLLBACK_FAILED"),
)

SEAMS: tuple[Seam, ...] = (
    Seam(_PERSISTENCE, "STATE_DIR", "restore the last snapshot that is whole"),
    Seam(_PERSISTENCE, "_json_default", "write the state of a service", ("obj",)),
    Seam(_PERSISTENCE, "_state_format_version", "write the state of a service", ("service",)),
    Seam(_APP, "_build_persistence_save_dict", "know which services have state", ()),
    Seam(_APP, "_load_persisted_state", "restore the last snapshot that is whole", ()),
    Seam(_APP, "save_all", "leave writing to our snapshots", ("services",)),
    Seam(_LAMBDA, "_write_code_blob", "write the code of functions once", ("code_zip",)),
    Seam(_LAMBDA, "_prune_orphan_code_blobs", "keep code that the last snapshot refers to", ("referenced",)),
    Seam(_CLOUDFORMATION, "_stacks", "know which stacks are being deployed"),
)


def service_states() -> dict[str, Callable[[], str | None]]:
    """Service to a function that returns its state as text; None for one that has nothing to say of it."""
    found = internals(_APP)._build_persistence_save_dict()
    return {name: functools.partial(_text, name, get_state) for name, get_state in found.items()}


def _text(name: str, get_state: Callable[[], Any]) -> str | None:
    persistence, state = internals(_PERSISTENCE), get_state()
    if state is None:
        return None
    wrapped = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
    return json.dumps(wrapped, default=persistence._json_default)


class _Code:
    """The code of functions on disk: hashed once, and pruned only after a snapshot without it is whole."""

    def __init__(self) -> None:
        self.referenced: set[str] = set()
        self._known: dict[int, tuple[bytes, str]] = {}

    def write(self, original: Callable[[bytes], str], code: bytes) -> str:
        known = self._known.get(id(code))
        digest = known[1] if known is not None and known[0] is code else original(code)
        self._known[id(code)] = (code, digest)
        return digest

    def refer(self, referenced: set[str]) -> None:
        self.referenced = set(referenced)
        self._known = {key: known for key, known in self._known.items() if known[1] in referenced}


_CODE = _Code()


def keep_state(folder: Callable[[], Path], restored: Callable[[], None]) -> None:
    """Leave writing state to our own snapshots.

    Args:
        folder: Where the services' files are when they are read, at the start of the server.
        restored: Called when they have been.
    """
    app, persistence, code = internals(_APP), internals(_PERSISTENCE), internals(_LAMBDA)
    load = getattr(app._load_persisted_state, "__wrapped__", app._load_persisted_state)
    write = getattr(code._write_code_blob, "__wrapped__", code._write_code_blob)
    prune = getattr(code._prune_orphan_code_blobs, "__wrapped__", code._prune_orphan_code_blobs)

    def load_persisted_state() -> None:
        before, persistence.STATE_DIR = persistence.STATE_DIR, str(folder())
        try:
            load()
        finally:
            persistence.STATE_DIR = before
        restored()

    def save_all(services: Any) -> None:
        pass

    def write_code_blob(code_zip: bytes) -> str:
        return _CODE.write(write, code_zip)

    def prune_orphan_code_blobs(referenced: set[str]) -> None:
        _CODE.refer(referenced)

    save_all.__wrapped__ = getattr(app.save_all, "__wrapped__", app.save_all)  # type: ignore[attr-defined]
    load_persisted_state.__wrapped__ = load  # type: ignore[attr-defined]
    write_code_blob.__wrapped__ = write  # type: ignore[attr-defined]
    prune_orphan_code_blobs.__wrapped__ = prune  # type: ignore[attr-defined]
    app._load_persisted_state, app.save_all = load_persisted_state, save_all
    code._write_code_blob, code._prune_orphan_code_blobs = write_code_blob, prune_orphan_code_blobs


def prune_code() -> None:
    """Remove code that the last snapshot does not refer to."""
    prune = internals(_LAMBDA)._prune_orphan_code_blobs
    getattr(prune, "__wrapped__", prune)(_CODE.referenced)


def _busy_stacks() -> Iterator[dict[str, Any]]:
    for stack in internals(_CLOUDFORMATION)._stacks.all_values():
        status = str(stack.get("StackStatus", ""))
        if status.endswith("_IN_PROGRESS") and status != _REVIEWED:
            yield stack


def stacks_in_progress() -> bool:
    """Whether a stack is being deployed, rolled back or deleted now."""
    return any(True for _ in _busy_stacks())


def settle_stacks(reason: str) -> None:
    """End the operations of stacks that a server has left behind: with the status of one that failed."""
    for stack in _busy_stacks():
        status = stack["StackStatus"]
        stack["StackStatus"] = next(settled for beginning, settled in _SETTLED if status.startswith(beginning))
        stack["StackStatusReason"] = reason
