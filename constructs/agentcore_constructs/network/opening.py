"""Opens the way from sessions to what they use, on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

    from agentcore_constructs.harness.network import Network


def open_to(network: Network, target: ec2.Connections, port: ec2.Port, description: str) -> None:
    """Lets sessions connect to a target.

    `Connections.allow_from` would put the rule into the target's stack, which then depends on the harness's: a cycle as
    soon as the harness depends on the target, as it does on mount targets. And `allow_to` warns of every rule for a
    group that lets everything out anyway.

    Args:
        network: Where the sessions are.
        target: Whom they connect to.
        port: At which port.
        description: Of the rules.
    """
    for ours in network.connections.security_groups:
        for theirs in target.security_groups:
            theirs.add_ingress_rule(ours, port, description, remote_rule=True)
            if not ours.allow_all_outbound:
                ours.add_egress_rule(theirs, port, description)
