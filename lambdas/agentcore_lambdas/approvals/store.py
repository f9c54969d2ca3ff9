"""Which approvals are waited for. The task token is kept here and nowhere else: people and messages get an id.

Whoever has a task token can end the step that waits for it, so it is no thing to mail around; an id is worth nothing
without the right to call the responder.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

_KEPT_SECONDS = 7 * 24 * 3600
_CONDITION = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Waiting:
    """An approval that is waited for.

    Attributes:
        approval_id: What people answer with.
        token: Of the step that waits.
        answered: What was said already: `approved` or `rejected`; None while nobody has answered.
    """

    approval_id: str
    token: str
    answered: str | None = None


class Store:
    """Approvals in DynamoDB."""

    def __init__(self, table: str, client: Any = None) -> None:
        """Names the table.

        Args:
            table: With the key `id` and the time to live `expiration`.
            client: Of DynamoDB.
        """
        self._table = table
        self._client = client or boto3.client("dynamodb")

    def open(self, token: str, expires_after: int) -> str:
        """Notes that an answer is waited for.

        Args:
            token: Task token of the step.
            expires_after: Seconds that the step waits.

        Returns:
            The id to answer with.
        """
        approval_id = secrets.token_urlsafe(24)
        item = {
            "id": {"S": approval_id},
            "token": {"S": token},
            "expiration": {"N": str(int(time.time()) + expires_after + _KEPT_SECONDS)},
        }
        self._client.put_item(TableName=self._table, Item=item)
        return approval_id

    def find(self, approval_id: str) -> Waiting | None:
        """Returns an approval; None when there is no such one."""
        item = self._client.get_item(TableName=self._table, Key=_key(approval_id), ConsistentRead=True).get("Item")
        if item is None:
            return None
        answered = item["answered"]["S"] if "answered" in item else None
        return Waiting(approval_id, item["token"]["S"], answered)

    def answer(self, approval_id: str, said: str) -> bool:
        """Notes an answer; the first one counts.

        Returns:
            False when there was one before.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(approval_id),
                UpdateExpression="SET answered = :said",
                ConditionExpression="attribute_exists(id) AND attribute_not_exists(answered)",
                ExpressionAttributeValues={":said": {"S": said}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONDITION:
                return False
            raise
        return True

    def reopen(self, approval_id: str) -> None:
        """Takes an answer back that could not be passed on, so that it can be given again."""
        self._client.update_item(TableName=self._table, Key=_key(approval_id), UpdateExpression="REMOVE answered")


def _key(approval_id: str) -> dict[str, Any]:
    return {"id": {"S": approval_id}}
