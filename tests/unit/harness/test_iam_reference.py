"""docs/iam.md is written from the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcore_constructs.harness import iam_reference
from agentcore_constructs.harness.permissions import TABLE, Permission


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sid)
def test_every_row_is_told_in_full(row: Permission) -> None:
    text = iam_reference().split(f"\n## {row.sid}\n")[1].split("\n## ")[0]

    assert row.reason in text
    assert f"<{row.source}>" in text
    assert row.wildcard in text
    assert all(f"`{action}`" in text for action in row.actions)
    assert all(f"`{resource}`" in text for resource in row.resources)
    assert all(f"`{key}` {operator} `{value}`" in text for operator, key, value in row.conditions)


def test_every_feature_is_in_the_overview() -> None:
    overview = iam_reference().split("|---|---|\n")[1].split("\n## ")[0]

    assert all(f"| {row.when} |" in overview for row in TABLE)


def test_the_page_is_current() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "iam.md"

    assert page.read_text(encoding="utf-8") == iam_reference(), "run make docs"
