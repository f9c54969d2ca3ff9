"""Names, times and lines of logs; which events are new."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from agentcore_cli import loggroups
from agentcore_cli.errors import MISUSED, CliError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOMENT = int(NOW.timestamp() * 1000)
SECOND = 1000


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_the_group_is_the_runtimes_and_the_endpoints() -> None:
    assert (
        loggroups.group_name("harness_research-aB3dE5gH7j", "PROD")
        == "/aws/bedrock-agentcore/runtimes/harness_research-aB3dE5gH7j-PROD"
    )


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0s", MOMENT),
        ("30s", MOMENT - 30 * SECOND),
        ("10m", MOMENT - 600 * SECOND),
        ("2h", MOMENT - 7200 * SECOND),
        ("1d", MOMENT - 86_400 * SECOND),
        ("1w", MOMENT - 604_800 * SECOND),
        ("2026-11-21T11:59:59.500Z", MOMENT - SECOND // 2),
        ("2026-11-21T13:00+02:00", MOMENT - 3600 * SECOND),
        ("2026-11-21T11:00", MOMENT - 3600 * SECOND),
        ("2026-11-21", MOMENT - 12 * 3600 * SECOND),
        ("999999w", 0),
    ],
)
def test_ages_and_times(text: str, milliseconds: int) -> None:
    assert loggroups.since(text, NOW) == milliseconds


@pytest.mark.parametrize("text", ["", "10", "10 m", "1y", "yesterday", "-5m", "1234567s"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(CliError) as caught:
        loggroups.since(text, NOW)

    assert caught.value.exit_code == MISUSED
    assert caught.value.message == (
        f"--since must be an age (30s, 10m, 2h, 1d, 1w) or a time in ISO 8601 (2026-11-21T08:00); received {text!r}."
    )


def event(message: str, timestamp: int = MOMENT + 120, identifier: str = "1") -> dict[str, Any]:
    return {"timestamp": timestamp, "message": message, "eventId": identifier}


def test_any_message_is_shown_as_it_is() -> None:
    assert loggroups.line(event("Started.\n")) == "2026-11-21 12:00:00.120  Started."
    assert loggroups.line(event('{"a": 1}')) == '2026-11-21 12:00:00.120  {"a": 1}'
    assert loggroups.line(event("{broken")) == "2026-11-21 12:00:00.120  {broken"
    assert loggroups.line(event('{"event": "x"}')) == '2026-11-21 12:00:00.120  {"event": "x"}'


def test_a_record_of_the_local_cloud_is_shown_in_words() -> None:
    record = {
        "timestamp": "2026-11-21T12:00:00.120Z",
        "level": "INFO",
        "event": "tool_answered",
        "harness": "research",
        "version": "1",
        "endpoint": "DEFAULT",
        "sessionId": "0123456789abcdef",
        "status": "success",
        "durationMs": 9,
        "usage": {"inputTokens": 1},
        "result": "two words",
    }

    assert loggroups.line(event(json.dumps(record))) == (
        "2026-11-21 12:00:00.120  01234567  tool_answered version=1 status=success durationMs=9 "
        'usage={"inputTokens": 1} result="two words"'
    )
    assert "  01234567  ERROR tool_answered " in loggroups.line(event(json.dumps({**record, "level": "ERROR"})))


def test_an_event_is_new_once() -> None:
    window = loggroups.Window(0)

    assert [
        window.is_new(event("x", 1, "a")),
        window.is_new(event("x", 1, "b")),
        window.is_new(event("x", 1, "a")),
    ] == [
        True,
        True,
        False,
    ]


def test_the_window_follows_what_is_newest_and_leaves_room_for_what_is_late() -> None:
    window = loggroups.Window(MOMENT)
    late = loggroups.LATE_SECONDS * SECOND

    window.is_new(event("x", MOMENT + late, "a"))
    assert window.start == MOMENT
    window.is_new(event("x", MOMENT + 10 * late, "b"))
    assert window.start == MOMENT + 9 * late
    assert window.is_new(event("x", MOMENT + 9 * late, "c"))
    assert not window.is_new(event("x", MOMENT + 10 * late, "b"))


def test_what_is_behind_the_window_is_forgotten() -> None:
    window = loggroups.Window(0)
    for number in range(1000):
        window.is_new(event("x", number * SECOND, str(number)))

    assert len(window._seen) <= 3 * loggroups.LATE_SECONDS
