"""Brings lifecycle events to their targets: Lambda functions, SNS topics, EventBridge buses of this local cloud."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.session import Session

from agentcore_local.toolchain import SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcore_local.agents.plan import Plan

REASON_LIMIT = 1024
"""Characters of a decision's reason (``HarnessHookEventReasonString``)."""

_EVENT_SOURCE = "bedrock-agentcore.harness"
_DETAIL_TYPE = "Harness Lifecycle Hook"

_clients: dict[tuple[str, ...], Any] = {}
_clients_lock = threading.Lock()


class HookFailed(Exception):  # noqa: N818 - what failed is the user's hook; the failure mode decides what follows
    """A Lambda hook gave no decision."""


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
    """Send a lifecycle event to an SNS topic (blocking); a FIFO topic keeps those of a session in order."""
    fifo = {}
    if arn.endswith(".fifo"):
        group = hashlib.sha256(f"{plan.harness_arn}/{plan.session_id}".encode()).hexdigest()
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": payload["hookEventId"]}
    _client(plan, "sns", arn).publish(TopicArn=arn, Message=json.dumps(payload), **fifo)


def put_event(plan: Plan, arn: str, payload: Mapping[str, Any]) -> None:
    """Send a lifecycle event to an EventBridge bus (blocking)."""
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


def _session() -> Session:
    """A session that reads none of the user's AWS files and knows no profile."""
    session = Session(session_vars={"profile": (None, None, None, None)})
    for variable in ("config_file", "credentials_file"):
        session.set_config_variable(variable, os.devnull)
    return session


def _client(plan: Plan, service: Any, target_arn: str, timeout: int = 10) -> Any:
    """A client of this local cloud, acting as the harness' account in the target's Region. boto3's are thread-safe."""
    region = target_arn.split(":")[3]
    key = (service, plan.endpoint, plan.account, region, str(timeout))
    with _clients_lock:
        if key not in _clients:
            _clients[key] = boto3.Session(botocore_session=_session()).client(
                service,
                region_name=region,
                aws_access_key_id=plan.account,
                aws_secret_access_key=SECRET_ACCESS_KEY,
                endpoint_url=plan.endpoint,
                config=Config(connect_timeout=5, read_timeout=timeout, retries={"total_max_attempts": 1}),
            )
        return _clients[key]
