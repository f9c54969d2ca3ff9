"""The control plane of AgentCore Identity over HTTP, as far as it is asked: where a credential provider has its key."""

from __future__ import annotations

from functools import cache
from typing import Any

from agentcore_local import iam, seams
from agentcore_local.cfn.credentials import API_KEY, JSON_KEY
from agentcore_local.cfn.generic import RECORDS
from agentcore_local.harness import routes
from agentcore_local.harness.errors import ServiceError

_OPERATION = "GetApiKeyCredentialProvider"


def in_front_of(original: seams.HttpHandler) -> seams.HttpHandler:
    """A handler for what signs as `bedrock-agentcore`: credential providers here, the rest to the original."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> seams.HttpResponse:
        route = _route()
        if method != route.operation.http["method"] or not route.pattern.fullmatch(path):
            return await original(method, path, headers, body, query_params)
        request = routes.Request(method, path, headers, body, query_params)
        try:
            name = routes.parse(route, {}, request)["name"]
            _authorize(request, name)
            return routes.answer(route, _provider(name))
        except ServiceError as error:
            return error.response()

    return handle_request


@cache
def _route() -> routes.Route:
    return routes.route_of(routes.service_model(routes.CONTROL).operation_model(_OPERATION))


def _provider(name: str) -> dict[str, Any]:
    found = next((record for record in RECORDS.of_type(API_KEY) if record.properties.get("Name") == name), None)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Resource '{name}' not found")
    own = found.properties.get("ApiKeySecretConfig")
    return {
        "name": name,
        "credentialProviderArn": found.attributes["CredentialProviderArn"],
        "apiKeySecretArn": {"secretArn": found.attributes["ApiKeySecretArn.SecretArn"]},
        "apiKeySecretSource": "EXTERNAL" if own else "MANAGED",
        "apiKeySecretJsonKey": own["JsonKey"] if own else JSON_KEY,
        "createdTime": found.attributes["CreatedTime"],
        "lastUpdatedTime": found.attributes["LastUpdatedTime"],
    }


def _authorize(request: routes.Request, name: str) -> None:
    """Ask for the action on the vault and on the provider, as the service authorization reference lists both."""
    if not iam.Switch.enabled or seams.caller_key(request.headers, request.query).isdigit():
        return
    account, region = seams.current_scope()
    vault = f"arn:aws:bedrock-agentcore:{region}:{account}:token-vault/default"
    for resource in (vault, f"{vault}/apikeycredentialprovider/{name}"):
        call = (f"bedrock-agentcore:{_OPERATION}", resource)
        refusal = seams.caller_denial(request.headers, request.query, call, region, {})
        if refusal is not None:
            raise ServiceError("AccessDeniedException", refusal)
