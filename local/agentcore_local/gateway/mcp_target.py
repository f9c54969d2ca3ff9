"""MCP servers: as targets of gateways, and as the agent loop reaches them."""

from __future__ import annotations

import logging
import uuid
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
from mcp.client.streamable_http import streamable_http_client
from strands.tools.mcp import MCPClient
from strands.types.exceptions import MCPClientInitializationError

from agentcore_local import fixtures, tls

from . import outbound
from .result import Answer, TargetFailed, Tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from types import TracebackType

    from .signing import Signed
    from .store import Gateway, Target

CONNECT_SECONDS = 10
CALL_SECONDS = 300
_HTTP_SECONDS = 30
_MEMBERS = ("name", "description", "inputSchema", "outputSchema")


class _Quiet(logging.Filter):
    """Leaves out what Strands logs of connections that fail: their callers tell."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("client initialization failed")


logging.getLogger("strands.tools.mcp.mcp_client").addFilter(_Quiet())


class Unreachable(Exception):  # noqa: N818 - a property of the world outside
    """An MCP server that cannot be connected to; the sentence says why."""


class _Client(MCPClient):
    """Strands' client, without a signal to a thread that has ended already.

    When connecting fails, or the server goes away, the client's thread ends by itself; `stop` signals it to end all the
    same, with a coroutine that nobody is left to await: a warning, and where warnings are errors a test that fails.
    """

    def stop(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        """Disconnect (blocking); one that is not connected is fine."""
        thread, loop = self._background_thread, self._background_thread_event_loop
        failed = self._init_future.done() and self._init_future.exception() is not None
        if thread is not None and loop is not None and (failed or not thread.is_alive()):
            thread.join()
            loop.close()
            self._background_thread_event_loop = None
        super().stop(exc_type, exc_val, exc_tb)


def client(url: str, headers: Mapping[str, str] | None = None, auth: Signed | None = None) -> MCPClient:
    """A client that is not connected yet.

    Args:
        url: The server's endpoint; the fixtures say where it is reached here.
        headers: Sent with every request.
        auth: Signs every request.
    """
    located = fixtures.located(url)
    return _Client(lambda: _transport(located, dict(headers or {}), auth), startup_timeout=CONNECT_SECONDS)


@asynccontextmanager
async def _transport(url: str, headers: dict[str, str], auth: Signed | None) -> AsyncIterator[Any]:
    """As Strands makes it of a URL, but for the certificates: those are read once, not for each connection."""
    http = httpx2.AsyncClient(
        headers=headers,
        auth=auth.sign if auth else None,
        timeout=httpx2.Timeout(_HTTP_SECONDS, read=CALL_SECONDS),
        follow_redirects=True,
        verify=tls.mcp_context(),
    )
    async with http, streamable_http_client(url, http_client=http) as streams:
        yield streams


def connect(made: MCPClient) -> MCPClient:
    """Connect a client (blocking).

    Raises:
        Unreachable: It cannot.
    """
    try:
        return made.start()
    except (MCPClientInitializationError, ValueError) as error:
        raise Unreachable(reason(error)) from error


def reason(error: BaseException) -> str:
    """The innermost cause of a failed connection, in a clause."""
    while True:
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__
        if inner is None:
            break
        error = inner
    return " ".join(str(error).split())[:300] or type(error).__name__


@contextmanager
def connected(url: str, headers: Mapping[str, str] | None = None, auth: Signed | None = None) -> Iterator[MCPClient]:
    """A client for a while (blocking).

    Raises:
        Unreachable: The server cannot be reached.
    """
    made = connect(client(url, headers, auth))
    try:
        yield made
    finally:
        made.stop(None, None, None)


def listed(made: MCPClient) -> list[dict[str, Any]]:
    """All tools of a connected server (blocking), as JSON data."""
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = made.list_tools_sync(pagination_token=token)
        for one in page:
            tool = one.mcp_tool.model_dump(mode="json", by_alias=True, exclude_none=True)
            found.append({name: tool[name] for name in _MEMBERS if name in tool})
        token = page.pagination_token
        if token is None:
            return found


def read(gateway: Gateway, target: Target) -> list[dict[str, Any]]:
    """Ask a target's server for its tools.

    Raises:
        TargetFailed: It cannot be asked.
    """
    proof = outbound.credentials(gateway, target, {})
    endpoint = target.configuration["mcpServer"]["endpoint"]
    try:
        with connected(endpoint, proof.headers, proof.auth) as made:
            return listed(made)
    except Unreachable as error:
        raise TargetFailed(f"The MCP server {endpoint} cannot be reached: {error}") from error


def tools(known: list[dict[str, Any]]) -> Iterator[Tool]:
    """What a server said, as tools."""
    for one in known:
        yield Tool(one["name"], one.get("description", ""), one["inputSchema"], one.get("outputSchema"))


def call(gateway: Gateway, target: Target, tool: Tool, arguments: dict[str, Any], caller: Mapping[str, str]) -> Answer:
    """Call a tool of a target's server.

    Raises:
        TargetFailed: It cannot be reached.
    """
    proof = outbound.credentials(gateway, target, caller)
    endpoint = target.configuration["mcpServer"]["endpoint"]
    try:
        with connected(endpoint, proof.headers, proof.auth) as made:
            result: Any = made.call_tool_sync(
                str(uuid.uuid4()), tool.name, arguments, read_timeout_seconds=timedelta(seconds=CALL_SECONDS)
            )
    except Unreachable as error:
        raise TargetFailed(f"The MCP server {endpoint} cannot be reached: {error}") from error
    content = tuple({"type": "text", "text": block["text"]} for block in result["content"] if "text" in block)
    return Answer(content, result["status"] == "error", result.get("structuredContent"))
