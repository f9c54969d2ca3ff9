"""app.py as users read it: short, clean under every check, and with roles that were reviewed."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint_file
from support import reference_agents
from support.reference_agents import STACKS, WORKFLOW
from support.workflows import evaluate, resolved
from syrupy.extensions.json import JSONSnapshotExtension

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

IDENTITY = {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("app")
    return folder, reference_agents.synthesize(folder)


class TestApp:
    """One synthesis serves all of it."""

    def test_cdk_nag_and_the_cdk_find_nothing(self, synthesized: tuple[Path, str]) -> None:
        _, printed = synthesized
        assert "ERROR" not in printed
        assert "WARN" not in printed.upper()

    @pytest.mark.parametrize("stack", [*STACKS, WORKFLOW])
    def test_cfn_lint_finds_nothing(self, synthesized: tuple[Path, str], stack: str) -> None:
        folder, _ = synthesized
        matches = lint_file(folder / f"{stack}.template.json")
        # aws-cdk-lib writes dependencies out that a reference implies as well.
        assert [str(match) for match in matches if match.rule.id != "W3005"] == []

    @pytest.mark.parametrize("stack", [*STACKS, WORKFLOW])
    def test_the_role_is_the_reviewed_one(
        self, synthesized: tuple[Path, str], stack: str, snapshot: SnapshotAssertion
    ) -> None:
        folder, _ = synthesized
        resources: dict[str, Any] = reference_agents.template(folder, stack)["Resources"]
        role = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] in IDENTITY}
        assert role == snapshot.use_extension(JSONSnapshotExtension)

    @pytest.mark.parametrize(
        ("calls", "published"),
        [
            ([], False),
            ([{"name": "shell", "status": "success"}], False),
            ([{"name": "publish_brief", "status": "rejected"}], False),
            ([{"name": "publish_brief", "status": "success"}], True),
            ([{"name": "publish_brief", "status": status} for status in ("error", "success")], True),
        ],
    )
    def test_the_workflow_ends_well_whatever_the_agents_did(
        self, synthesized: tuple[Path, str], calls: list[dict[str, str]], published: bool
    ) -> None:
        folder, _ = synthesized
        resources = reference_agents.template(folder, WORKFLOW)["Resources"].values()
        (machine,) = (one["Properties"] for one in resources if one["Type"] == "AWS::StepFunctions::StateMachine")
        output = json.loads(resolved(machine["DefinitionString"]))["States"]["Check"]["Output"]
        message: dict[str, Any] = {"Role": "assistant", "Content": [{"ToolUse": {"Name": "Knowledge___define_metric"}}]}
        states = {
            "input": {"text": "", "toolCalls": calls},
            "result": {"Output": {"Message": message}, "StopReason": "max_iterations_exceeded"},
        }
        given = {name: evaluate(expression, **states) for name, expression in output.items()}
        assert given == {"brief": "", "published": published, "verdict": ""}


def test_each_agent_fits_on_a_screen() -> None:
    tree = ast.parse((reference_agents.ROOT / "app.py").read_text(encoding="utf-8"))
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1 for node in tree.body if isinstance(node, ast.ClassDef)
    }
    assert set(lengths) == {*STACKS, WORKFLOW}
    assert max(lengths.values()) <= 45, lengths
