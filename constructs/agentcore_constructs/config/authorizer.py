"""Who may call the harness: IAM, unless tokens of an identity provider are asked for.

Limits are those of botocore's `AuthorizerConfiguration`; semantics are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/inbound-jwt-authorizer.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from .cdk import HasSecretArn, HasUserPool, HasUserPoolClientId, attribute, attributes, offers
from .claims import CustomClaimValidationType
from .errors import Fault, Refused, received
from .node import Node, OneOf, joined, keyed
from .primitives import ApiOnly, Entries, Items, Text
from .private_endpoint import PrivateEndpoint, PrivateEndpointOverride
from .tokens import is_list_token, is_token

Scope = Annotated[
    str,
    Text(
        "an OAuth scope, without blanks, quotes and backslashes",
        "write the scope as the token carries it",
        min=1,
        max=255,
        pattern=r"[\x21\x23-\x5B\x5D-\x7E]+",
    ),
]
_Name = Annotated[str, Text("a string", "write a string")]
_NOT_IN_CFN = "AWS::BedrockAgentCore::Harness has no "


class S3CertificateConfiguration(Node):
    """A certificate in S3.

    Attributes:
        uri: `s3://bucket/key` of the PEM file, at most 2048 characters.
        bucket_owner_account_id: 12 digits.
    """

    uri: Annotated[
        str, Text("an S3 URI (s3://<bucket>/<key>)", "write the bucket and the key", pattern=r"s3://.{1,2043}")
    ]
    bucket_owner_account_id: (
        Annotated[str, Text("an account id of 12 digits", "write it as a string", pattern=r"[0-9]{12}")] | None
    ) = None


class SecretsManagerCertificateConfiguration(Node):
    """A certificate in Secrets Manager.

    Attributes:
        secret_arn: Of the secret.
    """

    secret_arn: Annotated[
        str,
        Text(
            "the ARN of a Secrets Manager secret",
            "pass the secret or its ARN; never its value",
            pattern=r"arn:aws(-[^:]+)?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+",
            sensitive=True,
        ),
    ]


class CertificateConfiguration(OneOf):
    """A private certificate authority to trust; made by `Certificate`."""

    expects: ClassVar[str] = "a certificate, made by Certificate.s3 or Certificate.secret"

    s3: S3CertificateConfiguration | None = None
    secrets_manager: SecretsManagerCertificateConfiguration | None = None


class Certificate:
    """Makes the private certificate authority of an identity provider."""

    @staticmethod
    def s3(uri: str, *, bucket_owner_account_id: str | None = None) -> CertificateConfiguration:
        """A PEM file in S3."""
        return CertificateConfiguration.draft(
            s3=S3CertificateConfiguration.draft(uri=uri, bucket_owner_account_id=bucket_owner_account_id)
        )

    @staticmethod
    def secret(secret: str | HasSecretArn) -> CertificateConfiguration:
        """A PEM text in Secrets Manager: the secret, or its ARN."""
        return CertificateConfiguration.draft(
            secrets_manager=SecretsManagerCertificateConfiguration.draft(secret_arn=attribute(secret, "secret_arn"))
        )


class HostingEnvironment(Node):
    """Where a workload runs.

    Attributes:
        arn: Of the AgentCore resource, 20–1011 characters; a gateway, at present.
    """

    arn: Annotated[str, Text("the ARN of an AgentCore resource", "pass its ARN", min=20, max=1011)]


class AllowedWorkloadConfiguration(Node):
    """Which workloads in the chain of a request may call.

    Attributes:
        hosting_environments: 1–10.
        workload_identities: 1–10 names of 3–255 characters.
    """

    hosting_environments: (
        Annotated[tuple[HostingEnvironment, ...], Items("hosting environments", min=1, max=10)] | None
    ) = None
    workload_identities: (
        Annotated[
            tuple[
                Annotated[
                    str,
                    Text(
                        "a name of letters, digits, '_', '.' and '-'",
                        "write the workload identity's name",
                        min=3,
                        max=255,
                        pattern=r"[A-Za-z0-9_.-]+",
                    ),
                ],
                ...,
            ],
            Items("workload identities", min=1, max=10),
        ]
        | None
    ) = None


class CustomJWTAuthorizerConfiguration(Node):
    """Tokens of an identity provider.

    Attributes:
        discovery_url: Ends with `/.well-known/openid-configuration` (or `oauth-authorization-server`, API only).
        allowed_audience: At least one, if any.
        allowed_clients: At least one, if any.
        allowed_scopes: At least one, if any; each of 1–255 characters.
        advertised_scope_mapping: 1–50 scopes of `allowed_scopes` to what clients are told to ask for.
        custom_claims: At least one, if any.
        private_endpoint: The way to the identity provider, when it is private.
        private_endpoint_overrides: At most 5 further ways, by domain.
        certificate_configurations: Exactly one private certificate authority to trust; API only, and only with a
            private endpoint.
        allowed_workload_configuration: Which workloads may call; API only.
    """

    discovery_url: Annotated[
        str,
        Text(
            "a URL that ends with /.well-known/openid-configuration or /.well-known/oauth-authorization-server, "
            "without query and fragment",
            "write the discovery URL of the identity provider",
            pattern=r"[^\s?#]+/\.well-known/(openid-configuration|oauth-authorization-server)(/[^\s?#]+)?",
            sensitive=True,
        ),
        ApiOnly(
            "CloudFormation takes only URLs that end with /.well-known/openid-configuration",
            beyond=r".+/\.well-known/openid-configuration",
        ),
    ]
    allowed_audience: Annotated[tuple[_Name, ...], Items("audiences", min=1)] | None = None
    allowed_clients: Annotated[tuple[_Name, ...], Items("clients", min=1)] | None = None
    allowed_scopes: Annotated[tuple[Scope, ...], Items("scopes", min=1)] | None = None
    advertised_scope_mapping: Annotated[dict[Scope, Scope], Entries("scopes", min=1, max=50)] | None = None
    custom_claims: Annotated[tuple[CustomClaimValidationType, ...], Items("claims", min=1)] | None = None
    private_endpoint: PrivateEndpoint | None = None
    private_endpoint_overrides: (
        Annotated[tuple[PrivateEndpointOverride, ...], Items("private endpoints", min=0, max=5)] | None
    ) = None
    certificate_configurations: (
        Annotated[
            tuple[CertificateConfiguration, ...],
            Items("certificates", min=1, max=1),
            ApiOnly(_NOT_IN_CFN + "CertificateConfigurations"),
        ]
        | None
    ) = None
    allowed_workload_configuration: (
        Annotated[AllowedWorkloadConfiguration, ApiOnly(_NOT_IN_CFN + "AllowedWorkloadConfiguration")] | None
    ) = None

    def rules(self, path: str) -> Iterator[Fault]:
        """Something must be asked of a token, and what is advertised must be allowed."""
        asked = (self.allowed_audience, self.allowed_clients, self.allowed_scopes, self.custom_claims)
        if all(one is None for one in asked):
            yield Fault(
                path,
                "must ask for at least one of allowedAudience, allowedClients, allowedScopes and customClaims",
                "none of them",
                "add one: otherwise every token of the identity provider would do",
            )
        if self.certificate_configurations is not None and self.private_endpoint is None:
            yield Fault(
                joined(path, "certificateConfigurations"),
                "must be used together with privateEndpoint",
                "no privateEndpoint",
                "add the private endpoint, or remove the certificate",
            )
        yield from self._unknown_scopes(path)

    def _unknown_scopes(self, path: str) -> Iterator[Fault]:
        allowed, advertised = self.allowed_scopes, self.advertised_scope_mapping
        if not isinstance(advertised, Mapping):
            return
        if allowed is None:
            allowed = ()
        if not isinstance(allowed, (list, tuple)) or is_list_token(allowed) or any(is_token(item) for item in allowed):
            return
        for scope in advertised:
            if isinstance(scope, str) and not is_token(scope) and scope not in allowed:
                yield Fault(
                    keyed(joined(path, "advertisedScopeMapping"), scope),
                    "must be a scope of allowedScopes",
                    received(scope),
                    "add it to allowedScopes, or remove it here",
                )


class HarnessAuthorizer(OneOf):
    """The inbound authorization of a harness; made by `Authorizer`."""

    expects: ClassVar[str] = "an authorizer, made by Authorizer.jwt"

    custom_jwt_authorizer: CustomJWTAuthorizerConfiguration | None = None


class Authorizer:
    """Makes the inbound authorization of a harness: IAM or tokens, never both."""

    @staticmethod
    def iam() -> None:
        """Callers sign with SigV4: what the service does without an authorizer, so there is nothing to configure."""
        return

    @staticmethod
    def jwt(
        discovery_url: str,
        *,
        audiences: Sequence[str] = (),
        clients: Sequence[str] = (),
        scopes: Sequence[str] = (),
        claims: Sequence[CustomClaimValidationType] = (),
        advertised_scopes: Mapping[str, str] | None = None,
        private_endpoint: PrivateEndpoint | None = None,
        private_endpoint_overrides: Mapping[str, PrivateEndpoint] | Sequence[PrivateEndpointOverride] = (),
        certificates: Sequence[CertificateConfiguration] = (),
        allowed_workloads: AllowedWorkloadConfiguration | None = None,
    ) -> HarnessAuthorizer:
        """Callers present a token of an identity provider.

        Args:
            discovery_url: Ends with `/.well-known/openid-configuration` (or `oauth-authorization-server`, API only).
            audiences: Audiences of which the token must have one.
            clients: Clients of which the token must be one's.
            scopes: Scopes of which the token must have one.
            claims: Further conditions.
            advertised_scopes: Scopes of `scopes` to what clients are told to ask for.
            private_endpoint: The way to the identity provider, when it is private.
            private_endpoint_overrides: Further ways: domain to private endpoint, at most 5.
            certificates: One private certificate authority to trust; API only.
            allowed_workloads: Which workloads may call, made by `allowed_workloads(…)`; API only.
        """
        overrides: Any = private_endpoint_overrides
        if isinstance(overrides, Mapping):
            overrides = tuple(
                PrivateEndpointOverride.draft(domain=domain, private_endpoint=endpoint)
                for domain, endpoint in overrides.items()
            )
        return HarnessAuthorizer.draft(
            custom_jwt_authorizer=CustomJWTAuthorizerConfiguration.draft(
                discovery_url=discovery_url,
                allowed_audience=audiences or None,
                allowed_clients=clients or None,
                allowed_scopes=scopes or None,
                advertised_scope_mapping=advertised_scopes,
                custom_claims=claims or None,
                private_endpoint=private_endpoint,
                private_endpoint_overrides=overrides or None,
                certificate_configurations=certificates or None,
                allowed_workload_configuration=allowed_workloads,
            )
        )

    @staticmethod
    def cognito(
        user_pool: HasUserPool | str,
        *,
        clients: Sequence[HasUserPoolClientId | str],
        scopes: Sequence[str] = (),
        claims: Sequence[CustomClaimValidationType] = (),
        advertised_scopes: Mapping[str, str] | None = None,
    ) -> HarnessAuthorizer:
        """Callers present an access token of a Cognito user pool.

        Access tokens of Cognito say who the client is and have no audience, so clients are what is asked for
        (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html).

        Args:
            user_pool: The user pool, or its id (`<region>_<characters>`).
            clients: The pool's clients, or their ids, of which the token must be one's.
            scopes: Scopes of which the token must have one.
            claims: Further conditions, such as `Claim.contains("cognito:groups", "agents")`.
            advertised_scopes: Scopes of `scopes` to what clients are told to ask for.
        """
        issuer = _cognito_issuer(user_pool)
        url: Any = issuer if isinstance(issuer, Refused) else f"https://{issuer}/.well-known/openid-configuration"
        return Authorizer.jwt(
            url,
            clients=attributes(clients, "user_pool_client_id"),
            scopes=scopes,
            claims=claims,
            advertised_scopes=advertised_scopes,
        )

    @staticmethod
    def allowed_workloads(
        *, hosting_environments: Sequence[str] = (), workload_identities: Sequence[str] = ()
    ) -> AllowedWorkloadConfiguration:
        """Which workloads in the chain of a request may call; API only.

        Args:
            hosting_environments: 1–10 ARNs of AgentCore gateways.
            workload_identities: 1–10 names.
        """
        return AllowedWorkloadConfiguration.draft(
            hosting_environments=tuple(HostingEnvironment.draft(arn=arn) for arn in hosting_environments) or None,
            workload_identities=workload_identities or None,
        )


_USER_POOL_ID = re.compile(r"([a-z]{2}(?:-[a-z]+)+-\d)_[0-9a-zA-Z]+")


def _cognito_issuer(user_pool: Any) -> Any:
    if offers(user_pool, "user_pool_provider_name"):
        return user_pool.user_pool_provider_name
    match = _USER_POOL_ID.fullmatch(user_pool) if isinstance(user_pool, str) else None
    if match is None:
        must = "must be that of a Cognito user pool, or come from the id of one (<region>_<characters>)"
        return Refused(must, received(user_pool), "pass the user pool; its Region cannot be told from a token")
    return f"cognito-idp.{match[1]}.amazonaws.com/{user_pool}"
