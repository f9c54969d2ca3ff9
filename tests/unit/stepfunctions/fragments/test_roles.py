"""What the functions behind turns, approvals and commands may do, and the state machines that call them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from support import synth
from support.workflows import resolved

from agentcore_constructs import Harness, InlineTool, Memory
from agentcore_stepfunctions.fragments import AgentTurn, ApprovalDesk, HumanApproval, VisibleAgentTurn
from agentcore_stepfunctions.run_command import CommandRunner, RunHarnessCommand
from agentcore_stepfunctions.tool_loop import ToolLoop

if TYPE_CHECKING:
    import aws_cdk as cdk

INVOKE = ["bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"]
COMMAND = ["bedrock-agentcore:InvokeAgentRuntimeCommand", "bedrock-agentcore:InvokeAgentRuntime"]
LAMBDA = "arn:aws:lambda:us-east-1:111122223333:function"


class Roles:
    """The statements of a stack's roles, by the beginning of the policies' logical ids."""

    def __init__(self, stack: cdk.Stack) -> None:
        self._resources = synth.template_of(stack).to_json()["Resources"]

    def of(self, prefix: str) -> list[tuple[Any, Any]]:
        """Actions and resources of one role, without those every function of ours has for its log and traces."""
        (policy,) = (
            one["Properties"]
            for name, one in self._resources.items()
            if one["Type"] == "AWS::IAM::Policy" and re.match(rf"{prefix}RoleDefaultPolicy", name)
        )
        statements = policy["PolicyDocument"]["Statement"]
        made = [(statement["Action"], resolved(statement["Resource"])) for statement in statements]
        own = (["logs:CreateLogStream", "logs:PutLogEvents"], ["xray:PutTraceSegments", "xray:PutTelemetryRecords"])
        return [one for one in made if one[0] not in own]

    def arn(self, kind: str, prefix: str) -> str:
        """The ARN of the one resource of a type whose logical id begins so."""
        (name,) = (n for n, one in self._resources.items() if one["Type"] == kind and n.startswith(prefix))
        return f"<{name[:-8]}.Arn>"


@pytest.fixture
def shop(stack: cdk.Stack) -> Harness:
    """A harness with two tools, one of which wants approval."""
    schema = {"type": "object"}
    tools = [
        InlineTool.from_lambda(
            lambda_.Function.from_function_arn(stack, name, f"{LAMBDA}:{name}"),
            name=name,
            description="A tool.",
            input_schema=schema,
            approval=name == "refund",
        )
        for name in ("status", "refund")
    ]
    return Harness(stack, "Agent", memory=Memory.disabled(), tools=tools)


def test_a_loop_and_a_desk_may_do_what_a_turn_needs(stack: cdk.Stack, shop: Harness) -> None:
    desk = ApprovalDesk(stack, "Desk", channel=sns.Topic(stack, "Topic"))
    loop = ToolLoop(stack, "Loop", harness=shop)
    approval = HumanApproval(stack, "Approval", title="Refund?", desk=desk)
    first = AgentTurn(stack, "First", harness=shop, prompt="Hi", approval=approval, loop=loop)
    second = AgentTurn(
        stack,
        "Second",
        harness=shop,
        prompt="Hi",
        qualifier="PROD",
        loop=loop,
        approval=HumanApproval(stack, "Again", title="Refund?", desk=desk),
    )
    body = sfn.DefinitionBody.from_chainable(first.next(second))
    sfn.StateMachine(stack, "Machine", definition_body=body)
    roles = Roles(stack)

    agent = roles.arn("AWS::BedrockAgentCore::Harness", "Agent")
    calls, waiting = (roles.arn("AWS::DynamoDB::GlobalTable", name) for name in ("LoopCalls", "DeskWaiting"))
    assert roles.of("LoopFunction") == [
        (["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], calls),
        (INVOKE, agent),
        ("lambda:InvokeFunction", f"{LAMBDA}:status"),
        ("lambda:InvokeFunction", f"{LAMBDA}:refund"),
        (INVOKE, f"{agent}/harness-endpoint/PROD"),
    ]
    (topic,) = {resource for action, resource in roles.of("DeskAsk") if action == "sns:Publish"}
    assert topic.startswith("<Topic")
    assert roles.of("DeskAsk") == [("dynamodb:PutItem", waiting), ("sns:Publish", topic)]
    assert roles.of("DeskRespond") == [
        (["dynamodb:GetItem", "dynamodb:UpdateItem"], waiting),
        ("states:SendTaskSuccess", "*"),
    ]
    asked, driven = (roles.arn("AWS::Lambda::Function", name) for name in ("DeskAsk", "LoopFunction"))
    allowed = {resource for _, resources in roles.of("Machine") for resource in resources}
    assert {action for action, _ in roles.of("Machine")} == {"lambda:InvokeFunction"}
    assert allowed == {asked, f"{asked}:*", driven, f"{driven}:*"}


def test_a_turn_whose_tools_are_states_calls_them_from_the_workflow(stack: cdk.Stack) -> None:
    status = lambda_.Function.from_function_arn(stack, "Status", f"{LAMBDA}:status")
    tool = InlineTool.from_lambda(status, name="status", description="A tool.", input_schema={"type": "object"})
    harness = Harness(stack, "Agent", memory=Memory.disabled(), tools=[tool])
    turn = VisibleAgentTurn(stack, "Ask", harness=harness, prompt="Hi", loop=ToolLoop(stack, "Loop", harness=harness))
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(turn))
    roles = Roles(stack)
    driven = roles.arn("AWS::Lambda::Function", "LoopFunction")
    assert {resource for _, resources in roles.of("Machine") for resource in resources} == {
        driven,
        f"{driven}:*",
        f"{LAMBDA}:status",
        f"{LAMBDA}:status:*",
    }


@pytest.mark.parametrize("named", [None, "endpoint", "qualifier"])
def test_a_runner_may_run_commands_where_it_is_told(stack: cdk.Stack, named: str | None) -> None:
    harness = Harness(stack, "Agent", memory=Memory.disabled())
    there: dict[str, Any] = {
        "endpoint": {"endpoint": harness.add_endpoint("PROD")} if named == "endpoint" else {},
        "qualifier": {"qualifier": "PROD"},
    }
    runner = CommandRunner(stack, "Runner", harness=harness)
    where = there[named] if named else {}
    command = RunHarnessCommand(
        stack, "Run", harness=harness, command="ls", session_id="s" * 36, runner=runner, **where
    )
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(command))
    roles = Roles(stack)
    agent = roles.arn("AWS::BedrockAgentCore::Harness", "Agent")
    function = roles.arn("AWS::Lambda::Function", "RunnerFunction")
    reached = [agent, f"{agent}/harness-endpoint/PROD"] if named else [agent]
    assert roles.of("RunnerFunction") == [(COMMAND, one) for one in reached]
    assert roles.of("Machine") == [("lambda:InvokeFunction", [function, f"{function}:*"])]
