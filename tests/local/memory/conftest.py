"""Talking to agents, and looking into memories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

SESSION = "s" * 33


@dataclass(frozen=True)
class Memories:
    """The memories of an account, by their ids or ARNs."""

    account: Account

    def exists(self, memory: str) -> bool:
        found = self.account.client("bedrock-agentcore-control").list_memories()["memories"]
        return any(memory in (one["id"], one["arn"]) for one in found)

    def owner(self, memory: str) -> str | None:
        """The harness that manages it."""
        control = self.account.client("bedrock-agentcore-control")
        shown: str | None = control.get_memory(memoryId=memory.rpartition("/")[2])["memory"].get("managedByResourceArn")
        return shown

    def events(self, memory: str, actor: str = "default", session: str = SESSION) -> list[dict[str, Any]]:
        """The events of a session, as ListEvents gives them: newest first."""
        client = self.account.client("bedrock-agentcore")
        found: list[dict[str, Any]] = client.list_events(memoryId=memory, actorId=actor, sessionId=session)["events"]
        return found

    def said(self, memory: str, actor: str = "default", session: str = SESSION) -> list[str]:
        """What was said in a session, oldest first, each with who said it."""
        return [
            f"{item['conversational']['role']}: {item['conversational']['content']['text']}"
            for event in reversed(self.events(memory, actor, session))
            for item in event["payload"]
            if "conversational" in item
        ]

    def records(self, memory: str, path: str = "/") -> list[str]:
        """The texts of the long-term records below a path."""
        client = self.account.client("bedrock-agentcore")
        found = client.list_memory_records(memoryId=memory, namespacePath=path)["memoryRecordSummaries"]
        return [record["content"]["text"] for record in found]


@pytest.fixture
def memories(account: Account) -> Memories:
    return Memories(account)


@pytest.fixture
def say(account: Account) -> Callable[..., str]:
    """Says something to a harness; gives what the agent says."""

    def say(harness: str, text: str, session: str = SESSION, **request: Any) -> str:
        stream = account.client("bedrock-agentcore").invoke_harness(
            harnessArn=harness,
            runtimeSessionId=session,
            messages=[{"role": "user", "content": [{"text": text}]}],
            **request,
        )["stream"]
        deltas = [event["contentBlockDelta"]["delta"] for event in stream if "contentBlockDelta" in event]
        return "".join(delta.get("text", "") for delta in deltas)

    return say
