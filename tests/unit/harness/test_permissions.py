"""The table itself: complete, unambiguous, and every wildcard answered for."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from agentcore_constructs.harness.permissions import TABLE, Need, Permission

ROWS = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sid)


def templates(row: Permission) -> list[str]:
    return [*row.resources, *(value for _, _, value in row.conditions)]


def test_sids_are_unique() -> None:
    sids = [row.sid for row in TABLE]

    assert len(set(sids)) == len(sids)


def test_every_need_has_a_row() -> None:
    assert {row.need for row in TABLE} == set(get_args(Need))


@ROWS
def test_sid_is_alphanumeric_and_ends_in_a_letter(row: Permission) -> None:
    # A number is appended to tell statements apart, and taken off again to find the row.
    assert re.fullmatch(r"[A-Za-z0-9]*[A-Za-z]", row.sid)


@ROWS
def test_row_says_when_why_and_who_says_so(row: Permission) -> None:
    assert row.when
    assert row.reason.endswith(".")
    assert row.source.startswith("https://docs.aws.amazon.com/")


@ROWS
def test_no_action_is_a_wildcard(row: Permission) -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action) for action in row.actions)


@ROWS
def test_wildcard_in_a_template_has_a_reason(row: Permission) -> None:
    if any("*" in template for template in row.resources):
        assert row.wildcard


@ROWS
def test_rows_of_one_need_use_the_same_placeholders(row: Permission) -> None:
    place = {"partition", "region", "account"}
    of_need = {
        name
        for other in TABLE
        if other.need == row.need
        for t in templates(other)
        for name in re.findall(r"{(\w+)}", t)
    }

    assert set(re.findall(r"{(\w+)}", " ".join(templates(row)))) <= of_need | place


def test_the_only_deny_is_role_assumption() -> None:
    assert [row.sid for row in TABLE if not row.allow] == ["DenyRoleAssumption"]
