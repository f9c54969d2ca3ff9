"""S3FilesFileSystem and its access points: what an L2 would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3files as s3files
from aws_cdk.assertions import Match, Template
from support import synth

from agentcore_constructs import HarnessConfigError, S3FilesAccessPoint, S3FilesFileSystem

if TYPE_CHECKING:
    from constructs import Construct

SYSTEM_ARN = "arn:aws:s3files:us-east-1:111122223333:file-system/fs-0123456789abcdef0"
POINT_ARN = f"{SYSTEM_ARN}/access-point/fsap-0123456789abcdef0"


def statements(stack: cdk.Stack, role: str) -> dict[str, dict[str, Any]]:
    """Sid (or the first action) to the statements of the policies of a role."""
    return {
        one.get("Sid") or str(one["Action"]): one
        for policy in synth.resources(stack, "AWS::IAM::Policy").values()
        if role in str(policy["Properties"]["Roles"])
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
    }


def reader(stack: Construct) -> iam.Role:
    return iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))


def test_a_vpc_suffices(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)

    assert isinstance(system.node.default_child, s3files.CfnFileSystem)
    template = Template.from_stack(stack)
    template.has_resource(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": Match.any_value(),
                "BucketEncryption": Match.any_value(),
            },
        },
    )
    template.has_resource(
        "AWS::S3Files::FileSystem",
        {
            "DeletionPolicy": "Delete",
            "DependsOn": Match.array_with([Match.string_like_regexp("FilesServiceRoleDefaultPolicy")]),
            "Properties": {"Prefix": Match.absent(), "KmsKeyId": Match.absent()},
        },
    )
    targets = synth.resources(stack, "AWS::S3Files::MountTarget").values()
    assert [one["Properties"]["SubnetId"]["Ref"].startswith("VpcprivateSubnet") for one in targets] == [True, True]
    (group,) = synth.resources(stack, "AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group["Properties"]


def test_the_role_reaches_one_prefix_of_one_bucket(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Data", versioned=True, encryption=s3.BucketEncryption.KMS, encryption_key=key)
    S3FilesFileSystem(stack, "Files", vpc=vpc, bucket=bucket, prefix="sales/")

    (role,) = synth.resources(stack, "AWS::IAM::Role").values()
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "elasticfilesystem.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert ":s3files:us-east-1:111122223333:file-system/*" in str(trust["Condition"]["ArnLike"])

    granted = statements(stack, "FilesServiceRole")
    assert sorted(granted) == [
        "EventBridgeManage",
        "EventBridgeRead",
        "S3BucketPermissions",
        "S3ObjectPermissions",
        "UseKmsKeyWithS3Files",
    ]
    assert granted["S3BucketPermissions"]["Condition"] == {
        "StringEquals": {"aws:ResourceAccount": "111122223333"},
        "StringLike": {"s3:prefix": "sales/*"},
    }
    assert granted["S3ObjectPermissions"]["Resource"]["Fn::Join"][1][1] == "/sales/*"
    assert granted["UseKmsKeyWithS3Files"]["Resource"]["Fn::GetAtt"][0].startswith("Key")
    assert granted["EventBridgeManage"]["Condition"] == {
        "StringEquals": {"events:ManagedBy": "elasticfilesystem.amazonaws.com"}
    }
    Template.from_stack(stack).has_resource_properties("AWS::S3Files::FileSystem", {"Prefix": "sales/"})


def test_everything_can_be_given(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    role = iam.Role(stack, "Sync", assumed_by=iam.ServicePrincipal("elasticfilesystem.amazonaws.com"))
    rules = s3files.CfnFileSystem.SynchronizationConfigurationProperty(
        import_data_rules=[
            s3files.CfnFileSystem.ImportDataRuleProperty(
                prefix="", size_less_than=1024, trigger="ON_DIRECTORY_FIRST_ACCESS"
            )
        ],
        expiration_data_rules=[s3files.CfnFileSystem.ExpirationDataRuleProperty(days_after_last_access=30)],
    )
    system = S3FilesFileSystem(
        stack,
        "Files",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        security_group=ec2.SecurityGroup(stack, "Group", vpc=vpc),
        role=role,
        encryption_key=kms.Key(stack, "Key"),
        synchronization=rules,
        accept_bucket_warning=True,
        bucket_removal_policy=cdk.RemovalPolicy.DESTROY,
        tags={"team": "sales"},
    )
    system.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    cdk.Tags.of(system).add("cost", "7")

    template = Template.from_stack(stack)
    template.has_resource(
        "AWS::S3Files::FileSystem",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": [Match.string_like_regexp("^Sync"), "Arn"]},
                "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
                "AcceptBucketWarning": True,
                "SynchronizationConfiguration": {"ExpirationDataRules": [{"DaysAfterLastAccess": 30}]},
                "Tags": [{"Key": "cost", "Value": "7"}, {"Key": "team", "Value": "sales"}],
            },
        },
    )
    template.resource_count_is("AWS::IAM::Role", 1)
    template.has_resource("AWS::S3::Bucket", {"DeletionPolicy": "Delete"})
    target = next(iter(synth.resources(stack, "AWS::S3Files::MountTarget").values()))
    assert target["Properties"]["SecurityGroups"][0]["Fn::GetAtt"][0].startswith("Group")


def test_grants_name_the_file_system_and_the_access_point(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)
    point = system.add_access_point("Point", path="/reports", user=(0, 0))
    role = reader(stack)
    system.grant_read(role)
    point.grant_read_write(role)
    point.grant_root_access(role)
    system.grant(role, "s3files:GetFileSystem")

    granted = list(statements(stack, "Reader").values())
    actions = [one["Action"] for one in granted]
    assert "s3files:ClientMount" in actions
    assert ["s3files:ClientMount", "s3files:ClientWrite"] in actions
    assert ["s3files:ClientMount", "s3files:ClientWrite", "s3files:ClientRootAccess"] in actions
    (through,) = (one for one in granted if one["Action"] == ["s3files:ClientMount", "s3files:ClientWrite"])
    assert through["Resource"]["Fn::GetAtt"][1] == "FileSystemArn"
    assert through["Condition"]["ArnEquals"]["s3files:AccessPointArn"]["Fn::GetAtt"][1] == "AccessPointArn"


def test_an_access_point_makes_its_directory_for_its_user(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)
    point = S3FilesAccessPoint(stack, "Reports", file_system=system, path="/reports", user=(1000, 100))
    whole = S3FilesAccessPoint(stack, "Whole", file_system=system, user=None)

    assert (point.file_system, whole.file_system) == (system, system)
    points = synth.resources(stack, "AWS::S3Files::AccessPoint")
    (made,) = (one["Properties"] for name, one in points.items() if name.startswith("Reports"))
    assert made["PosixUser"] == {"Uid": "1000", "Gid": "100"}
    assert made["RootDirectory"] == {
        "Path": "/reports",
        "CreationPermissions": {"OwnerUid": "1000", "OwnerGid": "100", "Permissions": "750"},
    }
    (made,) = (one["Properties"] for name, one in points.items() if name.startswith("Whole"))
    assert made["RootDirectory"] == {"Path": "/"}
    assert "PosixUser" not in made


def test_a_policy_of_its_own(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)
    for sid in ("One", "Two"):
        statement = iam.PolicyStatement(
            sid=sid,
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3files:ClientWrite"],
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )
        assert system.add_to_resource_policy(statement).statement_added

    (policy,) = synth.resources(stack, "AWS::S3Files::FileSystemPolicy").values()
    assert [one["Sid"] for one in policy["Properties"]["Policy"]["Statement"]] == ["One", "Two"]


def test_clients_are_let_in(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    system = S3FilesFileSystem(stack, "Files", vpc=vpc)
    client = ec2.SecurityGroup(stack, "Client", vpc=vpc, allow_all_outbound=False)
    system.connections.allow_default_port_from(client)

    (rule,) = synth.resources(stack, "AWS::EC2::SecurityGroupIngress").values()
    assert (rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) == (2049, 2049)
    assert len(synth.resources(stack, "AWS::EC2::SecurityGroupEgress")) == 1


def test_what_exists_can_be_taken(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    by_id = S3FilesFileSystem.from_file_system_attributes(
        stack, "ById", file_system_id="fs-0123456789abcdef0", security_group=group
    )
    by_arn = S3FilesFileSystem.from_file_system_attributes(stack, "ByArn", file_system_arn=SYSTEM_ARN)
    unknown = S3FilesFileSystem.from_file_system_attributes(
        stack, "Unknown", file_system_arn=cdk.Fn.import_value("files")
    )
    point = S3FilesAccessPoint.from_access_point_arn(stack, "Point", POINT_ARN)
    named = S3FilesAccessPoint.from_access_point_attributes(
        stack, "Named", access_point_arn=cdk.Fn.import_value("point"), file_system=by_id
    )
    point.grant_read(reader(stack))

    assert stack.resolve(by_id.file_system_arn) == {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, SYSTEM_ARN.removeprefix("arn:aws")]]
    }
    assert by_arn.file_system_id == "fs-0123456789abcdef0"
    assert "Fn::Select" in str(stack.resolve(unknown.file_system_id))
    assert (point.file_system_arn, point.access_point_id) == (SYSTEM_ARN, "fsap-0123456789abcdef0")
    assert "Fn::Split" in str(stack.resolve(named.file_system_arn))
    assert (named.file_system, point.file_system) == (by_id, None)
    assert [one.security_group_id for one in by_id.connections.security_groups] == [group.security_group_id]
    by_id.add_access_point("More", path="/more")
    assert len(synth.resources(stack, "AWS::S3Files::AccessPoint")) == 1


def test_what_is_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        S3FilesFileSystem(stack, "Files", vpc=vpc, bucket=s3.Bucket(stack, "Data"), prefix="sales")
    said = str(caught.value)
    assert said.startswith("The file system Agents/Files has 2 faults:")
    assert (
        "bucket: must have versioning, by which S3 Files keeps files and objects in step; received one without; make "
        "it with versioned=True." in said
    )
    assert "prefix: must end with a slash and not begin with one; received 'sales' (5 characters);" in said

    with pytest.raises(HarnessConfigError, match="prefix: must be at most 1024 characters"):
        S3FilesFileSystem(stack, "Long", vpc=vpc, prefix="x" * 1024 + "/")
    with pytest.raises(HarnessConfigError, match="must be named by file_system_id or file_system_arn; received neith"):
        S3FilesFileSystem.from_file_system_attributes(stack, "Nothing")
    with pytest.raises(HarnessConfigError, match="access_point_arn: must be the ARN of an S3 Files access point"):
        S3FilesAccessPoint.from_access_point_arn(stack, "Wrong", SYSTEM_ARN)

    nowhere: Any = "vpc-0123456789abcdef0"
    with pytest.raises(HarnessConfigError) as caught:
        S3FilesFileSystem(stack, "Strange", vpc=nowhere, bucket="B", encryption_key="alias/x", prefix=5)  # type: ignore[arg-type]
    assert [str(fault).partition(";")[0] for fault in caught.value.faults] == [
        "bucket: must be a bucket (s3.IBucket), its name or its ARN",
        (
            "encryption_key: must be a KMS key (kms.IKey) or its ARN (arn:aws:kms:<region>:<account>:key/<id>, not an "
            "alias)"
        ),
        "vpc: must be a VPC (ec2.IVpc)",
        "prefix: must end with a slash and not begin with one",
    ]
    with pytest.raises(HarnessConfigError, match="vpc_subnets: must select subnets that the VPC has; received a selec"):
        S3FilesFileSystem(stack, "None", vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnet_group_name="nope"))

    system = S3FilesFileSystem(stack, "Good", vpc=vpc)
    with pytest.raises(HarnessConfigError) as caught:
        system.add_access_point("Point", path="data", user=(-1, 2**32), permissions="rwx")
    said = str(caught.value)
    assert "path: must begin with a slash; received 'data' (4 characters); write it as '/data'." in said
    assert "user: must be the numeric user and group, each 0–4294967295; received (-1, 4294967296);" in said
    assert "permissions: must be three or four octal digits; received 'rwx' (3 characters);" in said


def test_a_bucket_elsewhere_is_refused(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    for name, there, said in (
        ("Far", {"region": "eu-west-1"}, "must be in the file system's Region (us-east-1); received eu-west-1;"),
        ("Foreign", {"account": "999922223333"}, "must be in the file system's account (111122223333); received 9999"),
    ):
        bucket = s3.Bucket.from_bucket_attributes(stack, name, bucket_name="data", **there)  # type: ignore[arg-type]
        with pytest.raises(HarnessConfigError) as caught:
            S3FilesFileSystem(stack, f"{name}Files", vpc=vpc, bucket=bucket)
        assert f"bucket: {said}" in str(caught.value)


@pytest.mark.parametrize("bucket", ["arn:aws:s3:::sales", "sales"])
def test_bucket_and_key_may_be_given_by_their_names(stack: cdk.Stack, vpc: ec2.Vpc, bucket: str) -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
    S3FilesFileSystem(stack, "Files", vpc=vpc, bucket=bucket, encryption_key=key)
    (system,) = Template.from_stack(stack).find_resources("AWS::S3Files::FileSystem").values()
    assert system["Properties"]["KmsKeyId"] == key
    given = system["Properties"]["Bucket"]
    assert given == bucket if bucket.startswith("arn") else given["Fn::Join"][1][-1] == ":s3:::sales"


def test_an_imported_bucket_is_taken_at_its_word(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Data", "reports-of-the-year")
    S3FilesFileSystem(stack, "Files", vpc=vpc, bucket=bucket)

    assert synth.resources(stack, "AWS::S3::Bucket") == {}
