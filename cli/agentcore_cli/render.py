"""How a stream looks on a terminal: events in, pieces of text out. Pure, so a recorded stream can be tested.

The answer's text goes to the `out` channel as it arrives; tool calls, results, reasoning, hooks and usage go to `err`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from agentcore_cli.stream import Event, Reply, parse_input

Channel = Literal["out", "err"]
SHOWN_CHARACTERS: Final = 300
"""Tool inputs and results are cut here on the terminal; `--json` and `--events` hold all of them."""

_SECOND: Final = 1000


@dataclass(frozen=True)
class Piece:
    """Something to write, with the style it has on a terminal."""

    channel: Channel
    text: str
    style: str = ""


class Renderer:
    """Turns a stream's events into pieces, keeping each channel's lines whole."""

    def __init__(self) -> None:
        self._open: Channel | None = None
        self._inputs: dict[int, str] = {}
        self._results: dict[int, tuple[str, list[Mapping[str, Any]]]] = {}

    def feed(self, event: Event) -> Iterator[Piece]:
        """The pieces for one event."""
        for name, payload in event.items():
            index = payload.get("contentBlockIndex", 0) if isinstance(payload, Mapping) else 0
            match name:
                case "messageStart" | "metadata":
                    pass  # nothing to see: usage is summed up at the end
                case "messageStop":
                    yield from self._close()
                case "contentBlockStart":
                    yield from self._start(index, payload.get("start", {}))
                case "contentBlockDelta":
                    yield from self._delta(index, payload.get("delta", {}))
                case "contentBlockStop":
                    yield from self._stop(index)
                case "hookEvent":
                    yield from self._line(hook_line(payload), "yellow" if payload.get("decision") == "deny" else "dim")
                case _:
                    yield from self._line(f"? {name} {shorten(_as_text(payload))}", "dim")

    def finish(self) -> Iterator[Piece]:
        """What is needed after the last event, also when the stream broke off."""
        yield from self._close()

    def _start(self, index: int, start: Mapping[str, Any]) -> Iterator[Piece]:
        if "toolUse" in start:
            call = start["toolUse"]
            name = "/".join(part for part in (call.get("serverName"), call.get("name")) if part)
            self._inputs[index] = ""
            yield from self._begin("err")
            yield Piece("err", f"→ {name} ", "cyan")
        elif "toolResult" in start:
            self._results[index] = (start["toolResult"].get("status", "success"), [])

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[Piece]:
        if "text" in delta:
            if self._open == "err":
                yield from self._close()
            self._open = "out"
            yield Piece("out", delta["text"])
            if delta["text"].endswith("\n"):
                self._open = None
        elif "toolUse" in delta:
            self._inputs[index] = self._inputs.get(index, "") + delta["toolUse"].get("input", "")
        elif "toolResult" in delta:
            self._results.setdefault(index, ("success", []))[1].extend(delta["toolResult"])
        elif "toolResultMetadata" in delta:
            yield from self._line(f"  metadata {shorten(delta['toolResultMetadata'].get('metadata', ''))}", "dim")
        elif "reasoningContent" in delta:
            yield from self._reason(delta["reasoningContent"])
        else:
            yield from self._line(f"? {shorten(_as_text(delta))}", "dim")

    def _reason(self, delta: Mapping[str, Any]) -> Iterator[Piece]:
        # A signature proves the reasoning to the provider; there is nothing in it to read.
        text = delta.get("text") or ("[redacted]" if "redactedContent" in delta else "")
        if not text:
            return
        if self._open != "err":
            yield from self._begin("err")
            yield Piece("err", "thinking: ", "dim italic")
        yield Piece("err", text, "dim italic")

    def _stop(self, index: int) -> Iterator[Piece]:
        if index in self._inputs:
            shown = shorten(_as_text(parse_input(self._inputs.pop(index))))
            if self._open != "err":  # something was written after the call's name
                yield from self._begin("err")
            yield Piece("err", shown, "dim")
        elif index in self._results:
            status, content = self._results.pop(index)
            failed = status == "error"
            shown = shorten(" ".join(_as_text(block.get("text", block.get("json", ""))) for block in content))
            yield from self._line(f"← {'error: ' if failed else ''}{shown}", "red" if failed else "dim")
        yield from self._close()

    def _line(self, text: str, style: str) -> Iterator[Piece]:
        yield from self._begin("err")
        yield Piece("err", text, style)
        yield from self._close()

    def _begin(self, channel: Channel) -> Iterator[Piece]:
        yield from self._close()
        self._open = channel

    def _close(self) -> Iterator[Piece]:
        if self._open is not None:
            yield Piece(self._open, "\n")
        self._open = None


def hook_line(event: Mapping[str, Any]) -> str:
    """One lifecycle hook event in words."""
    decision = f": {event['decision']}" if event.get("decision") else ""
    reason = f" ({event['reason']})" if event.get("reason") else ""
    return f"hook {event.get('name', '?')} {event.get('type', '?')}{decision}{reason}"


def usage_line(reply: Reply) -> str:
    """Stop reason, tokens and time in one line."""
    parts = [reply.stop_reason or "no stop reason"]
    if reply.usage:
        usage = reply.usage
        tokens = f"{usage.get('inputTokens', 0):,} in + {usage.get('outputTokens', 0):,} out tokens"
        cached = [
            f"{usage[key]:,} {word}"
            for key, word in (
                ("cacheReadInputTokens", "from the cache"),
                ("cacheWriteInputTokens", "into the cache"),
            )
            if usage.get(key)
        ]
        parts.append(f"{tokens} ({', '.join(cached)})" if cached else tokens)
    if reply.latency_ms:
        parts.append(f"{reply.latency_ms / 1000:,.1f} s" if reply.latency_ms >= _SECOND else f"{reply.latency_ms} ms")
    return " · ".join(parts)


def waiting_lines(pending: Sequence[Mapping[str, Any]], command: Sequence[str]) -> list[str]:
    """What the user reads when the agent waits for inline functions.

    Args:
        pending: The calls that wait (`Reply.pending`); at least one.
        command: The words of the command that continues this session, without prompt and `--answer`.
    """
    first = pending[0]
    lines = [
        f"The agent waits for the result of the inline function {first['name']}({shorten(_as_text(first['input']))})."
    ]
    if len(pending) > 1:
        lines.append(f"After it: {', '.join(call['name'] for call in pending[1:])}; they are answered one at a time.")
    lines.append(f"Answer it: {shlex.join([*command, '--answer', first['toolUseId']])} 'RESULT'")
    return lines


def shorten(text: str) -> str:
    """Text on one line, cut at 300 characters with its true length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_CHARACTERS else f"{flat[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
