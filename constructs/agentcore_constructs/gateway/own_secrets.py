"""Lets the service role of a gateway read the user's own secrets that its targets' credential providers refer to.

The CDK's grants name the secrets that AgentCore keeps; a provider that reads a secret of the user's own needs that one,
and the customer key that encrypts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.credentials.registry import own_secret
from agentcore_constructs.credentials.secrets import read_statements
from agentcore_constructs.harness.references import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_iam as iam


def grant(role: iam.IRole, target: agentcore.GatewayTarget | agentcore.CfnGatewayTarget) -> None:
    """Lets a role read what a target's credentials are made of.

    Args:
        role: The gateway's service role.
        target: A target of the gateway.
    """
    resource = target if isinstance(target, agentcore.CfnGatewayTarget) else target.node.default_child
    if not isinstance(resource, agentcore.CfnGatewayTarget):
        return
    region = cdk.Stack.of(target).region
    for arn in _providers(resource):
        if (secret := own_secret(arn)) is None:
            continue
        for statement in read_statements(secret, region):
            role.add_to_principal_policy(statement)


def _providers(resource: agentcore.CfnGatewayTarget) -> Iterator[str]:
    """Yields the ARNs of a target's credential providers: the CDK's objects for credentials do not tell theirs."""
    configurations, references = resolved(resource, resource.credential_provider_configurations)
    for reference in references:
        yield cdk.Token.as_string(reference)
    for configuration in configurations or ():
        for member in (configuration.get("credentialProvider") or {}).values():
            if isinstance(member.get("providerArn"), str):
                yield member["providerArn"]
