"""How a gateway proves who it is to its targets: its role, a stored key, a token, or what the caller brought.

The gateway acts with its service role: what the role may not do is refused with AWS's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import facts, iam

from . import vault
from .result import TargetFailed
from .signing import Signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .store import Gateway, Target

_DEFAULT_HEADER = "Authorization"
_AGENTCORE = "bedrock-agentcore"


@dataclass(frozen=True)
class Credentials:
    """What goes with a request to a target.

    Attributes:
        headers: To add.
        query: To add.
        auth: Signs the request.
    """

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)
    auth: Signed | None = None


def require(gateway: Gateway, action: str, resource: str) -> None:
    """Make sure the gateway's role may do something.

    Raises:
        TargetFailed: It may not.
    """
    place = iam.Place(gateway.account, gateway.region)
    refusal = iam.denial(gateway.role_arn, action, resource, place=place, session=gateway.gateway_id)
    if refusal is not None:
        raise TargetFailed(refusal)


def credentials(gateway: Gateway, target: Target, caller: Mapping[str, str]) -> Credentials:
    """What a target's configuration asks for.

    Args:
        gateway: The gateway.
        target: The target.
        caller: Headers of the request to the gateway.

    Raises:
        TargetFailed: It cannot be had, or the role may not have it.
    """
    configured = target.credentials
    kind = configured.get("credentialProviderType")
    provider: dict[str, Any] = next(iter((configured.get("credentialProvider") or {}).values()), {})
    if kind is None:
        return Credentials()
    if kind == "GATEWAY_IAM_ROLE":
        if "service" not in provider:
            return Credentials()
        return Credentials(auth=Signed(gateway.account, provider["service"], provider.get("region", gateway.region)))
    if kind == "JWT_PASSTHROUGH":
        token = caller.get("authorization", "")
        return Credentials({"Authorization": token} if token.lower().startswith("bearer ") else {})
    if kind not in ("API_KEY", "OAUTH"):
        raise TargetFailed(f"The local cloud does not emulate the credential provider type {kind}.", public=True)
    try:
        return _stored(gateway, kind, provider, caller)
    except vault.VaultError as error:
        raise TargetFailed(f"The credentials of target '{target.name}' cannot be had: {error}.") from error


def _stored(gateway: Gateway, kind: str, provider: dict[str, Any], caller: Mapping[str, str]) -> Credentials:
    arn = provider["providerArn"]
    _ask_for_credential(gateway, kind, arn)
    if kind == "OAUTH":
        scheme, _, given = caller.get("authorization", "").partition(" ")
        token = vault.oauth_token(provider, given if scheme.lower() == "bearer" else None)
        return Credentials({"Authorization": f"Bearer {token}"})
    key = vault.api_key(arn)
    name = provider.get("credentialParameterName", _DEFAULT_HEADER)
    if provider.get("credentialLocation") == "QUERY_PARAMETER":
        return Credentials(query={name: key})
    prefix = provider.get("credentialPrefix", "Bearer " if name == _DEFAULT_HEADER else "")
    # The service puts the space there itself; the CDK writes it.
    return Credentials({name: f"{prefix.strip()} {key}" if prefix.strip() else key})


def _ask_for_credential(gateway: Gateway, kind: str, provider: str) -> None:
    base = f"arn:aws:{_AGENTCORE}:{gateway.region}:{gateway.account}:"
    directory = f"{base}workload-identity-directory/default"
    identities = (directory, f"{directory}/workload-identity/{gateway.identity}")
    action = "GetResourceApiKey" if kind == "API_KEY" else "GetResourceOauth2Token"
    for resource in identities:
        require(gateway, f"{_AGENTCORE}:GetWorkloadAccessToken", resource)
    for resource in (f"{base}token-vault/default", *identities, provider):
        require(gateway, f"{_AGENTCORE}:{action}", resource)
    own = facts.own_secret((gateway.account, gateway.region), provider)
    if own is not None:  # as for harnesses: who uses the provider reads the user's secret
        require(gateway, "secretsmanager:GetSecretValue", own)
        return
    store = "apikey" if kind == "API_KEY" else "oauth2"
    secret = f"secret:bedrock-agentcore-identity!default/{store}/{provider.rsplit('/', 1)[-1]}-a1B2c3"
    manager = f"arn:aws:secretsmanager:{gateway.region}:{gateway.account}"
    require(gateway, "secretsmanager:GetSecretValue", f"{manager}:{secret}")
