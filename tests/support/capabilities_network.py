"""Stacks with harnesses in a VPC, and with the file systems they mount, written as a user would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    Environment,
    FileSystem,
    Harness,
    HarnessImage,
    Hook,
    Memory,
    Model,
    S3FilesFileSystem,
    Skill,
    Tool,
)

if TYPE_CHECKING:
    from constructs import Construct


def _vpc(stack: Construct) -> ec2.IVpc:
    """A VPC of a network team, without a way to the internet."""
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a", "us-east-1b"],
        isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        isolated_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
    )


def vpc_endpoints(stack: Construct) -> None:
    vpc = _vpc(stack)
    harness = Harness(stack, "Agent", environment=Environment.vpc(vpc))
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])


def vpc_with_everything(stack: Construct) -> None:
    vpc = _vpc(stack)
    account, region = cdk.Stack.of(stack).account, cdk.Stack.of(stack).region
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    signed = agentcore.GatewayAuthorizer.using_aws_iam()
    gateway = agentcore.Gateway(stack, "Gateway", gateway_name="orders", authorizer_configuration=signed)
    skills = s3.Bucket(stack, "Skills", encryption=s3.BucketEncryption.KMS, encryption_key=key)
    provider = f"arn:aws:bedrock-agentcore:{region}:{account}:token-vault/default/apikeycredentialprovider/git"
    guard = f"arn:aws:lambda:{region}:{account}:function:guard"
    harness = Harness(
        stack,
        "Agent",
        model=Model.bedrock("openai.gpt-oss-120b-1:0", api_format="responses"),
        image=HarnessImage.from_ecr(ecr.Repository(stack, "Repository", image_scan_on_push=True), tag="1.2.3"),
        memory=Memory.managed(encryption_key=key),
        tools=[Tool.gateway(gateway, name="orders"), Tool.browser()],
        skills=[
            Skill.s3(skills, "report/v1", encryption_key=key),
            Skill.git("https://example.com/s", credential=provider),
        ],
        hooks=[Hook.before_invocation("guard", guard)],
        environment=Environment.vpc(vpc, retain_security_group=True, idle_timeout=cdk.Duration.minutes(10)),
        filesystems=[
            FileSystem.session("/mnt/work"),
            FileSystem.efs(mount_path="/mnt/efs", encryption_key=key),
            FileSystem.s3_files(mount_path="/mnt/s3", encryption_key=key),
        ],
    )
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=[harness])


def filesystems_shared(stack: Construct) -> None:
    vpc = _vpc(stack)
    shared = efs.FileSystem(stack, "Shared", vpc=vpc, encrypted=True)
    data = s3.Bucket(stack, "Data", versioned=True, enforce_ssl=True)
    files = S3FilesFileSystem(stack, "Files", vpc=vpc, bucket=data, prefix="sales/")
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, description="Sessions", allow_all_outbound=False)
    environment = Environment.vpc(vpc, security_groups=[group])
    harnesses = [
        Harness(
            stack,
            name,
            environment=environment,
            filesystems=[
                FileSystem.efs(shared, "/mnt/shared", read_only=read_only),
                FileSystem.s3_files(files, "/mnt/sales", directory="/", read_only=True),
            ],
        )
        for name, read_only in (("Writer", False), ("Reader", True))
    ]
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=harnesses)


CAPABILITIES = (vpc_endpoints, vpc_with_everything, filesystems_shared)
