"""Remembers where a turn is, so that a function that was ended in the middle is taken up where it was."""

from __future__ import annotations

import time
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from agentcore_lambdas.tool_loop.errors import ToolRecordUnavailable
from agentcore_lambdas.tool_loop.execution import KEPT_SECONDS
from agentcore_lambdas.tool_loop.models import State

NOTE_LIMIT = 350_000
"""Bytes of a note: an item of DynamoDB holds 400 KB."""


class Progress:
    """States of turns in the table of the tool loop."""

    def __init__(self, table: str, client: Any = None) -> None:
        """Names the table.

        Args:
            table: Name of the DynamoDB table, with the key `id` and the time to live `expiration`.
            client: Of DynamoDB.
        """
        self._table = table
        self._client = client or boto3.client("dynamodb")

    def load(self, turn_id: str) -> State | None:
        """Returns where a turn was, if it was begun before.

        Raises:
            ToolRecordUnavailable: The table cannot be read.
        """
        try:
            item = self._client.get_item(TableName=self._table, Key=_key(turn_id), ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from None
        return None if item is None else State.model_validate_json(item["state"]["S"])

    def save(self, turn_id: str, state: State) -> None:
        """Notes where a turn is.

        A text that no item can hold leaves the earlier note in place, which says that an answer is on its way: whoever
        takes the turn up asks the agent to say it again.

        Raises:
            ToolRecordUnavailable: The table cannot be written.
        """
        noted = state.model_dump_json(by_alias=True)
        if len(noted.encode()) > NOTE_LIMIT:
            return
        item = {
            **_key(turn_id),
            "state": {"S": noted},
            "expiration": {"N": str(int(time.time()) + KEPT_SECONDS)},
        }
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from None


def _unavailable(error: Exception) -> ToolRecordUnavailable:
    what = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
    return ToolRecordUnavailable(f"the record of the turn is out of reach: {what}")


def _key(turn_id: str) -> dict[str, Any]:
    return {"id": {"S": f"turn#{turn_id}"}}
