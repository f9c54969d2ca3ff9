"""Brings lifecycle events to their targets: Lambda functions, SNS topics, EventBridge buses of this local cloud."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from agentcore_local import clients
from agentcore_local.agents import permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcore_local.agents.plan import Plan

REASON_LIMIT = 1024
"""Characters of a decision's reason (``HarnessHookEventReasonString``)."""

_EVENT_SOURCE = "bedrock-agentcore.harness"
_DETAIL_TYPE = "Harness Lifecycle Hook"


class HookFailed(Exception):  # noqa: N818 - what failed is the user's hook; the failure mode decides what follows
    """A Lambda hook gave no decision, or a hook's target could not be told."""


def invoke_function(plan: Plan, arn: str, payload: Mapping[str, Any], timeout: int) -> tuple[str, str | None]:
    """Ask a Lambda function to decide (blocking).

    Args:
        plan: Says where the local cloud is, and whose function it is.
        arn: The function's ARN, with or without a version or alias.
        payload: The lifecycle event.
        timeout: Seconds to wait for the decision.

    Returns:
        The decision, ``allow`` or ``deny``, and its reason.

    Raises:
        HookFailed: when the function failed or answered something else.
    """
    _require(plan, "lambda", arn)
    response = _client(plan, "lambda", arn, timeout).invoke(FunctionName=arn, Payload=json.dumps(payload).encode())
    raw = response["Payload"].read()
    if response.get("FunctionError"):
        raise HookFailed(f"the function failed: {raw.decode(errors='replace')[:500]}")
    try:
        answer = json.loads(raw or b"null")
    except ValueError as error:
        raise HookFailed("the function's answer is not JSON") from error
    if not isinstance(answer, dict) or answer.get("decision") not in {"allow", "deny"}:
        raise HookFailed('the function must answer {"decision": "allow"} or {"decision": "deny", "reason": "..."}')
    reason = answer.get("reason")
    if reason is not None and (not isinstance(reason, str) or len(reason) > REASON_LIMIT):
        raise HookFailed(f"the decision's reason must be a text of at most {REASON_LIMIT} characters")
    return answer["decision"], reason


def publish(plan: Plan, arn: str, payload: Mapping[str, Any]) -> None:
    """Send a lifecycle event to an SNS topic (blocking); a FIFO topic keeps those of a session in order.

    Raises:
        HookFailed: when the role may not.
    """
    _require(plan, "sns", arn)
    fifo = {}
    if arn.endswith(".fifo"):
        group = hashlib.sha256(f"{plan.harness_arn}/{plan.session_id}".encode()).hexdigest()
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": payload["hookEventId"]}
    _client(plan, "sns", arn).publish(TopicArn=arn, Message=json.dumps(payload), **fifo)


def put_event(plan: Plan, arn: str, payload: Mapping[str, Any]) -> None:
    """Send a lifecycle event to an EventBridge bus (blocking).

    Raises:
        HookFailed: when the role may not, or the bus refuses it.
    """
    _require(plan, "events", arn)
    entry = {
        "EventBusName": arn,
        "Source": _EVENT_SOURCE,
        "DetailType": _DETAIL_TYPE,
        "Detail": json.dumps(payload),
        "Resources": [plan.harness_arn],
    }
    response = _client(plan, "events", arn).put_events(Entries=[entry])
    if response.get("FailedEntryCount"):
        raise HookFailed(response["Entries"][0].get("ErrorMessage") or "the bus refused the event")


def _require(plan: Plan, service: str, arn: str) -> None:
    refusal = permissions.hook_denial(plan, service, arn)
    if refusal is not None:
        raise HookFailed(refusal)


def _client(plan: Plan, service: str, target_arn: str, timeout: int = 10) -> Any:
    """A client of this local cloud, acting as the harness' account in the target's Region."""
    region = target_arn.split(":")[3]
    return clients.shared(service, plan.account, region, endpoint=plan.endpoint, seconds=timeout)
