"""What `to_l1()` makes reaches the template whole: aws-cdk-lib's L1 drops keys it does not know without a word."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from support.all_fields import cloudformation_configs
from support.synth import resources

from agentcore_constructs.config import HarnessConfig

CONFIGS = cloudformation_configs()


def properties(stack: cdk.Stack) -> dict[str, Any]:
    (harness,) = resources(stack, "AWS::BedrockAgentCore::Harness").values()
    found: dict[str, Any] = harness["Properties"]
    return found


def sorted_tags(given: dict[str, Any]) -> dict[str, Any]:
    """The CDK sorts tags by key; the service does not care."""
    return {**given, "Tags": sorted(given["Tags"], key=str)} if "Tags" in given else given


@pytest.mark.parametrize("name", CONFIGS)
def test_the_template_has_every_value(stack: cdk.Stack, name: str) -> None:
    config = HarnessConfig.parse(CONFIGS[name])
    harness = agentcore.CfnHarness(stack, "Harness", **config.to_l1())
    cdk.Validations.of(harness).acknowledge(
        cdk.Acknowledgment(
            id="CloudFormation-Validate::F3002",
            reason="The schema inside aws-cdk-lib lags: it lacks Hooks, ApiBase, AdvertisedScopeMapping and Gemini's "
            "AdditionalParams, which the CloudFormation schema has (test_parity.py).",
        )
    )
    assert sorted_tags(properties(stack)) == sorted_tags(config.to_cfn())
