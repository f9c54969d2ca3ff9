"""Mounts an access point that exists: the way to its mount targets, the order of deployment, what is known to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3files as s3files

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import found, offers
from agentcore_constructs.config.node import joined
from agentcore_constructs.harness import messages
from agentcore_constructs.harness.places import elsewhere
from agentcore_constructs.harness.role import place_of
from agentcore_constructs.network.opening import open_to

from .s3_files import NFS

if TYPE_CHECKING:
    from agentcore_constructs.config import FilesystemConfiguration, Host
    from agentcore_constructs.config.mounts import AttachedMount
    from agentcore_constructs.harness.network import Network

_MOUNT_TARGETS = (efs.CfnMountTarget, s3files.CfnMountTarget)


def attached(host: Host, mount: AttachedMount) -> FilesystemConfiguration:
    """Connects a harness to the file system behind an access point.

    Raises:
        HarnessConfigError: The access point is known to be in another account, Region or VPC, or to have no mount
            target in one of the zones.
    """
    member = "efs_access_point" if mount.efs_access_point is not None else "s3_files_access_point"
    config = getattr(mount, member)
    at = "efsAccessPoint" if member == "efs_access_point" else "s3FilesAccessPoint"
    where = joined(at, "accessPointArn")
    faults = list(elsewhere(config.access_point_arn, place_of(host.scope), where, "an access point"))
    system = found(mount.access_point, "file_system")
    network = host.network
    if system is not None and network is not None:
        faults += _out_of_reach(network, system, at)
    if faults:
        raise HarnessConfigError(faults)
    if system is not None and network is not None:
        _connect(host, network, system)
    plain = mount.plain()
    user = _posix_user(mount.access_point)
    if user is None:
        return plain
    path = config.mount_path
    if user != tuple(str(part) for part in host.user):
        host.after(lambda harness: messages.mount_user(harness, path, user, host.user))
    if user[0] != "0":
        return plain
    return plain.model_copy(update={member: config.model_copy(update={"as_root": True})})


def _out_of_reach(network: Network, system: Any, path: str) -> list[Fault]:
    """Returns a fault when the mount targets are known to be out of reach of some sessions."""
    vpc = network.vpc
    if vpc is None:
        return []
    resource = vpc.node.default_child
    if isinstance(resource, ec2.CfnVPC) and (
        resource.enable_dns_support is False or resource.enable_dns_hostnames is False
    ):
        must = "must be in a VPC with DNS support and DNS host names, by which mount targets are found"
        return [Fault(path, must, "one with either switched off", "switch both on")]
    targets = [child for child in system.node.children if isinstance(child, _MOUNT_TARGETS)]
    zones = zones_of(vpc)
    if not targets or any(is_token(target.subnet_id) for target in targets) != any(map(is_token, zones)):
        # Nothing is known of an imported one; and an id that is written out and one that a deployment gives may be the
        # same.
        return []
    there = {zones[target.subnet_id] for target in targets if target.subnet_id in zones}
    if not there:
        must = f"must be in the VPC of the harness ({vpc.node.path})"
        fix = "use a file system with mount targets in the harness's VPC"
        return [Fault(path, must, "mount targets in another VPC", fix)]
    wanted = {
        zones[subnet.subnet_id]
        for subnet in network.subnets
        if offers(subnet, "subnet_id") and subnet.subnet_id in zones
    }
    missing = sorted(wanted - there)
    if missing:
        must = "must have a mount target in the zone of every subnet of the harness"
        fix = "add mount targets there, or narrow the harness's subnets"
        return [Fault(path, must, f"none in {', '.join(missing)}", fix)]
    return []


def zones_of(vpc: ec2.IVpc) -> dict[str, str]:
    """Returns the zone of each subnet of a VPC, by subnet id."""
    subnets = (*vpc.private_subnets, *vpc.isolated_subnets, *vpc.public_subnets)
    return {subnet.subnet_id: subnet.availability_zone for subnet in subnets}


def _connect(host: Host, network: Network, system: Any) -> None:
    if offers(system, "connections"):
        open_to(network, system.connections, ec2.Port.tcp(NFS), "Files of agent sessions")
    if offers(system, "mount_targets_available"):
        # A session that finds no mount target fails with HTTP 424.
        host.before(system.mount_targets_available)


def _posix_user(access_point: Any) -> tuple[str, str] | None:
    """Returns user and group that an access point enforces, where they can be known."""
    if isinstance(access_point, str):
        return None
    resource = access_point
    if not isinstance(resource, (efs.CfnAccessPoint, s3files.CfnAccessPoint)):
        node = found(access_point, "node")
        resource = None if node is None else node.default_child
    user = found(resource, "posix_user")
    uid, gid = found(user, "uid"), found(user, "gid")
    if not isinstance(uid, str) or not isinstance(gid, str) or is_token(uid) or is_token(gid):
        return None
    return uid, gid
