"""Named endpoints and the version they serve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from agentcore_constructs import Harness, HarnessConfigError, HarnessEndpoint, Version

from .conftest import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_constructs import IHarness

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]


def refusal(stack: cdk.Stack, endpoint_name: str = "PROD", **options: Any) -> str:
    harness = Harness(stack, "Agent")
    with pytest.raises(HarnessConfigError) as refused:
        harness.add_endpoint(endpoint_name, **options)
    return str(refused.value)


def test_an_endpoint_follows_the_version_of_the_deployment(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").add_endpoint("PROD")

    assert synthesized().only(ENDPOINT)["Properties"] == {
        "EndpointName": "PROD",
        "HarnessId": {"Fn::GetAtt": ["Agent255F68E9", "HarnessId"]},
        "TargetVersion": {"Fn::GetAtt": ["Agent255F68E9", "Version"]},
    }


@pytest.mark.parametrize("version", [3, "3"])
def test_an_endpoint_can_be_pinned(stack: cdk.Stack, synthesized: Read, version: int | str) -> None:
    Harness(stack, "Agent").add_endpoint("PROD", version=Version.pinned(version))

    assert synthesized().only(ENDPOINT)["Properties"]["TargetVersion"] == "3"


def test_an_endpoint_can_be_pinned_by_a_parameter(stack: cdk.Stack, synthesized: Read) -> None:
    parameter = cdk.CfnParameter(stack, "Pinned")
    Harness(stack, "Agent").add_endpoint("PROD", version=Version.pinned(parameter.value_as_string))

    assert synthesized().only(ENDPOINT)["Properties"]["TargetVersion"] == {"Ref": "Pinned"}


ACROSS = "@agentcore-harness-cdk:version-across-stacks"


def warnings(stack: cdk.Stack) -> list[str]:
    found = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    return [str(one.entry.data) for one in found]


@pytest.mark.parametrize("imported", [False, True], ids=["object", "import"])
def test_a_version_that_another_stack_exports_is_warned_of(stack: cdk.Stack, *, imported: bool) -> None:
    """An export in use cannot change, so the harness could not be updated any more."""
    harness: IHarness = Harness(stack, "Agent")
    other = cdk.Stack(stack.node.scope, "Other", env=cdk.Environment(account=stack.account, region=stack.region))
    if imported:
        harness = Harness.from_harness_attributes(
            other, "Agent", harness_arn=harness.harness_arn, harness_version=harness.harness_version
        )
    HarnessEndpoint(other, "Prod", harness=harness, endpoint_name="PROD")
    (warning,) = [one for one in warnings(other) if ACROSS in one]
    assert f"a harness in the stack {stack.node.path}" in warning
    assert "harness.add_endpoint" in warning


def test_other_versions_are_not_warned_of(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    harness.add_endpoint("BETA")
    other = cdk.Stack(stack.node.scope, "Other", env=cdk.Environment(account=stack.account, region=stack.region))
    HarnessEndpoint(other, "Prod", harness=harness, endpoint_name="PROD", version=Version.pinned(3))
    weak = cdk.Stack(stack.node.scope, "Weak", env=cdk.Environment(account=stack.account, region=stack.region))
    weak.node.set_context("@aws-cdk/core:defaultCrossStackReferences", "weak")
    HarnessEndpoint(weak, "Prod", harness=harness, endpoint_name="TEST")
    assert [one for one in (*warnings(stack), *warnings(other), *warnings(weak)) if ACROSS in one] == []


def test_description_and_tags(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").add_endpoint("PROD", description="What customers use", tags={"team": "agents"})

    properties = synthesized().only(ENDPOINT)["Properties"]
    assert properties["Description"] == "What customers use"
    assert properties["Tags"] == [{"Key": "team", "Value": "agents"}]


def test_attributes(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    endpoint = harness.add_endpoint("PROD")

    logical_id = stack.get_logical_id(endpoint.node.default_child)  # type: ignore[arg-type]
    assert endpoint.harness is harness
    assert endpoint.endpoint_name == "PROD"
    assert stack.resolve(endpoint.endpoint_arn) == {"Fn::GetAtt": [logical_id, "Arn"]}
    assert stack.resolve(endpoint.live_version) == {"Fn::GetAtt": [logical_id, "LiveVersion"]}


def test_an_endpoint_may_be_called_like_a_child_of_the_harness(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")

    assert harness.add_endpoint("Policy").endpoint_name == "Policy"


def test_default_is_refused(stack: cdk.Stack) -> None:
    text = refusal(stack, "DEFAULT")

    assert text.startswith("The endpoint Agents/Agent/EndpointDEFAULT has 1 fault:\n  endpointName: must be")
    assert "which every harness has" in text


@pytest.mark.parametrize("name", ["a", "A" * 48])
def test_names_at_the_limits_are_taken(stack: cdk.Stack, name: str) -> None:
    assert Harness(stack, "Agent").add_endpoint(name).endpoint_name == name


@pytest.mark.parametrize("name", ["A" * 49, "pre-prod", "1st", "_x"])
def test_names_beyond_the_limits_are_refused(stack: cdk.Stack, name: str) -> None:
    assert "endpointName: must be a name of 1–48 letters, digits and '_' that begins with a letter" in refusal(
        stack, name
    )


@pytest.mark.parametrize("version", [1, 99999])
def test_versions_at_the_limits_are_taken(stack: cdk.Stack, version: int) -> None:
    Harness(stack, "Agent").add_endpoint("PROD", version=Version.pinned(version))


@pytest.mark.parametrize("version", [0, -1, 100000, "latest"])
def test_versions_beyond_the_limits_are_refused(stack: cdk.Stack, version: int | str) -> None:
    assert "targetVersion: must be a version number from 1 to 99999" in refusal(stack, version=Version.pinned(version))


@pytest.mark.parametrize("description", ["", "d" * 257])
def test_descriptions_beyond_the_limits_are_refused(stack: cdk.Stack, description: str) -> None:
    assert re.search(r"description: must be a description.* 1–256 characters", refusal(stack, description=description))


def test_all_faults_are_told_at_once(stack: cdk.Stack) -> None:
    text = refusal(stack, "pre-prod", version=Version.pinned(0), description="", tags={"aws:x": "y"})

    assert text.splitlines()[0] == "The endpoint Agents/Agent/Endpointpre-prod has 4 faults:"


def test_a_number_for_a_version_and_an_arn_for_a_harness(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as refused:
        HarnessEndpoint(stack, "Prod", harness="arn:aws:x", endpoint_name="PROD", version=3)  # type: ignore[arg-type]
    assert [str(fault) for fault in refused.value.faults] == [
        (
            "harness: must be a harness; received 'arn:aws:x' (9 characters); pass the Harness, or "
            "Harness.from_harness_arn(…) for one made elsewhere."
        ),
        (
            "version: must be a version, made by Version.latest or Version.pinned; received 3; write Version.pinned(3) "
            "to serve version 3."
        ),
    ]
