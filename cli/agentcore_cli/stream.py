"""What an InvokeHarness stream amounts to: messages, stop reason, calls that wait for the caller, usage.

Pure: events go in as the dicts that boto3 yields (`InvokeHarnessStreamOutput` of botocore 1.44.5).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Event = Mapping[str, Any]

ANSWERED: Final = frozenset({"end_turn", "stop_sequence"})
HANDED_OVER: Final = "tool_use"
CUT_SHORT: Final[Mapping[str, str]] = {
    "max_tokens": "the model reached its own limit for one answer; raise maxTokens of the model",
    "max_output_tokens_exceeded": "the invocation reached the harness's maxTokens; raise it or ask for less",
    "max_iterations_exceeded": "the agent reached maxIterations; raise it, or continue in the same session",
    "timeout_exceeded": "the agent reached timeoutSeconds; raise it, or continue in the same session",
    "model_context_window_exceeded": "the conversation no longer fits the model; start a new session or set truncation",
    "content_filtered": "the model's content filter withheld the answer",
    "guardrail_intervened": "the guardrail withheld the answer",
    "malformed_model_output": "the model's output could not be read; ask again",
    "malformed_tool_use": "the model called a tool in a way that could not be read; ask again",
    "interrupted": "the agent was interrupted; continue in the same session",
    "partial_turn": "the agent gave a part of its answer; continue in the same session",
    "tool_result": "the stream ended after a tool's result; continue in the same session",
    "hook_stopped": "a lifecycle hook stopped the agent",
}
"""Stop reasons that leave the user without a complete answer, each with what it means and what to do."""


def incomplete(stop_reason: str) -> str:
    """Why an answer is not complete, as part of a sentence; empty when it is, or when a tool's result is asked for."""
    if stop_reason in ANSWERED or stop_reason == HANDED_OVER:
        return ""
    return CUT_SHORT.get(stop_reason, "this version does not know that stop reason")


@dataclass
class Reply:
    """Everything a stream has said so far.

    Attributes:
        messages: Converse-shaped messages, tool inputs parsed where they are JSON.
        stop_reason: That of the newest `messageStop`; empty before the first one.
        usage: Token counts, summed over `metadata` events.
        latency_ms: Summed over `metadata` events.
        hook_events: As received.
        unknown_events: Events of kinds this version does not know, as received.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    latency_ms: int = 0
    hook_events: list[dict[str, Any]] = field(default_factory=list)
    unknown_events: list[dict[str, Any]] = field(default_factory=list)
    _blocks: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Reply:
        """Fold a whole stream."""
        reply = cls()
        for event in events:
            reply.add(event)
        return reply

    def add(self, event: Event) -> None:
        """Take in one event."""
        for name, payload in event.items():
            self._add(name, payload)

    @property
    def text(self) -> str:
        """What the agent said last: the text of its newest message that has any."""
        for message in reversed(self.messages):
            said = [block["text"] for block in message["content"] if "text" in block]
            if message["role"] == "assistant" and said:
                return "\n".join(said)
        return ""

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Tool calls that wait for the caller, in the order in which they are to be answered, one at a time.

        Only the last `messageStop` counts: a hook may have refused a call that was already streamed.
        """
        if self.stop_reason != HANDED_OVER:
            return []
        blocks = [block for message in self.messages for block in message["content"]]
        answered = {block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block}
        calls = (
            [block["toolUse"] for block in self.messages[-1]["content"] if "toolUse" in block] if self.messages else []
        )
        # The harness runs server and MCP tools itself; an inline function is a plain tool_use.
        return [
            call for call in calls if call["toolUseId"] not in answered and call.get("type", "tool_use") == "tool_use"
        ]

    def to_json(self) -> dict[str, Any]:
        """For `--json`; in the API's own words where it has them."""
        return {
            "stopReason": self.stop_reason or None,
            "text": self.text,
            "pendingToolUses": self.pending,
            "messages": self.messages,
            "usage": self.usage,
            "metrics": {"latencyMs": self.latency_ms},
            "hookEvents": self.hook_events,
            "unknownEvents": self.unknown_events,
        }

    def _add(self, name: str, payload: Mapping[str, Any]) -> None:
        match name:
            case "messageStart":
                self.messages.append({"role": payload.get("role", "assistant"), "content": []})
                self._blocks = {}
            case "contentBlockStart":
                self._start(payload.get("contentBlockIndex", 0), payload.get("start", {}))
            case "contentBlockDelta":
                self._delta(payload.get("contentBlockIndex", 0), payload.get("delta", {}))
            case "contentBlockStop":
                _finish(self._blocks.pop(payload.get("contentBlockIndex", 0), {}))
            case "messageStop":
                for block in self._blocks.values():
                    _finish(block)
                self._blocks = {}
                self.stop_reason = payload.get("stopReason", "")
            case "metadata":
                for kind, count in payload.get("usage", {}).items():
                    self.usage[kind] = self.usage.get(kind, 0) + count
                self.latency_ms += payload.get("metrics", {}).get("latencyMs", 0)
            case "hookEvent":
                self.hook_events.append(dict(payload))
            case _:
                self.unknown_events.append({name: payload})

    def _start(self, index: int, start: Mapping[str, Any]) -> None:
        if "toolUse" in start:
            self._open(index, {"toolUse": {**start["toolUse"], "input": ""}})
        elif "toolResult" in start:
            self._open(index, {"toolResult": {**start["toolResult"], "content": []}})

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        block = self._blocks.get(index)
        if "text" in delta:
            block = self._open(index, {"text": ""}) if block is None else block
            block["text"] = block.get("text", "") + delta["text"]
        elif "reasoningContent" in delta:
            block = self._open(index, {"reasoningContent": {}}) if block is None else block
            _add_reasoning(block.setdefault("reasoningContent", {}), delta["reasoningContent"])
        elif "toolUse" in delta and block is not None and "toolUse" in block:
            block["toolUse"]["input"] += delta["toolUse"].get("input", "")
        elif "toolResult" in delta and block is not None and "toolResult" in block:
            block["toolResult"]["content"] += delta["toolResult"]
        elif "toolResultMetadata" in delta and block is not None and "toolResult" in block:
            block["toolResult"]["metadata"] = delta["toolResultMetadata"].get("metadata", "")
        else:
            self.unknown_events.append({"contentBlockDelta": {"contentBlockIndex": index, "delta": dict(delta)}})

    def _open(self, index: int, block: dict[str, Any]) -> dict[str, Any]:
        if not self.messages:
            self.messages.append({"role": "assistant", "content": []})
        self.messages[-1]["content"].append(block)
        self._blocks[index] = block
        return block


def _add_reasoning(content: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for part in ("text", "signature"):
        if part in delta:
            content[part] = content.get(part, "") + delta[part]
    if "redactedContent" in delta:
        content["redactedContent"] = content.get("redactedContent", b"") + delta["redactedContent"]


def _finish(block: dict[str, Any]) -> None:
    call = block.get("toolUse")
    if call is not None:
        call["input"] = parse_input(call["input"])


def parse_input(raw: str) -> Any:
    """A tool call's input: the JSON value it spells, or the string itself when it spells none; nothing is `{}`."""
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        return raw
