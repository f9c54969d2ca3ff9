"""AgentCore Identity in the local cloud: keys and tokens of the credential providers that stacks make."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx

from agentcore_local import clients, fixtures, seams
from agentcore_local.cfn.credentials import API_KEY, JSON_KEY
from agentcore_local.cfn.generic import RECORDS, Record

OAUTH = "AWS::BedrockAgentCore::OAuth2CredentialProvider"
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


def oauth_token(arn: str, scopes: list[str], parameters: dict[str, str]) -> str:
    """A token of an OAuth2 credential provider, by the client-credentials grant; kept until it expires.

    Raises:
        VaultError: It cannot be had.
    """
    key = (arn, tuple(scopes), tuple(sorted(parameters.items())))
    with _LOCK:
        kept = _TOKENS.get(key)
    if kept is not None and kept[1] > time.monotonic():
        return kept[0]
    token, seconds = _fetch_token(arn, scopes, parameters)
    with _LOCK:
        _TOKENS[key] = (token, time.monotonic() + seconds - _EARLY_SECONDS)
    return token


def reset() -> None:
    """Forget every token."""
    with _LOCK:
        _TOKENS.clear()


_LOCK = threading.Lock()
_TOKENS: dict[tuple[Any, ...], tuple[str, float]] = {}


def _fetch_token(arn: str, scopes: list[str], parameters: dict[str, str]) -> tuple[str, float]:
    name = arn.rsplit("/", 1)[-1]
    found = _record(OAUTH, arn)
    if found is None:
        raise VaultError(f"the OAuth2 credential provider '{name}' is of no stack in the local cloud")
    config: dict[str, Any] = next(iter((found.properties.get("Oauth2ProviderConfigInput") or {}).values()), {})
    endpoint = _token_endpoint(config, name)
    data = {"grant_type": "client_credentials", "scope": " ".join(scopes), **parameters}
    auth = (str(config.get("ClientId", "")), _client_secret(config, arn, name))
    try:
        answer = httpx.post(fixtures.located(endpoint), data=data, auth=auth, timeout=_TIMEOUT_SECONDS)
        token = answer.raise_for_status().json()
        return str(token["access_token"]), float(token.get("expires_in", 300))
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise VaultError(f"the OAuth2 credential provider '{name}' got no token: {_said(error)}") from error


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
        answer = httpx.get(fixtures.located(url), timeout=_TIMEOUT_SECONDS)
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
