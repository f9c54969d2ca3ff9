"""Tools as Lambda runs them: every call has an answer, and no answer has a stack trace."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shop import orders

from agentcore_lambdas.tools import ToolDefinitionError, define, entries, results, runtime

if TYPE_CHECKING:
    from collections.abc import Callable

TOOLS = {definition.name: definition for definition in map(define, (orders.refund, orders.status, orders.misbehave))}
REFUND = {"order_id": "7", "lines": [{"sku": "a"}], "reason": "late"}


def context(name: str | None = None, seconds: float = 60, **custom: str) -> Any:
    """Lambda's context, as a gateway fills it."""
    caller = {**({} if name is None else {"bedrockAgentCoreToolName": name}), **custom}
    return SimpleNamespace(
        aws_request_id="request-1",
        client_context=SimpleNamespace(custom=caller) if caller else None,
        get_remaining_time_in_millis=lambda: seconds * 1000,
        function_name="tools",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:tools",
    )


def call(name: str | None, event: Any, seconds: float = 60) -> tuple[results.ToolResult, str | None]:
    """What the caller reads, and the reason of an error."""
    outcome = runtime.call(TOOLS, event, context(name, seconds))
    return results.read(json.dumps(outcome.answer)), outcome.reason


def misbehave(how: str, seconds: float = 60) -> tuple[str, str | None]:
    result, reason = call("misbehave", {"how": how}, seconds)
    assert result.is_error
    return result.value, reason


@pytest.mark.parametrize("name", ["refund", "orders___refund"])
def test_one_function_serves_inline_calls_and_gateways(name: str) -> None:
    result, reason = call(name, REFUND)
    assert (result.is_error, reason) == (False, None)
    assert result.value == {
        "order": "7",
        "lines": [{"sku": "a", "count": 1, "note": None}],
        "reason": "late",
        "on": None,
        "currency": "EUR",
    }


def test_a_coroutine_is_awaited_and_unicode_stays() -> None:
    result, _ = call("t___order-status", {"order_id": "ü"})
    assert result.to_content() == [{"text": "Order ü ist unterwegs 🚚"}]
    assert result.status == "success"


def test_wrong_input_is_told_in_one_sentence() -> None:
    result, reason = call("refund", {"order_id": 7})
    assert reason == "input"
    assert result.to_content() == [
        {
            "text": "The input of refund does not fit: order_id: input should be a valid string; lines: field "
            "required; reason: field required."
        }
    ]
    assert result.status == "error"


def test_what_a_tool_raises_is_named_and_not_repeated() -> None:
    assert misbehave("raise") == ("The tool misbehave failed (RuntimeError).", "raised")
    assert misbehave("exit") == ("The tool misbehave failed (SystemExit).", "raised")


def test_a_tool_error_is_repeated() -> None:
    assert misbehave("decline") == ("Order 7 is closed; reopen it first.", "refused")


def test_a_tool_that_takes_too_long_is_interrupted_though_it_swallows_exceptions() -> None:
    told = misbehave("sleep", seconds=0.3)
    assert told == ("The tool misbehave did not finish within 0 seconds.", "timeout")


def test_outside_of_the_main_thread_only_lambda_limits_the_time() -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call("refund", REFUND, seconds=0.001)))
    thread.start()
    thread.join()
    assert found[0][1] is None


def test_results_that_are_no_json_or_too_large_are_refused() -> None:
    assert misbehave("object") == (
        "The tool misbehave returned something that is no JSON: an object of class object.",
        "result",
    )
    assert misbehave("half") == (
        "The tool misbehave returned something that is no JSON: an object of class str.",
        "result",
    )
    assert misbehave("huge") == ("The tool misbehave returned 6.7 MiB, and at most 6 MiB can be passed on.", "result")


def test_a_result_of_one_megabyte_is_passed_on() -> None:
    result, _ = call("misbehave", {"how": "big"})
    assert result.value == "é" * 500_000


def test_a_tool_that_is_not_there_is_named_with_those_that_are() -> None:
    result, reason = call("orders___cancel", {})
    assert reason == "unknown"
    assert result.value == "There is no tool 'orders___cancel' here; there are: misbehave, order-status, refund."


def test_without_a_name_the_only_tool_is_meant() -> None:
    only = {"refund": TOOLS["refund"]}
    assert runtime.call(only, REFUND, context()).reason is None
    assert runtime.call(TOOLS, REFUND, context()).reason == "unknown"


def test_a_tool_may_have_the_separator_in_its_name() -> None:
    def move(to: str) -> str:
        """Moves."""
        return to

    tools = {"a___b": define(move, name="a___b")}
    for name in ("a___b", "target___a___b"):
        assert runtime.call(tools, {"to": "x"}, context(name)).answer == "x"


def test_a_tool_sees_who_calls() -> None:
    outcome = runtime.call(TOOLS, {"how": "tell"}, context("t___misbehave"))
    assert outcome.answer == "t___misbehave"


