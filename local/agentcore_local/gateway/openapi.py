"""HTTP APIs that an OpenAPI document describes, as targets.

A tool is an operation with an `operationId`; its arguments are the operation's parameters and the properties of its
JSON body side by side, or `body` where the body is no object or a name is taken
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-schema-openapi.html).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from agentcore_local import fixtures, tls

from . import documents, outbound
from .result import Answer, TargetFailed, Tool, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .store import Gateway, Target

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_TIMEOUT_SECONDS = 60
_DEPTH = 12
_BODY = "body"
_ERROR = 400


@dataclass(frozen=True)
class Operation:
    """How an operation is called.

    Attributes:
        method: HTTP method.
        url: With `{name}` for path parameters.
        places: Argument → where it goes (`path`, `query`, `header`, `cookie`).
        body: Arguments that are properties of the body; None where it has no properties.
        whole_body: Whether the argument `body` is the body.
    """

    method: str
    url: str
    places: dict[str, str]
    body: tuple[str, ...]
    whole_body: bool


def tools(gateway: Gateway, target: Target) -> Iterator[Tool]:
    """The operations of a target's document."""
    yield from of_document(documents.content(gateway, target.configuration["openApiSchema"]))


def of_document(document: Any) -> Iterator[Tool]:
    """The operations of a document.

    Raises:
        TargetFailed: It is no OpenAPI 3 document with a server.
    """
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise TargetFailed("The schema is not an OpenAPI 3 document.")
    servers = document.get("servers") or []
    if not servers or not servers[0].get("url"):
        raise TargetFailed("The OpenAPI document names no server.")
    base = servers[0]["url"].rstrip("/")
    for name, variable in (servers[0].get("variables") or {}).items():
        base = base.replace(f"{{{name}}}", str(variable.get("default", "")))
    for path, item in (document.get("paths") or {}).items():
        shared = item.get("parameters") or []
        for method in _METHODS:
            operation = item.get(method)
            if operation and operation.get("operationId"):
                yield _tool(document, base + path, method, {**operation, "parameters": [
                    *shared, *(operation.get("parameters") or []),
                ]})  # fmt: skip


def _tool(document: dict[str, Any], url: str, method: str, operation: dict[str, Any]) -> Tool:
    properties: dict[str, Any] = {}
    required: list[str] = []
    places: dict[str, str] = {}
    for given in operation["parameters"]:
        parameter = _resolved(document, given)
        name = parameter["name"]
        schema = _resolved(document, parameter.get("schema") or {"type": "string"})
        described = {"description": parameter["description"]} if "description" in parameter else {}
        properties[name], places[name] = {**schema, **described}, parameter["in"]
        if parameter.get("required") or parameter["in"] == "path":
            required.append(name)
    body, whole = _body(document, operation, properties, required)
    summary = operation.get("description") or operation.get("summary") or operation["operationId"]
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    route = Operation(method.upper(), url, places, body, whole)
    return Tool(operation["operationId"], summary, schema, route=route)


def _body(
    document: dict[str, Any], operation: dict[str, Any], properties: dict[str, Any], required: list[str]
) -> tuple[tuple[str, ...], bool]:
    request = _resolved(document, operation.get("requestBody") or {})
    content = request.get("content") or {}
    media = next((value for name, value in content.items() if "json" in name), None)
    if media is None:
        return (), False
    schema = _resolved(document, media.get("schema") or {})
    inner = schema.get("properties")
    if not inner or set(inner) & set(properties):
        properties[_BODY] = schema
        required += [_BODY] if request.get("required") else []
        return (), True
    properties.update(inner)
    required += schema.get("required", []) if request.get("required") else []
    return tuple(inner), False


def _resolved(document: dict[str, Any], value: Any, depth: int = 0) -> Any:
    """A value with the document's own references written out; one that refers to itself ends as any object."""
    if isinstance(value, list):
        return [_resolved(document, item, depth) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        if depth > _DEPTH:
            return {"type": "object"}
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if found is None:
            raise TargetFailed(f"The OpenAPI document refers to {reference}, which it does not have.")
        return _resolved(document, found, depth + 1)
    return {name: _resolved(document, item, depth + 1) for name, item in value.items()}


def call(gateway: Gateway, target: Target, tool: Tool, arguments: dict[str, Any], caller: Mapping[str, str]) -> Answer:
    """Send the request that an operation's arguments amount to.

    Raises:
        TargetFailed: The API cannot be reached, or answered with an error.
    """
    return send(tool.route, arguments, outbound.credentials(gateway, target, caller))


def send(operation: Operation, arguments: dict[str, Any], proof: outbound.Credentials) -> Answer:
    """Send a request.

    Raises:
        TargetFailed: The API cannot be reached, or answered with an error.
    """
    url = operation.url
    headers: dict[str, str] = {}
    query: dict[str, Any] = {}
    cookies: list[str] = []
    for name, place in operation.places.items():
        if name not in arguments:
            continue
        value = arguments[name]
        if place == "path":
            url = url.replace(f"{{{name}}}", quote(_plain(value), safe=""))
        elif place == "query":
            query[name] = [_plain(one) for one in value] if isinstance(value, list) else _plain(value)
        elif place == "cookie":
            cookies.append(f"{name}={_plain(value)}")
        else:
            headers[name] = _plain(value)
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    # What the gateway proves itself with is no model's to say: a parameter of the same name does not replace it.
    secret = {name.lower() for name in proof.headers}
    headers = {**{name: value for name, value in headers.items() if name.lower() not in secret}, **proof.headers}
    query.update(proof.query)
    content: Any = None
    if operation.whole_body and _BODY in arguments:
        content = arguments[_BODY]
    elif operation.body:
        content = {name: arguments[name] for name in operation.body if name in arguments}
    try:
        answer = httpx.request(
            operation.method,
            fixtures.located(url),
            params=query or None,
            headers=headers,
            auth=proof.auth,
            timeout=_TIMEOUT_SECONDS,
            verify=tls.context(),
            **({} if content is None else {"json": content}),
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TargetFailed(f"{operation.method} {url} failed: {error or type(error).__name__}") from error
    if answer.status_code >= _ERROR:
        raise TargetFailed(f"{operation.method} {url} answered {answer.status_code}: {answer.text[:1000]}")
    return text(answer.text)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
