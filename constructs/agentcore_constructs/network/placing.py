"""Puts the sessions of a harness into a VPC: subnets, a security group, and warnings about both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.cdk import attribute, attributes, found, offers
from agentcore_constructs.config.environment import MOUNTS, in_subnets
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.node import joined
from agentcore_constructs.harness import messages
from agentcore_constructs.harness.network import Network

from .routes import is_public, watch_routes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcore_constructs.config import HarnessEnvironment, Host
    from agentcore_constructs.config.environment import VpcEnvironment

# What `Vpc.from_lookup` answers until the CDK CLI has looked it up (aws-cdk-lib's DUMMY_VPC_PROPS): the first synthesis
# has to succeed for that to happen, so these stand for subnets, although they do not look like any.
_NOT_LOOKED_UP = re.compile(r"[a-z]-(\d+)")


def placed(host: Host, wanted: VpcEnvironment) -> HarnessEnvironment:
    """Chooses the subnets, makes the security group, and tells the host about both.

    Raises:
        HarnessConfigError: It is no VPC, or has no such subnets.
    """
    vpc = wanted.vpc
    if not offers(vpc, "select_subnets"):
        fix = "pass an ec2.Vpc, or one from ec2.Vpc.from_lookup(…)"
        raise HarnessConfigError([Fault("vpc", "must be a VPC (ec2.IVpc)", received(vpc), fix)])
    subnets = _subnets(vpc, wanted.subnets)
    if faults := [*_strangers(vpc, "subnets", subnets), *_strangers(vpc, "securityGroups", wanted.security_groups)]:
        raise HarnessConfigError(faults)
    groups, own = _groups(host, wanted)
    connections = ec2.Connections(security_groups=[group for group in groups if not isinstance(group, str)])
    host.network = Network(vpc, subnets, groups, connections)
    host.after(lambda harness: _warn(harness, host.network, own, wanted))
    return in_subnets(
        [_id(subnet) for subnet in subnets],
        attributes(groups, "security_group_id", "attr_group_id"),
        host.bound(wanted.filesystems, joined(host.path, MOUNTS)),
        wanted.settings,
    )


def _subnets(vpc: ec2.IVpc, wanted: Any) -> Sequence[Any]:
    if wanted is None or isinstance(wanted, (ec2.SubnetSelection, dict)):
        selection = wanted if isinstance(wanted, dict) else {} if wanted is None else wanted._values  # noqa: SLF001  (jsii structs have no other way to be spread)
        try:
            return list(vpc.select_subnets(**selection).subnets)
        except RuntimeError as error:  # what jsii makes of JavaScript's errors
            must = "must select subnets that the VPC has"
            first = str(error).splitlines()[0]
            fix = "select others with subnets=ec2.SubnetSelection(…)"
            raise HarnessConfigError([Fault("subnets", must, f"a selection that fails ({first})", fix)]) from None
    if offers(wanted, "subnets"):  # what `vpc.select_subnets()` gives
        return list(wanted.subnets)
    if isinstance(wanted, str):
        fault = Fault("subnets", "must be a list or a selection of subnets", received(wanted), "put it into a list")
        raise HarnessConfigError([fault])
    known = {_id(subnet): subnet for subnet in _all(vpc)}
    return [known.get(subnet, subnet) if isinstance(subnet, str) else subnet for subnet in wanted]


def _strangers(vpc: ec2.IVpc, path: str, given: Any) -> Iterator[Fault]:
    """Yields subnets or security groups that are known to be of another VPC: those that this app makes."""
    here = cdk.Stack.of(vpc).resolve(vpc.vpc_id)
    for index, one in enumerate(given if isinstance(given, (list, tuple)) else ()):
        node = found(one, "node")
        resource = one if isinstance(one, cdk.CfnResource) or node is None else node.default_child
        if not isinstance(resource, (ec2.CfnSubnet, ec2.CfnSecurityGroup)) or resource.vpc_id is None:
            continue
        there = cdk.Stack.of(resource).resolve(resource.vpc_id)
        # An id that is written out and one that a deployment gives may be the same.
        if there != here and isinstance(there, str) == isinstance(here, str):
            must = f"must be of the VPC {vpc.node.path}"
            fix = "choose one there, or leave it out for one to be chosen"
            yield Fault(f"{path}[{index}]", must, f"{one.node.path}, of another VPC", fix)


def _all(vpc: ec2.IVpc) -> list[ec2.ISubnet]:
    return [*vpc.private_subnets, *vpc.isolated_subnets, *vpc.public_subnets]


def _id(subnet: Any) -> Any:
    given = attribute(subnet, "subnet_id", "attr_subnet_id")
    found = _NOT_LOOKED_UP.fullmatch(given) if isinstance(given, str) else None
    return f"subnet-{found[1]:0>8}" if found else given


def _groups(host: Host, wanted: VpcEnvironment) -> tuple[list[Any], ec2.SecurityGroup | None]:
    """Returns the security groups, and the one that was made here if one was."""
    if wanted.security_groups is not None:
        return [
            ec2.SecurityGroup.from_security_group_id(host.scope, f"SecurityGroup{number}", group)
            if isinstance(group, str)
            else group
            for number, group in enumerate(wanted.security_groups, start=1)
        ], None
    group = ec2.SecurityGroup(
        host.scope,
        "SecurityGroup",
        vpc=wanted.vpc,
        description=f"Sessions of the harness {host.scope.node.path}"[:255],
        allow_all_outbound=True,
    )
    if wanted.retain_security_group:
        group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return [group], group


def _warn(harness: Any, network: Network, own: ec2.SecurityGroup | None, wanted: VpcEnvironment) -> None:
    subnets = [subnet for subnet in network.subnets if not isinstance(subnet, str)]
    public = [subnet.node.path for subnet in subnets if is_public(wanted.vpc, subnet)]
    if public:
        messages.public_subnets(harness, public)
    if own is not None and not wanted.retain_security_group:
        messages.lingering_interfaces(harness, own.node.path)
    watch_routes(harness, network)
