"""Tools a harness configures: inline functions, and those the local cloud does not emulate yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from agentcore_local.agents import permissions
from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed

if TYPE_CHECKING:
    from agentcore_local.agents.plan import Plan, ToolConfig

_ANYTHING: dict[str, Any] = {"type": "object", "properties": {}}

_NOT_EMULATED = {
    "agentcore_browser": ("Browse the web with a managed browser.", "an AgentCore browser"),
    "agentcore_code_interpreter": ("Run code in a managed, isolated interpreter.", "an AgentCore code interpreter"),
    "agentcore_gateway": ("Call the tools behind an AgentCore gateway.", "the tools of an AgentCore gateway"),
    "remote_mcp": ("Call the tools of a remote MCP server.", "the tools of a remote MCP server"),
}


class InlineFunction(HarnessTool):
    """A function the caller executes. The loop hands its calls out, so it is never called itself."""

    def __init__(self, tool: ToolConfig) -> None:
        super().__init__(Described(tool.name, tool.type, tool.config["description"], tool.config["inputSchema"]))

    async def call(self, arguments: dict[str, Any]) -> NoReturn:  # noqa: ARG002 - HarnessTool's signature
        """Not reached."""
        raise RuntimeError(f"The call of the inline function {self.tool_name!r} was not handed to the caller.")


class NotEmulated(HarnessTool):
    """A tool the model may see and call, and that says it does nothing here."""

    def __init__(self, plan: Plan, tool: ToolConfig) -> None:
        self._plan, self._tool = plan, tool
        description, self._what = _NOT_EMULATED[tool.type]
        super().__init__(Described(tool.name, tool.type, description, _ANYTHING))

    async def call(self, arguments: dict[str, Any]) -> NoReturn:  # noqa: ARG002 - HarnessTool's signature
        """Say so, or that the role may not even use it."""
        refusal = permissions.tool_denial(self._plan, self._tool)
        if refusal is not None:
            raise ToolFailed(f"{self.tool_name!r} cannot be used: {refusal}")
        raise ToolFailed(
            f"The local cloud does not emulate {self._what} yet, so {self.tool_name!r} did nothing. "
            "Go on without it, or say that the task needs it."
        )


def configured(plan: Plan, tool: ToolConfig) -> HarnessTool:
    """The tool for one entry of ``tools``."""
    return InlineFunction(tool) if tool.type == "inline_function" else NotEmulated(plan, tool)
