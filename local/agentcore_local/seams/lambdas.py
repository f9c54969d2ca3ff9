"""Lambda: the processes its functions run in."""

# ruff: noqa: SLF001 - private names are what this package is for

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

from .base import Seam, SeamBrokenError, internals

_LAMBDA = "ministack.services.lambda_svc"
_LAMBDA_RUNTIME = "ministack.core.lambda_runtime"

SEAMS: tuple[Seam, ...] = (
    Seam(_LAMBDA_RUNTIME, "reset", "end the Lambda worker processes", ()),
    Seam(_LAMBDA_RUNTIME, "os.environ", "give Lambda workers an environment of their own"),
    Seam(_LAMBDA_RUNTIME, "tempfile.mkdtemp", "unpack Lambda code into a folder of our own"),
    Seam(_LAMBDA_RUNTIME, "zipfile.ZipFile", "fit unpacked Lambda code to this machine"),
    Seam(_LAMBDA_RUNTIME, "Worker._spawn", "know that a worker starts from os.environ", ("self",)),
    Seam(
        _LAMBDA_RUNTIME,
        "Worker.invoke",
        "hand a client context to a function",
        ("self", "event", "request_id", "trace_id", "depth", "durable", "invoked_function_arn"),
    ),
    Seam(_LAMBDA_RUNTIME, "_PYTHON_WORKER_SCRIPT", "show a client context to Python functions"),
    Seam(_LAMBDA_RUNTIME, "_NODEJS_WORKER_SCRIPT", "show a client context to Node.js functions"),
    Seam(
        _LAMBDA,
        "_invoke",
        "read the client context of a call",
        ("name", "event", "headers", "path_qualifier", "query_params"),
    ),
    Seam(_LAMBDA, "error_response_json", "refuse a client context that is none"),
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


_CLIENT_CONTEXT_HEADER = "x-amz-client-context"
_CLIENT_CONTEXT: ContextVar[dict[str, Any] | None] = ContextVar("client_context", default=None)
# What a worker's script says of the client context, and what it says instead. The object is that of Lambda's runtime
# interface client: attributes `custom`, `env` and `client`.
_PYTHON_CLIENT_CONTEXT = (
    '"client_context": None,',
    (
        '"client_context": type("ClientContext", (), {"custom": None, "env": None, "client": None, '
        '**_ms_durable["client_context"]})() if _ms_durable.get("client_context") else None,'
    ),
)
_NODEJS_CLIENT_CONTEXT = ("clientContext: null,", "clientContext: (ctx.durable || {}).client_context || undefined,")


@contextmanager
def sent_with(context: dict[str, Any] | None) -> Iterator[None]:
    """Invoke functions from this thread with a client context."""
    token = _CLIENT_CONTEXT.set(context)
    try:
        yield
    finally:
        _CLIENT_CONTEXT.reset(token)


def lambda_client_contexts(read: Callable[[str], dict[str, Any]]) -> None:
    """Show functions the client context that their caller sends, which ministack leaves out.

    Args:
        read: Makes it of the header; what it raises (ValueError) is the answer of the invocation.
    """
    runtime = internals(_LAMBDA_RUNTIME)
    invoke, work = internals(_LAMBDA)._invoke, runtime.Worker.invoke
    if hasattr(invoke, "__wrapped__"):
        return

    @wraps(invoke)
    async def invoke_with_context(name: str, event: Any, headers: dict[str, str], *args: Any, **options: Any) -> Any:
        lowered = {key.lower(): value for key, value in headers.items()}
        header = lowered.get(_CLIENT_CONTEXT_HEADER)
        # Lambda passes it on in synchronous invocations only.
        if not header or lowered.get("x-amz-invocation-type", "RequestResponse") != "RequestResponse":
            return await invoke(name, event, headers, *args, **options)
        try:
            token = _CLIENT_CONTEXT.set(read(header))
        except ValueError as problem:
            return internals(_LAMBDA).error_response_json("InvalidRequestContentException", str(problem), 400)
        try:
            return await invoke(name, event, headers, *args, **options)
        finally:
            _CLIENT_CONTEXT.reset(token)

    @wraps(work)
    def work_with_context(self: Any, *args: Any, durable: dict[str, Any] | None = None, **options: Any) -> Any:
        # `durable` reaches the script as it is, which looks for names of its own in it only.
        given = _CLIENT_CONTEXT.get()
        return work(self, *args, durable={**(durable or {}), "client_context": given} if given else durable, **options)

    internals(_LAMBDA)._invoke = invoke_with_context
    runtime.Worker.invoke = work_with_context
    runtime._PYTHON_WORKER_SCRIPT = _replaced(runtime._PYTHON_WORKER_SCRIPT, *_PYTHON_CLIENT_CONTEXT)
    runtime._NODEJS_WORKER_SCRIPT = _replaced(runtime._NODEJS_WORKER_SCRIPT, *_NODEJS_CLIENT_CONTEXT)


def _replaced(script: str, before: str, after: str) -> str:
    if script.count(before) != 1:
        raise SeamBrokenError(
            f"ministack's Lambda worker says {before!r} {script.count(before)} times; once is assumed"
        )
    return script.replace(before, after)
