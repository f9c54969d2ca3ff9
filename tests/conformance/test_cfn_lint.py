"""cfn-lint finds nothing in the template of any capability."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint
from cfnlint.core import get_rules
from support import synth
from support.all_fields import cloudformation_configs
from support.capabilities import CAPABILITIES

from agentcore_constructs import Harness

if TYPE_CHECKING:
    import aws_cdk as cdk
    from cfnlint.rules import RulesCollection

ACCEPTED: dict[str, str] = {
    "W3005": "aws-cdk-lib writes dependencies out that a reference implies as well",
}
"""Rules whose findings are not ours to fix, each with the reason."""


@cache
def rules() -> RulesCollection:
    return get_rules([], [], [])


def findings(template: dict[str, Any]) -> list[str]:
    matches = lint(json.dumps(template), rules=rules(), regions=["us-east-1"])
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.id not in ACCEPTED]


def template(stack: cdk.Stack) -> dict[str, Any]:
    made: dict[str, Any] = synth.template_of(stack).to_json()
    return made


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_capability(capability: str, stack: cdk.Stack) -> None:
    CAPABILITIES[capability](stack)

    assert findings(template(stack)) == []


@pytest.mark.parametrize("name", cloudformation_configs())
def test_every_field(name: str, stack: cdk.Stack) -> None:
    Harness.from_config(stack, "Agent", cloudformation_configs()[name])

    assert findings(template(stack)) == []


def test_any_account_and_region() -> None:
    stack = synth.new_stack(account=None, region=None)
    CAPABILITIES["built_in_tools"](stack)

    assert findings(template(stack)) == []


def test_cfn_lint_does_look_at_harnesses(stack: cdk.Stack) -> None:
    Harness(stack, "Agent")
    made = template(stack)
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::BedrockAgentCore::Harness":
            resource["Properties"]["MaxIterations"] = "many"

    assert any("MaxIterations" in finding for finding in findings(made))
