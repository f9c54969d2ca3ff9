"""Messages as events of a memory, and back.

One event is one message, as the service's own session manager for Strands writes it
(https://github.com/aws/bedrock-agentcore-sdk-python, memory/integrations/strands). What exactly a harness writes is not
documented. Here the text is readable as it is, since what is extracted is extracted from it; a message that is more
than text is kept whole in a blob beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# botocore's `ContentTextString`.
MAX_TEXT = 100_000
_STATE = {"stateType": {"stringValue": "AGENT"}}

Message = dict[str, Any]
Event = dict[str, Any]


def payload_of(message: Message) -> list[dict[str, Any]]:
    """The payload of the event that keeps a message; empty for a message that says nothing."""
    content = message["content"]
    texts = [block["text"] for block in content if block.get("text")]
    results = [block["toolResult"] for block in content if "toolResult" in block]
    role = "ASSISTANT" if message["role"] == "assistant" else "TOOL" if results else "USER"
    texts += [part["text"] for result in results for part in result["content"] if part.get("text")]
    text = "\n".join(texts)
    payload: list[dict[str, Any]] = []
    if text:
        payload.append({"conversational": {"role": role, "content": {"text": text[:MAX_TEXT]}}})
    if content != [{"text": text}] or len(text) > MAX_TEXT:
        payload.append({"blob": {"message": {"role": message["role"], "content": content}}})
    return payload


def state_payload(state: dict[str, Any]) -> dict[str, Any]:
    """Payload and metadata of the event that keeps what an agent waits for."""
    return {"payload": [{"blob": {"state": state}}], "metadata": _STATE}


def is_state(event: Event) -> bool:
    """Whether an event keeps what an agent waits for, and no message."""
    return event.get("metadata") == _STATE


def state_of(events: Sequence[Event]) -> dict[str, Any] | None:
    """What the agent waits for, by the last event that says so."""
    for event in reversed(events):
        if is_state(event):
            found: dict[str, Any] | None = _blob(event).get("state")
            return found
    return None


def messages_of(events: Iterable[Event]) -> list[Message]:
    """The conversation in a session's events, oldest first; roles alternate, as providers want it.

    Events of others count too: what a program of yours has written into the session was said in it.
    """
    messages: list[Message] = []
    for event in events:
        for message in _messages(event):
            if messages and messages[-1]["role"] == message["role"]:
                messages[-1] = {**message, "content": [*messages[-1]["content"], *message["content"]]}
            else:
                messages.append(message)
    return messages


def latest(messages: list[Message], count: int | None) -> list[Message]:
    """At most so many of the last messages, from one on that the user has begun with."""
    kept = messages if count is None else messages[len(messages) - min(count, len(messages)) :]
    for index, message in enumerate(kept):
        if message["role"] == "user" and not any("toolResult" in block for block in message["content"]):
            return kept[index:]
    return []


def said(event: Event) -> Iterator[tuple[str, str]]:
    """Role and text of what is said in an event."""
    for item in event.get("payload") or ():
        spoken = item.get("conversational")
        if spoken and spoken["content"].get("text"):
            yield spoken["role"], spoken["content"]["text"]


def tools_used(event: Event) -> Iterator[str]:
    """Names of the tools that an event's message calls."""
    for block in (_blob(event).get("message") or {}).get("content") or ():
        if "toolUse" in block:
            yield block["toolUse"]["name"]


def _messages(event: Event) -> Iterator[Message]:
    whole = _blob(event).get("message")
    if whole:
        yield {"role": whole["role"], "content": list(whole["content"])}
        return
    for role, text in said(event):
        # The result of a tool without its call would be refused by every provider.
        if role != "TOOL":
            yield {"role": "assistant" if role == "ASSISTANT" else "user", "content": [{"text": text}]}


def _blob(event: Event) -> dict[str, Any]:
    for item in event.get("payload") or ():
        if isinstance(item.get("blob"), dict):
            blob: dict[str, Any] = item["blob"]
            return blob
    return {}
