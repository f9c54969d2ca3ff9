"""A harness from a file in the API's shape, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from support import synth
from support.all_fields import api_only_configs, cloudformation_configs
from support.paths import at

from agentcore_constructs import Harness, HarnessConfig, HarnessConfigError, Model, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]

CONFIGS = pytest.mark.parametrize("name", cloudformation_configs())


@CONFIGS
def test_what_goes_in_comes_out(stack: cdk.Stack, name: str) -> None:
    config = cloudformation_configs()[name]

    assert Harness.from_config(stack, "Agent", config).to_config() == config


@CONFIGS
def test_every_field_reaches_the_template(stack: cdk.Stack, synthesized: Read, name: str) -> None:
    config = cloudformation_configs()[name]
    Harness.from_config(stack, "Agent", config)

    expected = HarnessConfig.parse(config).to_cfn()
    rendered = synthesized().harness
    # The L1 sorts tags; everything else is as the configuration renders it, nothing dropped, nothing added.
    for one in (expected, rendered):
        if "Tags" in one:
            one["Tags"].sort(key=lambda tag: tag["Key"])
    memory = rendered.pop("Memory")
    assert memory == expected.pop("Memory", memory)
    assert rendered == expected


@CONFIGS
def test_no_finding_of_the_synth_check_is_left(stack: cdk.Stack, name: str) -> None:
    Harness.from_config(stack, "Agent", cloudformation_configs()[name])

    stack.node.root.synth()  # type: ignore[attr-defined]  # with findings as errors


def test_a_json_file(stack: cdk.Stack, tmp_path: Path) -> None:
    config = {"harnessName": "research", "maxIterations": 7}
    file = tmp_path / "harness.json"
    file.write_text(json.dumps(config))

    assert Harness.from_config(stack, "Agent", file).to_config() == config
    assert Harness.from_config(stack, "Other", str(file)).to_config() == config


def test_a_yaml_file(stack: cdk.Stack, tmp_path: Path) -> None:
    file = tmp_path / "harness.yaml"
    file.write_text("harnessName: research\nmaxIterations: 7\n")

    assert Harness.from_config(stack, "Agent", file).to_config() == {"harnessName": "research", "maxIterations": 7}


def test_name_role_and_model_may_be_left_out(stack: cdk.Stack, synthesized: Read) -> None:
    Harness.from_config(stack, "Agent", {})

    assert set(synthesized().harness) == {"ExecutionRoleArn", "HarnessName", "Memory", "Model"}


def test_a_role_in_the_file_is_imported(stack: cdk.Stack, synthesized: Read) -> None:
    arn = "arn:aws:iam::111122223333:role/Research"
    Harness.from_config(stack, "Agent", {"executionRoleArn": arn})

    found = synthesized()
    assert found.harness["ExecutionRoleArn"] == arn
    assert not found.of_type("AWS::IAM::Role")


def test_faults_are_told_under_the_path_of_the_construct(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        Harness.from_config(stack, "Agent", {"max_iterations": 7, "memory": {"disabled": None}})

    assert str(refusal.value).splitlines()[0] == "The harness Agents/Agent has 2 faults:"


def test_what_cloudformation_cannot_say_is_set_afterwards(stack: cdk.Stack, synthesized: Read) -> None:
    config = api_only_configs()["api_only"]

    Harness.from_config(stack, "Agent", config)

    settings = synthesized().only("Custom::AgentCoreHarnessSettings")["Properties"]["Settings"]
    assert set(json.loads(settings)) == {"tools", "environment", "authorizerConfiguration"}


def test_what_no_template_can_carry_is_refused_field_by_field(stack: cdk.Stack) -> None:
    config = api_only_configs()["api_only_null"]

    with pytest.raises(HarnessConfigError) as refusal:
        Harness.from_config(stack, "Agent", config)

    faults = refusal.value.faults
    assert [fault.path for fault in faults] == [fault.path for fault in HarnessConfig.parse(config).api_only()]
    assert all(fault.must == "must be something CloudFormation can say" for fault in faults)


def test_a_subclass_comes_back_as_itself(stack: cdk.Stack) -> None:
    class Agent(Harness):
        pass

    assert isinstance(Agent.from_config(stack, "Agent", {}), Agent)


def test_the_configuration_of_a_harness_made_in_python(stack: cdk.Stack) -> None:
    harness = Harness(
        stack, "Agent", model=Model.bedrock("amazon.nova-pro-v1:0"), tools=[Tool.browser()], system_prompt="Be brief."
    )

    assert harness.to_config() == {
        "model": {"bedrockModelConfig": {"modelId": "amazon.nova-pro-v1:0"}},
        "systemPrompt": [{"text": "Be brief."}],
        "tools": [{"type": "agentcore_browser", "name": "browser"}],
    }


def test_the_complete_configuration_names_what_was_derived(stack: cdk.Stack) -> None:
    complete = Harness(stack, "Agent").to_config(complete=True)

    assert complete["harnessName"] == "Agents_Agent_5EEED812"
    assert complete["model"] == {"bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}}
    assert set(complete["memory"]["managedMemoryConfiguration"]) == {"strategies", "eventExpiryDuration"}
    assert cdk.Token.is_unresolved(complete["executionRoleArn"])


def test_every_text_of_every_field_is_in_some_template() -> None:
    """What was set is looked for by value, so that no renaming on the way can hide a loss."""
    for config in cloudformation_configs().values():
        stack = synth.new_stack()
        Harness.from_config(stack, "Agent", config)
        (resource,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
        rendered = sorted(map(repr, leaves(resource["Properties"])))
        for leaf in leaves(config):
            assert repr(leaf) in rendered


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_leaves_are_leaves() -> None:
    config = cloudformation_configs()["everything"]

    assert at(config, ("model", "bedrockModelConfig", "modelId")) in list(leaves(config))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("us-east-1:999922223333", "must be in the harness's account (111122223333); received 999922223333"),
        ("eu-west-1:111122223333", "must be in the harness's Region (us-east-1); received eu-west-1"),
    ],
)
def test_access_points_elsewhere_are_refused_in_a_file_too(stack: cdk.Stack, place: str, said: str) -> None:
    mounts = [
        {"efsAccessPoint": {
            "accessPointArn": f"arn:aws:elasticfilesystem:{place}:access-point/fsap-0123456789abcdef0",
            "mountPath": "/mnt/a",
        }},
        {"s3FilesAccessPoint": {
            "accessPointArn": f"arn:aws:s3files:{place}:file-system/fs-0123456789abcdef0"
            "/access-point/fsap-0123456789abcdef0",
            "mountPath": "/mnt/b",
        }},
    ]  # fmt: skip
    vpc = {"subnets": ["subnet-01234567"], "securityGroups": ["sg-01234567"]}
    network = {"networkMode": "VPC", "networkModeConfig": vpc}
    environment = {"networkConfiguration": network, "filesystemConfigurations": mounts}
    config = {"environment": {"agentCoreRuntimeEnvironment": environment}}

    with pytest.raises(HarnessConfigError) as refusal:
        Harness.from_config(stack, "Agent", config)

    where = "environment.agentCoreRuntimeEnvironment.filesystemConfigurations"
    assert f"{where}[0].efsAccessPoint.accessPointArn: {said}; use an access point of" in str(refusal.value)
    assert f"{where}[1].s3FilesAccessPoint.accessPointArn: {said}; use an access point of" in str(refusal.value)


def test_what_is_neither_a_dict_nor_a_path(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match=r"config: must be a dict in the API's shape, .* a list of 1 item"):
        Harness.from_config(stack, "Agent", ["harness.json"])  # type: ignore[arg-type]
