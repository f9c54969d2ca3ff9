"""Custom resources whose service token is an SNS topic: the request is a message, and any subscriber may answer it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-sns.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from agentcore_local import seams

from . import builtin

DEFAULT_TIMEOUT = 3600
"""Seconds CloudFormation waits when a resource has no `ServiceTimeout`."""

# Answers that depend on one Lambda function: no other subscriber could give them.
_ON_ONE_FUNCTION: set[str] = set()


def is_topic(service_token: Any) -> bool:
    """Whether a custom resource is asked through a topic, and not by invoking a function."""
    return isinstance(service_token, str) and service_token.split(":")[2:3] == ["sns"]


def serve(call: builtin.Call, resource_type: str, stack_id: str) -> builtin.Answer:
    """Publish the request, and wait until somebody answers it at its address.

    Args:
        call: The request.
        resource_type: Such as `Custom::Thing`.
        stack_id: ARN of the stack.

    Raises:
        ValueError: Nobody hears of the request: the topic is of another Region, or has no subscriptions.
        TimeoutError: Nobody has answered in time.
        RuntimeError: The answer is a failure.
    """
    topic, seconds = str(call.props["ServiceToken"]), _timeout(call.props)
    if topic.split(":")[3] != call.region:
        raise ValueError(f"the topic {topic} must be in the Region of the stack, {call.region}")
    client = call.client("sns")
    subscribed = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    protocols = [one["Protocol"] for one in subscribed if one["SubscriptionArn"].startswith("arn:")]
    if not protocols:
        # CloudFormation would wait for an answer to a message that nobody has received.
        raise ValueError(
            f"nobody subscribes to the topic {topic} while {call.logical_id} needs an answer; let {call.logical_id} "
            "depend on the subscription (DependsOn, in the CDK node.add_dependency)"
        )
    request = {
        "RequestType": call.request_type,
        "RequestId": str(uuid.uuid4()),
        "StackId": stack_id,
        "ResourceType": resource_type,
        "LogicalResourceId": call.logical_id,
        "ResourceProperties": seams.wire_properties(call.props),
        **({} if call.physical_id is None else {"PhysicalResourceId": call.physical_id}),
        **({} if call.old_props is None else {"OldResourceProperties": seams.wire_properties(call.old_props)}),
    }

    asked: set[str] = set()

    def ask(token: str, address: str) -> None:
        if protocols == ["lambda"]:
            asked.add(token)
            _ON_ONE_FUNCTION.add(token)
        client.publish(TopicArn=topic, Message=json.dumps({**request, "ResponseURL": address}))

    try:
        answer = seams.answered_custom_resource(ask, seconds)
    finally:
        _ON_ONE_FUNCTION.difference_update(asked)
    if answer is None:
        raise TimeoutError(f"nobody answered the request to the topic {topic} within {seconds} s")
    if answer.get("Status") == "FAILED":
        raise RuntimeError(answer.get("Reason") or "no reason was given")
    physical_id = answer.get("PhysicalResourceId") or call.physical_id or request["RequestId"]
    return builtin.Answer(str(physical_id), answer.get("Data") or {})


def depends_on_one_function(token: str) -> bool:
    """Whether nobody is left to answer a request when the function that heard of it has failed."""
    return token in _ON_ONE_FUNCTION


def request_in(event: Any) -> Any:
    """The request that a topic's message to a function carries; None when it carries none."""
    try:
        return json.loads(event["Records"][0]["Sns"]["Message"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _timeout(props: dict[str, Any]) -> int:
    try:
        return int(props.get("ServiceTimeout") or DEFAULT_TIMEOUT)
    except (TypeError, ValueError):
        return DEFAULT_TIMEOUT
