"""Lambda: what a function that raises answers, `errorType` and stack trace as the runtimes of Lambda have them.

ministack 1.5.33 calls every error `Runtime.HandlerError`, and a workflow's Catch or a caller could not tell them apart;
that of a process that ended under its function too, which is `Runtime.ExitError` on AWS.
"""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import contextvars
import inspect
from functools import wraps
from typing import Any

from .base import Seam, SeamBrokenError, internals

_LAMBDA = "ministack.services.lambda_svc"
_LAMBDA_RUNTIME = "ministack.core.lambda_runtime"

SEAMS: tuple[Seam, ...] = (
    Seam(_LAMBDA, "_execute_function_warm", "answer with a function's error", ("func", "event", "request_id")),
    Seam(_LAMBDA_RUNTIME, "Worker.invoke", "read a function's error"),
    Seam(_LAMBDA_RUNTIME, "_PYTHON_WORKER_SCRIPT", "learn a Python function's error"),
    Seam(_LAMBDA_RUNTIME, "_NODEJS_WORKER_SCRIPT", "learn a Node.js function's error"),
)

_DIED = "Worker process died"
_RAISED: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("agentcore_local_raised", default=None)
_PYTHON = (
    '"error": str(e), "trace": traceback.format_exc()}',
    (
        '"error": str(e), "trace": traceback.format_exc(), "raised": {"errorMessage": str(e), '
        '"errorType": type(e).__name__, "requestId": _ms_ctx.get("request_id", ""), '
        '"stackTrace": traceback.format_tb(e.__traceback__)[1:]}}'
    ),
)
_NODE = '"raised": {errorType: %s.name || "Error", errorMessage: %s, trace: String(%s.stack || "").split("\\n")}'
_NODEJS = (
    (
        'error: String(err.message || err), trace: err.stack || ""',
        'error: String(err.message || err), trace: err.stack || "", '
        + _NODE % ("err", "String(err.message || err)", "err"),
    ),
    (
        'status: "error", error: e.message, trace: e.stack\n      })',
        'status: "error", error: e.message, trace: e.stack, ' + _NODE % ("e", "e.message", "e") + "\n      })",
    ),
)


def function_errors() -> None:
    """Answer with the error a function raised; once per process."""
    runtime, functions = internals(_LAMBDA_RUNTIME), internals(_LAMBDA)
    execute, work = functions._execute_function_warm, runtime.Worker.invoke
    if '"raised"' in runtime._PYTHON_WORKER_SCRIPT:
        return
    if _DIED not in inspect.getsource(inspect.unwrap(work)):
        raise SeamBrokenError(
            f"ministack's Lambda worker does not say {_DIED!r} any more; it tells how a process ended"
        )

    @wraps(work)
    def invoke(self: Any, *args: Any, **options: Any) -> Any:
        result = work(self, *args, **options)
        _RAISED.set(result.get("raised"))
        if result.get("error") == _DIED:
            request_id = options.get("request_id", args[1] if len(args) > 1 else "")
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            _RAISED.set({"errorMessage": message, "errorType": "Runtime.ExitError"})
        return result

    @wraps(execute)
    def answered(func: dict[str, Any], event: Any, request_id: str) -> Any:
        _RAISED.set(None)
        result = execute(func, event, request_id)
        raised = _RAISED.get()
        return {**result, "body": raised} if result.get("error") and raised else result

    runtime._PYTHON_WORKER_SCRIPT = _replaced(runtime._PYTHON_WORKER_SCRIPT, *_PYTHON)
    for before, after in _NODEJS:
        runtime._NODEJS_WORKER_SCRIPT = _replaced(runtime._NODEJS_WORKER_SCRIPT, before, after)
    runtime.Worker.invoke, functions._execute_function_warm = invoke, answered


def _replaced(script: str, before: str, after: str) -> str:
    if before not in script:
        raise SeamBrokenError(f"ministack's Lambda worker does not say {before!r} any more; it is used to read errors")
    return script.replace(before, after)
