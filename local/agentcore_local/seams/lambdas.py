"""Lambda: the processes its functions run in."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .base import Seam, internals

_LAMBDA = "ministack.services.lambda_svc"
_LAMBDA_RUNTIME = "ministack.core.lambda_runtime"

SEAMS: tuple[Seam, ...] = (
    Seam(_LAMBDA_RUNTIME, "reset", "end the Lambda worker processes", ()),
    Seam(_LAMBDA_RUNTIME, "os.environ", "give Lambda workers an environment of their own"),
    Seam(_LAMBDA_RUNTIME, "tempfile.mkdtemp", "unpack Lambda code into a folder of our own"),
    Seam(_LAMBDA_RUNTIME, "zipfile.ZipFile", "fit unpacked Lambda code to this machine"),
    Seam(_LAMBDA_RUNTIME, "Worker._spawn", "know that a worker starts from os.environ", ("self",)),
    Seam(_LAMBDA, "os.environ", "give Lambda workers an environment of their own"),
    Seam(_LAMBDA, "tempfile.TemporaryDirectory", "unpack Lambda code into a folder of our own"),
)


def end_lambda_workers() -> None:
    """End every Lambda worker process and remove its folder."""
    internals(_LAMBDA_RUNTIME).reset()


class _Stand:
    """A module with some of its names replaced, for the modules that are handed it instead of the real one."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Environment(Mapping[str, str]):
    """What a function returns, as `os.environ`."""

    def __init__(self, current: Callable[[], dict[str, str]]) -> None:
        self._current = current

    def __getitem__(self, name: str) -> str:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())


def lambda_surroundings(environment: Callable[[], dict[str, str]], folder: Callable[[], str]) -> None:
    """Start Lambda workers from this environment instead of the server's, and unpack their code below this folder."""

    def mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002
        return tempfile.mkdtemp(suffix, prefix, dir or folder())

    def temporary_directory(*args: Any, **options: Any) -> Any:
        return tempfile.TemporaryDirectory(*args, **{"dir": folder(), **options})

    for name in (_LAMBDA_RUNTIME, _LAMBDA):
        module = internals(name)
        module.os = _Stand(os, environ=_Environment(environment))
        module.tempfile = _Stand(tempfile, mkdtemp=mkdtemp, TemporaryDirectory=temporary_directory, gettempdir=folder)


def on_code_unpacked(then: Callable[[Path], None]) -> None:
    """Call `then(folder)` when the zip of a function or a layer is unpacked, before the function's process starts.

    What it raises is the answer of the invocation. The function's timeout counts from when its process has started.
    """

    class Archive(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            super().extractall(path, members, pwd)
            then(Path(path or "."))

    internals(_LAMBDA_RUNTIME).zipfile = _Stand(zipfile, ZipFile=Archive)
