"""The tools of one invocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcore_local.agents import mounts, permissions
from agentcore_local.agents.sandbox.runner import runner
from agentcore_local.agents.tools.allowed import is_allowed
from agentcore_local.agents.tools.configured import configured
from agentcore_local.agents.tools.directories import Directories
from agentcore_local.agents.tools.files import FileOperations
from agentcore_local.agents.tools.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcore_local.agents.machine import Machine
    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.tools.base import HarnessTool


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one invocation.

    Attributes:
        tools: What the model may call.
    """

    tools: tuple[HarnessTool, ...]

    def kind(self, name: str) -> str:
        """The type of a tool; ``unknown`` for one that the model has made up or may not see."""
        return next((tool.tool_type for tool in self.tools if tool.tool_name == name), "unknown")


def build(plan: Plan, machine: Machine, extra: Sequence[HarnessTool] = ()) -> Toolbox:
    """The tools a plan allows: the built-in ones, unless a configured one takes the name, and the configured ones.

    None at all where the role may not get the token of its workload identity. What is extra is there whatever is
    allowed: a harness with skills has the tool that reads them.
    """
    if not permissions.load_tools(plan):
        return Toolbox(())
    directories = Directories(machine, plan.mount_paths, mounts.shared(plan))
    own = [configured(plan, tool) for tool in plan.tools]
    taken = {tool.tool_name for tool in own}
    builtin = [
        Shell(directories, plan.environment_variables, plan.region, runner),
        FileOperations(directories),
    ]
    tools: list[HarnessTool] = [*(tool for tool in builtin if tool.tool_name not in taken), *own]
    patterns = ("*",) if plan.allowed_tools is None else plan.allowed_tools
    allowed = [tool for tool in tools if is_allowed(tool.tool_name, tool.tool_type, patterns)]
    return Toolbox((*allowed, *extra))
