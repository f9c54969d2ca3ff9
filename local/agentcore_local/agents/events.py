"""From what the loop does to the events of InvokeHarness' stream.

The payloads are those of botocore's ``InvokeHarnessStreamOutput``. Strands passes on what its providers send (the
chunks of Bedrock's ConverseStream, more or less: an index may be absent, a start may be empty); here they become
regular:

- A message is ``messageStart``, its blocks, ``messageStop``; after each message of the assistant comes ``metadata``.
- A block is ``contentBlockStart`` (only for ``toolUse`` and ``toolResult``; the shapes know no other), at least one
  delta (a tool's empty result has none), ``contentBlockStop``. Blocks are numbered from 0 in each message.
- Blobs are base64, as they go over the wire.
- Results of tools are a message of the user that stops with ``tool_result``.
- The last ``messageStop`` says how the invocation ended, and ``tool_use`` means: answer the call of this last message.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

Event = tuple[str, dict[str, Any]]
Emit = Callable[[Event], None]

STOP_REASONS = frozenset(
    {
        "end_turn", "tool_use", "tool_result", "max_tokens", "stop_sequence", "content_filtered",
        "malformed_model_output", "malformed_tool_use", "interrupted", "partial_turn", "model_context_window_exceeded",
        "max_iterations_exceeded", "max_output_tokens_exceeded", "timeout_exceeded", "hook_stopped",
    }
)  # fmt: skip
"""``HarnessStopReason`` of botocore 1.44.5; a test keeps it equal."""

# The devguide mentions guardrail_intervened, botocore's enum does not have it.
_STOP_REASON_OF_PROVIDER = {"guardrail_intervened": "content_filtered"}


class Stream:
    """The stream of one invocation, written event by event."""

    def __init__(self, emit: Emit, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._started = clock()
        self._role: str | None = None
        self._index = -1
        self._block_open = False
        self._has_tool_use = False
        self._owes_metadata = False
        self.cap_reason = "max_tokens"
        """What a model's ``max_tokens`` means; ``max_output_tokens_exceeded`` while the invocation's budget caps it."""
        self.last_stop: str | None = None
        """The reason of the last ``messageStop``."""

    def model_chunk(self, chunk: dict[str, Any]) -> None:
        """Write one chunk of a model's answer, in the form of ConverseStream. Unknown members are left out."""
        for name, value in chunk.items():
            handler = _CHUNK_HANDLERS.get(name)
            if handler is not None:
                handler(self, value)

    def model_message_complete(self) -> None:
        """A provider's answer is over; some end without usage, the stream never does."""
        if self._owes_metadata:
            self._metadata({})

    def tool_result(self, result: dict[str, Any]) -> None:
        """Write one tool's result. JSON is written as text: boto3's parser fails on it (see the fact sheet, §1.7)."""
        if self._role != "user":
            self._start_message("user")
        self._start_block({"toolResult": {"toolUseId": result["toolUseId"], "status": result["status"]}})
        parts = [{"text": text} for text in map(_as_text, result["content"]) if text]
        if parts:
            self._emit(("contentBlockDelta", {"contentBlockIndex": self._index, "delta": {"toolResult": parts}}))
        self._stop_block()

    def tool_results_complete(self) -> None:
        """All results of one turn are written."""
        if self._role == "user":
            self._stop_message("tool_result")

    def hand_off(self, tool_use: dict[str, Any]) -> None:
        """End the stream so that its last message asks the caller for the result of `tool_use`.

        The model's own message does, unless results of other tools have followed it, or it belongs to an earlier call.
        """
        if self.last_stop == "tool_use" and self._role is None:
            return
        self.tool_results_complete()
        self._start_message("assistant")
        self._start_block({"toolUse": {"toolUseId": tool_use["toolUseId"], "name": tool_use["name"]}})
        arguments = json.dumps(tool_use["input"], separators=(",", ":"))
        self._emit(
            ("contentBlockDelta", {"contentBlockIndex": self._index, "delta": {"toolUse": {"input": arguments}}})
        )
        self._stop_block()
        self._stop_message("tool_use")
        self._metadata({})

    def end(self, reason: str) -> None:
        """End the stream with a reason of the loop's own, closing whatever the model has begun."""
        self.tool_results_complete()
        if self._role is None:
            self._start_message("assistant")
        self._stop_block()
        self._stop_message(reason)
        self._metadata({})

    def hook(self, payload: dict[str, Any]) -> None:
        """Write that a lifecycle hook fired."""
        self._emit(("hookEvent", payload))

    def _start_message(self, role: str) -> None:
        if self._role is not None:  # a provider that was retried in the middle of its answer
            self._stop_block()
        self._role, self._index, self._has_tool_use = role, -1, False
        if role == "assistant":
            self._started = self._clock()
        self._emit(("messageStart", {"role": role}))

    def _stop_message(self, reason: str) -> None:
        if self._role is None:
            self._start_message("assistant")
        self._stop_block()
        self._owes_metadata = self._role == "assistant"
        self._role, self.last_stop = None, reason
        self._emit(("messageStop", {"stopReason": reason}))

    def _start_block(self, start: dict[str, Any] | None) -> None:
        self._stop_block()
        self._index += 1
        self._block_open = True
        if start is not None:
            self._emit(("contentBlockStart", {"contentBlockIndex": self._index, "start": start}))

    def _stop_block(self) -> None:
        if self._block_open:
            self._block_open = False
            self._emit(("contentBlockStop", {"contentBlockIndex": self._index}))

    def _metadata(self, chunk: dict[str, Any]) -> None:
        usage, metrics = chunk.get("usage", {}), chunk.get("metrics", {})
        given = {name: int(value) for name, value in usage.items() if name in _USAGE and value is not None}
        counted = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0} | given
        latency = metrics.get("latencyMs") or round((self._clock() - self._started) * 1000)
        self._owes_metadata = False
        self._emit(("metadata", {"usage": counted, "metrics": {"latencyMs": int(latency)}}))

    def _on_message_start(self, value: dict[str, Any]) -> None:
        self._start_message(value.get("role", "assistant"))

    def _on_block_start(self, value: dict[str, Any]) -> None:
        tool_use = (value.get("start") or {}).get("toolUse")
        if tool_use:
            self._has_tool_use = True
            self._start_block({"toolUse": {"toolUseId": tool_use["toolUseId"], "name": tool_use["name"]}})

    def _on_block_delta(self, value: dict[str, Any]) -> None:
        delta = _delta(value.get("delta") or {})
        if delta is None:
            return
        if not self._block_open:
            self._start_block(None)
        self._emit(("contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta}))

    def _on_block_stop(self, _value: dict[str, Any]) -> None:
        self._stop_block()

    def _on_message_stop(self, value: dict[str, Any]) -> None:
        reason = _STOP_REASON_OF_PROVIDER.get(value["stopReason"], value["stopReason"])
        if reason not in STOP_REASONS:
            reason = "end_turn"
        if reason == "end_turn" and self._has_tool_use:  # Strands runs the tools in this case too
            reason = "tool_use"
        self._stop_message(self.cap_reason if reason == "max_tokens" else reason)


_USAGE = frozenset({"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens"})

_CHUNK_HANDLERS: dict[str, Callable[[Stream, dict[str, Any]], None]] = {
    "messageStart": Stream._on_message_start,  # noqa: SLF001 - the table of this class' own handlers
    "contentBlockStart": Stream._on_block_start,  # noqa: SLF001
    "contentBlockDelta": Stream._on_block_delta,  # noqa: SLF001
    "contentBlockStop": Stream._on_block_stop,  # noqa: SLF001
    "messageStop": Stream._on_message_stop,  # noqa: SLF001
    "metadata": Stream._metadata,  # noqa: SLF001
}


def _delta(delta: dict[str, Any]) -> dict[str, Any] | None:
    """The delta in the shape's own terms, or None for what it cannot say (citations) or must not (empty text)."""
    if delta.get("text"):
        return {"text": delta["text"]}
    if (delta.get("toolUse") or {}).get("input"):
        return {"toolUse": {"input": delta["toolUse"]["input"]}}
    reasoning = delta.get("reasoningContent") or {}
    for member in ("text", "signature"):
        if reasoning.get(member):
            return {"reasoningContent": {member: reasoning[member]}}
    if reasoning.get("redactedContent"):
        return {"reasoningContent": {"redactedContent": base64.b64encode(reasoning["redactedContent"]).decode()}}
    return None


def _as_text(part: dict[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    if "json" in part:
        return json.dumps(part["json"])
    kind = next(iter(part), "nothing")
    return f"[{kind} content]"
