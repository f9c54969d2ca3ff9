"""The tools of one invocation."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agentcore_local.agents import mounts, permissions
from agentcore_local.agents.sandbox.runner import runner
from agentcore_local.agents.tools import remote
from agentcore_local.agents.tools.allowed import ANY, is_allowed, may_offer
from agentcore_local.agents.tools.base import ToolFailed
from agentcore_local.agents.tools.browser import Browser
from agentcore_local.agents.tools.code_interpreter import CodeInterpreter
from agentcore_local.agents.tools.configured import InlineFunction, Unavailable
from agentcore_local.agents.tools.directories import Directories
from agentcore_local.agents.tools.files import FileOperations
from agentcore_local.agents.tools.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from strands.types.tools import AgentTool

    from agentcore_local.agents.machine import Machine
    from agentcore_local.agents.plan import Plan, ToolConfig
    from agentcore_local.agents.tools.base import HarnessTool

logger = logging.getLogger(__name__)


class Toolbox:
    """The tools of one invocation: those there are at once, and after `load` those behind gateways and MCP servers.

    Attributes:
        tools: What the model may call.
    """

    def __init__(self, tools: Sequence[AgentTool] = (), connections: Sequence[remote.Connection] = ()) -> None:
        self.tools: tuple[AgentTool, ...] = tuple(tools)
        self._connections = tuple(connections)
        self._patterns: Sequence[str] = (ANY,)
        self._loaded = not self._connections

    @classmethod
    def allowing(
        cls, patterns: Sequence[str], tools: Sequence[HarnessTool], connections: Sequence[remote.Connection]
    ) -> Toolbox:
        """Those of these that are allowed."""
        box = cls(
            [tool for tool in tools if is_allowed(tool.tool_name, tool.tool_type, patterns)],
            [one for one in connections if may_offer(one.config.name, patterns)],
        )
        box._patterns = patterns
        return box

    def kind(self, name: str) -> str:
        """The type of a tool; ``unknown`` for one that the model has made up or may not see."""
        return next((tool.tool_type for tool in self.tools if tool.tool_name == name), "unknown")

    async def load(self) -> None:
        """Connect to gateways and MCP servers and add their tools. What cannot be asked leaves a tool that says so."""
        if self._loaded:
            return
        self._loaded = True
        answers = await asyncio.gather(*map(remote.opened, self._connections), return_exceptions=True)
        taken = {tool.tool_name for tool in self.tools}
        for connection, answer in zip(self._connections, answers, strict=True):
            if isinstance(answer, ToolFailed):
                self.tools += (self._unavailable(connection.config, answer),)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                source = connection.config.name
                self.tools += tuple(
                    tool
                    for tool in remote.named(connection, answer, taken)
                    if is_allowed(tool.inner, tool.tool_type, self._patterns, source=source)
                )

    async def close(self) -> None:
        """Disconnect."""
        for connection in self._connections:
            await asyncio.to_thread(connection.close)

    @staticmethod
    def _unavailable(config: ToolConfig, reason: ToolFailed) -> Unavailable:
        logger.warning("tool=<%s>, reason=<%s> | its tools are not available", config.name, reason)
        return Unavailable(config, f"{str(reason).rstrip('.')}.")


def build(plan: Plan, machine: Machine, extra: Sequence[HarnessTool] = ()) -> Toolbox:
    """The tools a plan allows: the built-in ones, unless a configured one takes the name, and the configured ones.

    None at all where the role may not get the token of its workload identity. What is extra is there whatever is
    allowed: a harness with skills has the tool that reads them.
    """
    if not permissions.load_tools(plan):
        return Toolbox()
    directories = Directories(machine, plan.mount_paths, mounts.shared(plan))
    own = [_configured(plan, tool, machine) for tool in plan.tools if tool.type not in remote.KINDS]
    taken = {tool.name for tool in plan.tools}
    builtin = [
        Shell(directories, plan.environment_variables, plan.region, runner),
        FileOperations(directories),
    ]
    tools: list[HarnessTool] = [*(tool for tool in builtin if tool.tool_name not in taken), *own]
    connections = [remote.Connection(plan, tool) for tool in plan.tools if tool.type in remote.KINDS]
    patterns = (ANY,) if plan.allowed_tools is None else plan.allowed_tools
    box = Toolbox.allowing(patterns, tools, connections)
    box.tools += tuple(extra)
    return box


def _configured(plan: Plan, tool: ToolConfig, machine: Machine) -> HarnessTool:
    """The tool for one entry of ``tools``."""
    if tool.type == "agentcore_browser":
        return Browser(plan, tool)
    if tool.type == "agentcore_code_interpreter":
        return CodeInterpreter(plan, tool, machine, runner)
    return InlineFunction(tool)
