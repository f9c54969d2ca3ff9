"""The Lambda handler that hears: behind a function URL with IAM, or invoked directly.

Body: `{"approvalId": "…", "approved": true, "comment": "…"}`. The first answer counts; the same one again is confirmed,
another one is refused with 409.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from agentcore_lambdas.approvals.ask import TABLE_VARIABLE
from agentcore_lambdas.approvals.store import Store

logger = Logger(service="agentcore-approvals")
tracer = Tracer(service="agentcore-approvals")
_STORE = Store(os.environ[TABLE_VARIABLE])
_GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class NotAnswered(Exception):  # noqa: N818  (whoever invokes the function sees this name)
    """The answer could not be passed on to the workflow; it can be given again."""


class Response(BaseModel):
    """What a person says."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    approval_id: str = Field(min_length=1, max_length=100)
    approved: StrictBool  # nothing that merely looks like a yes
    comment: str = Field("", max_length=4000)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  (Lambda's signature)
    """Hears an answer.

    Args:
        event: A request of a function URL, or the body itself.
        context: Lambda's.

    Returns:
        A response of a function URL: 200, 400 for what is no answer, 404 for no such approval, 409 for one that was
        answered otherwise, 410 for one that is no longer waited for.
    """
    try:
        said = Response.model_validate(_body(event))
    except (ValidationError, ValueError):
        return _reply(400, 'the body must be {"approvalId": "…", "approved": true or false, "comment": "…"}')
    waiting = _STORE.find(said.approval_id)
    if waiting is None:
        return _reply(404, "there is no such approval")
    word = "approved" if said.approved else "rejected"
    is_first = _STORE.answer(said.approval_id, word)
    if not is_first:
        known = _STORE.find(said.approval_id)
        if known is None or known.answered != word:
            return _reply(409, "answered otherwise before")
    # The same answer again is passed on again: the first time, this function may have been ended before it did.
    who = _caller(event)
    logger.info("approval answered", answer=word, by=who)
    output = {"approved": said.approved, "comment": said.comment, "by": who}
    try:
        boto3.client("stepfunctions").send_task_success(taskToken=waiting.token, output=json.dumps(output))
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        if code in _GONE:
            return _reply(410, "nobody waits for this approval any more") if is_first else _reply(200, f"{word} before")
        if is_first:
            _STORE.reopen(said.approval_id)
        # Lambda logs what is raised here, and the service's own words may quote the token.
        raise NotAnswered(f"the workflow could not be told of the answer: {code}") from None
    return _reply(200, word)


def _body(event: dict[str, Any]) -> Any:
    if "requestContext" not in event:
        return event
    body = event.get("body") or ""
    return json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)


def _caller(event: dict[str, Any]) -> str | None:
    """Who answered, as IAM knows them."""
    found = event.get("requestContext", {}).get("authorizer", {}).get("iam", {}).get("userArn")
    return None if found is None else str(found)


def _reply(status: int, message: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message}),
    }
