"""A VPC, and what was warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def vpc(stack: cdk.Stack) -> ec2.Vpc:
    """Two zones, each with a public subnet, a private one with a NAT, and an isolated one."""
    return ec2.Vpc(
        stack,
        "Vpc",
        max_azs=2,
        nat_gateways=1,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC),
            ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        ],
    )


@pytest.fixture
def warnings(stack: cdk.Stack) -> Callable[[], dict[str, str]]:
    """What is warned of at synthesis: topic to text, with our ids."""

    def found() -> dict[str, str]:
        texts = [str(one.entry.data) for one in Annotations.from_stack(stack).find_warning("*", Match.any_value())]
        parts = (text.rpartition(" [ack: @agentcore-harness-cdk:") for text in texts)
        return {topic.removesuffix("]"): text for text, _, topic in parts}

    return found
