"""The conversations of sessions, kept in the memory of their harness: what a `Repository` of sessions does.

The harness version that serves decides which memory that is. A conversation is read from there when the process does
not have it: in a session whose machine is new, after a restart, with another version. Events of an invocation are
written when it ends well, all of them; one that fails writes none.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from strands.types.session import decode_bytes_values, encode_bytes_values

from agentcore_local import seams
from agentcore_local.faults import StreamFailed
from agentcore_local.harness.errors import ServiceError

from . import events, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcore_local.agents.plan import Plan

    from .events import Message

_MEMORY_ARN = re.compile(r"arn:aws[^:]*:bedrock-agentcore:(?P<region>[^:]+):(?P<account>\d{12}):memory/(?P<id>.+)")
# botocore's `ActorId`. InvokeHarness itself takes any text.
_ACTOR = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-_/]*(?::[a-zA-Z0-9-_/]+)*[a-zA-Z0-9-_/]*")
_MAX_ACTOR = 255


@dataclass(frozen=True, slots=True)
class _Memory:
    """The memory of a plan."""

    arn: str
    scope: seams.Scope
    memory_id: str
    configuration: Mapping[str, Any]


def _memory_of(plan: Plan) -> _Memory | None:
    configured = plan.harness.get("memory") or {}
    used = configured.get("managedMemoryConfiguration") or configured.get("agentCoreMemoryConfiguration") or {}
    match = _MEMORY_ARN.fullmatch(used.get("arn") or "")
    return None if match is None else _Memory(match[0], (match["account"], match["region"]), match["id"], used)


def check(plan: Plan) -> None:
    """Refuse an invocation whose memory cannot be read.

    Raises:
        StreamFailed: `runtimeClientError`.
    """
    memory = _memory_of(plan)
    if memory is None:
        return
    if memory.scope[0] != plan.account:
        refusal = f"AccessDeniedException: the memory {memory.arn} is of another account, and memories are not shared"
    elif seams.read_memory(memory.scope, memory.memory_id) is None:
        refusal = f"ResourceNotFoundException: Memory '{memory.memory_id}' not found"
    elif len(plan.actor_id) > _MAX_ACTOR or not _ACTOR.fullmatch(plan.actor_id):
        refusal = (
            f"ValidationException: actorId must be at most {_MAX_ACTOR} letters, digits, '-', '_', '/' and ':', and "
            f"begin with a letter or digit; received {plan.actor_id[:60]!r}"
        )
    else:
        return
    raise StreamFailed("runtimeClientError", f"The memory could not be read: {refusal}")


def remembered(plan: Plan, history: Sequence[Message]) -> list[dict[str, Any]]:
    """What the long-term memory has on what the user says, as blocks to follow the system prompt; at most one.

    The service's session manager for Strands puts it into such a tag; where a harness puts it is not documented. What
    was said in this session is left out while all of it is in the conversation; the service, which takes a minute or
    more to extract, is not known to.

    Args:
        plan: The invocation.
        history: The conversation so far; asked when the invocation itself brings no text.
    """
    memory = _memory_of(plan)
    query = _text(plan.messages) or _text(history)
    if memory is None or not query:
        return []
    wanted = records.retrieval(memory.scope, memory.memory_id, memory.configuration)
    texts = records.relevant(
        memory.scope,
        memory.memory_id,
        wanted,
        query=query,
        actor_id=plan.actor_id,
        session_id=plan.session_id,
        without_own=memory.configuration.get("messagesCount") is None,
    )
    context = "\n".join(texts)
    return [{"text": f"<user_context>{context}</user_context>"}] if context else []


class Conversations:
    """Keeps conversations in the memories of their harnesses."""

    def keeps(self, plan: Plan) -> bool:
        """Whether the harness has a memory that conversations are kept in."""
        return _memory_of(plan) is not None

    def load(self, plan: Plan) -> dict[str, Any] | None:
        """The conversation's JSON; None when there is none."""
        memory = _memory_of(plan)
        there = [] if memory is None else _events(memory, plan)
        if memory is None or not there:
            return None
        messages = events.messages_of(event for event in there if not events.is_state(event))
        # A later message of somebody else's makes no difference: the agent waits for its result all the same.
        state = events.state_of(there) or {}
        count = memory.configuration.get("messagesCount")
        # Waiting, the agent needs the whole of its last turn.
        kept = messages if state else events.latest(messages, count)
        return {
            "messages": decode_bytes_values(kept),
            "turns": sum(1 for message in messages if _text([message])),
            **decode_bytes_values(state),
        }

    def save(self, plan: Plan, said: Sequence[Message], state: Mapping[str, Any] | None) -> None:
        """Write what an invocation has added.

        Args:
            plan: The invocation.
            said: Its messages, in order.
            state: What the agent waits for, as JSON; None when it waits for nothing.

        Raises:
            StreamFailed: `runtimeClientError`: the memory refuses it.
        """
        memory = _memory_of(plan)
        if memory is None:
            return
        place, now = (plan.account, plan.region), time.time()
        stale = [event for event in _events(memory, plan) if events.is_state(event)]
        common = {"actorId": plan.actor_id, "sessionId": plan.session_id, "eventTimestamp": now}
        try:
            for message in said:
                if payload := events.payload_of(message):
                    seams.create_event(place, memory.arn, {**common, "payload": encode_bytes_values(payload)})
            if state is not None:
                waiting = events.state_payload(encode_bytes_values(dict(state)))
                seams.create_event(place, memory.arn, {**common, "extractionMode": "SKIP", **waiting})
        except ServiceError as error:
            refusal = f"The memory could not be written: {error.code}: {error}"
            raise StreamFailed("runtimeClientError", refusal) from error
        for event in stale:
            seams.delete_event(place, memory.arn, event)


def _events(memory: _Memory, plan: Plan) -> list[dict[str, Any]]:
    return seams.read_events(memory.scope, memory.memory_id, plan.actor_id, plan.session_id)


def _text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Text of the user's last message that has any."""
    for message in reversed(messages):
        texts = [block["text"] for block in message["content"] if "text" in block]
        if message["role"] == "user" and texts:
            return "\n".join(texts)
    return ""
