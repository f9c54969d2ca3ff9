"""What sessions can reach from their subnets: looked up when the app is complete, warned of where too little."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from agentcore_constructs.harness import messages
from agentcore_constructs.harness.messages import AtSynthesis

from .table import beyond_aws, model_services, uses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcore_constructs.harness.network import Network

_SERVICE = re.compile(r"(?:cn\.)?com\.amazonaws\.[^.]+\.(.+)")


def is_public(vpc: ec2.IVpc, subnet: ec2.ISubnet) -> bool:
    """Tells whether a subnet is one of a VPC's public ones."""
    return _is_in(vpc.public_subnets, subnet)


def has_no_way_out(vpc: ec2.IVpc, subnet: ec2.ISubnet) -> bool:
    """Tells whether sessions in a subnet are known not to reach the internet.

    Sessions have no public address, so the internet gateway of a public subnet is of no use to them.
    """
    return is_public(vpc, subnet) or _is_in(vpc.isolated_subnets, subnet)


def present_services(vpc: ec2.IVpc) -> set[str]:
    """Returns the names of the services that a VPC has an endpoint for, as far as this app made it."""
    stack = cdk.Stack.of(vpc)
    wanted = stack.resolve(vpc.vpc_id)
    return {
        name
        for one in vpc.node.root.node.find_all()
        if isinstance(one, ec2.CfnVPCEndpoint) and stack.resolve(one.vpc_id) == wanted
        for name in [_service_name(stack.resolve(one.service_name))]
        if name
    }


def watch_routes(harness: Any, network: Network) -> None:
    """Has it checked at synthesis whether sessions reach what they need: endpoints may still be made until then."""
    vpc = network.vpc
    if vpc is None or not any(has_no_way_out(vpc, subnet) for subnet in _known(network.subnets)):
        return
    cdk.Aspects.of(harness.node.default_child).add(AtSynthesis(lambda: _check(harness, vpc)))


def _check(harness: Any, vpc: ec2.IVpc) -> None:
    config = harness.config
    present = present_services(vpc)
    missing = [name for name in model_services(uses_of(config, harness.needs)) if name not in present]
    if missing:
        messages.no_model_route(harness, missing)
    if beyond := beyond_aws(config):
        messages.no_internet_route(harness, beyond)


def _known(subnets: Sequence[Any]) -> list[ec2.ISubnet]:
    return [subnet for subnet in subnets if not isinstance(subnet, str)]


def _is_in(subnets: Sequence[ec2.ISubnet], subnet: ec2.ISubnet) -> bool:
    # By id: Node gives Python a new object for the same construct, and it may have been imported twice.
    return subnet.subnet_id in {one.subnet_id for one in subnets}


def _service_name(resolved: Any) -> str | None:
    """Returns what follows the Region in the name of an endpoint service, which may hold the Region as a token."""
    if isinstance(resolved, dict) and "Fn::Join" in resolved:
        separator, parts = resolved["Fn::Join"]
        resolved = separator.join(part if isinstance(part, str) else "region" for part in parts)
    found = _SERVICE.fullmatch(resolved) if isinstance(resolved, str) else None
    return found[1] if found else None
