"""The roles of the three reference agents, for review: what each may do, in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.reference_agents import STACKS, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

POLICIES = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assembly")
    synthesize(folder)
    return folder


@pytest.mark.parametrize("name", STACKS)
def test_role(name: str, assembly: Path, json_snapshot: SnapshotAssertion) -> None:
    resources: dict[str, Any] = json.loads((assembly / f"{name}.template.json").read_text())["Resources"]
    roles = {key for key, one in resources.items() if one["Type"] == "AWS::IAM::Role" and "ExecutionRole" in key}

    statements = {
        key: one["Properties"]["PolicyDocument"]["Statement"]
        for key, one in resources.items()
        if one["Type"] in POLICIES and any(role.get("Ref") in roles for role in one["Properties"]["Roles"])
    }

    assert len(roles) == 1
    assert statements == json_snapshot
