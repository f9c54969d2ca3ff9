"""Who may call a gateway: callers who sign with IAM, holders of a token, or everybody."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from agentcore_local import fixtures, iam, seams
from agentcore_local.process import PROCESS

from . import authorities

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from .store import Gateway

_TIMEOUT_SECONDS = 10
_KEPT_SECONDS = 300.0
_COGNITO = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/")
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class NotAuthorized(Exception):  # noqa: N818 - a fault of the caller
    """A caller who may not; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def authorize(gateway: Gateway, headers: Mapping[str, str], query: Mapping[str, Any]) -> None:
    """Let a request through, or not (blocking: keys of an identity provider may have to be fetched).

    Args:
        gateway: The gateway.
        headers: Of the request, names in lower case.
        query: Of the request, values in lists.

    Raises:
        NotAuthorized: The caller may not.
    """
    kind = gateway.request["authorizerType"]
    if kind == "NONE" or (kind == "AWS_IAM" and not iam.Switch.enabled):
        return
    if kind == "AWS_IAM":
        _signed(gateway, headers, query)
        return
    settings = gateway.request["authorizerConfiguration"]["customJWTAuthorizer"]
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthorized(401, "Missing bearer token")
    claims = check_token(token.strip(), settings, scope=(gateway.account, gateway.region))
    if kind == "CUSTOM_JWT":
        admit(claims, settings)


def _signed(gateway: Gateway, headers: Mapping[str, str], query: Mapping[str, Any]) -> None:
    key = seams.caller_key(headers, query)
    if not key:
        raise NotAuthorized(401, "Missing Authentication Token: this gateway's callers sign with SigV4")
    if key == gateway.account:
        return
    if key.isdigit():
        raise NotAuthorized(403, f"The gateway is of account {gateway.account}, the caller of account {key}")
    call = ("bedrock-agentcore:InvokeGateway", gateway.arn)
    with seams.acting_for((gateway.account, gateway.region)):
        refusal = seams.caller_denial(headers, query, call, gateway.region, {})
    if refusal is not None:
        raise NotAuthorized(403, refusal)


# ---- tokens ----------------------------------------------------------------------------------------------------------


def check_token(token: str, settings: Mapping[str, Any], *, scope: seams.Scope) -> dict[str, Any]:
    """The claims of a token that the identity provider of an authorizer has issued and that is valid now.

    Args:
        token: The token.
        settings: `customJWTAuthorizer`.
        scope: Account and Region of the authorizer.

    Raises:
        NotAuthorized: It is not.
    """
    try:
        issuer, keys = _provider(settings, scope)
        header = jwt.get_unverified_header(token)
        key = next((one for one in keys if header.get("kid") in (None, one.get("kid"))), None)
        if key is None:
            raise NotAuthorized(401, "Invalid token: no key of the identity provider signed it")
        options: Any = {"verify_aud": False}
        claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=list(_ALGORITHMS), options=options)
    except jwt.PyJWTError as error:
        raise NotAuthorized(401, f"Invalid token: {error}") from error
    if claims.get("iss") != issuer:
        raise NotAuthorized(401, f"Invalid token: its issuer must be {issuer}")
    return dict(claims)


def admit(claims: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Check what an authorizer asks of a token's claims.

    Raises:
        NotAuthorized: A claim is not as asked for.
    """
    audiences = _listed(claims.get("aud"))
    clients = [str(claims[name]) for name in ("client_id", "azp", "cid") if name in claims]
    scopes = [part for name in ("scope", "scp") for one in _listed(claims.get(name)) for part in str(one).split()]
    for what, allowed, given in (
        ("audience", settings.get("allowedAudience"), audiences),
        ("client", settings.get("allowedClients"), clients),
        ("scope", settings.get("allowedScopes"), scopes),
    ):
        if allowed and not set(allowed) & set(given):
            raise NotAuthorized(403, f"The token's {what} is not allowed")
    for claim in settings.get("customClaims") or []:
        if not _matches(claims.get(claim["inboundTokenClaimName"]), claim["authorizingClaimMatchValue"]):
            raise NotAuthorized(403, f"The token's claim {claim['inboundTokenClaimName']} is not as required")


def _matches(given: Any, wanted: Mapping[str, Any]) -> bool:
    value, operator = wanted["claimMatchValue"], wanted["claimMatchOperator"]
    if operator == "EQUALS":
        return bool(given == value.get("matchValueString"))
    held = _listed(given)
    if operator == "CONTAINS":
        return value.get("matchValueString") in held
    return bool(set(value.get("matchValueStringList") or []) & {one for one in held if isinstance(one, str)})


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


_Keys = list[dict[str, Any]]
_LOCK = threading.Lock()
_PROVIDERS: dict[tuple[Any, ...], tuple[float, str, _Keys]] = {}


def _provider(settings: Mapping[str, Any], scope: seams.Scope) -> tuple[str, _Keys]:
    """Issuer and keys; those who ask for the same are answered from what was read before."""
    certificates = settings.get("certificateConfigurations") or []
    asked = (settings["discoveryUrl"], *((scope, json.dumps(certificates)) if certificates else ()))
    with _LOCK:
        kept = _PROVIDERS.get(asked)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1], kept[2]
    try:
        context = authorities.context(certificates, scope)
        document = _get(settings["discoveryUrl"], context)
        issuer, keys = str(document["issuer"]), list(_get(document["jwks_uri"], context)["keys"])
    except authorities.Unreadable as error:
        raise NotAuthorized(401, f"The identity provider cannot be asked: {error}") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise NotAuthorized(401, f"The identity provider cannot be asked: {_said(error)}") from error
    with _LOCK:
        _PROVIDERS[asked] = (time.monotonic() + _KEPT_SECONDS, issuer, keys)
    return issuer, keys


def _get(url: str, context: ssl.SSLContext) -> Any:
    located = fixtures.located(url)
    if located == url:  # user pools of this cloud answer on its own address
        located = _COGNITO.sub(f"{PROCESS.endpoint_url}/", url)
    answer = httpx.get(located, timeout=_TIMEOUT_SECONDS, verify=context)
    return json.loads(answer.raise_for_status().text)


def _said(error: Exception) -> str:
    """What went wrong; of an answer, nothing."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is of no authority that is trusted (certificateConfigurations names a private one)"
    return type(error).__name__


def reset() -> None:
    """Forget the keys of identity providers."""
    with _LOCK:
        _PROVIDERS.clear()
