"""What Step Functions refuses when a state machine is made or changed, and would be noticed late here.

Sources: Step Functions developer guide, choosing-workflow-type (patterns that Express workflows do not know) and
procedure-create-iam-role.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentcore_local import machine_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = dict[str, Any]
Refusal = tuple[str, str]

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
    role = request.get("roleArn")
    if role and machine_roles.distrust(str(role), machine_arn) is not None:
        return "AccessDeniedException", _NOT_TRUSTED
    if request.get("type") != "EXPRESS":
        return None
    try:
        definition = json.loads(request.get("definition") or "{}")
    except ValueError:
        return None  # ministack says so
    problem = next(_not_for_express(definition, ""), None)
    return ("InvalidDefinition", f"Invalid State Machine Definition: '{problem}'") if problem else None


def _not_for_express(holder: Record, path: str) -> Iterator[str]:
    for name, state in (holder.get("States") or {}).items():
        where, resource = f"{path}/States/{name}", str(state.get("Resource", ""))
        for pattern in (".sync", ".waitForTaskToken"):
            if state.get("Type") == "Task" and pattern in resource:
                yield f"Express state machine does not support '{pattern}' service integration at {where}/Resource"
        processor = state.get("ItemProcessor") or {}
        if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
            yield f"Express state machine does not support Map state in DISTRIBUTED mode at {where}"
        for inner in (processor, state.get("Iterator") or {}, *(state.get("Branches") or [])):
            yield from _not_for_express(inner, where)
