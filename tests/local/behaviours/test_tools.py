"""Tools, allowed tools, inline functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.behaviours import behaviour, error_of

from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "Tools and inline functions"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html",)


def tools(call: Any) -> str:
    return ",".join(sorted(call.tools))


def refund(call: Any) -> Any:
    """Calls `refund`, then says what it answered."""
    return Turn(tool_calls=[ToolCall("refund", {"n": 1})]) if call.turn == 1 else f"Said: {call.tool_result}"


@pytest.fixture
def waiting(agent: Callable[..., Agent], inline: Callable[..., Any]) -> tuple[Agent, str]:
    """An agent that waits for the result of an inline call, and the call's id."""
    made = agent(script=refund, tools=[inline("refund")])
    answer = made.say()
    assert answer.stop == "tool_use"
    (call,) = answer.calls
    return made, call["toolUseId"]


@behaviour("`tools` of a call replace the configured ones")
def test_override(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(script=tools, tools=[inline("one")])
    assert "one" in made.say().text
    assert made.say(tools=[inline("two")]).text == "file_operations,shell,two"


@behaviour("The member of `config` fits the `type`, and those that need one have it")
def test_type_and_config(create: Callable[..., Any], inline: Callable[..., Any]) -> None:
    wrong = {**inline(), "type": "remote_mcp"}
    for number, tool in enumerate((wrong, {"type": "remote_mcp", "name": "x"}, {"type": "inline_function"})):
        assert error_of(create, name=f"h{number}", tools=[tool])[0] == "ValidationException"
    create("fits", tools=[{"type": "agentcore_browser"}, {"type": "agentcore_code_interpreter"}])


@behaviour(
    "`allowedTools` has built-in tools, `@builtin`, `@<tool>`, `@<tool>/<name>`, globs; what it leaves out is hidden"
)
def test_allowed_tools(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(script=tools, tools=[inline("refund")])
    for patterns, seen in (
        (["*"], "file_operations,refund,shell"),
        (["shell"], "shell"),
        (["file_*"], "file_operations"),
        (["@builtin"], "file_operations,shell"),
        (["@builtin/shell"], "shell"),
        (["@refund"], "refund"),
        (["@nothing"], ""),
    ):
        assert made.say(allowedTools=patterns).text == seen


@behaviour(
    "An inline function is allowed by `@name`",
    status="approximated",
    note="By its plain name as well: the documentation shows the one, a project observed the other.",
)
def test_allowed_inline(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(script=tools, tools=[inline("refund")])
    assert [made.say(allowedTools=[form]).text for form in ("@refund", "refund")] == ["refund", "refund"]


@behaviour(
    "An empty `allowedTools`",
    status="approximated",
    note="Hides everything but inline functions. Sources contradict each other.",
)
def test_nothing_allowed(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    assert agent(script=tools, tools=[inline("refund")]).say(allowedTools=[]).text == "refund"


@behaviour("An entry of `allowedTools` has 1 to 64 characters")
def test_allowed_length(create: Callable[..., Any]) -> None:
    create("fits", allowedTools=["@" + "a" * 63])
    assert error_of(create, name="other", allowedTools=["@" + "a" * 64])[0] == "ValidationException"


@behaviour("A call of an inline function ends the stream with `tool_use`; its result goes on in the same session")
def test_inline(waiting: tuple[Agent, str]) -> None:
    made, call = waiting
    answer = made.give(call, {"text": "7"})
    assert (answer.stops, answer.text) == (["tool_result", "end_turn"], "Said: 7")


@behaviour("The follow-up has the result and nothing else: the assistant's call, or another block, is refused")
def test_only_the_result(waiting: tuple[Agent, str]) -> None:
    made, call = waiting
    result = {"toolResult": {"toolUseId": call, "content": [{"text": "7"}]}}
    with_call = [
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": call, "name": "refund", "input": {}}}]},
        {"role": "user", "content": [result]},
    ]
    assert error_of(made.say, messages=with_call)[0] == "ValidationException"
    both = [{"role": "user", "content": [result, {"text": "and"}]}]
    assert error_of(made.say, messages=both)[0] == "ValidationException"
    assert made.give(call).stop == "end_turn"


@behaviour("A missing, unknown, stale or repeated `toolUseId` is refused, and the call keeps waiting")
def test_wrong_ids(waiting: tuple[Agent, str]) -> None:
    made, call = waiting
    assert error_of(made.say)[0] == "ValidationException"
    assert "this session waits for" in error_of(made.give, tool_use_id="other")[1]
    made.give(call)
    assert error_of(made.give, tool_use_id=call)[0] == "ValidationException"


@behaviour("A tool that came with the call must come again with the result")
def test_tool_of_the_call(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(script=refund)
    (call,) = made.say(tools=[inline("refund")]).calls
    assert error_of(made.give, tool_use_id=call["toolUseId"])[0] == "ValidationException"
    assert made.give(call["toolUseId"], tools=[inline("refund")]).stop == "end_turn"


@behaviour("Calls of one turn are handed out one at a time, in order; the harness' own tools run when it is their turn")
def test_order(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    def script(call: Any) -> Any:
        own = ToolCall("shell", {"command": "echo own"})
        return Turn(tool_calls=[ToolCall("one"), own, ToolCall("two")]) if call.turn == 1 else "All done."

    made = agent(script=script, tools=[inline("one"), inline("two")])
    handed = []
    answer = made.say()
    while answer.stop == "tool_use":
        call = answer.calls[-1] if handed else answer.calls[0]
        handed.append(call["name"])
        answer = made.give(call["toolUseId"])
    assert (handed, answer.text) == (["one", "two"], "All done.")


@behaviour("A schema of an inline function describes an object; its description has at most 4096 characters")
def test_inline_schema(create: Callable[..., Any], inline: Callable[..., Any]) -> None:
    long = inline()
    long["config"]["inlineFunction"]["description"] = "d" * 4097
    assert error_of(create, tools=[long])[0] == "ValidationException"
