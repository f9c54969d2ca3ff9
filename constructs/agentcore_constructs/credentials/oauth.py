"""OAuth2 clients in AgentCore Identity: how a harness or a gateway gets tokens of an identity provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.cdk import offers
from agentcore_constructs.config.errors import received

from . import registry
from .secrets import managed_arn, name_faults, own, referred, secret_faults, taken, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

OAuthVendor = Literal[
    "custom", "atlassian", "auth0", "cognito", "cyber_ark", "dropbox", "facebook", "fusion_auth", "github", "google",
    "hubspot", "linkedin", "microsoft", "notion", "okta", "one_login", "ping_one", "reddit", "salesforce", "slack",
    "spotify", "twitch", "x", "yandex", "zoom",
]  # fmt: skip
"""Identity providers that AgentCore knows (botocore's `CredentialProviderVendorType`), and `custom` for all others."""

_OWN_FORM = frozenset({"atlassian", "github", "google", "linkedin", "microsoft", "salesforce", "slack"})
_TENANT = ("issuer", "authorizationEndpoint", "tokenEndpoint")


class OAuthClient(agentcore.OAuth2CredentialProvider):
    """A client whose secret is kept in Secrets Manager: `AWS::BedrockAgentCore::OAuth2CredentialProvider`.

    It is the CDK's own provider, so it goes wherever that goes; `GatewayAuth.oauth(client, …)` brings along the rights
    that the execution role needs for it, and for its secret.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        client_id: str,
        client_secret: secretsmanager.ISecret | str,
        json_key: str | None = None,
        vendor: OAuthVendor = "custom",
        discovery_url: str | None = None,
        authorization_server: agentcore.OAuth2AuthorizationServerMetadata | None = None,
        issuer: str | None = None,
        authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        tenant_id: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the provider.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            client_id: Id of the client.
            client_secret: Where the client's secret is, or the ARN of that. Never the secret itself.
            json_key: The secret is a JSON object, and this names the client's secret in it: then AgentCore reads it
                there whenever it is needed, so that a rotated one is used at once. Without it the secret is the text as
                it is, and is copied when the stack is deployed.
            vendor: The identity provider.
            discovery_url: Of a custom server: its OpenID Connect or OAuth document.
            authorization_server: Of a custom server without such a document: its issuer and endpoints.
            issuer: Of your tenant, at a vendor that has tenants.
            authorization_endpoint: Of your tenant, at a vendor that has tenants.
            token_endpoint: Of your tenant, at a vendor that has tenants.
            tenant_id: Of Microsoft Entra.
            name: Letters, digits and hyphens; derived unless given.
            tags: At most 50.

        Raises:
            HarnessConfigError: The secret is a text, a name does not fit, or something does not fit the vendor.
        """
        tenant = {
            "issuer": issuer,
            "authorizationEndpoint": authorization_endpoint,
            "tokenEndpoint": token_endpoint,
            "tenantId": tenant_id,
        }
        given = {key: value for key, value in tenant.items() if value is not None}
        faults = [*secret_faults(client_secret, "client_secret"), *name_faults(name, json_key)]
        faults += _vendor_faults(vendor, given)
        faults += _server_faults(vendor, discovery_url, authorization_server)
        if faults:
            raise HarnessConfigError(faults, f"The OAuth client {scope.node.path}/{construct_id}")
        kept = taken(scope, f"{construct_id}Secret", client_secret)
        config: dict[str, Any] = {"clientId": client_id, **given}
        if vendor == "custom":
            config["oauthDiscovery"] = _discovery(discovery_url, authorization_server)
        if json_key is None:
            config["clientSecret"] = value_of(kept).unsafe_unwrap()  # a reference that CloudFormation resolves
        else:
            config["clientSecretSource"] = "EXTERNAL"
            config["clientSecretConfig"] = {"secretId": kept.secret_arn, "jsonKey": json_key}
        form = vendor if vendor == "custom" or vendor in _OWN_FORM else "included"
        inputs: Any = {f"{form}_oauth2_provider_config": config}
        super().__init__(
            scope,
            construct_id,
            credential_provider_vendor=f"{''.join(part.capitalize() for part in vendor.split('_'))}Oauth2",
            oauth2_provider_config_input=inputs,
            o_auth2_credential_provider_name=name,
            tags=tags,
        )
        self._secret_arn = managed_arn(self, "oauth2", self.o_auth2_credential_provider_name)
        if json_key is not None:
            self._secret_arn = own(kept).arn
            registry.note(self.credential_provider_arn, own(kept))

    @property
    def client_secret_arn(self) -> str:
        """The secret, as policies name it: yours, or the one AgentCore keeps."""
        return self._secret_arn

    @staticmethod
    def from_arn(
        scope: Construct,
        construct_id: str,
        arn: str,
        *,
        client_secret: secretsmanager.ISecret | str | None = None,
        vendor: str = "CustomOauth2",
    ) -> agentcore.IOAuth2CredentialProvider:
        """Refers to a provider made elsewhere.

        Args:
            scope: Where the reference belongs.
            construct_id: Its id there.
            arn: `arn:aws:bedrock-agentcore:<region>:<account>:token-vault/<vault>/oauth2credentialprovider/<name>`.
            client_secret: Your own secret, if the provider reads one, so that harnesses that use it may read it as
                well.
            vendor: As CloudFormation calls it.

        Raises:
            HarnessConfigError: The secret is a text.
        """
        given = ("client_secret", client_secret)
        return agentcore.OAuth2CredentialProvider.from_o_auth2_credential_provider_attributes(
            scope,
            construct_id,
            credential_provider_arn=arn,
            credential_provider_vendor=vendor,
            client_secret_arn=referred(scope, construct_id, arn, "oauth2", given),
        )


def _vendor_faults(vendor: str, given: Mapping[str, str]) -> list[Fault]:
    if vendor not in get_args(OAuthVendor):
        known = ", ".join(get_args(OAuthVendor))
        return [Fault("vendor", f"must be one of {known}", received(vendor), "use custom for any other")]
    takes: tuple[str, ...] = () if vendor == "custom" or vendor in _OWN_FORM else _TENANT
    takes = ("tenantId",) if vendor == "microsoft" else takes
    fix = "leave it out; what describes a custom server is discovery_url or authorization_server"
    must = f"must be one that {vendor} has"
    return [Fault(key, must, "a value", fix) for key in given if key not in takes]


def _server_faults(vendor: str, discovery_url: str | None, server: object | None) -> list[Fault]:
    given = [value for value in (discovery_url, server) if value is not None]
    if vendor != "custom":
        fix = "leave it out, or use the vendor custom"
        return [Fault("discovery_url", "must be left out for a vendor AgentCore knows", "one", fix)] if given else []
    if server is not None and not offers(server, "token_endpoint"):
        fix = "pass an aws_bedrockagentcore.OAuth2AuthorizationServerMetadata"
        must = "must describe the authorization server's endpoints"
        return [Fault("authorization_server", must, received(server), fix)]
    if len(given) == 1:
        return []
    must = "must describe the authorization server: one of discovery_url and authorization_server"
    return [Fault("discovery_url", must, "both" if given else "neither", "give one of them")]


def _discovery(discovery_url: str | None, server: agentcore.OAuth2AuthorizationServerMetadata | None) -> dict[str, Any]:
    if server is None:
        return {"discoveryUrl": discovery_url}
    metadata = {
        "issuer": server.issuer,
        "authorizationEndpoint": server.authorization_endpoint,
        "tokenEndpoint": server.token_endpoint,
        "responseTypes": server.response_types,
    }
    return {"authorizationServerMetadata": {key: value for key, value in metadata.items() if value is not None}}
