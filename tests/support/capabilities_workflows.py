"""Stacks with state machines of a user's own, made of turns, approvals and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn

from agentcore_constructs import Harness, InlineTool, Memory
from agentcore_stepfunctions import SessionId, jsonata
from agentcore_stepfunctions.fragments import CALL, AgentTurn, HumanApproval, VisibleAgentTurn
from agentcore_stepfunctions.run_command import RunHarnessCommand
from support.shop import orders

if TYPE_CHECKING:
    from constructs import Construct

REQUEST = jsonata("$states.input.request")


def agent_turn(scope: Construct) -> None:
    tools = [InlineTool.from_function(orders.status), InlineTool.from_function(orders.refund)]
    harness = Harness(scope, "Cashier", memory=Memory.disabled(), tools=tools)
    key = kms.Key(scope, "Key", enable_key_rotation=True)
    approval = HumanApproval(
        scope,
        "Approval",
        title="May the agent refund?",
        channel=sns.Topic(scope, "Managers", master_key=key, enforce_ssl=True),
        request=jsonata(CALL),
        timeout=cdk.Duration.hours(4),
    )
    _machine(scope, AgentTurn(scope, "Serve", harness=harness, prompt=REQUEST, approval=approval))


def visible_agent_turn(scope: Construct) -> None:
    harness = Harness(scope, "Cashier", memory=Memory.disabled(), tools=[InlineTool.from_function(orders.status)])
    turn = VisibleAgentTurn(
        scope, "Serve", harness=harness, prompt=REQUEST, endpoint=harness.add_endpoint("PROD"), max_iterations=10
    )
    _machine(scope, turn)


def run_command(scope: Construct) -> None:
    harness = Harness(scope, "Coder", memory=Memory.disabled())
    session = SessionId.per_execution()
    turn = AgentTurn(scope, "Implement", harness=harness, prompt=REQUEST, session_id=session)
    tests = RunHarnessCommand(scope, "Test", harness=harness, command="make test", session_id=session)
    _machine(scope, turn.next(tests))


def _machine(scope: Construct, start: sfn.IChainable) -> None:
    body = sfn.DefinitionBody.from_chainable(start)
    sfn.StateMachine(scope, "Machine", definition_body=body, query_language=sfn.QueryLanguage.JSONATA)


CAPABILITIES = (agent_turn, visible_agent_turn, run_command)
