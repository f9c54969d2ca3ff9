"""How the harness authenticates to gateways and remote MCP servers.

Limits are those of botocore's `HarnessGatewayOutboundAuth` and `HarnessRemoteMcpOutboundAuth`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from .cdk import HasCredentialProviderArn, provider_arn
from .node import Empty, Node, OneOf
from .primitives import ApiOnly, Choice, Entries, Items, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OAuthGrantType = Literal["CLIENT_CREDENTIALS", "AUTHORIZATION_CODE", "TOKEN_EXCHANGE"]


class IamCredentialProvider(Node):
    """Requests signed with SigV4 by the execution role.

    Attributes:
        service: The service name to sign for, 1–64 characters.
        region: The Region to sign for, 1–32 characters; the harness's own unless given.
    """

    service: Annotated[
        str,
        Text("a service name of letters, digits, '.', '_' and '-'", "write the name SigV4 signs for", min=1, max=64,
             pattern=r"[a-zA-Z0-9._-]+"),
    ]  # fmt: skip
    region: (
        Annotated[
            str, Text("a Region name", "write a Region such as us-east-1", min=1, max=32, pattern=r"[a-zA-Z0-9-]+")
        ]
        | None
    ) = None


class HarnessRemoteMcpOutboundAuth(OneOf):
    """How the harness authenticates to a remote MCP server; made by `MCPAuth`."""

    expects: ClassVar[str] = "an authentication, made by MCPAuth.aws_iam or MCPAuth.none"

    aws_iam: IamCredentialProvider | None = None
    none: Empty | None = None


class OAuthCredentialProvider(Node):
    """A token obtained from an OAuth2 credential provider.

    Attributes:
        provider_arn: ARN of the OAuth2 credential provider.
        scopes: At most 100, each of 1–64 characters; may be empty.
        custom_parameters: 1–10 further parameters; names of 1–256, values of 1–2048 characters, never shown.
        grant_type: Of an agent by itself, of a user, or on behalf of the inbound user (API only).
        default_return_url: Where the user's browser returns to, 1–2048 characters.
    """

    provider_arn: Annotated[
        str,
        Text(
            "the ARN of an OAuth2 credential provider",
            "pass the OAuth2CredentialProvider or its ARN; never a secret itself",
            pattern=r"arn:([^:]*):([^:]*):([^:]*):([0-9]{12})?:(.+)",
            sensitive=True,
        ),
    ]
    scopes: Annotated[
        tuple[Annotated[str, Text("a scope", "correct the scope", min=1, max=64)], ...], Items("scopes", min=0, max=100)
    ]
    custom_parameters: (
        Annotated[
            dict[
                Annotated[str, Text("a parameter name", "shorten the name", min=1, max=256)],
                Annotated[str, Text("a parameter value", "give it a string value", min=1, max=2048, sensitive=True)],
            ],
            Entries("parameters", min=1, max=10),
        ]
        | None
    ) = None
    grant_type: (
        Annotated[
            OAuthGrantType,
            Choice(get_args(OAuthGrantType)),
            ApiOnly("CloudFormation's GrantType has no TOKEN_EXCHANGE", values=("TOKEN_EXCHANGE",)),
        ]
        | None
    ) = None
    default_return_url: (
        Annotated[
            str,
            Text("a URL", "write a full URL", min=1, max=2048, pattern=r"\w+:(\/?\/?)[^\s]+", sensitive=True),
        ]
        | None
    ) = None


class HarnessGatewayOutboundAuth(OneOf):
    """How the harness authenticates to a gateway; made by `GatewayAuth`."""

    expects: ClassVar[str] = "an authentication, made by GatewayAuth.aws_iam, GatewayAuth.none or GatewayAuth.oauth"

    aws_iam: Empty | None = None
    none: Empty | None = None
    oauth: OAuthCredentialProvider | None = None


class GatewayAuth:
    """Makes the way a harness authenticates to a gateway."""

    @staticmethod
    def aws_iam() -> HarnessGatewayOutboundAuth:
        """SigV4 with the execution role; what the service does by default."""
        return HarnessGatewayOutboundAuth.draft(aws_iam=Empty.draft())

    @staticmethod
    def none() -> HarnessGatewayOutboundAuth:
        """No authentication, for a gateway whose authorizer is NONE."""
        return HarnessGatewayOutboundAuth.draft(none=Empty.draft())

    @staticmethod
    def oauth(
        provider: str | HasCredentialProviderArn,
        *,
        scopes: Sequence[str],
        custom_parameters: Mapping[str, str] | None = None,
        grant_type: OAuthGrantType | None = None,
        default_return_url: str | None = None,
    ) -> HarnessGatewayOutboundAuth:
        """A token from an OAuth2 credential provider.

        Args:
            provider: The OAuth2 credential provider, or its ARN.
            scopes: At most 100, each of 1–64 characters.
            custom_parameters: 1–10 further parameters for the token request.
            grant_type: How the token is obtained. `TOKEN_EXCHANGE` is API-only. The service documents
                AUTHORIZATION_CODE as unsupported between a harness and a gateway.
            default_return_url: Where the user's browser returns to.
        """
        return HarnessGatewayOutboundAuth.draft(
            oauth=OAuthCredentialProvider.draft(
                provider_arn=provider_arn(provider),
                scopes=scopes,
                custom_parameters=custom_parameters,
                grant_type=grant_type,
                default_return_url=default_return_url,
            )
        )


class MCPAuth:
    """Makes the way a harness authenticates to a remote MCP server."""

    @staticmethod
    def aws_iam(service: str, *, region: str | None = None) -> HarnessRemoteMcpOutboundAuth:
        """SigV4 with the execution role.

        Args:
            service: The service name to sign for.
            region: The Region to sign for; the harness's own unless given.
        """
        return HarnessRemoteMcpOutboundAuth.draft(aws_iam=IamCredentialProvider.draft(service=service, region=region))

    @staticmethod
    def none() -> HarnessRemoteMcpOutboundAuth:
        """No authentication; what the service does by default."""
        return HarnessRemoteMcpOutboundAuth.draft(none=Empty.draft())
