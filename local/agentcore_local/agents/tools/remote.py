"""The tools behind gateways and remote MCP servers, reached through an MCP client.

A gateway's tools keep the names it gives them, ``<target>___<tool>``; those of a remote MCP server begin with the name
of the harness' tool, as was observed: ``<tool>_<its own>``. A name that is taken already gets that beginning too.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from strands.types.tools import AgentTool

from agentcore_local import actions
from agentcore_local.agents import permissions
from agentcore_local.agents.tools.base import ToolFailed
from agentcore_local.gateway import mcp_target, operations, vault
from agentcore_local.gateway.signing import Signed
from agentcore_local.gateway.store import GATEWAYS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from strands.tools.mcp import MCPClient
    from strands.types.tools import ToolSpec, ToolUse

    from agentcore_local.agents.plan import Plan, ToolConfig

KINDS = frozenset({"agentcore_gateway", "remote_mcp"})
_SERVICE = "bedrock-agentcore"


class Connection:
    """The way to one gateway or MCP server, for one invocation.

    Args:
        plan: Says who acts.
        config: The tool of the harness.
    """

    def __init__(self, plan: Plan, config: ToolConfig) -> None:
        self.config = config
        self._plan = plan
        self._client: MCPClient | None = None

    def open(self) -> list[dict[str, Any]]:
        """Connect and ask for the tools (blocking).

        Raises:
            ToolFailed: Nobody answers there, or the credentials cannot be had.
        """
        try:
            url, headers, auth = self._address()
            self._client = mcp_target.client(url, headers, auth)
            mcp_target.connect(self._client)
            return mcp_target.listed(self._client)
        except vault.VaultError as error:
            raise ToolFailed(f"{error}.") from error
        except mcp_target.Unreachable as error:
            self._client = None
            raise ToolFailed(f"nobody answers as it should: {error}") from error

    def close(self) -> None:
        """Disconnect (blocking); one that never connected is fine."""
        made, self._client = self._client, None
        if made is not None:
            made.stop(None, None, None)

    async def call(self, tool_use_id: str, name: str, arguments: dict[str, Any]) -> Any:
        """Call a tool; what fails is a result too.

        Raises:
            ToolFailed: The role may not, any more.
        """
        refusal = permissions.denial(self._plan, actions.tool_loading(self._plan, self.config))
        if refusal is not None:
            raise ToolFailed(refusal)
        if self._client is None:
            raise ToolFailed("The connection is closed.")
        timeout = timedelta(seconds=mcp_target.CALL_SECONDS)
        return await self._client.call_tool_async(tool_use_id, name, arguments, read_timeout_seconds=timeout)

    def _address(self) -> tuple[str, dict[str, str], Signed | None]:
        config = self.config.config
        if self.config.type == "remote_mcp":
            given = (config.get("outboundAuth") or {}).get("awsIam")
            auth = None
            if given is not None:
                auth = Signed(self._plan.account, given["service"], given.get("region", self._plan.region))
            return (
                config["url"],
                {name: _resolved(value) for name, value in (config.get("headers") or {}).items()},
                auth,
            )
        gateway = GATEWAYS.find_arn(config["gatewayArn"])
        if gateway is None:
            raise ToolFailed(f"the local cloud has no gateway {config['gatewayArn']}; deploy it here as well")
        chosen = config.get("outboundAuth") or {"awsIam": {}}
        if "oauth" in chosen:
            token = vault.oauth_token(chosen["oauth"], self._plan.caller_token)
            return operations.url(gateway), {"Authorization": f"Bearer {token}"}, None
        auth = Signed(self._plan.account, _SERVICE, gateway.region) if "awsIam" in chosen else None
        return operations.url(gateway), {}, auth


def _resolved(value: str) -> str:
    return re.sub(actions.HEADER_REFERENCE, lambda found: vault.api_key(found[1]), value)


class RemoteTool(AgentTool):
    """One tool of a gateway or an MCP server, as the model sees it.

    Attributes:
        inner: Its name over there.
    """

    def __init__(self, connection: Connection, listed: dict[str, Any], name: str) -> None:
        super().__init__()
        self._connection = connection
        self._listed = listed
        self._name = name
        self.inner: str = listed["name"]

    @property
    def tool_name(self) -> str:
        """The name the model calls."""
        return self._name

    @property
    def tool_type(self) -> str:
        """``HarnessToolType`` of the gateway or the MCP server."""
        return self._connection.config.type

    @property
    def tool_spec(self) -> ToolSpec:
        """What the model is told."""
        spec = {
            "name": self._name,
            "description": self._listed.get("description") or self.inner,
            "inputSchema": {"json": self._listed["inputSchema"]},
        }
        return cast("ToolSpec", spec)

    async def stream(
        self,
        tool_use: ToolUse,
        invocation_state: dict[str, Any],  # noqa: ARG002 - Strands' signature
        **_kwargs: Any,
    ) -> AsyncGenerator[Any, None]:
        """Answer one call; what is yielded last is the result."""
        arguments: Any = tool_use["input"]
        try:
            if not isinstance(arguments, dict):
                raise ToolFailed(f"The arguments must be a JSON object; received {type(arguments).__name__}.")
            result = await self._connection.call(tool_use["toolUseId"], self.inner, arguments)
            content = result["content"]
            if not content and result.get("structuredContent") is not None:
                content = [{"json": result["structuredContent"]}]
            status = result["status"]
        except ToolFailed as failure:
            status, content = "error", [{"text": str(failure)}]
        yield {"toolUseId": tool_use["toolUseId"], "status": status, "content": content}


def named(connection: Connection, listed: list[dict[str, Any]], taken: set[str]) -> list[RemoteTool]:
    """The tools over there under the names the model gets to see.

    Args:
        connection: The way there.
        listed: What the server says.
        taken: Names of other tools; those chosen are added.
    """
    prefix = f"{connection.config.name}_"
    always = connection.config.type == "remote_mcp"
    made = []
    for one in listed:
        name = prefix + one["name"] if always or one["name"] in taken else one["name"]
        taken.add(name)
        made.append(RemoteTool(connection, one, name))
    return made


async def opened(connection: Connection) -> list[dict[str, Any]]:
    """Connect off the agents' thread.

    Raises:
        ToolFailed: as `Connection.open`.
    """
    return await asyncio.to_thread(connection.open)
