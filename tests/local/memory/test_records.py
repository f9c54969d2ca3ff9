"""Long-term records: what is extracted from events, and how they are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local.memory import events, extraction, records

from .conftest import SESSION

if TYPE_CHECKING:
    from agentcore_local import Account

    from .conftest import Memories


def event(text: str, role: str = "USER", **more: Any) -> dict[str, Any]:
    payload = [{"conversational": {"role": role, "content": {"text": text}}}]
    return {"actorId": "ann", "sessionId": "s1", "payload": payload, **more}


def strategy(kind: str, namespace: str = "/x/{actorId}/", **more: Any) -> dict[str, Any]:
    return {"type": kind, "strategyId": f"{kind}-1", "status": "ACTIVE", "namespaces": [namespace], **more}


def texts(kind: str, *session: dict[str, Any]) -> list[str]:
    return [record.text for record in extraction.records([strategy(kind)], session[-1], session)]


# ---- extraction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ("I live in Berlin. Where do you live?", ["I live in Berlin."]),
        ("Version 3.12 is what I use! Hm.", ["Version 3.12 is what I use!"]),
        ("Hello there.", []),
        ("one line without a stop\nand a second one", ["one line without a stop", "and a second one"]),
        ("", []),
    ],
)
def test_statements(said: str, stated: list[str]) -> None:
    assert list(extraction.statements(said)) == stated


def test_facts_are_what_the_user_states() -> None:
    assert texts("SEMANTIC", event("I live in Berlin. Where do you live?")) == ["I live in Berlin."]
    assert texts("SEMANTIC", event("You live in Berlin.", "ASSISTANT")) == []


def test_preferences_are_json_as_the_service_writes_it() -> None:
    (text,) = texts("USER_PREFERENCE", event("I always fly at night. The plane was late."))
    said = "I always fly at night."
    assert json.loads(text) == {"context": said, "preference": said, "categories": []}


def test_a_summary_is_of_the_session() -> None:
    session = [event("I live in Berlin."), event("Nice.", "ASSISTANT"), event("It rains here.")]
    lines = ["The user said: I live in Berlin.", "The user said: It rains here.", "The agent last answered: Nice."]
    expected = "\n".join(['<topic name="conversation">', *lines, "</topic>"])
    assert texts("SUMMARIZATION", *session) == [expected]


def test_an_episode_is_what_was_asked_done_and_answered() -> None:
    call = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "shell", "input": {}}}]}
    acted = {"actorId": "ann", "sessionId": "s1", "payload": [{"blob": {"message": call}}]}
    session = [event("List the files."), acted, event("There are two.", "ASSISTANT")]
    (text,) = texts("EPISODIC", *session)
    assert json.loads(text) == {"intent": "List the files.", "actions": ["shell"], "outcome": "There are two."}


@pytest.mark.parametrize("more", [{"type": "CUSTOM"}, {"status": "CREATING"}, {"namespaces": ["/{tenant}/"]}])
def test_what_extracts_nothing(more: dict[str, Any]) -> None:
    said = event("I live in Berlin.")
    assert list(extraction.records([{**strategy("SEMANTIC"), **more}], said, [said])) == []


def test_namespaces_are_filled_in() -> None:
    template = "/a/{memoryStrategyId}/{actorId}/{sessionId}/"
    assert extraction.resolved(template, "ann", "s1", "facts-1") == "/a/facts-1/ann/s1/"


# ---- events ----------------------------------------------------------------------------------------------------------


def test_messages_survive_the_way_into_events_and_back() -> None:
    messages = [
        {"role": "user", "content": [{"text": "Look."}]},
        {
            "role": "assistant",
            "content": [{"text": "I do."}, {"toolUse": {"toolUseId": "1", "name": "a", "input": {}}}],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "1", "status": "success", "content": [{"text": "x"}]}}],
        },
        {"role": "assistant", "content": [{"reasoningContent": {"redactedContent": "AAA="}}, {"text": "So."}]},
        {"role": "user", "content": [{"text": "y" * (events.MAX_TEXT + 1)}]},
    ]
    written = [{"payload": events.payload_of(message)} for message in messages]
    assert events.messages_of(written) == messages
    longest = max(len(text) for one in written for _, text in events.said(one))
    assert longest == events.MAX_TEXT


def test_roles_alternate_whoever_has_written() -> None:
    session = [event("One."), event("Two."), event("42", "TOOL"), event("Three.", "ASSISTANT")]
    found = events.messages_of(session)
    assert [(message["role"], len(message["content"])) for message in found] == [("user", 2), ("assistant", 1)]


# ---- over boto3 ------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory(account: Account) -> str:
    strategies = [
        {"semanticMemoryStrategy": {"name": "facts", "namespaces": ["/facts/{actorId}/"]}},
        {"summaryMemoryStrategy": {"name": "summary", "namespaces": ["/summary/{actorId}/{sessionId}/"]}},
    ]
    control = account.client("bedrock-agentcore-control")
    made = control.create_memory(name="own", eventExpiryDuration=30, memoryStrategies=strategies)["memory"]
    identity: str = made["id"]
    return identity


def write(account: Account, memory: str, text: str, **more: Any) -> None:
    payload = [{"conversational": {"role": "USER", "content": {"text": text}}}]
    account.client("bedrock-agentcore").create_event(
        memoryId=memory, actorId="ann", sessionId=SESSION, eventTimestamp=0, payload=payload, **more
    )


def test_events_of_anybody_are_extracted_from_once(account: Account, memory: str, memories: Memories) -> None:
    write(account, memory, "I live in Berlin.")
    write(account, memory, "i live in berlin. It rains here.")
    assert sorted(memories.records(memory, "/facts/ann/")) == ["It rains here.", "i live in berlin."]
    # A summary grows; there is one for each session.
    (summary,) = memories.records(memory, f"/summary/ann/{SESSION}/")
    assert "It rains here." in summary


def test_events_that_say_so_are_not_extracted_from(account: Account, memory: str, memories: Memories) -> None:
    write(account, memory, "I live in Berlin.", extractionMode="SKIP")
    assert memories.records(memory) == []
    assert len(memories.events(memory, "ann")) == 1


def test_a_memory_is_called_by_its_arn_too(account: Account, memory: str, memories: Memories) -> None:
    arn = account.client("bedrock-agentcore-control").get_memory(memoryId=memory)["memory"]["arn"]
    write(account, arn, "I live in Berlin.")
    assert memories.records(arn, "/facts/") == ["I live in Berlin."]


def test_a_namespace_is_exact_and_a_path_is_all_below_it(account: Account, memory: str) -> None:
    write(account, memory, "I live in Berlin.")
    client = account.client("bedrock-agentcore")

    def found(**where: str) -> int:
        criteria = {"searchQuery": "Who lives in Berlin?"}
        answered = client.retrieve_memory_records(memoryId=memory, searchCriteria=criteria, **where)
        return len(answered["memoryRecordSummaries"])

    assert found(namespace="/facts/ann/") == 1
    assert found(namespace="/facts/") == 0
    assert found(namespacePath="/facts/") == 1
    assert found(namespacePath="/") == 2
    assert found(namespacePath="/facts/bob/") == 0


def test_agents_find_what_boto3_finds(account: Account, memory: str) -> None:
    """Both score alike: ministack for the API, ours for the agents."""
    write(account, memory, "I live in Berlin. Berlin is big. My cat sleeps all day.")
    query = "Is Berlin where I live?"
    answered = account.client("bedrock-agentcore").retrieve_memory_records(
        memoryId=memory, namespace="/facts/ann/", searchCriteria={"searchQuery": query}
    )["memoryRecordSummaries"]
    scores = {found["content"]["text"]: found["score"] for found in answered}
    asked = frozenset({"is", "berlin", "where", "i", "live"})
    assert scores == {text: records.relevance(asked, text) for text in ("I live in Berlin.", "Berlin is big.")}


def test_records_can_be_read_and_deleted(account: Account, memory: str, memories: Memories) -> None:
    write(account, memory, "I live in Berlin.")
    client = account.client("bedrock-agentcore")
    (record,) = client.list_memory_records(memoryId=memory, namespace="/facts/ann/")["memoryRecordSummaries"]
    got = client.get_memory_record(memoryId=memory, memoryRecordId=record["memoryRecordId"])["memoryRecord"]
    assert got["content"] == {"text": "I live in Berlin."}
    client.delete_memory_record(memoryId=memory, memoryRecordId=record["memoryRecordId"])
    assert memories.records(memory, "/facts/") == []
