"""The statements of every row of the permission table, for the smallest configuration that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.needs import EXAMPLES, PLACE, needs_of

from agentcore_constructs.harness.permissions import TABLE
from agentcore_constructs.harness.policy import statements

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from agentcore_constructs.harness.permissions import Permission


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sid)
def test_row(row: Permission, json_snapshot: SnapshotAssertion) -> None:
    if row.need == "managed_memory":
        needs = {"managed_memory": [{"memory": "arn:aws:bedrock-agentcore:eu-west-1:111122223333:memory/m-0123456789"}]}
    else:
        needs = needs_of(**EXAMPLES[row.need])

    made = [statement for statement in statements(needs, PLACE) if statement["Sid"].startswith(row.sid)]

    assert [statement for statement in made if statement["Sid"] == row.sid] == json_snapshot
