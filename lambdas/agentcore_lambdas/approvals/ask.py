"""The Lambda handler that asks: it keeps the task token, and tells people the id to answer with."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from botocore.exceptions import BotoCoreError, ClientError

from agentcore_lambdas.approvals.store import Store

TABLE_VARIABLE = "APPROVALS_TABLE"
CHANNEL_VARIABLE = "APPROVALS_CHANNEL"
RESPONDER_VARIABLE = "APPROVALS_RESPONDER"
SOURCE = "agentcore.approvals"
"""Source of the events on an event bus; their detail type is `Approval Requested`."""
DETAIL_TYPE = "Approval Requested"
_SUBJECT_LIMIT = 100  # characters of the subject of an SNS message

logger = Logger(service="agentcore-approvals")
tracer = Tracer(service="agentcore-approvals")
_STORE = Store(os.environ[TABLE_VARIABLE])


class NotNotified(Exception):  # noqa: N818  (workflows catch it by this name)
    """Nobody could be told of the approval."""


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  (Lambda's signature)
    """Asks.

    Args:
        event: `token` of the waiting step, `timeoutSeconds` it waits, `title`, and `request`: what is to be approved.
        context: Lambda's.

    Raises:
        NotNotified: The channel refused the message.
    """
    approval_id = _STORE.open(event["token"], int(event["timeoutSeconds"]))
    message = {
        "approvalId": approval_id,
        "title": event["title"],
        "request": event.get("request"),
        "respondTo": os.environ[RESPONDER_VARIABLE],
        "expiresAfterSeconds": int(event["timeoutSeconds"]),
        "execution": event.get("execution"),
    }
    logger.info("approval requested", execution=event.get("execution"))
    try:
        _tell(os.environ[CHANNEL_VARIABLE], message)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        logger.error("nobody was told", error=type(error).__name__)
        raise NotNotified(f"nobody could be told of the approval: {type(error).__name__}") from None


def _tell(channel: str, message: dict[str, Any]) -> None:
    service = channel.split(":")[2]
    text = json.dumps(message, ensure_ascii=False)
    if service == "sns":
        # A subject is one line of ASCII.
        line = " ".join(f"Approval: {message['title']}".split())
        subject = line.encode("ascii", "replace").decode()[:_SUBJECT_LIMIT]
        order = _order(message["approvalId"]) if channel.endswith(".fifo") else {}
        boto3.client("sns").publish(TopicArn=channel, Subject=subject, Message=text, **order)
    elif service == "events":
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": text, "EventBusName": channel}
        answer = boto3.client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise RuntimeError(answer["Entries"][0].get("ErrorCode"))
    else:
        boto3.client("lambda").invoke(FunctionName=channel, InvocationType="Event", Payload=text.encode())


def _order(approval_id: str) -> dict[str, str]:
    """What a FIFO topic wants to know: approvals wait for no other one, and none is a repetition."""
    return {"MessageGroupId": approval_id, "MessageDeduplicationId": approval_id}
