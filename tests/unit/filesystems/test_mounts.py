"""Mounts of a harness: what is made for them, what is opened, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3files as s3files
from aws_cdk.assertions import Match, Template
from support import synth

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    Deferred,
    Environment,
    FileSystem,
    Harness,
    HarnessConfigError,
    HarnessImage,
    Host,
    S3FilesFileSystem,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Warnings = Callable[[], dict[str, str]]

EFS = "arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-0123456789abcdef0"
S3_FILES = "arn:aws:s3files:us-east-1:111122223333:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"


def agent(stack: cdk.Stack, vpc: ec2.IVpc, *mounts: Any, name: str = "Agent", **arguments: Any) -> Harness:
    environment = Environment.vpc(vpc, retain_security_group=True)
    return Harness(stack, name, environment=environment, filesystems=mounts, **arguments)


def statements(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    """Sid to the statements of the execution role's policies."""
    return {
        one["Sid"]: one
        for policy in synth.resources(stack, "AWS::IAM::ManagedPolicy").values()
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
    }


def refused(stack: cdk.Stack, *mounts: Any, environment: Any = None) -> str:
    with pytest.raises(HarnessConfigError) as caught:
        Harness(stack, "Refused", environment=environment, filesystems=mounts)
    return str(caught.value)


# ---- EFS -------------------------------------------------------------------------------------------------------------


