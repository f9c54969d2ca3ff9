"""Lets the service role of a gateway read the user's own secrets that its targets' credential providers refer to.

The CDK's grants name the secrets that AgentCore keeps; a provider that reads a secret of the user's own needs that one,
and the customer key that encrypts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam

from agentcore_constructs.credentials.registry import own_secret

if TYPE_CHECKING:
    from collections.abc import Iterator


class _References(cdk.DefaultTokenResolver):
    """Remembers the references that it resolves, as the text they are in configurations."""

    def __init__(self) -> None:
        super().__init__(cdk.StringConcat())
        self.texts: list[str] = []

    def resolve_token(self, t: Any, context: Any, post_processor: Any) -> Any:
        """Resolves a token as the CDK does."""
        if cdk.Reference.is_reference(t):
            self.texts.append(cdk.Token.as_string(t))
        return super().resolve_token(t, context, post_processor)


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
        read = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.arn])
        statements = [read]
        if secret.key_arn is not None:
            # Secrets Manager decrypts the secret as who reads it, and only Secrets Manager may do so.
            via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
            statements.append(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[secret.key_arn], conditions=via))
        for statement in statements:
            role.add_to_principal_policy(statement)


def _providers(resource: agentcore.CfnGatewayTarget) -> Iterator[str]:
    """Yields the ARNs of a target's credential providers: the CDK's objects for credentials do not tell theirs."""
    seen = _References()
    configurations = cdk.Tokenization.resolve(
        resource.credential_provider_configurations, scope=resource, resolver=seen, preparing=False
    )
    yield from seen.texts
    for configuration in configurations or ():
        for member in (configuration.get("credentialProvider") or {}).values():
            if isinstance(member.get("providerArn"), str):
                yield member["providerArn"]
