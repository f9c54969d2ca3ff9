"""AgentCore Identity in the local cloud: keys and tokens of the credential providers that stacks make."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from agentcore_local import clients, fixtures, seams, tls
from agentcore_local.cfn.credentials import API_KEY, JSON_KEY
from agentcore_local.cfn.generic import RECORDS, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

OAUTH = "AWS::BedrockAgentCore::OAuth2CredentialProvider"
CLIENT_CREDENTIALS = "CLIENT_CREDENTIALS"
"""How a token is had unless something else is said."""

_GRANT = "urn:ietf:params:oauth:grant-type"
_TIMEOUT_SECONDS = 10
_EARLY_SECONDS = 30.0


class VaultError(Exception):
    """A credential that cannot be had; the sentence says why, and never holds one."""


def api_key(arn: str) -> str:
    """The key of an API-key credential provider: of a stack here, or else of the user's fixtures.

    Raises:
        VaultError: Nobody knows it.
    """
    name = arn.rsplit("/", 1)[-1]
    found = _record(API_KEY, arn)
    if found is None:
        known = fixtures.get().keys.get(name)
        if known is None:
            raise VaultError(
                f"the API-key credential provider '{name}' is of no stack in the local cloud, and the fixtures' keys "
                "do not have it"
            )
        return known
    own = found.properties.get("ApiKeySecretConfig")
    key = own["JsonKey"] if own else JSON_KEY
    return _secret({"SecretId": found.attributes["ApiKeySecretArn.SecretArn"], "JsonKey": key}, arn, name)


def oauth_token(wanted: Mapping[str, Any], caller_token: str | None = None) -> str:
    """A token of an OAuth2 credential provider; kept until it expires.

    Args:
        wanted: `OAuthCredentialProvider` of the API: which provider, by which grant, for what.
        caller_token: Whom a token exchange is for: what the caller came with.

    Raises:
        VaultError: It cannot be had.
    """
    arn, grant = wanted["providerArn"], wanted.get("grantType") or CLIENT_CREDENTIALS
    name = arn.rsplit("/", 1)[-1]
    if grant == "AUTHORIZATION_CODE":
        raise VaultError(
            f"the OAuth2 credential provider '{name}' would send a person to a page where they agree "
            "(AUTHORIZATION_CODE), which the local cloud does not emulate and the service documents as unsupported "
            "between a harness and a gateway"
        )
    subject = caller_token if grant == "TOKEN_EXCHANGE" else None
    if grant == "TOKEN_EXCHANGE" and subject is None:
        raise VaultError(
            f"the OAuth2 credential provider '{name}' exchanges the caller's token (TOKEN_EXCHANGE), and this caller "
            "signed with SigV4 and has none; give the harness a JWT authorizer and call it with a token"
        )
    scopes, parameters = list(wanted.get("scopes") or []), dict(wanted.get("customParameters") or {})
    key = (arn, tuple(scopes), tuple(sorted(parameters.items())), subject)
    with _LOCK:
        kept = _TOKENS.get(key)
    if kept is not None and kept[1] > time.monotonic():
        return kept[0]
    token, seconds = _fetch_token(arn, {"scope": " ".join(scopes), **parameters}, subject)
    with _LOCK:
        _TOKENS[key] = (token, time.monotonic() + seconds - _EARLY_SECONDS)
    return token


def reset() -> None:
    """Forget every token."""
    with _LOCK:
        _TOKENS.clear()


_LOCK = threading.Lock()
_TOKENS: dict[tuple[Any, ...], tuple[str, float]] = {}


def _fetch_token(arn: str, asked: Mapping[str, str], subject: str | None) -> tuple[str, float]:
    name = arn.rsplit("/", 1)[-1]
    found = _record(OAUTH, arn)
    if found is None:
        raise VaultError(f"the OAuth2 credential provider '{name}' is of no stack in the local cloud")
    config: dict[str, Any] = next(iter((found.properties.get("Oauth2ProviderConfigInput") or {}).values()), {})
    endpoint = _token_endpoint(config, name)
    data = {**_granted(config, subject, name), **asked}
    auth = (str(config.get("ClientId", "")), _client_secret(config, arn, name))
    try:
        answer = httpx.post(
            fixtures.located(endpoint), data=data, auth=auth, timeout=_TIMEOUT_SECONDS, verify=tls.context()
        )
        token = answer.raise_for_status().json()
        return str(token["access_token"]), float(token.get("expires_in", 300))
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise VaultError(f"the OAuth2 credential provider '{name}' got no token: {_said(error)}") from error


def _granted(config: Mapping[str, Any], subject: str | None, name: str) -> dict[str, str]:
    """What a token request says of the grant: client credentials, or somebody's token (RFC 8693, RFC 7523)."""
    if subject is None:
        return {"grant_type": "client_credentials"}
    how = config.get("OnBehalfOfTokenExchangeConfig") or {}
    if how.get("GrantType") == "JWT_AUTHORIZATION_GRANT":
        return {"grant_type": f"{_GRANT}:jwt-bearer", "assertion": subject}
    actor = (how.get("TokenExchangeGrantTypeConfig") or {}).get("ActorTokenContent", "NONE")
    if actor != "NONE":
        raise VaultError(
            f"the OAuth2 credential provider '{name}' sends an actor's token along ({actor}), which the local cloud "
            "does not emulate"
        )
    kind = "urn:ietf:params:oauth:token-type:access_token"
    return {"grant_type": f"{_GRANT}:token-exchange", "subject_token": subject, "subject_token_type": kind}


def _client_secret(config: dict[str, Any], arn: str, name: str) -> str:
    own = config.get("ClientSecretConfig")
    return _secret(own, arn, name) if own else str(config.get("ClientSecret", ""))


def _token_endpoint(config: dict[str, Any], name: str) -> str:
    discovery = config.get("OauthDiscovery") or {}
    metadata = discovery.get("AuthorizationServerMetadata") or config
    endpoint = metadata.get("TokenEndpoint")
    if endpoint:
        return str(endpoint)
    url = discovery.get("DiscoveryUrl")
    if not url:
        raise VaultError(
            f"the OAuth2 credential provider '{name}' does not say where its tokens come from; the local cloud knows "
            "no vendor's address, so it needs one with a discovery URL or a token endpoint"
        )
    try:
        answer = httpx.get(fixtures.located(url), timeout=_TIMEOUT_SECONDS, verify=tls.context())
        return str(answer.raise_for_status().json()["token_endpoint"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise VaultError(f"the discovery URL of '{name}' cannot be read: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__


def _record(kind: str, arn: str) -> Record | None:
    _, _, _, region, account, _ = arn.split(":", 5)
    with seams.acting_for((account, region)):
        records = RECORDS.of_type(kind)
    return next((one for one in records if one.attributes.get("CredentialProviderArn") == arn), None)


def _secret(config: dict[str, Any], arn: str, name: str) -> str:
    _, _, _, region, account, _ = arn.split(":", 5)
    client = clients.shared("secretsmanager", account, region)
    try:
        text = client.get_secret_value(SecretId=config["SecretId"])["SecretString"]
        return str(json.loads(text)[config["JsonKey"]]) if config.get("JsonKey") else str(text)
    except client.exceptions.ClientError as error:
        raise VaultError(f"the secret of '{name}' cannot be read: {error.response['Error']['Code']}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise VaultError(f"the secret of '{name}' does not have the key that the provider names") from error
