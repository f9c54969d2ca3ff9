"""API keys in AgentCore Identity: of models, MCP servers, private git repositories, APIs behind a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import HarnessConfigError

from . import registry
from .secrets import managed_arn, name_faults, own, referred, secret_faults, taken, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct


class ApiKey(agentcore.ApiKeyCredentialProvider):
    """A key that is kept in Secrets Manager and used by its name: `AWS::BedrockAgentCore::ApiKeyCredentialProvider`.

    It is the CDK's own provider, so it goes wherever that goes; `Model.openai(…, api_key=key)` and the other users of a
    key bring along the rights that the execution role needs for it, and for its secret.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        secret: secretsmanager.ISecret | str,
        *,
        json_key: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the provider.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            secret: Where the key is, or the ARN of that. Never the key itself.
            json_key: The secret is a JSON object, and this names the key in it: then AgentCore reads your secret
                whenever the key is needed, so that a rotated one is used at once, and whoever uses the provider must be
                allowed to read it, which a harness of this app is. Without it the secret is the key as it is: it is
                copied into a secret of AgentCore's when the stack is deployed.
            name: Letters, digits and hyphens; derived unless given.
            tags: At most 50.

        Raises:
            HarnessConfigError: The secret is a text, or a name does not fit.
        """
        if faults := [*secret_faults(secret, "secret"), *name_faults(name, json_key)]:
            raise HarnessConfigError(faults, f"The API key {scope.node.path}/{construct_id}")
        kept = taken(scope, f"{construct_id}Secret", secret)
        super().__init__(
            scope,
            construct_id,
            api_key=value_of(kept) if json_key is None else None,
            api_key_credential_provider_name=name,
            tags=tags,
        )
        self._secret_arn = managed_arn(self, "apikey", self.api_key_credential_provider_name)
        if json_key is not None:
            self._secret_arn = own(kept).arn
            _refer(self, kept, json_key)

    @property
    def api_key_secret_arn(self) -> str:
        """The secret, as policies name it: yours, or the one AgentCore keeps."""
        return self._secret_arn

    @staticmethod
    def from_arn(
        scope: Construct,
        construct_id: str,
        arn: str,
        *,
        secret: secretsmanager.ISecret | str | None = None,
    ) -> agentcore.IApiKeyCredentialProvider:
        """Refers to a provider made elsewhere.

        Args:
            scope: Where the reference belongs.
            construct_id: Its id there.
            arn: `arn:aws:bedrock-agentcore:<region>:<account>:token-vault/<vault>/apikeycredentialprovider/<name>`.
            secret: Your own secret, if the provider reads one, so that harnesses that use it may read it as well.

        Raises:
            HarnessConfigError: The secret is a text.
        """
        return agentcore.ApiKeyCredentialProvider.from_api_key_credential_provider_attributes(
            scope,
            construct_id,
            credential_provider_arn=arn,
            api_key_secret_arn=referred(scope, construct_id, arn, "apikey", ("secret", secret)),
        )


ModelKey = ApiKey
"""The key of a model's provider; an API key like any other."""


def _refer(provider: agentcore.ApiKeyCredentialProvider, secret: secretsmanager.ISecret, json_key: str) -> None:
    """Has a provider read the user's secret, which aws-cdk-lib's L2 cannot say."""
    resource = provider.node.default_child
    if not isinstance(resource, agentcore.CfnApiKeyCredentialProvider):
        message = "aws-cdk-lib's ApiKeyCredentialProvider has no resource of its own any more"
        raise TypeError(message)
    resource.api_key_secret_source = "EXTERNAL"  # noqa: S105  (where the secret is, not what)
    resource.api_key_secret_config = agentcore.CfnApiKeyCredentialProvider.SecretReferenceProperty(
        secret_id=secret.secret_arn, json_key=json_key
    )
    registry.note(provider.credential_provider_arn, own(secret))
