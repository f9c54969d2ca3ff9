"""VPC endpoints for harnesses: exactly those their features need, and open to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match
from support import synth

from agentcore_constructs import AgentCoreVpcEndpoints, Environment, FileSystem, Harness, HarnessConfigError, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
MINIMAL = [
    "bedrock-runtime", "ecr.api", "ecr.dkr", "s3", "sts", "logs", "xray", "monitoring", "bedrock-agentcore",
]  # fmt: skip
GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/orders-0123456789"


def agent(stack: cdk.Stack, vpc: ec2.Vpc, name: str = "Agent", **arguments: Any) -> Harness:
    environment = Environment.vpc(vpc, subnets=ISOLATED, retain_security_group=True)
    return Harness(stack, name, environment=environment, **arguments)


def endpoints(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    """Service name, after the Region, to the properties of its endpoint."""
    found = {}
    for one in synth.resources(stack, "AWS::EC2::VPCEndpoint").values():
        name = one["Properties"]["ServiceName"]
        text = name if isinstance(name, str) else "".join(part for part in name["Fn::Join"][1] if isinstance(part, str))
        found[text.removeprefix("com.amazonaws.").removeprefix("us-east-1").removeprefix(".")] = one["Properties"]
    return found


def test_a_harness_without_a_nat(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Callable[[], dict[str, str]]) -> None:
    made = AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=agent(stack, vpc))

    assert made.services == MINIMAL
    assert warnings() == {}
    found = endpoints(stack)
    assert sorted(found) == sorted(MINIMAL)
    assert {name for name, one in found.items() if one["VpcEndpointType"] == "Gateway"} == {"s3"}
    assert len(found["s3"]["RouteTableIds"]) == 2
    subnets = [subnet["Ref"] for subnet in found["sts"]["SubnetIds"]]
    assert [name.startswith("VpcisolatedSubnet") for name in subnets] == [True, True]
    assert found["sts"]["PrivateDnsEnabled"] is True
    (rule,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert (rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) == (443, 443)
    assert rule["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0].startswith("AgentSecurityGroup")


def test_policies_keep_other_accounts_out_and_let_images_and_session_storage_in(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    harness = agent(stack, vpc, filesystems=[FileSystem.session("/mnt/data")])
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])

    found = endpoints(stack)
    (own,) = found["logs"]["PolicyDocument"]["Statement"]
    assert own["Condition"] == {"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}
    sids = {one["Sid"]: one for one in found["s3"]["PolicyDocument"]["Statement"]}
    assert sorted(sids) == ["ImageLayers", "OwnAccount", "SessionStorage"]
    assert sids["ImageLayers"]["Action"] == "s3:GetObject"
    assert "prod-us-east-1-starport-layer-bucket/*" in str(sids["ImageLayers"]["Resource"])
    assert "acr-storage-*-us-east-1-an" in str(sids["SessionStorage"]["Resource"])


def test_without_session_storage_its_buckets_are_closed(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc)])

    assert [one["Sid"] for one in endpoints(stack)["s3"]["PolicyDocument"]["Statement"]] == [
        "OwnAccount",
        "ImageLayers",
    ]


def test_what_is_added_later_counts(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    harness = agent(stack, vpc)
    made = AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])
    assert "bedrock-agentcore.gateway" not in made.endpoints
    harness.add_tool(Tool.gateway(GATEWAY, name="orders"))

    assert "bedrock-agentcore.gateway" in endpoints(stack)


def test_what_calls_may_bring_counts(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    harness = agent(stack, vpc)
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])
    harness.allow_override(tools=[Tool.gateway(GATEWAY, name="orders")])

    assert "bedrock-agentcore.gateway" in endpoints(stack)


def test_several_harnesses_share_them(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    made = AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc, "One")])
    made.add_harness(agent(stack, vpc, "Two", tools=[Tool.gateway(GATEWAY, name="orders")]))

    assert made.services == [*MINIMAL, "bedrock-agentcore.gateway"]
    assert len(synth.resources(stack, "AWS::EC2::SecurityGroupIngress")) == 2


def test_endpoints_there_are_left_alone(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    vpc.add_interface_endpoint("Sts", service=ec2.InterfaceVpcEndpointAwsService.STS)
    made = AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc)], existing=["logs"])

    assert made.services == [name for name in MINIMAL if name not in {"s3", "sts", "logs"}]


def test_subnets_and_group_can_be_given(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    private = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    made = AgentCoreVpcEndpoints(
        stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc)], subnets=private, security_group=group
    )
    made.endpoints["sts"].add_to_policy(
        iam.PolicyStatement(sid="Partner", principals=[iam.AnyPrincipal()], actions=["sts:*"], resources=["*"])
    )

    found = endpoints(stack)["sts"]
    assert all(subnet["Ref"].startswith("VpcprivateSubnet") for subnet in found["SubnetIds"])
    assert found["SecurityGroupIds"][0]["Fn::GetAtt"][0].startswith("Group")
    assert [one["Sid"] for one in found["PolicyDocument"]["Statement"]] == ["OwnAccount", "Partner"]


def test_what_is_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    other = ec2.Vpc(stack, "Other", max_azs=2)
    harnesses = [Harness(stack, "Public"), Harness(stack, "Elsewhere", environment=Environment.vpc(other))]
    with pytest.raises(HarnessConfigError) as caught:
        AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=harnesses, existing=["dynamodb"])

    said = str(caught.value)
    assert said.startswith("The VPC endpoints Agents/Endpoints has 3 faults:")
    assert (
        "for_harness[0]: must be a harness in the VPC Agents/Vpc; received one in no VPC that is known; make it with "
        "environment=Environment.vpc(vpc)." in said
    )
    assert "for_harness[1]: must be a harness in the VPC Agents/Vpc; received one in Agents/Other;" in said
    assert "existing[0]: must be the name of a service that harnesses use; received 'dynamodb'" in said


def test_no_rule_is_asked_for_where_a_group_lets_everything_out(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc)])
    Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("Ignoring Egress rule"))


def test_what_is_no_vpc_and_no_harness_is_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    strange: Any = "vpc-0123456789abcdef0"
    with pytest.raises(HarnessConfigError) as caught:
        AgentCoreVpcEndpoints(stack, "Strange", vpc=strange, for_harness=[agent(stack, vpc)], existing="s3")
    assert [str(fault) for fault in caught.value.faults] == [
        (
            "vpc: must be a VPC (ec2.IVpc); received 'vpc-0123456789abcdef0' (21 characters); pass an ec2.Vpc, or one "
            "from ec2.Vpc.from_lookup(…)."
        ),
        "existing: must be a list of names; received 's3' (2 characters); put it into a list.",
    ]
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/support-0123456789"
    others: list[Any] = ["support", Harness.from_harness_arn(stack, "Imported", arn)]
    with pytest.raises(HarnessConfigError) as caught:
        AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=others)
    assert [fault.received for fault in caught.value.faults] == [
        "'support' (7 characters)",
        "one in no VPC that is known",
    ]


def imported(stack: cdk.Stack, name: str, **attributes: Any) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        name,
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        isolated_subnet_ids=["subnet-0123456789abcdef0"],
        **attributes,
    )


def test_a_vpc_may_be_imported_twice(stack: cdk.Stack) -> None:
    tables = {"isolated_subnet_route_table_ids": ["rtb-0123456789abcdef0"]}
    harness = agent(stack, imported(stack, "One", **tables))
    made = AgentCoreVpcEndpoints(stack, "Endpoints", vpc=imported(stack, "Two", **tables), for_harness=[harness])

    assert made.services == MINIMAL


def test_without_route_tables_there_is_no_gateway_endpoint(stack: cdk.Stack) -> None:
    vpc = imported(stack, "Vpc")
    harness = agent(stack, vpc)
    with pytest.raises(HarnessConfigError) as caught:
        AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])
    assert (
        "vpc: must know the route tables of its subnets, for the gateway endpoint of s3; received an imported one "
        "without them; import it with its route tables, or say existing=['s3'] and make the endpoint elsewhere."
        in str(caught.value)
    )

    other = synth.new_stack()
    vpc = imported(other, "Vpc")
    made = AgentCoreVpcEndpoints(other, "Endpoints", vpc=vpc, for_harness=[agent(other, vpc)], existing=["s3"])
    assert made.services == [name for name in MINIMAL if name != "s3"]


def test_none_and_a_second_set_are_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[agent(stack, vpc)])
    with pytest.raises(HarnessConfigError) as caught:
        AgentCoreVpcEndpoints(stack, "More", vpc=vpc, for_harness=[])

    said = str(caught.value)
    assert "for_harness: must name at least one harness; received none; pass for_harness=[harness]." in said
    assert "received one with Agents/Endpoints; call add_harness(…) of those." in said


def test_endpoints_are_added_at_synthesis_with_the_flags_of_new_apps() -> None:
    # Both change in which order aspects run, and tags are aspects.
    flags = {"@aws-cdk/core:aspectStabilization": True, "@aws-cdk/core:aspectPrioritiesMutating": True}
    app = cdk.App(context={**synth.CONTEXT, **flags})
    stack = cdk.Stack(app, "Agents")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    harness = Harness(stack, "Agent", environment=Environment.vpc(vpc))
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])
    harness.add_tool(Tool.gateway(GATEWAY, name="orders"))
    cdk.Tags.of(app).add("team", "orders")

    assert {"Key": "team", "Value": "orders"} in endpoints(stack)["bedrock-agentcore.gateway"]["Tags"]
