"""The tools of one invocation, as the model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from strands.types._events import ToolResultEvent
from strands.types.tools import AgentTool, ToolSpec, ToolUse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from agentcore_local.agents.plan import Plan, ToolConfig
    from agentcore_local.agents.sessions import Machine


class InlineFunction(AgentTool):
    """A function the caller executes; the model sees it, the loop hands its calls out."""

    def __init__(self, config: ToolConfig) -> None:
        super().__init__()
        self._name = config.name
        self._spec = cast(
            "ToolSpec",
            {
                "name": config.name,
                "description": config.config["description"],
                "inputSchema": {"json": config.config["inputSchema"]},
            },
        )

    @property
    def tool_name(self) -> str:
        """The name the model calls."""
        return self._name

    @property
    def tool_spec(self) -> ToolSpec:
        """The specification the model sees."""
        return self._spec

    @property
    def tool_type(self) -> str:
        """``HarnessToolType``."""
        return "inline_function"

    async def stream(
        self, tool_use: ToolUse, invocation_state: dict[str, Any], **_kwargs: Any
    ) -> AsyncGenerator[Any, None]:
        """Never reached: the loop hands the call out first."""
        raise RuntimeError(f"The inline function {self._name!r} was not handed to the caller.")
        yield


class Answered(AgentTool):
    """A tool whose result is there already."""

    def __init__(self, tool: AgentTool, result: Any) -> None:
        super().__init__()
        self._tool = tool
        self._result = result

    @property
    def tool_name(self) -> str:
        """The tool's name."""
        return self._tool.tool_name

    @property
    def tool_spec(self) -> ToolSpec:
        """The tool's specification."""
        return self._tool.tool_spec

    @property
    def tool_type(self) -> str:
        """The tool's type."""
        return self._tool.tool_type

    async def stream(
        self, _tool_use: ToolUse, _invocation_state: dict[str, Any], **_kwargs: Any
    ) -> AsyncGenerator[Any, None]:
        """Give the result."""
        yield ToolResultEvent(self._result)


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one invocation.

    Attributes:
        tools: What the model may call.
        kinds: ``HarnessToolType`` (or ``builtin``) of each by name.
    """

    tools: tuple[AgentTool, ...]
    kinds: dict[str, str]

    def kind(self, name: str) -> str:
        """The tool's type; ``unknown`` for one the model has made up."""
        return self.kinds.get(name, "unknown")


def build(plan: Plan, machine: Machine) -> Toolbox:
    """The tools a plan allows."""
    tools: Iterable[AgentTool] = [InlineFunction(tool) for tool in plan.tools if tool.type == "inline_function"]
    tools = tuple(tools)
    return Toolbox(tools, {tool.tool_name: tool.tool_type for tool in tools})
