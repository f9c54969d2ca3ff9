"""Columns, fields and ages for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agentcore_cli import tables

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert tables.columns(["NAME", "V"], [["research", "1"], ["x", ""]]) == "NAME      V\nresearch  1\nx         -\n"


def test_a_value_of_several_lines_stays_in_its_column() -> None:
    assert tables.fields([("name", "x"), ("endpoints", "A\nB")]) == "name       x\nendpoints  A\n           B\n"


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "now"),
        (-5, "now"),
        (1, "1 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 d ago"),
        (864_000, "10 d ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, says: str) -> None:
    assert tables.ago(NOW - timedelta(seconds=seconds), NOW) == says