def test_a_validator_that_fails_has_an_answer() -> None:
    def odd(value: str) -> str:
        """Is odd."""
        return value

    definition = define(odd)

    def explode(_: Any, *__: Any) -> Any:
        raise ZeroDivisionError

    broken = SimpleNamespace(name="odd", bind=explode, function=definition.function)
    tools: Any = {"odd": broken}
    answer = runtime.call(tools, {"value": "x"}, context("odd")).answer
    assert results.read(json.dumps(answer)).value == "The input of odd cannot be checked (ZeroDivisionError)."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=9), children, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["refund", "order-status", "nothing", None]))
def test_any_event_has_an_answer_that_is_json(event: Any, name: str | None) -> None:
    outcome = runtime.call(TOOLS, event, context(name))
    json.dumps(outcome.answer, allow_nan=False)


# ---- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, math.inf, [{"x": -math.inf}]])
def test_numbers_json_does_not_have_become_text(value: float) -> None:
    json.dumps(results.answer(value), allow_nan=False)


@given(JSON)
def test_what_is_json_stays_what_it_is(value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, UnicodeEncodeError):
        return
    assert results.answer(value) == json.loads(text)


@pytest.mark.parametrize(
    ("payload", "error", "told"),
    [
        (b"<html>", None, "The tool answered with something that is no JSON."),
        (
            b'{"errorMessage": "2026 x Task timed out after 3.00 seconds"}',
            "Unhandled",
            "The tool did not finish in time.",
        ),
        (b'{"errorType": "Sandbox.Timedout"}', "Unhandled", "The tool did not finish in time."),
        (
            b'{"errorMessage": "secret", "errorType": "KeyError", "stackTrace": ["File x"]}',
            "Unhandled",
            "The tool failed.",
        ),
        (b'"text"', "Unhandled", "The tool failed."),
        (b'{"isError": true, "content": []}', None, "The tool failed."),
    ],
)
def test_what_other_functions_answer_is_read_without_their_stack_traces(
    payload: bytes, error: str | None, told: str
) -> None:
    assert results.read(payload, error) == results.ToolResult(is_error=True, value=told)


def test_an_empty_answer_is_nothing() -> None:
    assert results.read(b"").value is None
    assert results.read("null").to_content() == [{"json": None}]


# ---- the environment, and the handler --------------------------------------------------------------------------------


def test_entries_are_read_as_they_are_written() -> None:
    listed = [entries.Entry("shop.orders"), entries.Entry("a", "b"), entries.Entry("a", "b", "c-d")]
    text = entries.written(listed)
    assert text == "shop.orders,a:b,a:b=c-d"
    assert entries.read(text) == listed


def test_an_entry_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="AGENTCORE_TOOLS must list modules and functions as module:function"):
        entries.read("a b")


def test_modules_and_functions_are_loaded() -> None:
    listed = [entries.Entry("support.shop.orders", "refund", "back"), entries.Entry("support.shop.orders")]
    assert sorted(entries.load(listed)) == ["back", "misbehave", "order-status", "refund"]


def test_two_tools_of_one_name_are_refused() -> None:
    twice = [entries.Entry("support.shop.orders", "refund"), entries.Entry("support.shop.orders", "status", "refund")]
    with pytest.raises(ToolDefinitionError, match="name: must be another one for each function"):
        entries.load(twice)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], Any]:
    monkeypatch.setenv("AGENTCORE_TOOLS", "support.shop.orders")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop")
    monkeypatch.delitem(sys.modules, "agentcore_lambdas.tools.main", raising=False)
    made: Callable[[Any, Any], Any] = importlib.import_module("agentcore_lambdas.tools.main").handler
    return made


def test_the_handler_logs_and_measures_and_repeats_no_input(
    handler: Callable[[Any, Any], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert results.read(json.dumps(handler({"order_id": 7, "lines": "4111 1111"}, context("t___refund")))).is_error
    assert results.read(json.dumps(handler({"how": "raise"}, context("misbehave")))).is_error
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines() if line.startswith("{")]
    measured = [line for line in lines if "_aws" in line and "ToolCalls" in line]
    assert [(line["tool"], line["ToolCalls"], line["ToolErrors"]) for line in measured] == [
        ("refund", [1.0], [1.0]),
        ("misbehave", [1.0], [1.0]),
    ]
    assert "4111" not in told.out + told.err


def test_a_trace_tells_the_tool_and_the_outcome_and_not_the_result(handler: Callable[[Any, Any], Any]) -> None:
    traced = MagicMock()
    sys.modules["agentcore_lambdas.tools.main"].tracer.provider.in_subsegment = traced
    assert "7" in handler({"order_id": "7"}, context("order-status"))
    told = traced.return_value.__enter__.return_value
    assert told.put_annotation.called
    told.put_metadata.assert_not_called()


RECURSION = '''
import sys

sys.setrecursionlimit(5000)

from agentcore_lambdas.tools import define, runtime


def again() -> str:
    """Calls itself."""
    return again()


print(runtime.call({"again": define(again)}, {}, None).reason)
'''


def test_an_endless_recursion_is_a_line_that_a_log_takes() -> None:
    """In a process as Lambda's: loggers of one service share what the first of them was told, and here are many."""
    done = subprocess.run([sys.executable, "-c", RECURSION], capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if "tool raised" in line]
    assert len(lines) == 1
    assert len(lines[0]) < 4096
    assert "previous line repeated" in lines[0].lower()
    assert done.stdout.splitlines()[-1] == "raised"
