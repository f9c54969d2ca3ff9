"""Reads the event stream of one InvokeHarness call to its end.

A call of an inline tool counts only if the *last* messageStop says `tool_use`: a hook may have denied one that was
streamed already. https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_lambdas.tool_loop.models import Call, Usage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TOOL_USE = "tool_use"


@dataclass
class Reply:
    """What the harness answered.

    Attributes:
        text: Of the last message of the assistant.
        stop_reason: Of the last messageStop; None when the stream ended without one.
        call: The call the harness waits for; there is one when the stop reason is `tool_use`.
        usage: Tokens.
        latency_ms: As the service measured it.
    """

    text: str = ""
    stop_reason: str | None = None
    call: Call | None = None
    usage: Usage = field(default_factory=Usage)
    latency_ms: int = 0


@dataclass
class _Message:
    texts: dict[int, list[str]] = field(default_factory=dict)
    calls: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)


def read(events: Iterable[Mapping[str, Any]], inline: Collection[str], answered: Collection[str]) -> Reply:
    """Reads all events.

    Args:
        events: As boto3 yields them. Errors in the stream are raised by it while it is read.
        inline: Names of the inline tools.
        answered: Ids of the calls that were answered before.

    Returns:
        The reply; without a stop reason when the stream broke off.
    """
    reply, message = Reply(), _Message()
    for event in events:
        if "messageStart" in event:
            message = _Message()
        elif "contentBlockStart" in event:
            _start(message, event["contentBlockStart"])
        elif "contentBlockDelta" in event:
            _delta(message, event["contentBlockDelta"])
        elif "messageStop" in event:
            reply.stop_reason = event["messageStop"]["stopReason"]
            reply.text = "".join("".join(parts) for _, parts in sorted(message.texts.items()))
            reply.call = _waiting(message, inline, answered) if reply.stop_reason == TOOL_USE else None
        elif "metadata" in event:
            _metadata(reply, event["metadata"])
    return reply


def _start(message: _Message, event: Mapping[str, Any]) -> None:
    if (tool := event.get("start", {}).get("toolUse")) is not None:
        message.calls[event.get("contentBlockIndex", 0)] = (tool["toolUseId"], tool["name"], [])


def _delta(message: _Message, event: Mapping[str, Any]) -> None:
    index, delta = event.get("contentBlockIndex", 0), event["delta"]
    if "text" in delta:
        message.texts.setdefault(index, []).append(delta["text"])
    elif "toolUse" in delta and index in message.calls:
        message.calls[index][2].append(delta["toolUse"].get("input", ""))


def _waiting(message: _Message, inline: Collection[str], answered: Collection[str]) -> Call | None:
    """Picks the call that waits: of several in a message the harness hands out one inline call at a time, in order."""
    calls = [call for _, call in sorted(message.calls.items()) if call[0] not in answered]
    if not calls:
        return None
    tool_use_id, name, parts = next((call for call in calls if call[1] in inline), calls[0])
    written = "".join(parts)
    try:
        given = json.loads(written) if written.strip() else {}
    except ValueError as error:
        return Call(tool_use_id=tool_use_id, name=name, fault=f"The input of the call is no JSON: {error}.")
    return Call(tool_use_id=tool_use_id, name=name, input=given)


def _metadata(reply: Reply, event: Mapping[str, Any]) -> None:
    usage = event.get("usage", {})
    reply.usage = reply.usage.plus(
        Usage(
            input_tokens=usage.get("inputTokens", 0),
            output_tokens=usage.get("outputTokens", 0),
            total_tokens=usage.get("totalTokens", 0),
        )
    )
    reply.latency_ms += event.get("metrics", {}).get("latencyMs", 0)
