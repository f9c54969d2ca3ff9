"""Remembers where a turn is, so that a function that was ended in the middle is taken up where it was."""

from __future__ import annotations

import time
from typing import Any

import boto3

from agentcore_lambdas.tool_loop.execution import KEPT_SECONDS
from agentcore_lambdas.tool_loop.models import State


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
        """Returns where a turn was, if it was begun before."""
        item = self._client.get_item(TableName=self._table, Key=_key(turn_id), ConsistentRead=True).get("Item")
        return None if item is None else State.model_validate_json(item["state"]["S"])

    def save(self, turn_id: str, state: State) -> None:
        """Notes where a turn is."""
        item = {
            **_key(turn_id),
            "state": {"S": state.model_dump_json(by_alias=True)},
            "expiration": {"N": str(int(time.time()) + KEPT_SECONDS)},
        }
        self._client.put_item(TableName=self._table, Item=item)


def _key(turn_id: str) -> dict[str, Any]:
    return {"id": {"S": f"turn#{turn_id}"}}
