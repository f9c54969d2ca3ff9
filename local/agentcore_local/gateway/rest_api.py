"""REST APIs of API Gateway as targets: operations that a target's filters choose, called on the stage."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from agentcore_local import clients
from agentcore_local.process import PROCESS

from . import outbound
from .openapi import Operation, send
from .result import Answer, TargetFailed, Tool
from .signing import Signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .store import Gateway, Target

_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


def tools(gateway: Gateway, target: Target) -> Iterator[Tool]:
    """The operations that the filters choose.

    Raises:
        TargetFailed: There is no such API, or one of them has no name.
    """
    configured = target.configuration["apiGateway"]
    settings = configured["apiGatewayToolConfiguration"]
    names = {(one["path"], one["method"]): one for one in settings.get("toolOverrides") or []}
    client = clients.shared("apigateway", gateway.account, gateway.region)
    api = configured["restApiId"]
    try:
        resources = client.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]
    except client.exceptions.ClientError as error:
        raise TargetFailed(f"The REST API {api} cannot be read: {error.response['Error']['Code']}.") from error
    for resource in resources:
        for method in resource.get("resourceMethods") or {}:
            if _is_chosen(settings["toolFilters"], resource["path"], method):
                yield _tool(configured, resource, method, names.get((resource["path"], method), {}))


def _is_chosen(filters: list[dict[str, Any]], path: str, method: str) -> bool:
    return any(method in one["methods"] and fnmatchcase(path, one["filterPath"]) for one in filters)


def _tool(configured: dict[str, Any], resource: dict[str, Any], method: str, override: dict[str, Any]) -> Tool:
    path, details = resource["path"], resource["resourceMethods"][method] or {}
    places = dict.fromkeys(_PARAMETER.findall(path), "path")
    required = list(places)
    for parameter, needed in (details.get("requestParameters") or {}).items():
        _, _, rest = parameter.partition(".request.")
        kind, _, name = rest.partition(".")
        if kind in ("querystring", "header"):
            places[name] = "query" if kind == "querystring" else "header"
            required += [name] if needed else []
    has_body = method in ("POST", "PUT", "PATCH")
    properties: dict[str, Any] = {name: {"type": "string"} for name in places}
    if has_body:
        properties["body"] = {"type": "object", "description": "The JSON body."}
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/mcp-server.html, "Considerations"
    name = override.get("name") or details.get("operationName")
    if not name:
        raise TargetFailed(f"{method} {path} has neither an operation name nor a tool override.", public=True)
    url = _base(configured)
    route = Operation(method, url + path.replace("+}", "}"), places, (), has_body)
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    return Tool(name, override.get("description") or f"{method} {path}", schema, route=route)


def _base(configured: dict[str, Any]) -> str:
    return f"{PROCESS.endpoint_url}/_aws/execute-api/{configured['restApiId']}/{configured['stage']}"


def call(gateway: Gateway, target: Target, tool: Tool, arguments: dict[str, Any], caller: Mapping[str, str]) -> Answer:
    """Call the stage.

    Raises:
        TargetFailed: The role may not, or the API answered with an error.
    """
    configured, route = target.configuration["apiGateway"], tool.route
    path = route.url.removeprefix(_base(configured))
    arn = f"arn:aws:execute-api:{gateway.region}:{gateway.account}:{configured['restApiId']}/{configured['stage']}"
    if target.credentials.get("credentialProviderType", "GATEWAY_IAM_ROLE") == "GATEWAY_IAM_ROLE":
        outbound.require(gateway, "execute-api:Invoke", f"{arn}/{route.method}{path}")
    proof = outbound.credentials(gateway, target, caller)
    if proof.auth is None and "Authorization" not in proof.headers:
        # What a request is signed with says whose API it is, here as on AWS.
        proof = replace(proof, auth=Signed(gateway.account, "execute-api", gateway.region))
    return send(route, arguments, proof)
