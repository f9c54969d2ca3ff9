"""Which secrets the service role of a gateway may read: those behind its targets' credential providers, and no other.

aws-cdk-lib grants every secret that AgentCore keeps in the account where the ARN of the one is a token, as it is for
all providers of an app; and it does not know of a provider that reads a secret of the user's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam

from agentcore_constructs.credentials.secrets import behind, read_statements
from agentcore_constructs.harness.references import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_constructs.credentials.registry import OwnSecret

_EVERY_SECRET = ":secret:bedrock-agentcore-identity!*"  # noqa: S105  (no secret: the end of an ARN)
_WARNING = "aws-cdk-lib.aws-bedrockagentcore:wildcardSecretArnGrant"
_KINDS = {"apiKeyCredentialProvider": "apikey", "oauthCredentialProvider": "oauth2"}


class ServiceRole(iam.Role):
    """The role of a gateway, which leaves out what aws-cdk-lib grants too widely; `grant` grants it narrowly."""

    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> iam.AddToPrincipalPolicyResult:
        """Adds a statement, unless it is about every secret that AgentCore keeps."""
        if any(resource.endswith(_EVERY_SECRET) for resource in statement.resources):
            return iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self)
        return super().add_to_principal_policy(statement)


def answer_warning(gateway: agentcore.Gateway) -> None:
    """Answers aws-cdk-lib's warning of the wide grant, which `ServiceRole` has left out."""
    reason = "The grant is left out; the service role may read the secrets of its targets' providers alone."
    cdk.Annotations.of(gateway).acknowledge_warning(_WARNING, reason)


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
    for secret in _secrets(resource):
        for statement in read_statements(secret, region):
            role.add_to_principal_policy(statement)


def _secrets(resource: agentcore.CfnGatewayTarget) -> Iterator[OwnSecret]:
    """Yields the secrets behind a target's credentials; the CDK's objects for credentials do not tell theirs."""
    configurations, references = resolved(resource, resource.credential_provider_configurations)
    stack = cdk.Stack.of(resource)
    for configuration in configurations or ():
        for member, provider in (configuration.get("credentialProvider") or {}).items():
            if member not in _KINDS:
                continue
            written = provider["providerArn"]
            tokens = (cdk.Token.as_string(one) for one in references)
            arn = next((token for token in tokens if stack.resolve(token) == written), cdk.Token.as_string(written))
            yield behind(resource, arn, _KINDS[member])
