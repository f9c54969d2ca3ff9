"""`AWS::StepFunctions::StateMachine`: refused where the API would refuse it."""

from __future__ import annotations

from typing import Any

from agentcore_local.seams import stepfunctions as seam
from agentcore_local.stepfunctions import definitions

STATE_MACHINE = "AWS::StepFunctions::StateMachine"


def checked(handler: dict[str, Any]) -> dict[str, Any]:
    """Ministack's handler, whose creation asks nobody; its update goes through UpdateStateMachine."""
    create = handler["create"]

    def checked_create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        request = {"roleArn": props.get("RoleArn"), "type": props.get("StateMachineType")}
        refusal = definitions.refusal(arn, {**request, "definition": _definition(arn)})
        if refusal is not None:
            handler["delete"](arn, props)
            raise ValueError(f'Resource handler returned message: "{refusal[1]}" (HandlerErrorCode: InvalidRequest)')
        return arn, attributes

    return {**handler, "create": checked_create}


def _definition(arn: str) -> str:
    return str((seam.find_machine(arn) or {}).get("definition") or "{}")
