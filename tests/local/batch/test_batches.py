"""HarnessBatch on the local cloud: every item in exactly one file, whatever goes wrong with it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.harness.errors import ServiceError
from agentcore_local.stepfunctions import harness_task, tasks

if TYPE_CHECKING:
    from .conftest import Batches

pytestmark = [pytest.mark.cli, pytest.mark.timeout(300)]


def say(call: Any) -> Turn | str:
    """What it is told; it fails where the item says so."""
    word = call.prompt.removeprefix("Say ")
    if word.startswith("fail"):
        return Turn(error=ModelFailure("validation", "it cannot be said"))
    return Turn(text=word, usage={"inputTokens": 10, "outputTokens": 1})


def lines(*found: list[dict[str, Any]]) -> list[int]:
    return sorted(one["line"] for part in found for one in part)


def test_a_thousand_items_of_which_one_in_a_hundred_fails(batches: Batches) -> None:
    batches.cloud.script("sayer", say)
    items = [{"say": f"fail {n}" if n % 100 == 7 else f"word {n}"} for n in range(1000)]
    key = batches.put("in/thousand.jsonl", *items)
    execution = batches.run("Tolerant", {"key": key}, name="abc")
    assert execution["status"] == "SUCCEEDED", execution
    summary = execution["output"]
    results, failures = batches.files(summary)
    assert lines(results, failures) == list(range(1, 1001))
    assert (summary["items"], summary["succeeded"], summary["failed"]) == (1000, 990, 10)
    assert summary["usage"] == {"inputTokens": 9900, "outputTokens": 990, "totalTokens": 10890}
    assert all(one["text"] == one["item"]["say"] == f"word {one['line'] - 1}" for one in results)
    assert {one["item"]["say"] for one in failures} == {f"fail {n}" for n in range(7, 1000, 100)}
    assert {(one["reason"], one["error"]) for one in failures} == {
        ("failed", "BedrockAgentCore.RuntimeClientErrorException")
    }
    assert len({one["execution"] for one in results}) == 990
    assert batches.summary(execution) == summary


def test_lines_nothing_can_be_made_of(batches: Batches) -> None:
    batches.cloud.script("sayer", say)
    key = batches.put(
        "in/mixed.jsonl",
        {"say": "one"},
        b'{"say": "cut',
        b"",
        b"\xff\xfe",
        {"say": "x" * 250_000},
        {"say": "an item near the limit", "rest": "y" * 200_000},
        {"say": "wörd ✓"},
    )
    execution = batches.run("Tolerant", {"key": key})
    assert execution["status"] == "SUCCEEDED", execution
    results, failures = batches.files(execution["output"])
    assert {one["line"]: one["text"] for one in results} == {1: "one", 6: "an item near the limit", 7: "wörd ✓"}
    assert [(one["line"], one["reason"]) for one in failures] == [
        (2, "unreadable"),
        (4, "unreadable"),
        (5, "too_large"),
    ]
    assert failures[0]["raw"] == '{"say": "cut'
    assert "245760 are the limit" in failures[2]["cause"]
    assert execution["output"]["reasons"] == {"unreadable": 2, "too_large": 1}


def test_rows_of_csv(batches: Batches) -> None:
    batches.cloud.script("sayer", say)
    key = batches.put("in/rows.csv", b"id,say\r", b'1,"a, b\nc"', b"2,plain,more", b"3,fail", b"4,good")
    results, failures = batches.files(batches.run("Tolerant", {"key": key})["output"])
    assert [(one["line"], one["item"], one["text"]) for one in results] == [
        (2, {"id": "1", "say": "a, b\nc"}, "a, b\nc"),
        (6, {"id": "4", "say": "good"}, "good"),
    ]
    assert {one["line"]: one["reason"] for one in failures} == {4: "unreadable", 5: "failed"}


def test_too_many_failures_end_the_run_and_lose_nothing(batches: Batches) -> None:
    batches.cloud.script("sayer", say)
    key = batches.put("in/bad.jsonl", {"say": "good"}, {"say": "fail"}, *[{"say": f"late {n}"} for n in range(20)])
    execution = batches.run("Strict", {"key": key}, name="bad")
    assert (execution["status"], execution["error"]) == ("FAILED", "HarnessBatch.TooManyFailures")
    summary = batches.summary(execution)
    results, failures = batches.files(summary)
    assert lines(results, failures) == list(range(1, 23))
    assert {one["reason"] for one in failures} <= {"failed", "not_run", "aborted"}
    assert Counter(one["reason"] for one in failures)["failed"] == 1
    assert f"s3://{batches.bucket}/{summary['failures']['key']}" in execution["cause"]

    batches.cloud.script("sayer", lambda call: "again")
    second = batches.run("Strict", {"retry": summary["failures"]["key"]})
    assert second["status"] == "SUCCEEDED", second
    again, none = batches.files(second["output"])
    assert none == []
    assert lines(results, again) == list(range(1, 23))
    assert all(one["item"]["say"] for one in again)


def test_nothing_is_asked_when_too_much_is_unreadable_already(batches: Batches) -> None:
    batches.cloud.script("sayer", lambda call: pytest.fail("nobody should ask"))
    key = batches.put("in/broken.jsonl", {"say": "good"}, b"{")
    execution = batches.run("Strict", {"key": key}, name="br")
    assert execution["error"] == "HarnessBatch.TooManyFailures"
    _, failures = batches.files(batches.summary(execution))
    assert [(one["line"], one["reason"]) for one in failures] == [(2, "unreadable"), (1, "no_result")]


def test_an_empty_file_and_a_second_run_of_the_same(batches: Batches) -> None:
    key = batches.put("in/empty.jsonl")
    first, second = (batches.run("Tolerant", {"key": key})["output"] for _ in range(2))
    assert (first["items"], second["items"]) == (0, 0)
    assert first["results"] != second["results"]


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the service refuse calls: the first so many of them. Pauses between attempts take no time."""
    lock = threading.Lock()

    def throttle(calls: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        invokable = harness_task.invokable

        def refuse(*given: Any) -> Any:
            with lock:
                seen["calls"] += 1
                if seen["calls"] <= calls:
                    raise ServiceError("ThrottlingException", "Rate exceeded")
            return invokable(*given)

        monkeypatch.setattr(harness_task, "invokable", refuse)
        monkeypatch.setattr(tasks, "pause", lambda *_: None)
        return seen

    return throttle


def test_throttling_is_tried_again(batches: Batches, throttled: Any) -> None:
    batches.cloud.script("sayer", say)
    key = batches.put("throttled.jsonl", *[{"say": str(n)} for n in range(5)])
    seen = throttled(2)
    assert batches.run("Retrying", {"key": key})["output"]["succeeded"] == 5
    assert seen["calls"] == 7


def test_an_item_that_stays_throttled_is_a_failure(batches: Batches, throttled: Any) -> None:
    key = batches.put("throttled.jsonl", {"say": "much"}, {"say": "z" * 1000}, *[{"say": ""}] * 18)
    seen = throttled(10**6)
    execution = batches.run("Retrying", {"key": key})
    assert execution["error"] == "HarnessBatch.TooManyFailures"  # 2 of 20 may fail, and one is too large
    summary = batches.summary(execution)
    _, failures = batches.files(summary)
    assert lines(failures) == list(range(1, 21))
    failed = [one for one in failures if one["reason"] == "failed"]
    assert {one["error"] for one in failed} == {"BedrockAgentCore.ThrottlingException"}
    assert summary["reasons"]["too_large"] == 1
    assert seen["calls"] >= 3 * len(failed)


def test_inline_tools_are_run(batches: Batches) -> None:
    def ask_the_tool(call: Any) -> Turn:
        if call.turn == 1:
            return Turn(tool_calls=[ToolCall("order-status", {"order_id": call.prompt.removeprefix("Say ")})])
        return Turn(text=f"It is {call.tool_result}")

    batches.cloud.script("cashier", ask_the_tool)
    key = batches.put("orders.jsonl", {"say": "A-1"}, {"say": "A-2"})
    execution = batches.run("Cashing", {"key": key})
    assert execution["status"] == "SUCCEEDED", execution
    results, _ = batches.files(execution["output"])
    assert [one["toolCalls"][0]["status"] for one in results] == ["success", "success"]
    assert all(one["usage"]["totalTokens"] > 0 for one in results)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({}, 'it must be {"key": "…"} or {"retry": "…"}'),
        ({"key": "in/x.jsonl", "more": 1}, "more: Extra inputs are not permitted"),
        ({"key": "elsewhere/x.jsonl"}, "key must begin with in/; received elsewhere/x.jsonl"),
        ({"key": "in/gone.jsonl"}, "/in/gone.jsonl is not there, or may not be read"),
        ({"key": "in/what.txt"}, "the key must end with .jsonl, .ndjson, .csv"),
    ],
)
def test_inputs_that_are_none(batches: Batches, given: dict[str, Any], cause: str) -> None:
    execution = batches.run("Tolerant", given)
    assert (execution["status"], execution["error"]) == ("FAILED", "BatchInputInvalid")
    assert cause in json.loads(execution["cause"])["errorMessage"]
