"""Recorded InvokeHarness streams: event dicts as boto3 yields them."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


def message(role: str, *blocks: list[Event], stop: str) -> list[Event]:
    """One message of a stream; the blocks' events get their index here."""
    events: list[Event] = [{"messageStart": {"role": role}}]
    for index, block in enumerate(blocks):
        events += [
            {name: {"contentBlockIndex": index, **payload}} for event in block for name, payload in event.items()
        ]
        events.append({"contentBlockStop": {"contentBlockIndex": index}})
    return [*events, {"messageStop": {"stopReason": stop}}]


def text(*pieces: str) -> list[Event]:
    return [{"contentBlockDelta": {"delta": {"text": piece}}} for piece in pieces]


def reasoning(*deltas: Event) -> list[Event]:
    return [{"contentBlockDelta": {"delta": {"reasoningContent": delta}}} for delta in deltas]


def call(tool_use_id: str, name: str, *inputs: str, **extra: str) -> list[Event]:
    start = {"contentBlockStart": {"start": {"toolUse": {"toolUseId": tool_use_id, "name": name, **extra}}}}
    return [start, *({"contentBlockDelta": {"delta": {"toolUse": {"input": part}}}} for part in inputs)]


def result(tool_use_id: str, *content: Event, status: str = "success", metadata: str = "") -> list[Event]:
    start = {"contentBlockStart": {"start": {"toolResult": {"toolUseId": tool_use_id, "status": status}}}}
    deltas: list[Event] = [{"contentBlockDelta": {"delta": {"toolResult": list(content)}}}] if content else []
    if metadata:
        deltas.append({"contentBlockDelta": {"delta": {"toolResultMetadata": {"metadata": metadata}}}})
    return [start, *deltas]


def usage(inputs: int, outputs: int, latency: int, **cache: int) -> Event:
    counts = {"inputTokens": inputs, "outputTokens": outputs, "totalTokens": inputs + outputs, **cache}
    return {"metadata": {"usage": counts, "metrics": {"latencyMs": latency}}}


ANSWERED = [
    *message("assistant", text("Bees ", "dance."), stop="end_turn"),
    usage(104, 4, 1300),
]
"""One message, no tools."""

WORKED = [
    *message("assistant", text("I look."), call("t1", "shell", '{"command": ', '"pwd"}'), stop="tool_use"),
    usage(100, 20, 500, cacheReadInputTokens=90),
    *message("user", result("t1", {"text": "/work\n"}), stop="tool_result"),
    {
        "hookEvent": {
            "hookEventId": "0d6b8d0e-4c6f-4f0e-9a43-0d9f5a2f7b10",
            "name": "audit",
            "type": "after_tool_call",
            "decision": "allow",
        }
    },
    *message("assistant", text("You are in /work.\n"), stop="end_turn"),
    usage(200, 10, 700),
]
"""A tool the harness runs itself, a hook, two model calls."""

HANDED_OVER = [
    *message("assistant", text("One moment."), call("t7", "refund", '{"order": "12"}'), stop="tool_use"),
    usage(50, 9, 200),
]
"""An inline function: the caller has the next word."""
