"""Custom resources of CloudFormation, and the Lambda functions that serve them."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import Callable
from typing import Any

from .base import Seam, internals

_LAMBDA = "ministack.services.lambda_svc"
_CUSTOM_RESOURCE = "ministack.services.cloudformation.custom_resource"

SEAMS: tuple[Seam, ...] = (
    Seam(
        _LAMBDA,
        "_execute_function_with_config_scope",
        "see a custom resource's function fail before it answers",
        ("func", "event"),
    ),
    Seam(
        _CUSTOM_RESOURCE,
        "invoke_custom_resource",
        "serve custom resources whose functions cannot run here",
        (
            "request_type",
            "logical_id",
            "props",
            "stack_name",
            "stack_id",
            "resource_type",
            "physical_id",
            "old_props",
        ),
    ),
    Seam(_CUSTOM_RESOURCE, "deliver_response", "answer for a function that failed", ("token", "response")),
    Seam(_CUSTOM_RESOURCE, "_pending", "see whether a function that failed had answered"),
    Seam(_CUSTOM_RESOURCE, "register_token", "wait for the answer to a request that a topic carries", ("token",)),
    Seam(_CUSTOM_RESOURCE, "_response_url", "wait for the answer to a request that a topic carries", ("token",)),
    Seam(_CUSTOM_RESOURCE, "_normalise_resource_properties", "write properties as CloudFormation does", ("value",)),
)


CustomResource = Callable[..., tuple[str, dict[str, Any]]]
# ministack 1.5.33 counts a custom resource's ServiceTimeout from when its function has ended, so one that hangs would
# hold its stack for as long as it likes. Its function runs beside the wait here.
_IN_BACKGROUND: contextvars.ContextVar[bool] = contextvars.ContextVar("agentcore_local_in_background", default=False)


def wrap_custom_resources(wrap: Callable[[CustomResource], CustomResource]) -> None:
    """Put a function around the one that serves every custom resource; it gets the original to delegate to."""
    module = internals(_CUSTOM_RESOURCE)
    original = getattr(module.invoke_custom_resource, "__wrapped__", module.invoke_custom_resource)

    def timed(*arguments: Any) -> tuple[str, dict[str, Any]]:
        token = _IN_BACKGROUND.set(True)
        try:
            found: tuple[str, dict[str, Any]] = original(*arguments)
        finally:
            _IN_BACKGROUND.reset(token)
        return found

    wrapped = wrap(timed)
    wrapped.__wrapped__ = original  # type: ignore[attr-defined]
    module.invoke_custom_resource = wrapped


def on_function_end(report: Callable[[dict[str, str], Any, str | None], None]) -> None:
    """Call `report(variables, event, error)` when a Lambda function has ended that CloudFormation or a topic invoked.

    Those that others invoke with the same event are none of it: a state machine polls CDK's `isComplete` handlers,
    whose way to say "not yet" is an error.

    `variables` is the function's own environment, `error` the message it ended with, None when it returned.
    """
    module = internals(_LAMBDA)
    original = getattr(
        module._execute_function_with_config_scope, "__wrapped__", module._execute_function_with_config_scope
    )

    def execute(func: dict[str, Any], event: dict[str, Any]) -> Any:
        if _is_of_topic(event):
            return reported(func, event)
        if not _IN_BACKGROUND.get():
            return original(func, event)
        _IN_BACKGROUND.set(False)  # for the function's own thread; the caller has the token to reset it
        context = contextvars.copy_context()  # account and Region
        threading.Thread(target=context.run, args=(reported, func, event), daemon=True).start()
        return {}

    def reported(func: dict[str, Any], event: dict[str, Any]) -> Any:
        try:
            result, error = original(func, event), None
        except Exception as raised:  # noqa: BLE001 - nobody waits for this thread: the answer must come from here
            result, error = None, f"{type(raised).__name__}: {raised}"
        if isinstance(result, dict) and result.get("error"):
            body = result.get("body")
            message = body.get("errorMessage") if isinstance(body, dict) else None
            error = str(message or "the function failed")
        config = func.get("config") or func
        report((config.get("Environment") or {}).get("Variables") or {}, event, error)
        return result

    execute.__wrapped__ = original  # type: ignore[attr-defined]
    module._execute_function_with_config_scope = execute


def _is_of_topic(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return isinstance(records, list) and bool(records) and records[0].get("EventSource") == "aws:sns"


def answered_custom_resource(ask: Callable[[str, str], None], seconds: float) -> dict[str, Any] | None:
    """What somebody answers to a custom resource's request; None when nobody has in time.

    Args:
        ask: Sends the request; gets the token of the answer and the address to send it to.
        seconds: How long to wait.
    """
    module, token = internals(_CUSTOM_RESOURCE), str(uuid.uuid4())
    answered = module.register_token(token)
    try:
        ask(token, module._response_url(token))
        answered.wait(seconds)
    finally:
        pending = module._pending.pop(token, None)
    found: dict[str, Any] | None = (pending or {}).get("result")
    return found


def wire_properties(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties as custom resources are told them: numbers and booleans as text."""
    written: dict[str, Any] = internals(_CUSTOM_RESOURCE)._normalise_resource_properties(properties)
    return written


def awaits_answer(token: str) -> bool:
    """Whether CloudFormation still waits for the answer of a custom resource's function."""
    pending = internals(_CUSTOM_RESOURCE)._pending.get(token)
    return pending is not None and pending["result"] is None


def answer_custom_resource(token: str, response: dict[str, Any]) -> None:
    """Answer for a custom resource's function, unless it has answered itself."""
    if awaits_answer(token):
        internals(_CUSTOM_RESOURCE).deliver_response(token, response)
