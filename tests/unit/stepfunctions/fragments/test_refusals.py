"""What turns, approvals and commands refuse, at once and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from agentcore_constructs import Authorizer, Harness, HarnessConfigError, InlineTool, Tool
from agentcore_stepfunctions import Message
from agentcore_stepfunctions.fragments import AgentTurn, ApprovalDesk, HumanApproval, VisibleAgentTurn
from agentcore_stepfunctions.run_command import RunHarnessCommand

if TYPE_CHECKING:
    from collections.abc import Callable

JWT = Authorizer.jwt("https://id.example.com/.well-known/openid-configuration", audiences=["workflows"])
REFUND: dict[str, Any] = {"description": "Refunds an order.", "input_schema": {"type": "object"}}
NO_TOKEN = (
    "harness: must take callers with IAM: Step Functions signs its requests and has no token; received a harness with "
    "a JWT authorizer, which refuses IAM; use a second harness without authorizer for workflows, or invoke this one "
    "from code that gets a token."
)
turns = pytest.mark.parametrize("kind", [AgentTurn, VisibleAgentTurn])


def faults(make: Callable[[], Any], subject: str) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        make()
    assert str(caught.value).startswith(f"{subject} has ")
    return [str(fault) for fault in caught.value.faults]


def of_turn(kind: type[AgentTurn], stack: cdk.Stack, **props: Any) -> list[str]:
    return faults(lambda: kind(stack, "Ask", **props), "The turn Agents/Ask")


def of_approval(stack: cdk.Stack, **props: Any) -> list[str]:
    return faults(lambda: HumanApproval(stack, "Ask", title="Refund?", **props), "The approval Agents/Ask")


def of_command(stack: cdk.Stack, **props: Any) -> list[str]:
    given = {"command": "git status", "session_id": "s" * 36, **props}
    return faults(lambda: RunHarnessCommand(stack, "Run", **given), "The command Agents/Run")


def function(stack: cdk.Stack) -> lambda_.IFunction:
    return lambda_.Function.from_function_arn(stack, "Refund", "arn:aws:lambda:us-east-1:111122223333:function:refund")


# ---- turns -----------------------------------------------------------------------------------------------------------


@turns
def test_a_tool_that_only_the_caller_can_run(kind: type[AgentTurn], stack: cdk.Stack) -> None:
    for index, tool in enumerate((InlineTool.client_side("refund", **REFUND), Tool.inline("refund", **REFUND))):
        harness = Harness(stack, f"Shop{index}", tools=[tool])
        with pytest.raises(HarnessConfigError) as caught:
            kind(stack, f"Ask{index}", harness=harness, prompt="Hi")
        assert [str(fault) for fault in caught.value.faults] == [
            (
                "harness: must have a function for the inline tool 'refund', since the workflow has to run it; "
                "received a "
                "tool that only its caller can run; declare it with InlineTool.from_function or .from_lambda, or "
                "leave it "
                "out with allowed_tools."
            )
        ]


@turns
def test_a_tool_that_wants_approval_and_nobody_to_ask(kind: type[AgentTurn], stack: cdk.Stack) -> None:
    tool = InlineTool.from_lambda(function(stack), name="refund", approval=True, **REFUND)
    harness = Harness(stack, "Shop", tools=[tool])
    assert of_turn(kind, stack, harness=harness, prompt="Hi") == [
        (
            "approval: must be given, since the tool 'refund' wants a person's approval; received nothing; pass "
            "approval=HumanApproval(…), which says how people are asked."
        )
    ]


@turns
def test_a_harness_that_wants_tokens(kind: type[AgentTurn], stack: cdk.Stack) -> None:
    assert of_turn(kind, stack, harness=Harness(stack, "Shop", authorizer=JWT), prompt="Hi") == [NO_TOKEN]


@turns
def test_an_endpoint_of_another_harness_and_a_qualifier_beside_it(
    kind: type[AgentTurn], stack: cdk.Stack, harness: Harness
) -> None:
    endpoint = Harness(stack, "Other").add_endpoint("PROD")
    assert of_turn(kind, stack, harness=harness, prompt="Hi", endpoint=endpoint, qualifier="PROD") == [
        (
            "endpoint: must be an endpoint of Agents/Agent; received one of Agents/Other; pass an endpoint of this "
            "harness, "
            "or the other harness."
        ),
        "qualifier: must not be given next to endpoint; received both; keep the endpoint.",
    ]


@turns
@pytest.mark.parametrize(
    ("said", "received"), [({}, "nothing"), ({"prompt": "Hi", "messages": [Message.user("Hi")]}, "both")]
)
def test_nothing_to_say_or_two_ways_to_say_it(
    kind: type[AgentTurn], stack: cdk.Stack, harness: Harness, said: dict[str, Any], received: str
) -> None:
    assert of_turn(kind, stack, harness=harness, **said) == [
        f"prompt: must be given, or messages instead; received {received}; keep the one that is meant."
    ]


# ---- approvals -------------------------------------------------------------------------------------------------------


def test_nobody_to_ask_or_two_ways_to_ask(stack: cdk.Stack) -> None:
    expected = "channel: must be given, or a desk instead; received {}; keep the one that is meant."
    topic = sns.Topic(stack, "Topic")
    desk = ApprovalDesk(stack, "Desk", channel=topic)
    assert of_approval(stack) == [expected.format("nothing")]
    with pytest.raises(HarnessConfigError) as caught:
        HumanApproval(stack, "Both", title="Refund?", channel=topic, desk=desk)
    assert [str(fault) for fault in caught.value.faults] == [expected.format("both")]


@pytest.mark.parametrize(("timeout", "said"), [(cdk.Duration.seconds(0), "0"), (cdk.Duration.days(366), "31622400")])
def test_a_wait_beyond_its_limits(stack: cdk.Stack, timeout: cdk.Duration, said: str) -> None:
    (found,) = of_approval(stack, channel=sns.Topic(stack, "Topic"), timeout=timeout)
    beginning = "timeout: must be 1 second to 365 days; received "
    assert found.startswith(beginning)
    assert float(found.removeprefix(beginning).split()[0]) == pytest.approx(float(said), rel=1e-5)
    assert found.endswith(" seconds; an execution of Step Functions lives a year at most.")


def test_a_channel_that_is_none(stack: cdk.Stack) -> None:
    mail: Any = "mail"
    made = faults(lambda: HumanApproval(stack, "Ask", title="?", channel=mail), "The approvals Agents/Ask/Desk")
    assert made == [
        (
            "channel: must be a topic, an event bus or a function; received 'mail' (4 characters); pass the construct "
            "itself."
        )
    ]


# ---- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 871])
def test_a_command_that_may_take_too_long(stack: cdk.Stack, harness: Harness, limit: int) -> None:
    assert of_command(stack, harness=harness, timeout=cdk.Duration.seconds(limit)) == [
        (
            "timeout: must be 1 to 870 seconds: the function that waits for the command lives 15 minutes; received "
            f"{limit} seconds; start what takes longer in the background, and look again."
        )
    ]


def test_part_of_a_second(stack: cdk.Stack, harness: Harness) -> None:
    (found,) = of_command(stack, harness=harness, timeout=cdk.Duration.millis(1500))
    assert found.startswith("timeout: must be a whole number of seconds; received a Duration that is none (")


def test_everything_else_of_a_command_at_once(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Shop", authorizer=JWT)
    endpoint = Harness(stack, "Other").add_endpoint("PROD")
    found = of_command(stack, harness=harness, endpoint=endpoint, command="x" * 65_537, output_limit=100_001)
    assert found == [
        NO_TOKEN,
        (
            "command: must have 1 to 65,536 characters; received 65537 characters; put the rest into a script that the "
            "session has."
        ),
        (
            "output_limit: must be 0 to 100,000 characters: a state's output has 256 KiB; received 100001; write the "
            "rest "
            "to a file of the session."
        ),
        (
            "endpoint: must be an endpoint of Agents/Shop; received one of Agents/Other; pass an endpoint of this "
            "harness, "
            "or the other harness."
        ),
    ]


def test_a_command_that_is_an_expression_without_its_marks(stack: cdk.Stack, harness: Harness) -> None:
    (found,) = of_command(stack, harness=harness, command="$states.input.command")
    assert found.startswith("command: must be text, or a JSONata expression between {% and %}; received ")
