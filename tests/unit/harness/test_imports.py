"""Harnesses made elsewhere."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from agentcore_constructs import Harness, HarnessConfigError, HarnessEndpoint, Version

ARN = "arn:aws:bedrock-agentcore:eu-west-1:444455556666:harness/research_agent-0123456789"


def test_id_and_name_come_from_the_arn(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", ARN)

    assert harness.harness_arn == ARN
    assert harness.harness_id == "research_agent-0123456789"
    assert harness.harness_name == "research_agent"
    assert harness.runtime_name == "harness_research_agent"


def test_id_and_name_come_from_an_arn_known_at_deployment_alone(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", cdk.Fn.import_value("HarnessArn"))

    harness_id = {"Fn::Select": [1, {"Fn::Split": [":harness/", {"Fn::ImportValue": "HarnessArn"}]}]}
    assert stack.resolve(harness.harness_id) == harness_id
    assert stack.resolve(harness.harness_name) == {"Fn::Select": [0, {"Fn::Split": ["-", harness_id]}]}


def test_account_and_region_come_from_the_arn(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", ARN)

    assert (harness.env.account, harness.env.region) == ("444455556666", "eu-west-1")


@pytest.mark.parametrize("attribute", ["harness_version", "runtime_arn"])
def test_what_was_not_given_is_asked_for(stack: cdk.Stack, attribute: str) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", ARN)

    with pytest.raises(HarnessConfigError) as refusal:
        getattr(harness, attribute)

    assert str(refusal.value) == (
        "The imported harness Agents/Agent has 1 fault:\n"
        f"  {attribute}: must be known here; received an imported harness without it; "
        f"import the harness with Harness.from_harness_attributes(…, {attribute}=…)."
    )


def test_an_endpoint_of_an_imported_harness_can_be_pinned(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", ARN)

    endpoint = HarnessEndpoint(stack, "Prod", harness=harness, endpoint_name="PROD", version=Version.pinned(3))

    assert endpoint.harness is harness


def test_an_endpoint_of_an_imported_harness_cannot_follow_a_version_that_is_not_known(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_arn(stack, "Agent", ARN)

    with pytest.raises(HarnessConfigError, match="harness_version: must be known here"):
        HarnessEndpoint(stack, "Prod", harness=harness, endpoint_name="PROD")


def test_an_endpoint_of_an_imported_harness_can_follow_a_version_that_is_given(stack: cdk.Stack) -> None:
    harness = Harness.from_harness_attributes(stack, "Agent", harness_arn=ARN, harness_version="7")

    endpoint = HarnessEndpoint(stack, "Prod", harness=harness, endpoint_name="PROD")

    assert stack.resolve(endpoint.node.default_child.target_version) == "7"  # type: ignore[union-attr]


@pytest.mark.parametrize("arn", ["support", f"{ARN}/harness-endpoint/PROD", "arn:aws:s3:::bucket", None])
def test_what_is_no_arn_of_a_harness_is_refused(stack: cdk.Stack, arn: str) -> None:
    with pytest.raises(HarnessConfigError, match=r"^The harness Agents/Agent has 1 fault:\n  harness_arn: must be the"):
        Harness.from_harness_arn(stack, "Agent", arn)
