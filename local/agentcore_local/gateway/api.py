"""The control plane of gateways over HTTP, in front of ministack's AgentCore services."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from agentcore_local import iam, seams
from agentcore_local.harness import routes
from agentcore_local.harness.errors import ServiceError

from .operations import OPERATIONS

if TYPE_CHECKING:
    from .store import Scope


def in_front_of(original: seams.HttpHandler) -> seams.HttpHandler:
    """A handler for what signs as `bedrock-agentcore`: gateways here, the rest to the original."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> seams.HttpResponse:
        request = routes.Request(method, path, headers, body, query_params)
        found = _find(request)
        if found is None:
            return await original(method, path, headers, body, query_params)
        route, labels = found
        scope = seams.current_scope()
        try:
            values = routes.parse(route, labels, request)
            _authorize(request, route.name, values, scope)
            # Synchronizing asks an MCP server, which may be this very process.
            return routes.answer(route, await asyncio.to_thread(OPERATIONS[route.name], scope, values))
        except ServiceError as error:
            return error.response()

    return handle_request


@cache
def _routes() -> tuple[routes.Route, ...]:
    model = routes.service_model(routes.CONTROL)
    made = [routes.route_of(model.operation_model(name)) for name in OPERATIONS]
    return tuple(sorted(made, key=lambda route: route.pattern.pattern.count("(?P<")))


def _find(request: routes.Request) -> tuple[routes.Route, dict[str, str]] | None:
    if not request.path.startswith("/gateways"):
        return None
    for route in _routes():
        if route.operation.http["method"] == request.method and (match := route.pattern.fullmatch(request.path)):
            return route, match.groupdict()
    return None


def _authorize(request: routes.Request, operation: str, values: dict[str, Any], scope: Scope) -> None:
    if not iam.Switch.enabled or seams.caller_key(request.headers, request.query).isdigit():
        return
    account, region = scope
    wanted = values.get("gatewayIdentifier")
    resource = "*"
    if wanted is not None:
        resource = f"arn:aws:bedrock-agentcore:{region}:{account}:gateway/{wanted.rsplit('/', 1)[-1]}"
    call = (f"bedrock-agentcore:{operation}", resource)
    refusal = seams.caller_denial(request.headers, request.query, call, region, {})
    if refusal is not None:
        raise ServiceError("AccessDeniedException", refusal)
