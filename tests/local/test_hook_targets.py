"""Hooks that tell topics and buses, on the local cloud: what arrives there, with the rights the construct gives."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from support import synth

from agentcore_constructs import Harness, Hook, HookTarget, Memory, Model
from agentcore_lambdas import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud


_PATIENCE_SECONDS = 20


def build(stack: cdk.Stack) -> None:
    """An agent that tells a topic, a FIFO topic and a bus, each encrypted, and a queue behind each."""
    key = kms.Key(stack, "Key")
    topic = sns.Topic(stack, "Topic", master_key=key)
    ordered = sns.Topic(stack, "Ordered", fifo=True, topic_name="ordered.fifo", master_key=key)
    bus = events.EventBus(stack, "Bus", kms_key=key)
    queues = {"plain": sqs.Queue(stack, "Plain"), "bus": sqs.Queue(stack, "OfBus")}
    queues["fifo"] = sqs.Queue(stack, "OfOrdered", fifo=True, queue_name="ordered.fifo")
    topic.add_subscription(subscriptions.SqsSubscription(queues["plain"]))
    ordered.add_subscription(subscriptions.SqsSubscription(queues["fifo"]))
    events.Rule(
        stack,
        "Rule",
        event_bus=bus,
        event_pattern=events.EventPattern(source=["bedrock-agentcore.harness"], detail_type=["Harness Lifecycle Hook"]),
        targets=[events_targets.SqsQueue(queues["bus"])],
    )
    agent = Harness(
        stack,
        "Agent",
        harness_name="telling",
        model=Model.bedrock("anthropic.one"),
        memory=Memory.disabled(),
        hooks=[
            Hook.before_invocation("plain", topic),
            Hook.before_invocation("fifo-before", ordered),
            Hook.after_invocation("fifo-after", ordered),
            Hook.after_invocation("bus", HookTarget.event_bus(bus, encryption_key=key)),
        ],
    )
    cdk.CfnOutput(stack, "Arn", value=agent.harness_arn)
    for name, queue in queues.items():
        cdk.CfnOutput(stack, f"Queue{name}", value=queue.queue_url)


@pytest.fixture(scope="module")
def told(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, list[Any]]]:
    """Invokes the agent with a session and returns what came to each queue."""
    account: Account = local_cloud.account()
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path_factory.mktemp("hooks")))
    stack = cdk.Stack(app, "Telling")
    build(stack)
    app.synth()
    outputs = account.deploy(app.outdir)["Telling"].outputs
    local_cloud.script("telling", lambda _call: "done")
    client, queue = account.client("bedrock-agentcore"), account.client("sqs")

    def received(name: str, count: int) -> list[Any]:
        found: list[Any] = []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            asked = queue.receive_message(
                QueueUrl=outputs[f"Queue{name}"],
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
            )
            for message in asked.get("Messages", []):
                found.append((json.loads(message["Body"]), message.get("Attributes", {})))
                queue.delete_message(QueueUrl=outputs[f"Queue{name}"], ReceiptHandle=message["ReceiptHandle"])
        return found

    def told(session: str) -> dict[str, list[Any]]:
        stream = client.invoke_harness(
            harnessArn=outputs["Arn"],
            runtimeSessionId=session,
            messages=[{"role": "user", "content": [{"text": "Grüße"}]}],
        )["stream"]
        fired = [event["hookEvent"] for event in stream if "hookEvent" in event]
        assert [(one["name"], "decision" in one) for one in fired] == [
            (name, False) for name in ("plain", "fifo-before", "fifo-after", "bus")
        ]
        found = {name: received(name, count) for name, count in (("plain", 1), ("fifo", 2), ("bus", 1))}
        return {**found, "fired": fired}

    return told


def test_what_is_told_is_what_our_lambda_side_reads(told: Callable[..., dict[str, list[Any]]]) -> None:
    session = f"session-{uuid.uuid4()}"
    found = told(session)
    ids = {one["name"]: one["hookEventId"] for one in found["fired"]}
    ((notice, _),) = found["plain"]
    (before,) = hooks.events_from_sns({"Records": [{"Sns": notice}]})
    assert isinstance(before, hooks.BeforeInvocation)
    assert (before.session_id, before.messages[0].text, before.hook_event_id) == (session, "Grüße", ids["plain"])

    ((event, _),) = found["bus"]
    after = hooks.event_from_event_bridge(event)
    assert isinstance(after, hooks.AfterInvocation)
    assert (after.context.stop_reason, after.hook_event_id) == ("end_turn", ids["bus"])
    assert event["detail-type"] == "Harness Lifecycle Hook"
    assert event["resources"] == [after.harness_arn]


def test_a_fifo_topic_keeps_the_order_of_a_session(told: Callable[..., dict[str, list[Any]]]) -> None:
    groups = []
    for session in ("one", "two"):
        messages = told(f"session-{session}-{uuid.uuid4()}")["fifo"]
        read = [hooks.events_from_sns({"Records": [{"Sns": body}]})[0] for body, _ in messages]
        assert [one.event for one in read] == ["before_invocation", "after_invocation"]
        groups.append({attributes.get("MessageGroupId") for _, attributes in messages})
    assert [len(group) for group in groups] == [1, 1]
    assert groups[0] != groups[1]
