"""What Strands does for every agent and a harness has no use for, left out: it took a third of a turn's time.

- Delegation from agent to agent: a plugin that every agent gets, unless it has one of the same name.
- Spans: attributes are made and turned into JSON for each of them, also while nobody collects traces. Here a span is
  only begun once a tracer provider is configured.
- The specifications of tools: checked, and copied in depth, for each call of a model. Here once for each tool there is.

The first two fall back to what Strands does by itself where it is not as assumed; test_strands_agent.py says when.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from strands import Plugin
from strands.telemetry import tracer
from strands.tools.registry import ToolRegistry

from agentcore_local.agents.tools.base import HarnessTool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from strands import Agent
    from strands.types.tools import AgentTool

_INSTANCE = "_tracer_instance"
_SPECIFICATIONS = 1024


class NoDelegation(Plugin):
    """Stands where Strands would put its plugin for delegation: no tool of a harness is an agent."""

    name = "strands:agent-delegation"

    def init_agent(self, agent: Agent) -> None:
        """Nothing to hook into."""


NO_DELEGATION = NoDelegation()
"""One for all agents: it has no state."""


# ---- specifications of tools -----------------------------------------------------------------------------------------


class Fixed(dict[str, Any]):
    """A specification that nobody changes: a copy of it is the thing itself.

    Attributes:
        tokens: What it counts for a model, once that is known.
    """

    tokens: int | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Fixed:
        return self


_specifications: dict[tuple[str, str, int], tuple[object, Fixed | None]] = {}


def specifications(tools: Iterable[AgentTool], *, shared: bool) -> dict[str, Any]:
    """What `ToolRegistry.get_all_tools_config` says of these tools, for an agent to keep.

    Args:
        tools: The tools.
        shared: Whether agents may share them; a model that is not ours might change what it is given.

    Returns:
        Name to specification, without those that Strands refuses (and says so).
    """
    found = {tool.tool_name: _specification(tool) for tool in tools}
    given = {name: fixed for name, fixed in found.items() if fixed is not None}
    return dict(given) if shared else {name: copy.deepcopy(dict(fixed)) for name, fixed in given.items()}


def _specification(tool: AgentTool) -> Fixed | None:
    if not isinstance(tool, HarnessTool):
        return _checked(tool)
    described = tool.described
    key = (described.name, described.description, id(described.schema))
    known = _specifications.get(key)
    if known is not None:
        return known[1]
    fixed = _checked(tool)
    if len(_specifications) >= _SPECIFICATIONS:
        _specifications.clear()
    _specifications[key] = (described.schema, fixed)  # with the schema itself: its id is nobody else's then
    return fixed


def _checked(tool: AgentTool) -> Fixed | None:
    registry = ToolRegistry()
    registry.registry[tool.tool_name] = tool
    specification = registry.get_all_tools_config().get(tool.tool_name)
    return None if specification is None else Fixed(copy.deepcopy(specification))


# ---- spans -----------------------------------------------------------------------------------------------------------


def is_traced() -> bool:
    """Whether somebody has configured where traces go."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _only_when_traced(name: str) -> Callable[..., Any]:
    original = getattr(tracer.Tracer, name)

    @functools.wraps(original)
    def start(self: Any, *arguments: Any, **options: Any) -> Any:
        return original(self, *arguments, **options) if is_traced() else trace.INVALID_SPAN

    @functools.wraps(original)
    def end(self: Any, span: Any, *arguments: Any, **options: Any) -> Any:
        return None if span is trace.INVALID_SPAN else original(self, span, *arguments, **options)

    return start if name.startswith("start_") else end


def install() -> None:
    """Begin no spans while nobody collects them, for all agents of this process; a tracer that is there stays."""
    if getattr(tracer, _INSTANCE, tracer) is None:
        names = [name for name in vars(tracer.Tracer) if name.startswith(("start_", "end_")) and name.endswith("_span")]
        lazy = type("LazyTracer", (tracer.Tracer,), {name: _only_when_traced(name) for name in names})
        setattr(tracer, _INSTANCE, lazy())


install()
