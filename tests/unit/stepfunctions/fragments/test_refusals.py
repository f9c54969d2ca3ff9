"""What turns, approvals and commands refuse, at once and in a sentence."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from support.shop import orders
from support.workflows import Machine

from agentcore_constructs import Authorizer, Harness, HarnessConfigError, InlineTool, Tool
from agentcore_stepfunctions import ApprovedTool, Message
from agentcore_stepfunctions.fragments import AgentTurn, ApprovalDesk, HumanApproval, VisibleAgentTurn
from agentcore_stepfunctions.fragments.agent_turn import AgentTurnProps
from agentcore_stepfunctions.run_command import RunHarnessCommand

if TYPE_CHECKING:
    from collections.abc import Callable

JWT = Authorizer.jwt("https://id.example.com/.well-known/openid-configuration", audiences=["workflows"])
REFUND: dict[str, Any] = {"description": "Refunds an order.", "input_schema": {"type": "object"}}
NO_TOKEN = (
    "harness: must take callers with IAM: Step Functions signs its requests and has no token; received a harness with "
    "a JWT authorizer, which refuses IAM; use a second harness without authorizer in workflows, which the fragment "
    "AgentTurn needs as well, or invoke this one from code that gets a token."
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
    ("said", "told"),
    [
        ({}, "nothing; give one"),
        ({"prompt": "Hi", "messages": [Message.user("Hi")]}, "both; keep the one that is meant"),
    ],
)
def test_nothing_to_say_or_two_ways_to_say_it(
    kind: type[AgentTurn], stack: cdk.Stack, harness: Harness, said: dict[str, Any], told: str
) -> None:
    assert of_turn(kind, stack, harness=harness, **said) == [
        f"prompt: must be given, or messages instead; received {told}."
    ]


@turns
def test_a_tool_that_is_added_after_the_turn_was_made(kind: type[AgentTurn], stack: cdk.Stack) -> None:
    runs = function(stack)
    tools = [InlineTool.from_lambda(runs, name=name, **REFUND) for name in ("early", "late")]
    harness = Harness(stack, "Shop", tools=tools[:1])
    turn = kind(stack, "Ask", harness=harness, prompt="Hi")
    assert turn.node.validate() == []
    harness.add_tool(tools[1])
    assert turn.node.validate() == [
        (
            "harness: must have the inline tool 'late' before the turn is made, which has states for the tools it "
            "finds; received one that was added afterwards; make the turn later, or leave the tool out with "
            "allowed_tools."
        )
    ]


@turns
def test_a_tool_that_comes_with_the_turn(kind: type[AgentTurn], stack: cdk.Stack, harness: Harness) -> None:
    turn = kind(stack, "Ask", harness=harness, prompt="Hi", tools=[InlineTool.from_function(orders.status)])
    definition = Machine(stack, turn).definition_text
    assert '"order-status":{"function":"<AskToolorder-status' in definition.replace(
        "Toolorderstatus", "Toolorder-status"
    )


@turns
@pytest.mark.parametrize("limit", [cdk.Duration.millis(1500), True, "60"])
def test_a_limit_of_a_turn_that_is_no_seconds(
    kind: type[AgentTurn], stack: cdk.Stack, harness: Harness, limit: Any
) -> None:
    (found,) = of_turn(kind, stack, harness=harness, prompt="Hi", harness_timeout=limit)
    assert found.startswith("harness_timeout: must be a")


@turns
def test_a_limit_of_a_turn_that_is_known_at_deployment_only(
    kind: type[AgentTurn], stack: cdk.Stack, harness: Harness
) -> None:
    limit = cdk.Duration.seconds(cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number)
    turn = kind(stack, "Ask", harness=harness, prompt="Hi", harness_timeout=limit)
    assert '"timeoutSeconds":<Seconds>' in Machine(stack, turn).definition_text


def test_names_that_step_functions_does_not_take(stack: cdk.Stack, harness: Harness) -> None:
    made = [
        AgentTurn(stack, "a" * 70, harness=harness, prompt="Hi"),
        HumanApproval(stack, "b" * 70, title="?", channel=sns.Topic(stack, "Topic")),
        RunHarnessCommand(stack, "c" * 81, harness=harness, command="ls", session_id="s" * 36),
    ]
    for fragment in made:
        assert all("the name of a state, 1–80 characters" in told for told in fragment.node.validate())
        assert fragment.node.validate()


@turns
def test_a_refused_turn_leaves_nothing_behind(kind: type[AgentTurn], stack: cdk.Stack, harness: Harness) -> None:
    of_turn(kind, stack, harness=harness)
    kind(stack, "Ask", harness=harness, prompt="Hi")


# ---- approvals -------------------------------------------------------------------------------------------------------


def test_nobody_to_ask_or_two_ways_to_ask(stack: cdk.Stack) -> None:
    expected = "channel: must be given, or a desk instead; received {}."
    topic = sns.Topic(stack, "Topic")
    desk = ApprovalDesk(stack, "Desk", channel=topic)
    assert of_approval(stack) == [expected.format("nothing; give one")]
    with pytest.raises(HarnessConfigError) as caught:
        HumanApproval(stack, "Both", title="Refund?", channel=topic, desk=desk)
    assert [str(fault) for fault in caught.value.faults] == [expected.format("both; keep the one that is meant")]


@pytest.mark.parametrize(("timeout", "said"), [(cdk.Duration.seconds(0), "0"), (cdk.Duration.days(366), "31622400")])
def test_a_wait_beyond_its_limits(stack: cdk.Stack, timeout: cdk.Duration, said: str) -> None:
    (found,) = of_approval(stack, channel=sns.Topic(stack, "Topic"), timeout=timeout)
    beginning = "timeout: must be 1 second to 365 days; received "
    assert found.startswith(beginning)
    assert float(found.removeprefix(beginning).split()[0]) == pytest.approx(float(said), rel=1e-5)
    assert found.endswith(" seconds; an execution of Step Functions lives a year at most.")


def test_a_wait_that_is_known_at_deployment_only(stack: cdk.Stack, harness: Harness) -> None:
    wait = cdk.Duration.seconds(cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number)
    topic = sns.Topic(stack, "Topic")
    with pytest.raises(HarnessConfigError, match="timeout: must be given next to an approval_timeout that is known"):
        ApprovedTool(stack, "Refunds", harness=harness, channel=topic, approval_timeout=wait)
    approval = HumanApproval(stack, "Ask", title="?", channel=topic, timeout=wait)
    definition = Machine(stack, approval).definition_text
    assert "Nobody answered within <Seconds> seconds." in definition
    assert definition.count('"timeoutSeconds":<Seconds>') == definition.count('"TimeoutSeconds":<Seconds>') == 1


def test_part_of_a_second_is_no_wait(stack: cdk.Stack) -> None:
    (found,) = of_approval(stack, channel=sns.Topic(stack, "Topic"), timeout=cdk.Duration.millis(1500))
    assert found.startswith("timeout: must be a whole number of seconds; received a Duration that is none (")


@pytest.mark.parametrize(
    ("level", "data", "warned"),
    [(sfn.LogLevel.ALL, True, True), (sfn.LogLevel.ALL, False, False), (sfn.LogLevel.OFF, True, False)],
)
def test_a_log_that_would_hold_the_task_token_is_warned_of(
    stack: cdk.Stack, level: sfn.LogLevel, data: bool, warned: bool
) -> None:
    logged = sfn.LogOptions(destination=logs.LogGroup(stack, "Logs"), level=level, include_execution_data=data)
    approvals = {
        name: HumanApproval(stack, name, title="?", channel=sns.Topic(stack, f"{name}Topic"))
        for name in ("Release", "Publish")
    }
    for name, options in (("Release", logged), ("Publish", None)):
        body = sfn.DefinitionBody.from_chainable(approvals[name])
        sfn.StateMachine(stack, f"{name}Machine", definition_body=body, logs=options)
    warnings = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    found = [one.id for one in warnings if "[ack: @agentcore-harness-cdk:logged-task-token]" in str(one.entry.data)]
    assert found == (["/Agents/Release"] if warned else [])


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


@pytest.mark.parametrize(
    "session_id",
    ["abc", "$.session", "$states.input.session", "s" * 101, "s" * 40 + "!", "{% $states.context.Execution.Name %}"],
)
def test_a_session_that_is_none(stack: cdk.Stack, harness: Harness, session_id: str) -> None:
    (found,) = of_command(stack, harness=harness, session_id=session_id)
    assert found.startswith(("session_id: must be a", "session_id: must not be the execution's name"))


def test_everything_else_of_a_command_at_once(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Shop", authorizer=JWT)
    endpoint = Harness(stack, "Other").add_endpoint("PROD")
    found = of_command(
        stack, harness=harness, endpoint=endpoint, qualifier="no-such", command="x" * 65_537, output_limit=100_001
    )
    assert found[4].startswith("qualifier: must be the name of an endpoint; received 'no-such'")
    assert found.pop(5) == "qualifier: must not be given next to endpoint; received both; keep the endpoint."
    found.pop(4)
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


# ---- types -----------------------------------------------------------------------------------------------------------


def test_the_arguments_of_both_turns_are_the_same_and_typed(stack: cdk.Stack, harness: Harness) -> None:
    taken = inspect.signature(AgentTurn.__init__).parameters.keys() - {"self", "scope", "construct_id", "harness"}
    assert AgentTurnProps.__annotations__.keys() == taken
    with pytest.raises(TypeError, match="promt"):
        VisibleAgentTurn(stack, "Ask", harness=harness, promt="Hi")  # type: ignore[call-arg]  # mypy sees it as well


def test_a_turn_that_catches_is_still_that_turn(stack: cdk.Stack, harness: Harness) -> None:
    turn = VisibleAgentTurn(stack, "Ask", harness=harness, prompt="Hi").add_catch(sfn.Fail(stack, "Failed"))
    assert turn.tool_states == {}
