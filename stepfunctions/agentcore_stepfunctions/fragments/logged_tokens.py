"""Task tokens in logs: Step Functions writes what states are given into its log where execution data is included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

if TYPE_CHECKING:
    from constructs import Construct

LOGGED_TOKEN = "@agentcore-harness-cdk:logged-task-token"  # noqa: S105  (an id of a warning)


def warn_of_logged_tokens(scope: Construct, state: str) -> None:
    """Warns when a machine of the stack that has a state logs what the state is given, its task token included.

    Args:
        scope: Where the warning goes.
        state: Name of the state that gets a token.
    """
    for machine in cdk.Stack.of(scope).node.find_all():
        if isinstance(machine, sfn.CfnStateMachine) and _logs_data(machine) and _has_state(machine, state):
            text = (
                f"The state machine {machine.node.path} has the approval {scope.node.path} and logs execution data, so "
                "its log holds task tokens: whoever reads it can answer the approval. Set include_execution_data=False."
            )
            cdk.Annotations.of(scope).add_warning_v2(LOGGED_TOKEN, text)


def _logs_data(machine: sfn.CfnStateMachine) -> bool:
    logging = cdk.Stack.of(machine).resolve(machine.logging_configuration) or {}
    return bool(logging.get("includeExecutionData")) and logging.get("level") != "OFF"


def _has_state(machine: sfn.CfnStateMachine, state: str) -> bool:
    definition = cdk.Stack.of(machine).resolve(machine.definition_string)
    return json.dumps(state, ensure_ascii=False) in _text(definition)


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [_, parts]}:
            return "".join(_text(part) for part in parts)
    return ""
