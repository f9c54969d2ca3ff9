"""Harnesses in a VPC: subnets, a security group of their own, connections, and what is warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Match, Template
from support import synth

from agentcore_constructs import Environment, FileSystem, Harness, HarnessConfigError, Model, Skill, Tool
from agentcore_constructs.harness.messages import LINGERING_INTERFACES

if TYPE_CHECKING:
    from collections.abc import Callable

    Warnings = Callable[[], dict[str, str]]

ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
LIFECYCLE = "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration"
GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/orders-0123456789"


def network_of(stack: cdk.Stack) -> dict[str, Any]:
    (harness,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    config: dict[str, Any] = harness["Properties"]["Environment"]["AgentCoreRuntimeEnvironment"]["NetworkConfiguration"]
    return config


def refs(config: dict[str, Any], kind: str) -> list[str]:
    return [value.get("Ref") or value["Fn::GetAtt"][0] for value in config["NetworkModeConfig"][kind]]


def test_a_vpc_suffices(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    Harness(stack, "Agent", environment=Environment.vpc(vpc))

    network = network_of(stack)
    assert network["NetworkMode"] == "VPC"
    assert [ref.startswith("VpcprivateSubnet") for ref in refs(network, "Subnets")] == [True, True]
    (group,) = refs(network, "SecurityGroups")
    made = synth.resources(stack, "AWS::EC2::SecurityGroup")[group]
    assert made["Properties"]["GroupDescription"] == "Sessions of the harness Agents/Agent"
    assert made["Properties"]["SecurityGroupEgress"][0]["CidrIp"] == "0.0.0.0/0"


def test_subnets_are_chosen_by_a_selection_by_objects_and_by_ids(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    for number, subnets in enumerate(
        [
            ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=["dummy1a"]),
            vpc.isolated_subnets[:1],
            vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=["dummy1a"]),
            [vpc.isolated_subnets[0].subnet_id],
        ]
    ):
        Harness(stack, f"Agent{number}", environment=Environment.vpc(vpc, subnets=subnets))

    harnesses = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    chosen = [
        refs(one["Properties"]["Environment"]["AgentCoreRuntimeEnvironment"]["NetworkConfiguration"], "Subnets")
        for one in harnesses
    ]
    assert len({tuple(one) for one in chosen}) == 1
    assert len(chosen[0]) == 1


def test_lifetimes_and_mounts_are_those_of_any_environment(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    environment = Environment.vpc(
        vpc,
        idle_timeout=cdk.Duration.minutes(5),
        max_lifetime=3600,
        filesystems=[FileSystem.session("/mnt/a"), FileSystem.efs(mount_path="/mnt/b")],
    )
    Harness(stack, "Agent", environment=environment)

    Template.from_stack(stack).has_resource_properties(
        "AWS::BedrockAgentCore::Harness",
        {
            "Environment": {
                "AgentCoreRuntimeEnvironment": {
                    "LifecycleConfiguration": {"IdleRuntimeSessionTimeout": 300, "MaxLifetime": 3600},
                    "FilesystemConfigurations": [
                        {"SessionStorage": {"MountPath": "/mnt/a"}},
                        {"EfsAccessPoint": {"MountPath": "/mnt/b", "AccessPointArn": Match.any_value()}},
                    ],
                }
            }
        },
    )


def test_a_database_lets_the_harness_in(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    harness = Harness(stack, "Agent", environment=Environment.vpc(vpc))
    database = rds.DatabaseCluster(
        stack,
        "Database",
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_4),
        writer=rds.ClusterInstance.serverless_v2("writer"),
        vpc=vpc,
    )
    database.connections.allow_default_port_from(harness)

    (rule,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert rule["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0].startswith("AgentSecurityGroup")


def test_a_group_that_is_given_is_taken_and_gets_what_it_has_to_let_out(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, allow_all_outbound=False)
    other = ec2.SecurityGroup(stack, "Other", vpc=vpc)
    harness = Harness(stack, "Agent", environment=Environment.vpc(vpc, security_groups=[group, "sg-0123456789abcdef0"]))
    harness.connections.allow_to(other, ec2.Port.tcp(5432))

    network = network_of(stack)
    assert network["NetworkModeConfig"]["SecurityGroups"][1] == "sg-0123456789abcdef0"
    egress = synth.resources(stack, "AWS::EC2::SecurityGroupEgress").values()
    assert {one["Properties"]["FromPort"] for one in egress} == {5432}


def test_a_vpc_that_is_not_looked_up_yet_synthesizes() -> None:
    # Without the flag of `synth`: aws-cdk-lib itself would refuse what it answers before the VPC is looked up.
    stack = cdk.Stack(cdk.App(), "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-0123456789abcdef0")
    Harness(stack, "Agent", environment=Environment.vpc(vpc), filesystems=[FileSystem.efs(mount_path="/mnt/shared")])

    assert network_of(stack)["NetworkModeConfig"]["Subnets"] == ["subnet-00012345", "subnet-00067890"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"vpc": "vpc-0123456789abcdef0"},
            (
                "environment.vpc: must be a VPC (ec2.IVpc); received 'vpc-0123456789abcdef0' (21 characters); pass an "
                "ec2.Vpc, or one from ec2.Vpc.from_lookup(…)."
            ),
        ),
        (
            {"subnets": "subnet-0123456789abcdef0"},
            (
                "environment.subnets: must be a list or a selection of subnets; received 'subnet-0123456789abcdef0' "
                "(24 characters); put it into a list."
            ),
        ),
        (
            {"security_groups": []},
            (
                "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig.securityGroups: must "
                "be a list of security groups, 1–16; received a list of 0 items"
            ),
        ),
        (
            {"idle_timeout": 59},
            f"{LIFECYCLE}.idleRuntimeSessionTimeout: must be a whole number of seconds, 60–28800; received 59",
        ),
        (
            {"max_lifetime": 28801},
            f"{LIFECYCLE}.maxLifetime: must be a whole number of seconds, 60–28800; received 288",
        ),
        (
            {"idle_timeout": 601, "max_lifetime": 600},
            f"{LIFECYCLE}.idleRuntimeSessionTimeout: must not be greater than maxLifetime (600 seconds); received 601",
        ),
    ],
)
def test_what_is_refused(stack: cdk.Stack, vpc: ec2.Vpc, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        Harness(stack, "Agent", environment=Environment.vpc(**{"vpc": vpc, **arguments}))
    assert said in str(caught.value)


def test_a_selection_without_subnets_is_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    subnets = ec2.SubnetSelection(subnet_group_name="agents")
    with pytest.raises(HarnessConfigError) as caught:
        Harness(stack, "Agent", environment=Environment.vpc(vpc, subnets=subnets), tools=[Tool.gateway("no-arn")])
    said = str(caught.value)
    assert "environment.subnets: must select subnets that the VPC has; received a selection that fails (" in said
    assert "There are no subnet groups with name 'agents'" in said
    assert "must be the ARN of a gateway" in said  # all faults at once


def test_nothing_is_retained_where_nothing_is_made() -> None:
    vpc: Any = Environment.vpc  # whose types do not allow this
    environment = vpc(
        subnets=["subnet-0123456789abcdef0"], security_groups=["sg-0123456789abcdef0"], retain_security_group=True
    )
    with pytest.raises(HarnessConfigError, match="must be made here to be retained; received groups that exist"):
        Harness(synth.new_stack(), "Agent", environment=environment)


def test_without_a_vpc_there_are_no_connections(stack: cdk.Stack) -> None:
    ids = Environment.vpc(subnets=["subnet-0123456789abcdef0"], security_groups=["sg-0123456789abcdef0"])
    harness = Harness(stack, "Agent", environment=ids)

    assert harness.network is None
    with pytest.raises(HarnessConfigError, match=r"use Environment.vpc\(vpc\)"):
        _ = harness.connections


# ---- warnings --------------------------------------------------------------------------------------------------------


def test_interfaces_that_linger_are_warned_of(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    Harness(stack, "Agent", environment=Environment.vpc(vpc))

    assert list(warnings()) == ["lingering-interfaces"]
    assert "up to 8 hours" in warnings()["lingering-interfaces"]
    assert "Agents/Agent/SecurityGroup" in warnings()["lingering-interfaces"]


def test_a_group_that_is_retained_or_given_is_not(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    Harness(stack, "Kept", environment=Environment.vpc(vpc, retain_security_group=True))
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    Harness(stack, "Given", environment=Environment.vpc(vpc, security_groups=[group]))
    acknowledged = Harness(stack, "Acknowledged", environment=Environment.vpc(vpc))
    cdk.Annotations.of(acknowledged).acknowledge_warning(LINGERING_INTERFACES, "We delete twice.")

    assert warnings() == {}
    groups = synth.resources(stack, "AWS::EC2::SecurityGroup")
    (kept,) = (group for name, group in groups.items() if name.startswith("Kept"))
    assert kept["DeletionPolicy"] == "Retain"


def test_public_subnets_are_warned_of(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    Harness(stack, "Agent", environment=Environment.vpc(vpc, subnets=public, retain_security_group=True))

    said = warnings()
    assert sorted(said) == ["no-model-route", "public-subnets"]
    assert "Agents/Vpc/publicSubnet1, Agents/Vpc/publicSubnet2" in said["public-subnets"]


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, "bedrock-runtime"),
        ({"model": Model.bedrock("openai.gpt-oss-120b-1:0", api_format="responses")}, "bedrock-mantle"),
    ],
)
def test_a_model_without_a_route_is_warned_of(
    stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings, config: dict[str, Any], missing: str
) -> None:
    environment = Environment.vpc(vpc, subnets=ISOLATED, retain_security_group=True)
    Harness(stack, "Agent", environment=environment, **config)

    said = warnings()
    assert list(said) == ["no-model-route"]
    assert f"no VPC endpoint for {missing}:" in said["no-model-route"]


def test_an_endpoint_made_later_is_a_route(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    Harness(stack, "Agent", environment=Environment.vpc(vpc, subnets=ISOLATED, retain_security_group=True))
    vpc.add_interface_endpoint("Model", service=ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME)

    assert warnings() == {}


def test_an_endpoint_of_another_vpc_is_not(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    Harness(stack, "Agent", environment=Environment.vpc(vpc, subnets=ISOLATED, retain_security_group=True))
    other = ec2.Vpc(stack, "Other", max_azs=2)
    other.add_interface_endpoint("Model", service=ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME)

    assert list(warnings()) == ["no-model-route"]


def test_what_only_the_internet_reaches_is_warned_of(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    provider = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/key"
    harness = Harness(
        stack,
        "Agent",
        model=Model.openai("gpt-5", api_key=provider),
        skills=[Skill.git("https://example.com/skills")],
        environment=Environment.vpc(vpc, subnets=ISOLATED, retain_security_group=True),
    )
    harness.add_tool(Tool.remote_mcp("https://mcp.example.com/mcp", name="docs"))

    assert "the OpenAI model, remote MCP servers, skills in Git." in warnings()["no-internet-route"]


def test_private_subnets_reach_everything(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    Harness(
        stack,
        "Agent",
        tools=[Tool.remote_mcp("https://mcp.example.com/mcp", name="docs"), Tool.gateway(GATEWAY, name="orders")],
        environment=Environment.vpc(vpc, retain_security_group=True),
    )

    assert warnings() == {}


def test_subnets_and_groups_of_another_vpc_are_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    other = ec2.Vpc(stack, "Other", max_azs=2)
    group = ec2.SecurityGroup(stack, "Group", vpc=other)
    with pytest.raises(HarnessConfigError) as refusal:
        Harness(
            stack,
            "Agent",
            environment=Environment.vpc(vpc, subnets=other.private_subnets[:1], security_groups=[group]),
        )
    fix = "of another VPC; choose one there, or leave it out for one to be chosen."
    first = other.private_subnets[0].node.path
    assert f"environment.subnets[0]: must be of the VPC Agents/Vpc; received {first}, {fix}" in str(refusal.value)
    assert f"environment.securityGroups[0]: must be of the VPC Agents/Vpc; received Agents/Group, {fix}" in str(
        refusal.value
    )


def test_a_short_lifetime_shortens_the_idle_timeout() -> None:
    def lifecycle(environment: Any) -> Any:
        return environment.agent_core_runtime_environment.lifecycle_configuration

    short = lifecycle(Environment.public(max_lifetime=cdk.Duration.minutes(5)))
    assert (short.idle_runtime_session_timeout, short.max_lifetime) == (300, 300)
    assert lifecycle(Environment.public(max_lifetime=900)).idle_runtime_session_timeout is None
    assert lifecycle(Environment.public(max_lifetime=300, idle_timeout=60)).idle_runtime_session_timeout == 60
