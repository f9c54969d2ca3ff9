"""A file system over an S3 bucket: what aws-cdk-lib has no L2 for yet."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3files as s3files
from constructs import DependencyGroup, IDependable

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import offers
from agentcore_constructs.config.errors import received
from agentcore_constructs.harness.imported import bucket_of, key_of
from agentcore_constructs.skills.store import acknowledge

from .access_point import S3FilesAccessPoint
from .grants import MOUNT, ROOT, WRITE, granted
from .service_role import service_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct

NFS = 2049
_MAX_PREFIX = 1024


@jsii.implements(ec2.IConnectable)
class S3FilesFileSystemBase(cdk.Resource):
    """What file systems made here and elsewhere have in common."""

    @property
    @abstractmethod
    def file_system_id(self) -> str:
        """Its id."""

    @property
    @abstractmethod
    def file_system_arn(self) -> str:
        """Its ARN."""

    @property
    @abstractmethod
    def connections(self) -> ec2.Connections:
        """Its mount targets' security groups."""

    @property
    @abstractmethod
    def mount_targets_available(self) -> IDependable:
        """What to depend on to have the mount targets ready."""

    def add_access_point(
        self,
        construct_id: str,
        *,
        path: str = "/",
        user: tuple[int, int] | None = (1000, 1000),
        permissions: str = "750",
    ) -> S3FilesAccessPoint:
        """Adds an access point; arguments as of `S3FilesAccessPoint`."""
        return S3FilesAccessPoint(self, construct_id, file_system=self, path=path, user=user, permissions=permissions)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody mount the file system, through any access point or none, and read."""
        return granted(grantee, MOUNT, self.file_system_arn)

    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody mount the file system, through any access point or none, read and write."""
        return granted(grantee, WRITE, self.file_system_arn)

    def grant_root_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody mount the file system, read and write, and act as root."""
        return granted(grantee, ROOT, self.file_system_arn)

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Grants actions on the file system."""
        return granted(grantee, actions, self.file_system_arn)


