"""HTTP requests to operations and back, read from botocore's models: URIs, labels, query, headers, bodies (rest-json).

Every operation of the two AgentCore services whose name speaks of a harness is recognised, also one that a later
botocore adds: it then answers that it is not emulated, instead of falling through.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape

from agentcore_local import clients

from .errors import ServiceError, invalid
from .validation import validate

CONTROL, DATA = "bedrock-agentcore-control", "bedrock-agentcore"
_TAGGING = ("ListTagsForResource", "TagResource", "UntagResource")
_COMMANDS = ("InvokeAgentRuntimeCommand",)
_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One operation: its model and the pattern of its path."""

    operation: OperationModel
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """The operation's name."""
        return str(self.operation.name)


@dataclass(frozen=True)
class Request:
    """An HTTP request as ministack hands it over: decoded path, lower-case headers, query values in lists."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: dict[str, Any] = field(repr=False)


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service that botocore has, read without a session's configuration."""
    return ServiceModel(clients.service_models().load_service_model(service, "service-2"), service)


@cache
def _routes() -> tuple[Route, ...]:
    routes = []
    for service in (CONTROL, DATA):
        model = service_model(service)
        routes += [
            route_of(model.operation_model(name))
            for name in model.operation_names
            if "Harness" in name or name in _TAGGING or name in _COMMANDS
        ]
    # Literal paths before labels: `/harnesses/invoke` is not a harness called `invoke`.
    return tuple(sorted(routes, key=lambda route: route.pattern.pattern.count("(?P<")))


def route_of(operation: OperationModel) -> Route:
    """The route of an operation."""
    return Route(operation, _pattern(operation.http["requestUri"]))


def _pattern(uri: str) -> re.Pattern[str]:
    # ARNs in a path keep their slashes, encoded or not, hence the greedy labels.
    def label(match: re.Match[str]) -> str:
        greedy = match[2] or match[1].endswith("Arn")
        return f"(?P<{match[1]}>{'.+' if greedy else '[^/]+'})"

    return re.compile(_LABEL.sub(label, uri.split("?", maxsplit=1)[0]).rstrip("/") + "/?")


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The operation a request is for, with the values of its path labels."""
    for route in _routes():
        if route.operation.http["method"] == method and (match := route.pattern.fullmatch(path)):
            return route, match.groupdict()
    return None


@cache
def _memory_routes() -> tuple[Route, ...]:
    made = [
        route_of(service_model(service).operation_model(name))
        for service in (CONTROL, DATA)
        for name in service_model(service).operation_names
        if service_model(service).operation_model(name).http["requestUri"].startswith("/memories/")
    ]
    return tuple(sorted(made, key=lambda route: route.pattern.pattern.count("(?P<")))


def memory_operation(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The operation on memories a request is for, which ministack serves, with the values of its path labels."""
    if path.startswith("/memories"):
        for route in _memory_routes():
            if route.operation.http["method"] == method and (match := route.pattern.fullmatch(path)):
                return route.name, match.groupdict()
    return None


def name_of(method: str, path: str) -> str | None:
    """The name of any AgentCore operation, for saying which one is not emulated."""
    return next(
        (
            name
            for service in (CONTROL, DATA)
            for name in service_model(service).operation_names
            if service_model(service).operation_model(name).http["method"] == method
            and _pattern(service_model(service).operation_model(name).http["requestUri"]).fullmatch(path)
        ),
        None,
    )


def changes(method: str, path: str) -> bool:
    """Whether a request of either service changes a resource: harnesses, endpoints, memories, gateways and the like."""
    if method == "GET":
        return False
    model = service_model(CONTROL)
    return any(
        operation.http["method"] == method and _pattern(operation.http["requestUri"]).fullmatch(path)
        for operation in map(model.operation_model, model.operation_names)
        if not operation.name.startswith(("Get", "List"))
    )


def parse(route: Route, labels: dict[str, str], request: Request) -> dict[str, Any]:
    """The validated input of an operation, camelCase.

    Raises:
        ServiceError: ValidationException; every fault of the request is in it.
    """
    shape = route.operation.input_shape
    if shape is None:
        return {}
    values: dict[str, Any] = {}
    body_members = []
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if location == "uri":
            values[name] = labels.get(wire)
        elif location == "querystring":
            values[name] = _from_query(member, request.query.get(wire))
        elif location == "header":
            values[name] = request.headers.get(wire.lower())
        elif location is None:
            body_members.append(name)
    payload = shape.serialization.get("payload")
    if payload:
        values[payload] = _body(request.body)
    elif body_members:
        body = _body(request.body)
        # Members that travel elsewhere are not members of the body, so they stay and are reported as unknown.
        values.update({_unclash(name, values): value for name, value in body.items()})
    given = {name: value for name, value in values.items() if value is not None}
    faults = validate(shape, given)
    if faults:
        raise invalid(faults)
    return given


def _unclash(name: str, values: dict[str, Any]) -> str:
    return f"body.{name}" if name in values else name


def _body(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:  # or is nested deeper than Python can read
        raise ServiceError("ValidationException", f"The request body is not JSON: {error}", "CannotParse") from error
    if not isinstance(parsed, dict):
        raise ServiceError("ValidationException", "The request body must be a JSON object", "CannotParse")
    return parsed


def _from_query(shape: Shape, raw: Any) -> Any:
    if raw is None:
        return None
    given = raw if isinstance(raw, list) else [raw]
    if shape.type_name == "list":
        return given
    value = given[0]
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", value):
        return int(value)
    if shape.type_name == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def answer(route: Route, output: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The HTTP answer of an operation."""
    status = int(route.operation.http.get("responseCode", 200))
    body = b"" if status == 204 else json.dumps(output).encode()  # noqa: PLR2004
    return status, {"Content-Type": "application/json"}, body
