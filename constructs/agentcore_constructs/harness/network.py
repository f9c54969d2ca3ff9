"""Where in a VPC the sessions of a harness are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True)
class Network:
    """The VPC that sessions are in.

    Attributes:
        vpc: The VPC; None where only ids are known.
        subnets: The subnets, as objects where those are known.
        security_groups: The security groups, as objects where those are known.
        connections: What may connect to sessions, and to what they may connect.
    """

    vpc: ec2.IVpc | None
    subnets: Sequence[ec2.ISubnet]
    security_groups: Sequence[ec2.ISecurityGroup]
    connections: ec2.Connections
