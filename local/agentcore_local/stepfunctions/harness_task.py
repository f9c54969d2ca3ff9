"""The optimized integration of Step Functions: ``arn:aws:states:::bedrockagentcore:invokeHarness``.

Request/Response only, PascalCase in and out. The result is the last message of the assistant, text only, with the usage
of all model calls; an inline function can therefore not be served from a workflow (Step Functions developer guide,
connect-bedrockagentcore).
"""

from __future__ import annotations

import asyncio
import difflib
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape

from agentcore_local import agents
from agentcore_local.faults import RequestRefused, StreamFailed, TaskFailed
from agentcore_local.harness import rules
from agentcore_local.harness.api import invokable
from agentcore_local.harness.errors import ServiceError, invalid
from agentcore_local.harness.routes import service_model
from agentcore_local.harness.validation import validate
from agentcore_local.process import PROCESS

from .lives import in_background

if TYPE_CHECKING:
    from botocore.model import Shape

RESOURCE = "arn:aws:states:::bedrockagentcore:invokeHarness"

TASK_SECONDS = 900
"""How long a state waits, whatever it says; the agent works on to its own limit (developer guide, as above)."""

_ERROR_PREFIX = "BedrockAgentCore."
# An error of the service whose own name lacks the ending all others have.
_ERROR_NAMES = {"RuntimeClientError": "RuntimeClientErrorException"}
_ERROR_OF_STREAM = {
    "validationException": "ValidationException",
    "internalServerException": "InternalServerException",
    "runtimeClientError": "RuntimeClientErrorException",
}


def invoke_harness(resource: str, arguments: Any, *, account: str, region: str) -> dict[str, Any]:
    """Run one invocation for a task state and wait for its end.

    Args:
        resource: The state's ``Resource``.
        arguments: Its ``Arguments`` (JSONata) or ``Parameters`` (JSONPath), PascalCase.
        account: Account of the state machine; the harness must be in it.
        region: Region of the state machine; the harness must be in it.

    Returns:
        ``Output.Message``, ``StopReason``, ``Usage``, ``Metrics``.

    Raises:
        TaskFailed: ``States.Runtime`` for a state that Step Functions would refuse, ``BedrockAgentCore.<Name>`` for
            what the service refuses or fails with, ``States.Timeout`` after `TASK_SECONDS`; the agent works on then.
    """
    if resource != RESOURCE:
        raise TaskFailed(
            "States.Runtime",
            f"The resource must be {RESOURCE}: the integration is request/response only; received {resource}; "
            "leave out .sync and .waitForTaskToken.",
        )
    shape: Shape = service_model("bedrock-agentcore").shape_for("InvokeHarnessRequest")
    request = _camel_case(shape, arguments, "Arguments")
    try:
        faults = validate(shape, request)
        faults = faults or rules.check({name: request[name] for name in ("model", "tools") if name in request})
        if faults:
            raise invalid(faults)
        _check_scope(request["harnessArn"], account, region)
        harness = invokable(request["harnessArn"], request.get("qualifier"))
        invocation = agents.Invocation(harness, request, account, region, PROCESS.endpoint_url)
        document: dict[str, Any] = in_background(lambda: asyncio.run(_collect(invocation))).result(TASK_SECONDS)
    except ServiceError as error:
        raise TaskFailed(_error_name(error.code), error.message) from error
    except RequestRefused as error:
        raise TaskFailed(_error_name(error.error_code), error.message) from error
    except StreamFailed as error:
        raise TaskFailed(_ERROR_PREFIX + _ERROR_OF_STREAM[error.kind], error.message) from error
    except TimeoutError as error:
        raise TaskFailed("States.Timeout", f"The task did not end within {TASK_SECONDS} seconds.") from error
    return document


def _check_scope(arn: str, account: str, region: str) -> None:
    _, _, _, its_region, its_account, _ = arn.split(":", 5)
    if (its_account, its_region) != (account, region):
        raise ServiceError(
            "AccessDeniedException",
            f"The harness {arn} is not in the state machine's account and Region ({account}, {region})",
        )


async def _collect(invocation: agents.Invocation) -> dict[str, Any]:
    result = _Result()
    async with aclosing(agents.invoke(invocation)) as events:
        async for name, payload in events:
            result.add(name, payload)
    return result.document()


class _Result:
    """What the integration keeps of a stream."""

    def __init__(self) -> None:
        self._role = ""
        self._texts: dict[int, str] = {}
        self._answer: dict[int, str] = {}
        self._stop_reason = "end_turn"
        self._usage = {"InputTokens": 0, "OutputTokens": 0, "TotalTokens": 0}
        self._latency = 0

    def add(self, name: str, payload: dict[str, Any]) -> None:
        if name == "messageStart":
            self._role, self._texts = payload["role"], {}
        elif name == "contentBlockDelta" and "text" in payload["delta"]:
            index = payload["contentBlockIndex"]
            self._texts[index] = self._texts.get(index, "") + payload["delta"]["text"]
        elif name == "messageStop":
            self._stop_reason = payload["stopReason"]
            if self._role == "assistant":
                self._answer = self._texts
        elif name == "metadata":
            for member in self._usage:
                self._usage[member] += payload["usage"][_camel(member)]
            self._latency += payload["metrics"]["latencyMs"]

    def document(self) -> dict[str, Any]:
        content = [{"Text": text} for _index, text in sorted(self._answer.items())]
        return {
            "Output": {"Message": {"Role": "assistant", "Content": content}},
            "StopReason": self._stop_reason,
            "Usage": self._usage,
            "Metrics": {"LatencyMs": self._latency},
        }


def _error_name(code: str) -> str:
    return _ERROR_PREFIX + _ERROR_NAMES.get(code, code)


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _camel_case(shape: Shape, value: Any, path: str) -> Any:
    """The API's names for Step Functions' ones; JSON documents and the keys of maps stay as they are.

    Raises:
        TaskFailed: ``States.Runtime``, as Step Functions answers when it cannot start a task with its parameters.
    """
    if getattr(shape, "is_document_type", False):
        return value
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_camel_case(shape.member, item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _camel_case(shape.value, item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(shape, StructureShape):
        return _structure(shape, value, path)
    return value


def _structure(shape: StructureShape, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        return value  # the shape's validation says what it must be
    members = {_pascal(name): name for name in shape.members}
    unknown = [name for name in value if name not in members]
    if unknown:
        raise TaskFailed("States.Runtime", _not_supported(unknown, list(members), path))
    missing = [_pascal(name) for name in shape.required_members if _pascal(name) not in value]
    if missing:
        raise TaskFailed(
            "States.Runtime",
            f"The parameters could not be used to start the task: {path} must have the field(s) {', '.join(missing)}; "
            f"received {', '.join(value) or 'none'}; add what is missing.",
        )
    return {
        members[name]: _camel_case(shape.members[members[name]], item, f"{path}.{name}") for name, item in value.items()
    }


def _not_supported(unknown: list[str], known: list[str], path: str) -> str:
    lower = {name.lower(): name for name in known}
    nearest = [match for name in unknown for match in difflib.get_close_matches(name.lower(), lower, 1)]
    hint = f"did you mean {', '.join(lower[match] for match in nearest)}?" if nearest else f"use {', '.join(known)}."
    return (
        f"The parameters could not be used to start the task: the field(s) {', '.join(unknown)} of {path} are not "
        f"supported by Step Functions; {hint}"
    )
