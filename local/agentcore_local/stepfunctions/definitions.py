"""What Step Functions refuses when a state machine is made or changed, and would be noticed late here.

Sources: the Amazon States Language (https://states-language.net); Step Functions developer guide,
choosing-workflow-type (patterns that Express workflows do not know) and procedure-create-iam-role.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentcore_local import machine_roles

from . import quotas

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = dict[str, Any]
Refusal = tuple[str, str]

_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
_STATE_NAME_LIMIT = 80
_NOT_TRUSTED = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role."
)


def refusal(machine_arn: str, request: Record) -> Refusal | None:
    """Error code and message for what cannot be a state machine; None for what can.

    Args:
        machine_arn: ARN of the state machine.
        request: The members of CreateStateMachine or UpdateStateMachine.
    """
    if "name" in request and (fault := quotas.name_fault(request["name"])) is not None:
        return "InvalidName", fault
    role = request.get("roleArn")
    if role and machine_roles.distrust(str(role), machine_arn) is not None:
        return "AccessDeniedException", _NOT_TRUSTED
    if request.get("definition") is None:
        return None  # of an update, it stays
    problem = next(_problems(str(request["definition"]), express=request.get("type") == "EXPRESS"), None)
    return ("InvalidDefinition", f"Invalid State Machine Definition: '{problem}'") if problem else None


def _problems(text: str, *, express: bool) -> Iterator[str]:
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"INVALID_JSON_DESCRIPTION: {error}"
        return
    if not isinstance(definition, dict):
        yield "SCHEMA_VALIDATION_FAILED: The definition must be a JSON object at /"
        return
    yield from _broken(definition, "")
    if express:
        yield from _not_for_express(definition, "")


def _broken(holder: Record, path: str) -> Iterator[str]:
    """What the States Language asks of states and of the ways between them."""
    states = holder.get("States")
    if not isinstance(states, dict) or not states:
        yield f"SCHEMA_VALIDATION_FAILED: The field 'States' must be an object of states at {path or '/'}"
        return
    if holder.get("StartAt") not in states:
        yield f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {holder.get('StartAt')} at {path}/StartAt"
    for name, state in states.items():
        where = f"{path}/States/{name}"
        if len(name) > _STATE_NAME_LIMIT:
            yield f"SCHEMA_VALIDATION_FAILED: The name of a state has at most {_STATE_NAME_LIMIT} characters at {where}"
        if not isinstance(state, dict) or state.get("Type") not in _TYPES:
            given = state.get("Type") if isinstance(state, dict) else state
            yield f"SCHEMA_VALIDATION_FAILED: Type must be one of {', '.join(_TYPES)}, not {given!r} at {where}/Type"
            continue
        for step, target in _transitions(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {where}{step}"
        for inner in _inner(state):
            yield from _broken(inner, where)


def _transitions(state: Record) -> Iterator[tuple[str, Any]]:
    """Where a state leads, and where in it that is said."""
    yield from ((f"/{member}", state[member]) for member in ("Next", "Default") if member in state)
    for member in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(member) or []):
            if isinstance(rule, dict) and "Next" in rule:
                yield f"/{member}[{index}]/Next", rule["Next"]


def _inner(state: Record) -> Iterator[Record]:
    """The state machines within a Map or Parallel state."""
    for holder in (state.get("ItemProcessor"), state.get("Iterator"), *(state.get("Branches") or [])):
        if isinstance(holder, dict):
            yield holder


def _not_for_express(holder: Record, path: str) -> Iterator[str]:
    for name, state in (holder.get("States") or {}).items():
        where, resource = f"{path}/States/{name}", str(state.get("Resource", ""))
        for pattern in (".sync", ".waitForTaskToken"):
            if state.get("Type") == "Task" and pattern in resource:
                yield f"Express state machine does not support '{pattern}' service integration at {where}/Resource"
        processor = state.get("ItemProcessor") or {}
        if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
            yield f"Express state machine does not support Map state in DISTRIBUTED mode at {where}"
        for inner in _inner(state):
            yield from _not_for_express(inner, where)
