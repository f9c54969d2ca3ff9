"""Tools a harness configures: inline functions, and what stands for a source of tools that nobody answers at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed

if TYPE_CHECKING:
    from agentcore_local.agents.plan import ToolConfig

_ANYTHING: dict[str, Any] = {"type": "object", "properties": {}}

_SOURCES = {
    "agentcore_gateway": "Call the tools behind an AgentCore gateway.",
    "remote_mcp": "Call the tools of a remote MCP server.",
}


class InlineFunction(HarnessTool):
    """A function the caller executes. The loop hands its calls out, so it is never called itself."""

    def __init__(self, tool: ToolConfig) -> None:
        super().__init__(Described(tool.name, tool.type, tool.config["description"], tool.config["inputSchema"]))

    async def call(self, arguments: dict[str, Any]) -> NoReturn:  # noqa: ARG002 - HarnessTool's signature
        """Not reached."""
        raise RuntimeError(f"The call of the inline function {self.tool_name!r} was not handed to the caller.")


class Unavailable(HarnessTool):
    """Stands for the tools of a gateway or an MCP server that could not be asked: the model may know and go on."""

    def __init__(self, tool: ToolConfig, reason: str) -> None:
        self._reason = reason
        super().__init__(Described(tool.name, tool.type, _SOURCES[tool.type], _ANYTHING))

    async def call(self, arguments: dict[str, Any]) -> NoReturn:  # noqa: ARG002 - HarnessTool's signature
        """Say so."""
        raise ToolFailed(
            f"The tools of {self.tool_name!r} are not available, so nothing was done: {self._reason} "
            "Go on without them, or say that the task needs them."
        )