class S3FilesFileSystem(S3FilesFileSystemBase):
    """Objects of an S3 bucket as files: `AWS::S3Files::FileSystem` with its role and mount targets.

    The bucket holds the data and is kept when the stack goes; the file system is a view of it and goes. The service
    refuses to delete a file system with changes that are not in the bucket yet.

    Changing bucket, prefix, key or role replaces the file system; its access points and mount targets follow.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        bucket: s3.IBucket | str | None = None,
        prefix: str | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | str | None = None,
        synchronization: s3files.CfnFileSystem.SynchronizationConfigurationProperty | None = None,
        accept_bucket_warning: bool = False,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        bucket_removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the file system.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            vpc: The VPC of its mount targets; with DNS host names and DNS support.
            bucket: A bucket of this account and Region with versioning, its name or its ARN; one is made unless given:
                with versioning, encrypted, without public access, TLS only.
            prefix: Of the objects that are files: at most 1024 characters ending with a slash; all unless given.
            vpc_subnets: Subnets for mount targets, one in each zone; the VPC's private subnets unless given.
            security_group: Of the mount targets; one that lets nobody in is made unless given.
            role: With which S3 Files reads and writes the bucket; one is made unless given.
            encryption_key: Of the file system, and of a bucket made here; or its ARN. Keys of AWS unless given.
            synchronization: When data is copied to the file system's own storage, and when it leaves it.
            accept_bucket_warning: True makes it in spite of warnings about the bucket's settings.
            removal_policy: Of the file system.
            bucket_removal_policy: Of a bucket made here.
            tags: At most 50; `cdk.Tags.of(file_system)` works too.

        Raises:
            HarnessConfigError: The bucket has no versioning or is elsewhere, the prefix does not end with a slash, or
                something is not what it must be; with every fault there is.
        """
        super().__init__(scope, construct_id)
        faults: list[Fault] = []
        given, key = bucket_of(self, bucket, "bucket", faults), key_of(self, encryption_key, "encryption_key", faults)
        subnets = _one_in_each_zone(vpc, vpc_subnets, faults)
        _check(self, given, prefix, faults)
        self._vpc = vpc
        self.bucket: s3.IBucket = given or _bucket(self, key, bucket_removal_policy)
        self.prefix = prefix or None
        self.role = role or service_role(self, self.bucket, self.prefix)
        self._resource = s3files.CfnFileSystem(
            self,
            "Resource",
            bucket=self.bucket.bucket_arn,
            role_arn=self.role.role_arn,
            prefix=self.prefix,
            kms_key_id=None if key is None else key.key_arn,
            synchronization_configuration=synchronization,
            accept_bucket_warning=True if accept_bucket_warning else None,
            tags=[cdk.CfnTag(key=key, value=value) for key, value in (tags or {}).items()] or None,
        )
        # The service tries role and bucket when it makes the file system, so their policies come first.
        for one, policy in ((self.role, "DefaultPolicy"), (self.bucket, "Policy")):
            made = one.node.try_find_child(policy)
            if made is not None:
                self._resource.node.add_dependency(made)
        self._resource.apply_removal_policy(removal_policy)
        self._group = security_group or ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Mount targets of S3 Files", allow_all_outbound=False
        )
        self._connections = ec2.Connections(security_groups=[self._group], default_port=ec2.Port.tcp(NFS))
        self._available = DependencyGroup()
        self.mount_targets: list[s3files.CfnMountTarget] = []
        for subnet in subnets:
            self._mount_in(subnet)

    def _mount_in(self, subnet: ec2.ISubnet) -> None:
        target = s3files.CfnMountTarget(
            self,
            # The id must not change with the order of subnets: a replacement would ask for a second one in the zone.
            f"MountTarget{subnet.node.id}",
            file_system_id=self.file_system_id,
            subnet_id=subnet.subnet_id,
            security_groups=[self._group.security_group_id],
        )
        self.mount_targets.append(target)
        self._available.add(target)

    @classmethod
    def from_file_system_attributes(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        file_system_id: str | None = None,
        file_system_arn: str | None = None,
        security_group: ec2.ISecurityGroup | None = None,
    ) -> S3FilesFileSystemBase:
        """Takes a file system that was made elsewhere.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            file_system_id: Its id, in the account and Region of the stack; or
            file_system_arn: its ARN.
            security_group: Of its mount targets; without it nobody is let in from here.

        Raises:
            HarnessConfigError: Neither id nor ARN is given, or both.
        """
        return _Imported(scope, construct_id, file_system_id, file_system_arn, security_group)

    @property
    def file_system_id(self) -> str:
        """Its id: `fs-` and 17 to 40 digits."""
        return self._resource.attr_file_system_id

    @property
    def file_system_arn(self) -> str:
        """Its ARN."""
        return self._resource.attr_file_system_arn

    @property
    def connections(self) -> ec2.Connections:
        """Its mount targets' security group: `file_system.connections.allow_default_port_from(function)`."""
        return self._connections

    @property
    def mount_targets_available(self) -> IDependable:
        """What to depend on to have the mount targets ready."""
        return self._available

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC of its mount targets."""
        return self._vpc

    def add_to_resource_policy(self, statement: iam.PolicyStatement) -> iam.AddToResourcePolicyResult:
        """Adds a statement to the file system's own policy, `AWS::S3Files::FileSystemPolicy`.

        An allow here suffices alone, without one in the client's role: it widens what grants give.
        """
        policy = self.node.try_find_child("Policy")
        if policy is None:
            self._document = iam.PolicyDocument()
            policy = s3files.CfnFileSystemPolicy(
                self, "Policy", file_system_id=self.file_system_id, policy=self._document
            )
        self._document.add_statements(statement)
        return iam.AddToResourcePolicyResult(statement_added=True, policy_dependable=policy)


class _Imported(S3FilesFileSystemBase):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        file_system_id: str | None,
        file_system_arn: str | None,
        security_group: ec2.ISecurityGroup | None,
    ) -> None:
        super().__init__(scope, construct_id)
        if (file_system_id is None) == (file_system_arn is None):
            given = "neither" if file_system_id is None else "both"
            fault = Fault("", "must be named by file_system_id or file_system_arn", given, "give one of them")
            raise HarnessConfigError([fault], f"The file system {self.node.path}")
        stack = cdk.Stack.of(self)
        self._arn = file_system_arn or stack.format_arn(
            service="s3files", resource="file-system", resource_name=file_system_id
        )
        self._id = file_system_id or cdk.Fn.select(1, cdk.Fn.split("/", self._arn))
        if not is_token(self._arn):
            self._id = self._arn.split("/")[1]
        groups = [] if security_group is None else [security_group]
        self._connections = ec2.Connections(security_groups=groups, default_port=ec2.Port.tcp(NFS))
        self._available = DependencyGroup()

    @property
    def file_system_id(self) -> str:
        return self._id

    @property
    def file_system_arn(self) -> str:
        return self._arn

    @property
    def connections(self) -> ec2.Connections:
        return self._connections

    @property
    def mount_targets_available(self) -> IDependable:
        return self._available


def _check(scope: Construct, bucket: s3.IBucket | None, prefix: Any, faults: list[Fault]) -> None:
    if bucket is not None and is_unversioned(bucket):
        must = "must have versioning, by which S3 Files keeps files and objects in step"
        faults.append(Fault("bucket", must, "one without", "make it with versioned=True"))
    if bucket is not None:
        faults += _elsewhere(bucket, scope)
    if prefix is not None and not is_token(prefix):
        if not isinstance(prefix, str) or (prefix and not prefix.endswith("/")) or prefix.startswith("/"):
            fix = "write it as 'data/', or leave it out for the whole bucket"
            faults.append(Fault("prefix", "must end with a slash and not begin with one", received(prefix), fix))
        elif len(prefix) > _MAX_PREFIX:
            must = f"must be at most {_MAX_PREFIX} characters"
            faults.append(Fault("prefix", must, received(prefix), "choose a shorter one"))
    if faults:
        raise HarnessConfigError(faults, f"The file system {scope.node.path}")


def _elsewhere(bucket: s3.IBucket, scope: Construct) -> list[Fault]:
    """Returns a fault when a bucket is known to be of another account or Region than the file system."""
    there, here = bucket.env, cdk.Stack.of(scope)
    for name, given, ours in (("account", there.account, here.account), ("Region", there.region, here.region)):
        if given != ours and not is_token(given) and not is_token(ours):
            fix = "use a bucket of the file system's own account and Region"
            return [Fault("bucket", f"must be in the file system's {name} ({ours})", given, fix)]
    return []


def is_unversioned(bucket: s3.IBucket) -> bool:
    """Tells whether a bucket is known to have no versioning: only that of a bucket of this app is known."""
    resource = bucket.node.default_child
    return isinstance(resource, s3.CfnBucket) and resource.versioning_configuration is None


def _bucket(scope: Construct, key: kms.IKey | None, removal_policy: cdk.RemovalPolicy) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        "Bucket",
        versioned=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        removal_policy=removal_policy,
    )
    reason = "It is read and written by S3 Files, as which CloudTrail shows it; a bucket of yours can have access logs."
    acknowledge(bucket, {"S1": reason})
    return bucket


def _one_in_each_zone(
    vpc: ec2.IVpc, selection: ec2.SubnetSelection | None, faults: list[Fault]
) -> Sequence[ec2.ISubnet]:
    if not offers(vpc, "select_subnets"):
        fix = "pass an ec2.Vpc, or one from ec2.Vpc.from_lookup(…)"
        faults.append(Fault("vpc", "must be a VPC (ec2.IVpc)", received(vpc), fix))
        return []
    given: dict[str, Any] = {} if selection is None else selection._values  # noqa: SLF001  (jsii structs have no other way to be spread)
    try:
        return vpc.select_subnets(**{**given, "one_per_az": True}).subnets
    except RuntimeError as error:  # what jsii makes of JavaScript's errors
        fix = "select others with vpc_subnets=ec2.SubnetSelection(…)"
        what = f"a selection that fails ({str(error).splitlines()[0]})"
        faults.append(Fault("vpc_subnets", "must select subnets that the VPC has", what, fix))
        return []
