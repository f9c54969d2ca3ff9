"""Lifecycle hooks."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.behaviours import Agent, behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

TOPIC = "Lifecycle hooks"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-lifecycle-hooks.html",)
EVENTS = ("beforeInvocation", "beforeToolCall", "afterToolCall", "afterInvocation")
# Denies what DENY names, and answers nonsense to what BREAK names.
SOURCE = """
def handler(event, context):
    told = event["name"]
    if "breaks" in told:
        return {"decision": "perhaps"}
    return {"decision": "deny" if "denies" in told else "allow", "reason": event["event"]}
"""


@pytest.fixture(scope="module")
def house(local_cloud: Any) -> Any:
    """An account with a function that decides."""
    account = local_cloud.account()
    iam = account.client("iam")
    trust = stacks.trust()
    trust["Statement"][0]["Principal"]["Service"] = ["bedrock-agentcore.amazonaws.com", "lambda.amazonaws.com"]
    iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="agent", PolicyName="Anything", PolicyDocument=json.dumps(stacks.ANYTHING))
    account.client("lambda").create_function(
        FunctionName="decide",
        Role=f"arn:aws:iam::{account.account_id}:role/agent",
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": stacks.zipped({"index.py": SOURCE})},
        Timeout=30,
    )
    return account


@pytest.fixture
def hooked(house: Account, local_cloud: Any) -> Callable[..., Any]:
    """Makes a harness whose hooks of these events are decided by the function."""

    def make(script: Any = "fine", *, mode: str = "deny", **hooks: str) -> Agent:
        target = {
            "lambda": {"arn": f"arn:aws:lambda:us-east-1:{house.account_id}:function:decide", "failureMode": mode}
        }
        created = house.client("bedrock-agentcore-control").create_harness(
            harnessName=f"h{uuid.uuid4().hex[:12]}",
            executionRoleArn=f"arn:aws:iam::{house.account_id}:role/agent",
            memory={"disabled": {}},
            hooks=[{event: {"name": name, "target": target}} for event, name in hooks.items()],
        )["harness"]
        local_cloud.script(created["arn"], (lambda call: script) if isinstance(script, str) else script)
        return Agent(house, created)

    return make


@behaviour("Four events, each fired hook in the stream with its decision, in the order things happen")
def test_events(hooked: Callable[..., Any], shell: Callable[..., Any]) -> None:
    answer = hooked(shell("true"), **dict(zip(EVENTS, "abcd", strict=True))).say()
    assert [(hook["name"], hook["type"], hook["decision"]) for hook in answer.hooks] == [
        ("a", "before_invocation", "allow"),
        ("b", "before_tool_call", "allow"),
        ("c", "after_tool_call", "allow"),
        ("d", "after_invocation", "allow"),
    ]
    assert [hook["reason"] for hook in answer.hooks] == [hook["type"] for hook in answer.hooks]


@behaviour("A function that denies before the invocation stops it: `hook_stopped`, and no model is called")
def test_denied_invocation(hooked: Callable[..., Any]) -> None:
    answer = hooked("never", beforeInvocation="denies").say()
    assert (answer.stop, answer.text) == ("hook_stopped", "")


@behaviour("One that denies before a tool call skips that tool; the loop goes on")
def test_denied_call(hooked: Callable[..., Any], shell: Callable[..., Any]) -> None:
    answer = hooked(shell("echo ran"), beforeToolCall="denies").say()
    assert answer.stop == "end_turn"
    assert "ran" not in answer.text.split()


@behaviour("One that denies after a tool call keeps the result and stops the invocation")
def test_denied_result(hooked: Callable[..., Any], shell: Callable[..., Any]) -> None:
    answer = hooked(shell("echo ran"), afterToolCall="denies").say()
    assert answer.stop == "hook_stopped"
    assert "tool_result" in answer.stops


@behaviour("What one says after the invocation is reported only")
def test_denied_end(hooked: Callable[..., Any]) -> None:
    answer = hooked(afterInvocation="denies").say()
    assert (answer.text, answer.stop, answer.hooks[0]["decision"]) == ("fine", "end_turn", "deny")


@behaviour("An answer that is no decision, an error or a timeout follows `failureMode`, which is `deny` unless set")
def test_failure_mode(hooked: Callable[..., Any]) -> None:
    assert hooked("never", beforeInvocation="breaks").say().stop == "hook_stopped"
    assert hooked("fine", mode="allow", beforeInvocation="breaks").say().stop == "end_turn"


@behaviour("Topics and buses are told without being asked; what they do changes nothing")
def test_topics(agent: Callable[..., Agent], account: Account) -> None:
    topic = account.client("sns").create_topic(Name="told")["TopicArn"]
    hooks = [
        {"beforeInvocation": {"name": "topic", "target": {"sns": {"arn": topic}}}},
        {"afterInvocation": {"name": "gone", "target": {"sns": {"arn": topic + "-gone"}}}},
    ]
    answer = agent(script="fine", hooks=hooks).say()
    assert [(hook["name"], "decision" in hook) for hook in answer.hooks] == [("topic", False), ("gone", False)]
    assert answer.text == "fine"


@behaviour("A FIFO topic gets the events of a session in their order, each session a message group of its own")
def test_fifo_topics(agent: Callable[..., Agent], account: Account) -> None:
    sns, sqs = account.client("sns"), account.client("sqs")
    topic = sns.create_topic(Name="told.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    queue = sqs.create_queue(QueueName="heard.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [open_to_all]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    events = ("beforeInvocation", "afterInvocation")
    made = agent(script="fine", hooks=[{one: {"name": one, "target": {"sns": {"arn": topic}}}} for one in events])
    sessions = [str(uuid.uuid4()) for _ in range(2)]
    for session in sessions * 2:
        made.say(runtimeSessionId=session)

    heard: list[tuple[str, str, str]] = []
    end = time.monotonic() + 15
    while len(heard) < 8 and time.monotonic() < end:
        found = sqs.receive_message(QueueUrl=queue, AttributeNames=["MessageGroupId"], MaxNumberOfMessages=10)
        for message in found.get("Messages", []):
            body = json.loads(message["Body"])
            heard.append((message["Attributes"]["MessageGroupId"], body["sessionId"], body["event"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert len({group for group, _, _ in heard}) == 2
    for session in sessions:
        its = [(group, event) for group, said, event in heard if said == session]
        assert len({group for group, _ in its}) == 1
        assert [event for _, event in its] == ["before_invocation", "after_invocation"] * 2


@behaviour("At most 20 hooks; a function has 1 to 900 seconds, 60 unless set")
def test_limits(create: Callable[..., Any]) -> None:
    def hook(number: int, **settings: Any) -> dict[str, Any]:
        target = {"lambda": {"arn": "arn:aws:lambda:us-east-1:111122223333:function:f", **settings}}
        return {"beforeInvocation": {"name": f"n{number}", "target": target}}

    create("fits", hooks=[hook(number, timeoutSeconds=900) for number in range(20)])
    for number, hooks in enumerate(([hook(number) for number in range(21)], [hook(0, timeoutSeconds=901)])):
        assert error_of(create, name=f"h{number}", hooks=hooks)[0] == "ValidationException"
