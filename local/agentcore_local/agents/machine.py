"""The directory a session works in: what is left of its microVM here."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STORAGE_PREFIX = "mnt-"
"""Directories that outlive a stop of the machine: ``mnt-data`` is what the agent sees as ``/mnt/data``."""


class Machine:
    """Made on first use, because most sessions never need one. Safe to use from several threads.

    Removing files can take long. So `expire` only notes what is to go; the next use, or `clean`, removes it.

    Args:
        make_root: Makes the parent of the directories.
    """

    def __init__(self, make_root: Callable[[], Path]) -> None:
        self._make_root = make_root
        self._lock = threading.Lock()
        self._expired = False
        self._with_storage = False
        self.root: Path | None = None

    def directory(self, name: str) -> Path:
        """A directory of this machine, made when it is missing."""
        with self._lock:
            self._clean()
            if self.root is None:
                self.root = self._make_root()
            path = self.root / name
            path.mkdir(mode=0o700, exist_ok=True)
            return path

    def expire(self, *, with_storage: bool) -> None:
        """The machine stops: the next use finds a fresh one, with or without the session storage of this one."""
        with self._lock:
            self._expired = True
            self._with_storage = self._with_storage or with_storage

    def clean(self) -> None:
        """Remove what has expired."""
        with self._lock:
            self._clean()

    def wipe(self) -> None:
        """Remove everything, now."""
        self.expire(with_storage=True)
        self.clean()

    def _clean(self) -> None:
        if self._expired and self.root is not None:
            if self._with_storage:
                remove(self.root)
                self.root = None
            else:
                for path in self.root.iterdir():
                    if not path.name.startswith(STORAGE_PREFIX):
                        remove(path)
        self._expired = self._with_storage = False


def remove(path: Path) -> None:
    """Remove a directory and everything in it, also what a command of the agent has locked."""
    for directory, names, _files in os.walk(path):
        for name in names:
            inner = Path(directory, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
