"""The gateways themselves: each an MCP server over streamable HTTP, on the local cloud's address.

Stateless, with JSON answers, as the service's gateways are: what a client needs is in each request.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolResult, ListToolsResult, TextContent
from mcp_types import Tool as McpTool

from . import catalog, inbound, interceptors
from .operations import PREFIX
from .result import GENERAL_ERROR, TargetFailed
from .store import GATEWAYS, Gateway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

logger = logging.getLogger(__name__)

_NOT_AUTHORIZED = -32001
_INTERNAL_ERROR = -32603
_MAX_BODY = 6 * 1024 * 1024


async def answer(scope: Any, receive: Receive, send: Send) -> None:
    """The ASGI application for everything below `PREFIX`."""
    gateway_id, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
    gateway = GATEWAYS.find(gateway_id)
    if gateway is None or rest.rstrip("/") != "mcp":
        await _refuse(send, 404, f"There is no gateway at {scope['path']}")
        return
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    try:
        await asyncio.to_thread(inbound.authorize, gateway, headers, query)
    except inbound.NotAuthorized as refusal:
        await _refuse(send, refusal.status, str(refusal))
        return
    if gateway.request.get("interceptorConfigurations"):
        await _intercepted(gateway, headers, scope, receive, send)
    else:
        await _serve(gateway, headers, scope, receive, send)


async def _serve(gateway: Gateway, headers: dict[str, str], scope: Any, receive: Receive, send: Send) -> None:
    manager = StreamableHTTPSessionManager(
        _server(gateway, headers), json_response=True, stateless=True, max_request_body_size=_MAX_BODY
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)


def _server(gateway: Gateway, headers: dict[str, str]) -> Server[Any]:
    async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
        found = await asyncio.to_thread(lambda: list(catalog.tools(gateway)))
        return ListToolsResult(
            tools=[
                McpTool(
                    name=name,
                    description=tool.description,
                    input_schema=tool.input_schema,
                    output_schema=tool.output_schema if (tool.output_schema or {}).get("type") == "object" else None,
                )
                for name, tool in found
            ]
        )

    async def call_tool(context: Any, params: Any) -> CallToolResult:
        request = catalog.Request(str(context.request_id), headers)
        result = await asyncio.to_thread(catalog.call, gateway, params.name, params.arguments or {}, request)
        return CallToolResult(
            content=[TextContent(type="text", text=block["text"]) for block in result.content],
            is_error=result.is_error,
            structured_content=result.structured,
        )

    return Server(
        gateway.name,
        version="1.0.0",
        instructions=gateway.mcp.get("instructions"),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _intercepted(gateway: Gateway, headers: dict[str, str], scope: Any, receive: Receive, send: Send) -> None:
    body = await _read(receive)
    try:
        answered = await _exchange(gateway, headers, scope, body)
    except TargetFailed as failure:
        logger.warning("gateway=<%s> | %s", gateway.gateway_id, failure)
        said = str(failure) if gateway.tells_why else GENERAL_ERROR
        answered = (500, {"content-type": "application/json"}, _error(_INTERNAL_ERROR, said))
    await _reply(send, *answered)


async def _exchange(
    gateway: Gateway, headers: dict[str, str], scope: Any, body: bytes
) -> tuple[int, dict[str, str], bytes]:
    on_request, on_response = interceptors.of(gateway, "REQUEST"), interceptors.of(gateway, "RESPONSE")
    if on_request is not None:
        changed = await asyncio.to_thread(interceptors.ask, gateway, on_request, body=body, headers=headers)
        if "transformedGatewayResponse" in changed:
            return _written(changed["transformedGatewayResponse"])
        request = changed.get("transformedGatewayRequest") or {}
        headers = {**headers, **{name.lower(): value for name, value in (request.get("headers") or {}).items()}}
        body = body if "body" not in request else json.dumps(request["body"]).encode()
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        length = [(b"content-length", str(len(body)).encode())]
        scope = {**scope, "headers": [line for line in lines if line[0] != b"content-length"] + length}
    collected = _Collected()
    await _serve(gateway, headers, scope, _once(body), collected)
    if on_response is None:
        return collected.status, collected.headers, collected.body
    response = {"statusCode": collected.status, "headers": collected.headers, "body": _loaded(collected.body)}
    changed = await asyncio.to_thread(
        interceptors.ask, gateway, on_response, body=body, headers=headers, response=response
    )
    transformed = changed.get("transformedGatewayResponse")
    if not transformed:
        return collected.status, collected.headers, collected.body
    return _written({"headers": collected.headers, **transformed})


class _Collected:
    """Takes an answer in, instead of sending it."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _written(response: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    kept = {name: value for name, value in (response.get("headers") or {}).items() if name.lower() != "content-length"}
    return (
        int(response.get("statusCode", 200)),
        {"content-type": "application/json", **kept},
        json.dumps(response.get("body")).encode(),
    )


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body.decode(errors="replace")


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _once(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.Event().wait()  # nobody hangs up on what is not sent anywhere

    return receive


def _error(code: int, message: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}).encode()


async def _refuse(send: Send, status: int, message: str) -> None:
    await _reply(send, status, {"content-type": "application/json"}, _error(_NOT_AUTHORIZED, message))


async def _reply(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    lines = [line for line in lines if line[0] != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})
