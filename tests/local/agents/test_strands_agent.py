"""What is left out of Strands' work is left out where Strands is as assumed, and is there when somebody needs it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from strands import Agent
from strands.hooks import BeforeModelCallEvent
from strands.telemetry import tracer
from strands.tools.registry import ToolRegistry

from agentcore_local.agents import strands_agent
from agentcore_local.agents.scripted import Place, ScriptedModel
from agentcore_local.agents.scripts import Turn
from agentcore_local.agents.tools.base import Described, HarnessTool

if TYPE_CHECKING:
    import pytest

MODEL = ScriptedModel(lambda _: Turn("hello"), Place("m", "h", "s", "a"))


class Tool(HarnessTool):
    async def call(self, arguments: dict[str, Any]) -> str:
        return str(arguments)


def tool(name: str = "look", schema: dict[str, Any] | None = None) -> Tool:
    schema = schema or {"type": "object", "properties": {"at": {"type": "string"}}}
    return Tool(Described(name, "builtin", f"{name} at something", schema))


def plain(tools: list[Tool]) -> dict[str, Any]:
    registry = ToolRegistry()
    registry.registry.update({one.tool_name: one for one in tools})
    return registry.get_all_tools_config()


class TestDelegation:
    def test_it_is_left_out(self) -> None:
        def callbacks(agent: Agent) -> list[str]:
            return [
                type(getattr(callback, "__self__", None)).__name__
                for callback in agent.hooks.get_callbacks_for(BeforeModelCallEvent(agent=agent))
            ]

        usual = Agent(model=MODEL, callback_handler=None)
        ours = Agent(model=MODEL, callback_handler=None, plugins=[strands_agent.NO_DELEGATION])
        assert "AgentDelegation" in callbacks(usual)
        assert "AgentDelegation" not in callbacks(ours)


class TestSpans:
    def test_none_is_begun_while_nobody_collects_them(self) -> None:
        assert not strands_agent.is_traced()
        assert type(tracer.get_tracer()).__name__ == "LazyTracer"
        assert tracer.get_tracer().start_agent_span([{"role": "user", "content": []}], "a") is trace.INVALID_SPAN

    def test_they_are_begun_once_somebody_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(strands_agent, "is_traced", lambda: True)
        begun = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
        monkeypatch.setattr(tracer.get_tracer().tracer, "start_span", lambda **_: begun)
        span = tracer.get_tracer().start_agent_span([{"role": "user", "content": []}], "a")
        assert span is begun

    def test_a_tracer_that_is_there_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        own = tracer.Tracer()
        monkeypatch.setattr(tracer, "_tracer_instance", own)
        strands_agent.install()
        assert tracer.get_tracer() is own

    def test_another_strands_keeps_its_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(tracer, "_tracer_instance")
        strands_agent.install()
        assert not hasattr(tracer, "_tracer_instance")


class TestSpecifications:
    def test_they_are_strands_own(self) -> None:
        tools = [tool("look"), tool("listen")]
        assert strands_agent.specifications(tools, shared=True) == plain(tools)
        assert strands_agent.specifications(tools, shared=False) == plain(tools)

    def test_they_are_made_once_for_the_same_tool(self) -> None:
        schema = {"type": "object", "properties": {}}
        first = strands_agent.specifications([tool("look", schema)], shared=True)["look"]
        second = strands_agent.specifications([tool("look", schema)], shared=True)["look"]
        assert first is second
        assert copy.deepcopy([first])[0] is first

    def test_a_model_that_is_not_ours_gets_one_of_its_own(self) -> None:
        schema = {"type": "object", "properties": {}}
        given = strands_agent.specifications([tool("look", schema)], shared=False)["look"]
        given["inputSchema"]["json"]["properties"]["spoiled"] = {}
        again = strands_agent.specifications([tool("look", schema)], shared=True)["look"]
        assert again["inputSchema"]["json"]["properties"] == {}

    def test_another_schema_is_another_specification(self) -> None:
        for name in ("a", "b"):
            schema = {"type": "object", "properties": {name: {"type": "string"}}}
            found = strands_agent.specifications([tool("look", schema)], shared=True)["look"]
            assert list(found["inputSchema"]["json"]["properties"]) == [name]

    async def _count(self, specs: list[Any]) -> int:
        return await MODEL.count_tokens([{"role": "user", "content": [{"text": "hello"}]}], specs, "be brief")

    def test_tokens_are_counted_as_strands_counts_them(self) -> None:
        import asyncio  # noqa: PLC0415

        tools = [tool("look"), tool("listen")]
        shared = list(strands_agent.specifications(tools, shared=True).values())
        expected = asyncio.run(self._count(list(plain(tools).values())))
        assert [asyncio.run(self._count(shared)) for _ in range(2)] == [expected, expected]
