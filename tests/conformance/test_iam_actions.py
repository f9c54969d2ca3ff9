"""Every IAM action that is granted exists."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import pytest

from agentcore_constructs.harness.base import INVOKE_ACTIONS, RUN_COMMAND_ACTIONS
from agentcore_constructs.harness.permissions import TABLE

NOT_IN_THE_DATA: dict[str, str] = {}
"""Actions cfn-lint's copy of the service authorization reference does not list, each with the reason to trust it."""

ACTIONS = sorted({*INVOKE_ACTIONS, *RUN_COMMAND_ACTIONS, *(action for row in TABLE for action in row.actions)})


@cache
def reference() -> dict[str, Any]:
    """The service authorization reference as cfn-lint ships it: service → {"Actions": {lower-case name: …}}."""
    file = resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json")
    return dict(json.loads(file.read_text()))


def is_listed(action: str) -> bool:
    service, _, name = action.partition(":")
    return name.lower() in reference().get(service, {}).get("Actions", {})


@pytest.mark.parametrize("action", ACTIONS)
def test_action_exists(action: str) -> None:
    assert is_listed(action) or action in NOT_IN_THE_DATA


def test_the_exceptions_are_needed() -> None:
    assert [action for action in NOT_IN_THE_DATA if is_listed(action)] == []


@pytest.mark.parametrize(
    "action", sorted({action for row in TABLE if row.resources == ("*",) for action in row.actions})
)
def test_an_action_on_everything_has_no_resource_type(action: str) -> None:
    """A bare `*` is only for actions that cannot be narrowed; the deny is meant to be wide."""
    service, _, name = action.partition(":")
    types = reference()[service]["Actions"][name.lower()].get("Resources", [])

    # PutMetricData lists a resource type of CloudWatch datasets, which the loop does not use; its namespace is fixed.
    assert not types or action in {"sts:AssumeRole", "cloudwatch:PutMetricData"}
