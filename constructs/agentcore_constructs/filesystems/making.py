"""Makes what a mount needs and was not given: an access point, and the file system behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.config import Fault, FileSystem, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import offers
from agentcore_constructs.config.errors import ABSENT, received
from agentcore_constructs.config.image import user_faults
from agentcore_constructs.harness.imported import key_of

from .access_point import S3FilesAccessPoint
from .s3_files import S3FilesFileSystem

if TYPE_CHECKING:
    from agentcore_constructs.config import FilesystemConfiguration, Host
    from agentcore_constructs.config.mounts import NewMount
    from agentcore_constructs.harness.network import Network

_PERMISSIONS = "750"
# https://docs.aws.amazon.com/efs/latest/ug/create-access-point.html
_LONGEST_DIRECTORY, _MOST_LEVELS = 100, 4
_API = {"efs": "efsAccessPoint", "s3_files": "s3FilesAccessPoint"}


def made(host: Host, wanted: NewMount) -> FilesystemConfiguration:
    """Makes an access point, and a file system where none was given, and mounts it.

    Raises:
        HarnessConfigError: The harness is in no VPC that is known, or something given does not fit.
    """
    name = _name(wanted.mount_path)
    directory = wanted.options.directory or f"/{name}"
    faults = [*_misplaced(host, wanted), *_unfit(wanted, directory)]
    scope_id = f"Mount-{name}"
    if not faults and host.scope.node.try_find_child(scope_id) is not None:
        fix = "choose another path"
        faults.append(Fault("", "must be mounted at a path of its own", received(wanted.mount_path), fix))
    if faults:
        raise HarnessConfigError(faults)
    scope = Construct(host.scope, scope_id)
    key = key_of(scope, wanted.options.encryption_key, f"{_API[wanted.kind]}.encryptionKey", faults)
    if faults:
        raise HarnessConfigError(faults)
    wanted = replace(wanted, options=replace(wanted.options, encryption_key=key))
    user = wanted.options.user or host.user
    network: Network = host.network
    if wanted.kind == "efs":
        point: Any = _efs(scope, network, wanted, directory, user)
        mount = FileSystem.efs(point, wanted.mount_path, read_only=wanted.read_only, as_root=user[0] == 0)
    else:
        point = _s3_files(scope, network, wanted, directory, user)
        mount = FileSystem.s3_files(point, wanted.mount_path, read_only=wanted.read_only, as_root=user[0] == 0)
    bound: FilesystemConfiguration = host.bound(mount, host.path)
    return bound


def _vpc(network: Network) -> ec2.IVpc:
    if network.vpc is None:  # refused before
        raise TypeError("a network without its VPC")
    return network.vpc


def _efs(
    scope: Construct, network: Network, wanted: NewMount, directory: str, user: tuple[int, int]
) -> efs.AccessPoint:
    options = wanted.options
    system = wanted.source
    if system is None:
        system = efs.FileSystem(
            scope,
            "FileSystem",
            vpc=_vpc(network),
            vpc_subnets=_one_in_each_zone(network),
            encrypted=True,
            kms_key=options.encryption_key,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            removal_policy=options.removal_policy or cdk.RemovalPolicy.RETAIN,
            # aws-cdk-lib would deny anonymous clients by allowing everybody to write who may mount, which read-only
            # mounts must not get. A policy that allows nothing leaves it to the roles, and anonymous clients have none.
            allow_anonymous_access=True,
            file_system_policy=_tls_only(),
        )
    uid, gid = str(user[0]), str(user[1])
    acl = None if directory == "/" else efs.Acl(owner_uid=uid, owner_gid=gid, permissions=_PERMISSIONS)
    return efs.AccessPoint(
        scope,
        "AccessPoint",
        file_system=system,
        path=directory,
        posix_user=efs.PosixUser(uid=uid, gid=gid),
        create_acl=acl,
    )


def _tls_only() -> iam.PolicyDocument:
    statement = iam.PolicyStatement(
        sid="DenyWithoutTls",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=[f"elasticfilesystem:{action}" for action in ("ClientMount", "ClientWrite", "ClientRootAccess")],
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    return iam.PolicyDocument(statements=[statement])


def _s3_files(scope: Construct, network: Network, wanted: NewMount, directory: str, user: tuple[int, int]) -> Any:
    options = wanted.options
    system = wanted.source
    if not offers(system, "file_system_id"):
        system = S3FilesFileSystem(
            scope,
            "FileSystem",
            vpc=_vpc(network),
            bucket=system,
            prefix=options.prefix,
            vpc_subnets=_one_in_each_zone(network),
            encryption_key=options.encryption_key,
            bucket_removal_policy=options.removal_policy or cdk.RemovalPolicy.RETAIN,
        )
    return S3FilesAccessPoint(
        scope, "AccessPoint", file_system=system, path=directory, user=user, permissions=_PERMISSIONS
    )


def _one_in_each_zone(network: Network) -> ec2.SubnetSelection:
    """Selects the first subnet of each zone that sessions are in: a file system takes one mount target in each."""
    zones: dict[str, ec2.ISubnet] = {}
    for subnet in network.subnets:
        zones.setdefault(subnet.availability_zone, subnet)
    return ec2.SubnetSelection(subnets=list(zones.values()))


def _name(mount_path: Any) -> str:
    return mount_path.rstrip("/").rsplit("/", 1)[-1] if isinstance(mount_path, str) else ""


def _misplaced(host: Host, wanted: NewMount) -> list[Fault]:
    """Returns what is wrong with where the harness is, for something to be made there."""
    network, at = host.network, _API[wanted.kind]
    if wanted.mount_path is ABSENT or is_token(wanted.mount_path) or not isinstance(wanted.mount_path, str):
        must = "must be a literal path of one segment under /mnt (/mnt/<name>)"
        return [Fault(f"{at}.mountPath", must, received(wanted.mount_path), "pass mount_path='/mnt/data'")]
    if network is None or network.vpc is None:
        must = "must be mounted by a harness whose VPC is known"
        fix = "use environment=Environment.vpc(vpc), or mount an access point that exists"
        return [Fault(at, must, "an environment without one", fix)]
    if not all(offers(subnet, "availability_zone") for subnet in network.subnets):
        must = "must be mounted in subnets whose zones are known, for mount targets to be made"
        return [Fault(at, must, "subnets by their ids", "select subnets of the VPC")]
    return []


def _unfit(wanted: NewMount, directory: str) -> list[Fault]:
    """Returns what does not fit together in what was given."""
    options, at = wanted.options, _API[wanted.kind]
    if not isinstance(directory, str):
        return [Fault(at, "must have a directory that is a path", received(directory), "write it as '/data'")]
    faults = [
        Fault(at, f"must be made without {name}", "a file system, or nothing", "give an access point for that")
        for name in options.stray
    ]
    for name in options.given():
        new = wanted.source is None or (name == "prefix" and not offers(wanted.source, "file_system_id"))
        if name in {"prefix", "encryption_key", "removal_policy"} and not new:
            must = f"must be taken as it is, without {name}"
            faults.append(Fault(at, must, "one that exists already", f"leave out {name}=, and set it there"))
    levels = [part for part in directory.split("/") if part]
    faults += user_faults(options.user, f"{at}.user")
    if is_token(directory):
        return faults
    if not directory.startswith("/") or {".", ".."} & set(levels):
        must = "must have a directory that begins with a slash and has no . or .. in it"
        faults.append(Fault(at, must, received(directory), "write it as directory='/data'"))
    elif len(directory) > _LONGEST_DIRECTORY or len(levels) > _MOST_LEVELS:
        must = f"must have a directory of at most {_LONGEST_DIRECTORY} characters and {_MOST_LEVELS} levels"
        faults.append(Fault(at, must, received(directory), "choose a shorter one"))
    return faults