def test_efs_of_nothing(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    agent(stack, vpc, FileSystem.efs(mount_path="/mnt/shared"))

    template = Template.from_stack(stack)
    template.has_resource("AWS::EFS::FileSystem", {"DeletionPolicy": "Retain", "Properties": {"Encrypted": True}})
    template.has_resource_properties(
        "AWS::EFS::AccessPoint",
        {
            "PosixUser": {"Uid": "1000", "Gid": "1000"},
            "RootDirectory": {
                "Path": "/shared",
                "CreationInfo": {"OwnerUid": "1000", "OwnerGid": "1000", "Permissions": "750"},
            },
        },
    )
    targets = synth.resources(stack, "AWS::EFS::MountTarget")
    assert sorted(one["Properties"]["SubnetId"]["Ref"][:17] for one in targets.values()) == ["VpcprivateSubnet1",
        "VpcprivateSubnet2"]  # fmt: skip
    (harness,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    assert set(targets) <= set(harness["DependsOn"])
    (rule,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert rule["Properties"]["FromPort"] == 2049
    granted = statements(stack)
    assert granted["EFSClientAccess"]["Resource"][0]["Fn::GetAtt"][0].startswith("AgentMountsharedFileSystem")
    assert "elasticfilesystem:AccessPointArn" in granted["EFSClientAccess"]["Condition"]["ArnEquals"]
    assert "EFSClientRoot" not in granted


def test_anonymous_clients_are_kept_out_and_readers_stay_readers(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    agent(stack, vpc, FileSystem.efs(mount_path="/mnt/shared", read_only=True))

    (system,) = synth.resources(stack, "AWS::EFS::FileSystem").values()
    (statement,) = system["Properties"]["FileSystemPolicy"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    granted = statements(stack)
    assert granted["EFSClientReadOnly"]["Action"] == ["elasticfilesystem:ClientMount"]
    assert "ClientWrite" not in str(granted)


def test_options_of_a_new_file_system(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    key = kms.Key(stack, "Key")
    mount = FileSystem.efs(
        mount_path="/mnt/shared",
        directory="/",
        user=(1001, 1002),
        encryption_key=key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    agent(stack, vpc, mount)

    template = Template.from_stack(stack)
    template.has_resource(
        "AWS::EFS::FileSystem", {"DeletionPolicy": "Delete", "Properties": {"KmsKeyId": Match.any_value()}}
    )
    template.has_resource_properties(
        "AWS::EFS::AccessPoint", {"PosixUser": {"Uid": "1001", "Gid": "1002"}, "RootDirectory": {"Path": "/"}}
    )


def test_an_access_point_for_a_file_system(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = efs.FileSystem(stack, "Files", vpc=vpc)
    agent(stack, vpc, FileSystem.efs(system, "/mnt/shared", directory="/teams/sales"))

    Template.from_stack(stack).has_resource_properties(
        "AWS::EFS::AccessPoint", {"RootDirectory": Match.object_like({"Path": "/teams/sales"})}
    )
    assert len(synth.resources(stack, "AWS::EFS::FileSystem")) == 1
    assert len(synth.resources(stack, "AWS::EC2::SecurityGroupIngress")) == 1


def test_an_access_point_that_exists(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    system = efs.FileSystem(stack, "Files", vpc=vpc)
    point = system.add_access_point("Point", posix_user=efs.PosixUser(uid="1000", gid="1000"))
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, allow_all_outbound=False)
    environment = Environment.vpc(vpc, security_groups=[group], filesystems=[FileSystem.efs(point, "/mnt/shared")])
    Harness(stack, "Agent", environment=environment)

    assert warnings() == {}
    (egress,) = synth.resources(stack, "AWS::EC2::SecurityGroupEgress").values()
    (ingress,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert egress["Properties"]["FromPort"] == ingress["Properties"]["FromPort"] == 2049
    (harness,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    assert set(synth.resources(stack, "AWS::EFS::MountTarget")) <= set(harness["DependsOn"])


def test_two_harnesses_share_a_file_system(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = efs.FileSystem(stack, "Files", vpc=vpc)
    agent(stack, vpc, FileSystem.efs(system, "/mnt/shared"), name="Writer")
    agent(stack, vpc, FileSystem.efs(system, "/mnt/shared", read_only=True), name="Reader")

    points = synth.resources(stack, "AWS::EFS::AccessPoint").values()
    assert [one["Properties"]["RootDirectory"]["Path"] for one in points] == ["/shared", "/shared"]
    assert len(synth.resources(stack, "AWS::EC2::SecurityGroupIngress")) == 2


def test_file_systems_and_vpc_of_another_stack(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    shared = efs.FileSystem(stack, "Files", vpc=vpc)
    objects = S3FilesFileSystem(stack, "Objects", vpc=vpc)
    environment = cdk.Environment(account=synth.ACCOUNT, region=synth.REGION)
    agents = cdk.Stack(stack.node.root, "Apart", env=environment)
    harness = agent(agents, vpc, FileSystem.efs(shared, "/mnt/a"), FileSystem.s3_files(objects, "/mnt/b"))
    AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=harness)

    # The rules are in the stack of the harness, which depends on the other one, not the other way round.
    rules = synth.resources(agents, "AWS::EC2::SecurityGroupIngress").values()
    assert sorted(one["Properties"]["FromPort"] for one in rules) == [443, 2049, 2049]
    assert synth.resources(stack, "AWS::EC2::SecurityGroupIngress") == {}


def test_subnets_in_one_zone_get_one_mount_target(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    subnets = [vpc.private_subnets[0], vpc.isolated_subnets[0], vpc.private_subnets[1]]
    environment = Environment.vpc(vpc, subnets=subnets)
    Harness(stack, "Agent", environment=environment, filesystems=[FileSystem.efs(mount_path="/mnt/shared")])

    assert len(synth.resources(stack, "AWS::EFS::MountTarget")) == 2


# ---- S3 Files --------------------------------------------------------------------------------------------------------


def test_s3_files_of_nothing(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    agent(stack, vpc, FileSystem.s3_files(mount_path="/mnt/data"))

    template = Template.from_stack(stack)
    template.has_resource("AWS::S3::Bucket", {"DeletionPolicy": "Retain"})
    template.has_resource_properties("AWS::S3Files::AccessPoint", {"PosixUser": {"Uid": "1000", "Gid": "1000"}})
    targets = synth.resources(stack, "AWS::S3Files::MountTarget")
    (harness,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    assert len(targets) == 2
    assert set(targets) <= set(harness["DependsOn"])
    granted = statements(stack)
    assert granted["S3FilesClientAccess"]["Action"] == ["s3files:ClientMount", "s3files:ClientWrite"]
    assert {"S3FilesGetAccessPoint", "S3FilesListMountTargets"} <= set(granted)
    (rule,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert rule["Properties"]["FromPort"] == 2049


def test_s3_files_of_a_bucket_and_a_prefix(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    bucket = s3.Bucket(stack, "Data", versioned=True)
    agent(stack, vpc, FileSystem.s3_files(bucket, "/mnt/data", prefix="sales/", directory="/", read_only=True))

    Template.from_stack(stack).has_resource_properties("AWS::S3Files::FileSystem", {"Prefix": "sales/"})
    granted = statements(stack)
    assert granted["S3FilesClientReadOnly"]["Action"] == ["s3files:ClientMount"]
    assert "ClientWrite" not in str(granted)


def test_s3_files_of_a_file_system_and_of_access_points(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)
    point = system.add_access_point("Point", path="/reports")
    agent(stack, vpc, FileSystem.s3_files(system, "/mnt/data"), FileSystem.s3_files(point, "/mnt/reports"))
    by_l1 = s3files.CfnAccessPoint(stack, "L1", file_system_id=system.file_system_id)
    agent(stack, vpc, FileSystem.s3_files(by_l1, "/mnt/data"), FileSystem.s3_files(S3_FILES, "/mnt/x"), name="Other")

    points = synth.resources(stack, "AWS::S3Files::AccessPoint")
    assert len(points) == 3
    assert len(synth.resources(stack, "AWS::S3Files::FileSystem")) == 1


# ---- the image's user ------------------------------------------------------------------------------------------------


class RootImage(Deferred):
    """An image whose processes are root."""

    def bind(self, host: Host) -> Any:
        host.user = (0, 0)
        return HarnessImage.from_uri("public.ecr.aws/docker/library/python:3.12")


def test_a_root_image_gets_access_points_for_root(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    mounts = (FileSystem.efs(mount_path="/mnt/efs"), FileSystem.s3_files(mount_path="/mnt/s3"))
    agent(stack, vpc, *mounts, image=RootImage())

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EFS::AccessPoint", {"PosixUser": {"Uid": "0", "Gid": "0"}})
    template.has_resource_properties("AWS::S3Files::AccessPoint", {"PosixUser": {"Uid": "0", "Gid": "0"}})
    granted = statements(stack)
    assert granted["EFSClientRoot"]["Action"] == ["elasticfilesystem:ClientRootAccess"]
    assert granted["S3FilesClientRoot"]["Action"] == ["s3files:ClientRootAccess"]
    assert "ArnEquals" in granted["S3FilesClientRoot"]["Condition"]


def test_an_access_point_for_another_user_is_warned_of(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    system = efs.FileSystem(stack, "Files", vpc=vpc)
    point = system.add_access_point("Point", posix_user=efs.PosixUser(uid="0", gid="0"))
    agent(stack, vpc, FileSystem.efs(point, "/mnt/shared"))

    assert "mounted at /mnt/shared reads and writes as user 0 and group 0" in warnings()["mount-user"]
    assert "EFSClientRoot" in statements(stack)


# ---- session storage -------------------------------------------------------------------------------------------------


def test_session_storage_alone_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", filesystems=[FileSystem.session("/mnt/work")])

    assert "Session storage at /mnt/work is the only place" in warnings()["session-storage-only"]


def test_session_storage_of_a_file_is_too(stack: cdk.Stack, warnings: Warnings) -> None:
    mounts = [{"sessionStorage": {"mountPath": "/mnt/work"}}]
    runtime = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": mounts}}
    Harness.from_config(stack, "Agent", {"environment": runtime})

    assert list(warnings()) == ["session-storage-only"]


def test_session_storage_beside_shared_files_is_not(stack: cdk.Stack, vpc: ec2.Vpc, warnings: Warnings) -> None:
    agent(stack, vpc, FileSystem.session("/mnt/work"), FileSystem.efs(mount_path="/mnt/shared"))

    assert warnings() == {}


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [None, Environment.public()])
def test_shared_files_need_a_vpc(stack: cdk.Stack, environment: Any) -> None:
    said = refused(stack, FileSystem.efs(mount_path="/mnt/a"), FileSystem.s3_files(S3_FILES, "/mnt/b"),
                   environment=environment)  # fmt: skip
    assert (
        "filesystems[0].efsAccessPoint: must be mounted by a harness whose VPC is known; received an environment "
        "without one; use environment=Environment.vpc(vpc), or mount an access point that exists." in said
    )


def test_access_points_need_a_vpc(stack: cdk.Stack) -> None:
    said = refused(stack, FileSystem.efs(EFS, "/mnt/a"), FileSystem.s3_files(S3_FILES, "/mnt/b"))
    for index, kind in enumerate(("efsAccessPoint", "s3FilesAccessPoint")):
        assert f"filesystemConfigurations[{index}].{kind}: must be used with networkMode VPC;" in said


def test_files_within_a_public_environment_are_refused_too(stack: cdk.Stack) -> None:
    environment = Environment.public(filesystems=[FileSystem.session("/mnt/a"), FileSystem.efs(mount_path="/mnt/b")])
    said = refused(stack, environment=environment)
    where = "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[1].efsAccessPoint"
    assert f"{where}: must be mounted by a harness whose VPC is known;" in said


def test_ids_of_subnets_do_not_suffice_to_make_mount_targets(stack: cdk.Stack) -> None:
    ids = Environment.vpc(subnets=["subnet-0123456789abcdef0"], security_groups=["sg-0123456789abcdef0"])
    assert "must be mounted by a harness whose VPC is known" in refused(
        stack, FileSystem.efs(mount_path="/mnt/a"), environment=ids
    )
    other = synth.new_stack()
    place = ec2.Vpc(other, "Vpc", max_azs=2)
    foreign = Environment.vpc(place, subnets=["subnet-0123456789abcdef0"])
    said = refused(other, FileSystem.efs(mount_path="/mnt/a"), environment=foreign)
    assert "must be mounted in subnets whose zones are known, for mount targets to be made;" in said


def test_too_many_and_twice(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    sessions = [FileSystem.session("/mnt/one"), FileSystem.session("/mnt/one/")]
    on_efs = [FileSystem.efs(EFS, f"/mnt/efs{number}") for number in range(3)]
    on_s3 = [FileSystem.s3_files(S3_FILES, f"/mnt/s3{number}") for number in range(3)]
    environment = Environment.vpc(vpc, retain_security_group=True)

    said = refused(stack, *sessions, *on_efs, environment=environment)
    assert "must hold at most 2 EFS access points (efsAccessPoint); received 3;" in said
    assert "must hold at most 1 session storage (sessionStorage); received 2;" in said
    assert "must be mounted at a path of its own; received '/mnt/one', where" in said

    other = synth.new_stack()
    said = refused(other, *on_s3, environment=Environment.vpc(ec2.Vpc(other, "Vpc", max_azs=2)))
    assert "must hold at most 2 S3 Files access points (s3FilesAccessPoint); received 3;" in said

    third = synth.new_stack()
    said = refused(third, *on_s3, *on_efs, environment=Environment.vpc(ec2.Vpc(third, "Vpc", max_azs=2)))
    assert "must be a list of file systems, 0–5; received a list of 6 items; mount at most 5." in said


def test_two_new_ones_on_one_path(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    mounts = [FileSystem.efs(mount_path="/mnt/a"), FileSystem.s3_files(mount_path="/mnt/a")]
    said = refused(stack, *mounts, environment=Environment.vpc(vpc))
    assert "filesystems[1]: must be mounted at a path of its own; received '/mnt/a' (6 characters);" in said


@pytest.mark.parametrize(
    ("region", "account", "said"),
    [
        ("us-east-1", "444455556666", "must be in the harness's account (111122223333); received 444455556666;"),
        ("eu-west-1", "111122223333", "must be in the harness's Region (us-east-1); received eu-west-1;"),
    ],
)
def test_access_points_elsewhere(stack: cdk.Stack, vpc: ec2.Vpc, region: str, account: str, said: str) -> None:
    there = f":{region}:{account}:"
    mounts = [
        FileSystem.efs(EFS.replace(":us-east-1:111122223333:", there), "/mnt/a"),
        FileSystem.s3_files(S3_FILES.replace(":us-east-1:111122223333:", there), "/mnt/b"),
    ]
    text = refused(stack, *mounts, environment=Environment.vpc(vpc))
    assert f"filesystems[0].efsAccessPoint.accessPointArn: {said}" in text
    assert f"filesystems[1].s3FilesAccessPoint.accessPointArn: {said}" in text


def test_file_systems_of_another_vpc(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    other = ec2.Vpc(stack, "Other", max_azs=2)
    mounts = [
        FileSystem.efs(efs.FileSystem(stack, "Files", vpc=other).add_access_point("Point"), "/mnt/a"),
        FileSystem.s3_files(S3FilesFileSystem(stack, "Bucket", vpc=other), "/mnt/b"),
    ]
    said = refused(stack, *mounts, environment=Environment.vpc(vpc))
    for index, kind in enumerate(("efsAccessPoint", "s3FilesAccessPoint")):
        assert (
            f"filesystems[{index}].{kind}: must be in the VPC of the harness (Agents/Vpc); received mount targets in "
            "another VPC;" in said
        )


def test_a_vpc_that_is_imported_beside_the_one_that_is_made_may_be_the_same(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    point = efs.FileSystem(stack, "Files", vpc=vpc).add_access_point("Point")
    imported = ec2.Vpc.from_vpc_attributes(
        stack,
        "Imported",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    Harness(stack, "Agent", environment=Environment.vpc(imported), filesystems=[FileSystem.efs(point, "/mnt/a")])


def test_a_bucket_and_a_key_may_be_given_by_their_arns(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    key = f"arn:aws:kms:{synth.REGION}:{synth.ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
    mounts = [
        FileSystem.s3_files("arn:aws:s3:::sales", "/mnt/sales", prefix="2026/", read_only=True),
        FileSystem.efs(mount_path="/mnt/notes", encryption_key=key),
    ]
    Harness(stack, "Agent", environment=Environment.vpc(vpc), filesystems=mounts)
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::S3Files::FileSystem", {"Bucket": "arn:aws:s3:::sales", "Prefix": "2026/"})
    template.has_resource_properties("AWS::EFS::FileSystem", {"KmsKeyId": key})
    template.resource_count_is("AWS::S3::Bucket", 0)


def test_a_zone_without_a_mount_target(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    one = ec2.SubnetSelection(subnets=vpc.private_subnets[:1])
    point = efs.FileSystem(stack, "Files", vpc=vpc, vpc_subnets=one).add_access_point("Point")
    said = refused(stack, FileSystem.efs(point, "/mnt/a"), environment=Environment.vpc(vpc))
    assert (
        "filesystems[0].efsAccessPoint: must have a mount target in the zone of every subnet of the harness; received "
        "none in dummy1b; add mount targets there, or narrow the harness's subnets." in said
    )
    narrow = Environment.vpc(vpc, subnets=ec2.SubnetSelection(availability_zones=["dummy1a"]))
    Harness(stack, "Agent", environment=narrow, filesystems=[FileSystem.efs(point, "/mnt/a")])


def test_a_vpc_without_host_names(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, enable_dns_hostnames=False)
    said = refused(stack, FileSystem.efs(mount_path="/mnt/a"), environment=Environment.vpc(vpc))
    assert "must be in a VPC with DNS support and DNS host names, by which mount targets are found;" in said


def test_an_unversioned_bucket(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    mount = FileSystem.s3_files(s3.Bucket(stack, "Data"), "/mnt/a")
    said = refused(stack, mount, environment=Environment.vpc(vpc))
    assert "filesystems[0].bucket: must have versioning, by which S3 Files keeps files and objects in step;" in said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: FileSystem.efs(), "efsAccessPoint.mountPath: must be a literal path of one segment under /mnt"),
        (
            lambda _: FileSystem.efs(EFS, "/mnt/a", directory="/x"),  # type: ignore[call-overload]
            "accessPointArn: must be mounted as it is; received an access point with directory=; leave that out, or",
        ),
        (
            lambda stack: FileSystem.efs(
                efs.FileSystem.from_file_system_attributes(
                    stack,
                    "Files",
                    file_system_id="fs-0123456789abcdef0",
                    security_group=ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0"),
                ),
                "/mnt/a",
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
            "efsAccessPoint: must be taken as it is, without removal_policy; received one that exists already; leave",
        ),
        (
            lambda _: FileSystem.efs(mount_path="/mnt/a", as_root=True),  # type: ignore[call-overload]
            "efsAccessPoint: must be made without as_root; received a file system, or nothing; give an access point",
        ),
        (
            lambda _: FileSystem.efs(mount_path="/mnt/a", directory="a/../b"),
            "efsAccessPoint: must have a directory that begins with a slash and has no . or .. in it; received",
        ),
        (
            lambda _: FileSystem.efs(mount_path="/mnt/a", directory="/a/b/c/d/e"),
            "efsAccessPoint: must have a directory of at most 100 characters and 4 levels; received '/a/b/c/d/e'",
        ),
        (
            lambda _: FileSystem.efs(mount_path="/mnt/a", directory=5),  # type: ignore[call-overload]
            "efsAccessPoint: must have a directory that is a path; received 5; write it as '/data'.",
        ),
        (
            lambda _: FileSystem.efs(mount_path="/mnt/a", user=("root", 0)),  # type: ignore[arg-type]
            "efsAccessPoint.user: must be the numeric user and group, each 0–4294967295; received ('root', 0);",
        ),
        (
            lambda _: FileSystem.s3_files(mount_path="/mnt/a", encryption_key="alias/files"),
            "s3FilesAccessPoint.encryptionKey: must be a KMS key (kms.IKey) or its ARN",
        ),
        (
            lambda stack: FileSystem.efs(efs.CfnFileSystem(stack, "L1"), "/mnt/a"),
            "accessPointArn: must be the ARN of an EFS access point",
        ),
        (
            lambda _: FileSystem.efs("/mnt/a"),  # type: ignore[call-overload]
            "accessPointArn: must be the ARN of an EFS access point",
        ),
    ],
)
def test_what_does_not_fit(stack: cdk.Stack, vpc: ec2.Vpc, make: Callable[[cdk.Stack], Any], said: str) -> None:
    assert said in refused(stack, make(stack), environment=Environment.vpc(vpc))
