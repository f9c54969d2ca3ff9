"""The harness resource: what is rendered, derived and written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from support import synth

from agentcore_constructs import (
    Environment,
    FileSystem,
    Harness,
    HarnessConfigError,
    HarnessEndpoint,
    HarnessExecutionRole,
    Memory,
    Model,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]


def test_nothing_is_required(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    assert set(synthesized().harness) == {"ExecutionRoleArn", "HarnessName", "Memory", "Model"}


def test_the_default_model_is_written_out(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    assert synthesized().harness["Model"] == {"BedrockModelConfig": {"ModelId": "global.anthropic.claude-sonnet-4-6"}}


def test_the_default_memory_is_written_out(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    assert synthesized().harness["Memory"] == {
        "ManagedMemoryConfiguration": {"Strategies": ["SEMANTIC", "SUMMARIZATION"], "EventExpiryDuration": 30}
    }


def test_disabled_memory_is_written_out(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", memory=Memory.disabled())

    assert synthesized().harness["Memory"] == {"Disabled": {}}


def test_a_model_and_a_memory_are_left_as_given(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", model=Model.bedrock("amazon.nova-pro-v1:0"), memory=Memory.managed(expiry=7))

    harness = synthesized().harness
    assert harness["Model"] == {"BedrockModelConfig": {"ModelId": "amazon.nova-pro-v1:0"}}
    assert harness["Memory"] == {"ManagedMemoryConfiguration": {"EventExpiryDuration": 7}}


def test_a_filesystem_without_an_environment_is_on_the_public_network(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", filesystems=[FileSystem.session("/mnt/data")])

    assert synthesized().harness["Environment"] == {
        "AgentCoreRuntimeEnvironment": {
            "NetworkConfiguration": {"NetworkMode": "PUBLIC"},
            "FilesystemConfigurations": [{"SessionStorage": {"MountPath": "/mnt/data"}}],
        }
    }


def test_filesystems_are_added_to_those_of_the_environment(stack: cdk.Stack) -> None:
    vpc = {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}
    s3_files = (
        "arn:aws:s3files:us-east-1:111122223333:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
    )
    environment = Environment.vpc(**vpc, filesystems=[FileSystem.session("/mnt/a")])

    harness = Harness(stack, "Agent", environment=environment, filesystems=[FileSystem.s3_files(s3_files, "/mnt/b")])

    runtime = harness.to_config()["environment"]["agentCoreRuntimeEnvironment"]
    assert [next(iter(mount)) for mount in runtime["filesystemConfigurations"]] == [
        "sessionStorage",
        "s3FilesAccessPoint",
    ]


def test_filesystems_beside_an_environment_that_is_a_dict_are_refused(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match=r"filesystems: must be given inside the environment") as refusal:
        Harness(stack, "Agent", environment={}, filesystems=[FileSystem.session("/mnt/a")])  # type: ignore[arg-type]

    assert "received an environment of type dict" in str(refusal.value)


def test_faults_are_told_together_under_the_path_of_the_construct(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        Harness(stack, "Agent", max_iterations=0, harness_name="no-hyphens", tools=[Tool.browser(), Tool.browser()])

    assert str(refusal.value).splitlines()[0] == "The harness Agents/Agent has 3 faults:"


# ---- names -----------------------------------------------------------------------------------------------------------


def test_the_derived_name_fits(stack: cdk.Stack) -> None:
    harness = Harness(stack, "An-Agent-With-A-Very-Long-Name-That-Does-Not-Fit-At-All")

    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,39}", harness.harness_name)


def test_the_derived_name_is_stable(stack: cdk.Stack) -> None:
    assert Harness(stack, "Agent").harness_name == "Agents_Agent_5EEED812"


def test_two_harnesses_have_two_names(stack: cdk.Stack) -> None:
    assert Harness(stack, "One").harness_name != Harness(stack, "Two").harness_name


def test_copies_of_a_stack_have_two_names() -> None:
    app = cdk.App()
    one, two = (cdk.Stack(app, id_, stack_name=name) for id_, name in (("A", "agents-dev"), ("B", "agents-prod")))

    assert Harness(one, "Agent").harness_name != Harness(two, "Agent").harness_name


def test_a_nested_stack_s_name_comes_from_its_parent() -> None:
    app = cdk.App()
    names = {Harness(cdk.NestedStack(cdk.Stack(app, parent), "N"), "Agent").harness_name for parent in ("A", "B")}

    assert len(names) == 2


def test_a_given_name_is_taken(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", harness_name="research")

    assert synthesized().harness["HarnessName"] == "research"


def test_a_name_known_at_deployment_alone_scopes_the_role(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", harness_name=cdk.CfnParameter(stack, "Name").value_as_string)

    (group,) = synthesized().statements()["CloudWatchLogsGroup"]["Resource"]
    assert group.endswith(":log-group:/aws/bedrock-agentcore/runtimes/harness_<Name>-*")


# ---- several Regions and copies --------------------------------------------------------------------------------------


def test_two_regions_in_one_app() -> None:
    app = cdk.App(context=synth.CONTEXT)
    stacks = {
        region: cdk.Stack(app, f"Agents-{region}", env=cdk.Environment(account=synth.ACCOUNT, region=region))
        for region in ("us-east-1", "eu-west-1")
    }
    for stack in stacks.values():
        Harness(stack, "Agent", tools=[Tool.browser()])

    assembly = app.synth()

    for region, stack in stacks.items():
        text = str(assembly.get_stack_by_name(stack.stack_name).template)
        assert f":bedrock-agentcore:{region}:aws:browser/" in text
        assert not {"us-east-1", "eu-west-1"} - {region} & {word for word in re.split(r"[:/'-]", text) if word}


def test_any_account_and_region(agnostic: cdk.Stack) -> None:
    Harness(agnostic, "Agent", tools=[Tool.browser()])

    template = str(synth.template_of(agnostic).to_json()["Resources"])
    assert "us-east-1" not in template
    assert "{'Ref': 'AWS::Region'}" in template


def test_nothing_has_a_name_that_a_copy_would_share(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").add_outputs()

    found = synthesized()
    text = str(found.template.to_json())
    assert "RoleName" not in text
    assert "ManagedPolicyName" not in text
    assert "'Export'" not in text


# ---- the construct tree ----------------------------------------------------------------------------------------------


def test_every_construct_has_a_default_child(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    endpoint = harness.add_endpoint("PROD")

    assert isinstance(harness.node.default_child, agentcore.CfnHarness)
    assert isinstance(endpoint.node.default_child, agentcore.CfnHarnessEndpoint)
    assert isinstance(harness.execution_role.node.default_child, iam.CfnRole)
    assert isinstance(HarnessExecutionRole(stack, "Role").node.default_child, iam.CfnRole)


def test_removal_policy_on_every_construct(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    for construct in (harness, harness.add_endpoint("PROD"), HarnessExecutionRole(stack, "Role")):
        construct.apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    found = synthesized()
    kept = {one["Type"] for one in found.resources.values() if one.get("DeletionPolicy") == "Retain"}
    assert kept == {"AWS::BedrockAgentCore::Harness", "AWS::BedrockAgentCore::HarnessEndpoint", "AWS::IAM::Role"}


def test_tags_on_every_construct(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", tags={"team": "agents"})
    HarnessEndpoint(stack, "Prod", harness=harness, endpoint_name="PROD", tags={"team": "agents"})
    HarnessExecutionRole(stack, "Role")
    cdk.Tags.of(stack).add("cost-center", "42")

    found = synthesized()
    cost = {"Key": "cost-center", "Value": "42"}
    assert found.harness["Tags"] == [cost, {"Key": "team", "Value": "agents"}]
    endpoint = found.only("AWS::BedrockAgentCore::HarnessEndpoint")
    assert endpoint["Properties"]["Tags"] == [cost, {"Key": "team", "Value": "agents"}]
    assert all(role["Properties"]["Tags"] == [cost] for role in found.of_type("AWS::IAM::Role").values())


def test_the_l1_can_be_overridden(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    resource = harness.node.default_child
    assert isinstance(resource, agentcore.CfnHarness)
    resource.add_property_override("MaxIterations", 7)

    assert synthesized().harness["MaxIterations"] == 7


def test_outputs_only_on_request(stack: cdk.Stack) -> None:
    Harness(stack, "Agent")

    assert "Outputs" not in synth.template_of(stack).to_json()


def test_outputs(stack: cdk.Stack) -> None:
    Harness(stack, "Agent").add_outputs()

    outputs = synth.template_of(stack).to_json()["Outputs"]
    assert sorted(re.sub(r"[0-9A-F]{8}$", "", key) for key in outputs) == [
        "AgentExecutionRoleArn",
        "AgentHarnessArn",
        "AgentHarnessId",
    ]


# ---- attributes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "of_resource"),
    [
        ("harness_arn", "Arn"),
        ("harness_id", "HarnessId"),
        ("harness_version", "Version"),
        ("managed_memory_arn", "Memory.ManagedMemoryConfiguration.Arn"),
        ("runtime_arn", "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeArn"),
        ("runtime_id", "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeId"),
    ],
)
def test_attribute(stack: cdk.Stack, attribute: str, of_resource: str) -> None:
    harness = Harness(stack, "Agent")

    (logical_id, name) = stack.resolve(getattr(harness, attribute))["Fn::GetAtt"]

    assert (logical_id, name) == ("Agent255F68E9", of_resource)


def test_the_runtime_s_name_comes_from_the_harness_s(stack: cdk.Stack) -> None:
    assert Harness(stack, "Agent", harness_name="research").runtime_name == "harness_research"


@pytest.mark.parametrize("memory", [Memory.disabled(), Memory.existing("${Token[TOKEN.1]}")])
def test_without_managed_memory_there_is_no_arn_of_it(stack: cdk.Stack, memory: object) -> None:
    harness = Harness(stack, "Agent", memory=memory)  # type: ignore[arg-type]

    with pytest.raises(HarnessConfigError, match=r"Agents/Agent has 1 fault:\n  memory: must be managed"):
        _ = harness.managed_memory_arn


# ---- managed memory --------------------------------------------------------------------------------------------------


def test_managed_memory_is_granted_on_its_own_arn_after_the_harness(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    found = synthesized()
    statement = found.statements("ManagedMemoryPolicy")["AgentCoreManagedMemory"]
    assert statement["Resource"] == ["<Agent255F68E9.Memory.ManagedMemoryConfiguration.Arn>"]
    (policy,) = (key for key in found.resources if "ManagedMemoryPolicy" in key)
    assert policy not in found.only("AWS::BedrockAgentCore::Harness")["DependsOn"]


def test_no_policy_for_managed_memory_without_it(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", memory=Memory.disabled())

    assert not synthesized().statements("ManagedMemoryPolicy")


def test_the_key_of_managed_memory_is_granted_before_the_harness(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", memory=Memory.managed(encryption_key=kms.Key(stack, "Key")))

    assert "AgentCoreMemoryKey" in synthesized().statements("AgentPolicy")


# ---- dependencies ----------------------------------------------------------------------------------------------------


def test_the_harness_waits_for_its_role_and_all_its_policies(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    harness.add_to_role_policy(iam.PolicyStatement(actions=["ses:SendEmail"], resources=["*"]))

    found = synthesized()
    waits_for = {re.sub(r"[0-9A-F]{8}$", "", key) for key in found.only("AWS::BedrockAgentCore::Harness")["DependsOn"]}
    assert waits_for == {"AgentExecutionRole", "AgentExecutionRoleDefaultPolicy", "AgentPolicy"}
