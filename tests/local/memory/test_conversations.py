"""Conversations live in the memory of their harness: what is written there, and that a session goes on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EventStreamError
from support.behaviours import behaviour

from agentcore_local import agents
from agentcore_local.agents import scripts
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn

from .conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account

    from .conftest import Memories

TOPIC = "Conversations in a memory"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/memory.html",
)
Create = Any
Say = Any
INLINE = {
    "type": "inline_function",
    "name": "refund",
    "config": {"inlineFunction": {"description": "Refunds.", "inputSchema": {"type": "object"}}},
}


@pytest.fixture
def script(local_cloud: Any) -> Iterator[Callable[..., None]]:
    """What the agent named `helper` says."""

    def script(*turns: Any) -> None:
        says = turns[0] if callable(turns[0]) else lambda call: turns[min(call.turn, len(turns)) - 1]
        local_cloud.script("helper", says)

    yield script
    scripts.registry.clear()


@pytest.fixture
def own(account: Account) -> Callable[..., str]:
    """Makes a memory; gives its ARN."""

    def own(name: str = "own", *strategies: dict[str, Any]) -> str:
        control = account.client("bedrock-agentcore-control")
        request = {"name": name, "eventExpiryDuration": 30, "memoryStrategies": list(strategies)}
        arn: str = control.create_memory(**request)["memory"]["arn"]
        return arn

    return own


def semantic(namespace: str = "/facts/{actorId}/") -> dict[str, Any]:
    return {"semanticMemoryStrategy": {"name": "facts", "namespaces": [namespace]}}


def existing(arn: str, **more: Any) -> dict[str, Any]:
    return {"agentCoreMemoryConfiguration": {"arn": arn, **more}}


def managed(account: Account, harness: dict[str, Any]) -> str:
    control = account.client("bedrock-agentcore-control")
    memory = control.get_harness(harnessId=harness["harnessId"])["harness"]["memory"]
    arn: str = memory["managedMemoryConfiguration"]["arn"]
    return arn


def machine_ends(account: Account) -> None:
    """The microVMs of all sessions are gone, and the process with what it knew."""
    agents.sessions.clear(account.account_id)


def counts(call: Any) -> str:
    return f"{len(call.messages)}"


# ---- written ---------------------------------------------------------------------------------------------------------


@behaviour(
    "Messages of a session are events of its memory, under its actor and session",
    status="approximated",
    note="One event for each message, its text readable; what a harness writes is not documented.",
)
def test_each_message_is_an_event_of_its_actor_and_session(
    account: Account, create: Create, say: Say, memories: Memories, script: Any
) -> None:
    script("Hello Ann.")
    harness = create()
    memory = managed(account, harness)
    say(harness["arn"], "I am Ann.", actorId="ann")
    client = account.client("bedrock-agentcore")
    assert [found["actorId"] for found in client.list_actors(memoryId=memory)["actorSummaries"]] == ["ann"]
    sessions = client.list_sessions(memoryId=memory, actorId="ann")["sessionSummaries"]
    assert [found["sessionId"] for found in sessions] == [SESSION]
    assert memories.said(memory, "ann") == ["USER: I am Ann.", "ASSISTANT: Hello Ann."]
    newest, *_ = memories.events(memory, "ann")
    got = client.get_event(memoryId=memory, actorId="ann", sessionId=SESSION, eventId=newest["eventId"])["event"]
    assert got["payload"] == [{"conversational": {"role": "ASSISTANT", "content": {"text": "Hello Ann."}}}]


@behaviour("ListEvents gives the newest events first")
def test_events_are_listed_newest_first_page_by_page(account: Account, create: Create, say: Say, script: Any) -> None:
    script(lambda call: call.prompt.upper())
    harness = create()
    for text in ("one", "two", "three"):
        say(harness["arn"], text)
    request = {"memoryId": managed(account, harness), "actorId": "default", "sessionId": SESSION}
    pages = account.client("bedrock-agentcore").get_paginator("list_events").paginate(**request, maxResults=4)
    texts = [[event["payload"][0]["conversational"]["content"]["text"] for event in page["events"]] for page in pages]
    assert texts == [["THREE", "three", "TWO", "two"], ["ONE", "one"]]


def test_tools_are_written_too(account: Account, create: Create, say: Say, memories: Memories, script: Any) -> None:
    call = ToolCall("shell", {"command": "echo 42"}, id="call-1")
    script(Turn(text="I look.", tool_calls=[call]), "It is $tool_result")
    harness = create()
    say(harness["arn"], "What is it?")
    events = list(reversed(memories.events(managed(account, harness))))
    roles = [event["payload"][0]["conversational"]["role"] for event in events]
    assert roles == ["USER", "ASSISTANT", "TOOL", "ASSISTANT"]
    asked = events[1]["payload"][1]["blob"]["message"]["content"]
    assert asked[1] == {"toolUse": {"toolUseId": "call-1", "name": "shell", "input": {"command": "echo 42"}}}


@behaviour(
    "Events are written as the conversation goes on",
    status="approximated",
    note="When the invocation has ended well, all of them; one that fails writes none.",
)
def test_an_invocation_that_fails_writes_nothing(
    account: Account, create: Create, say: Say, memories: Memories, script: Any
) -> None:
    script(Turn(error=ModelFailure("validation")))
    harness = create()
    with pytest.raises(EventStreamError):
        say(harness["arn"], "Hello.")
    assert memories.events(managed(account, harness)) == []


# ---- restored --------------------------------------------------------------------------------------------------------


@behaviour("A session goes on from its memory when its microVM is gone; without a memory it begins anew")
@pytest.mark.parametrize(("memory", "known"), [("managed", "5"), ("own", "5"), ("disabled", "1")])
def test_a_session_goes_on_when_its_machine_is_gone(
    *, account: Account, create: Create, say: Say, own: Any, script: Any, memory: str, known: str
) -> None:
    script(counts)
    kinds = {"managed": {"managedMemoryConfiguration": {}}, "own": existing(own()), "disabled": {"disabled": {}}}
    harness = create(memory=kinds[memory])
    assert [say(harness["arn"], "Hello.") for _ in range(2)] == ["1", "3"]
    machine_ends(account)
    assert say(harness["arn"], "Hello again.") == known


@behaviour("Memory is kept apart by actor and session")
def test_actors_stay_apart_when_they_come_back(account: Account, create: Create, say: Say, script: Any) -> None:
    script(counts)
    harness = create()
    say(harness["arn"], "Hello.", actorId="ann")
    machine_ends(account)
    assert say(harness["arn"], "Hello.", actorId="bob") == "1"
    assert say(harness["arn"], "Hello.", actorId="ann") == "3"


def test_calls_of_tools_come_back_with_their_results(account: Account, create: Create, say: Say, script: Any) -> None:
    script(Turn(text="I look.", tool_calls=[ToolCall("shell", {"command": "echo 42"}, id="call-1")]), "Done.")
    harness = create()
    say(harness["arn"], "What is it?")
    seen: list[Any] = []
    script(lambda call: seen.extend(call.messages) or "Yes.")  # type: ignore[func-returns-value]
    machine_ends(account)
    say(harness["arn"], "Sure?")
    kinds = [(message["role"], [next(iter(block)) for block in message["content"]]) for message in seen]
    assert kinds == [
        ("user", ["text"]),
        ("assistant", ["text", "toolUse"]),
        ("user", ["toolResult"]),
        ("assistant", ["text"]),
        ("user", ["text"]),
    ]
    assert seen[2]["content"][0]["toolResult"]["toolUseId"] == "call-1"


def test_an_agent_that_waits_for_a_result_still_does(
    account: Account, create: Create, say: Say, memories: Memories, script: Any
) -> None:
    script(Turn(tool_calls=[ToolCall("refund", {"n": 1}, id="call-1")]), "The tool said: $tool_result")
    harness = create(tools=[INLINE])
    say(harness["arn"], "Refund it.")
    memory = managed(account, harness)
    assert any("metadata" in event for event in memories.events(memory))
    machine_ends(account)
    result = {"toolUseId": "call-1", "status": "success", "content": [{"text": "done"}]}
    stream = account.client("bedrock-agentcore").invoke_harness(
        harnessArn=harness["arn"],
        runtimeSessionId=SESSION,
        messages=[{"role": "user", "content": [{"toolResult": result}]}],
    )["stream"]
    text = "".join(
        event["contentBlockDelta"]["delta"].get("text", "") for event in stream if "contentBlockDelta" in event
    )
    assert text == "The tool said: done"
    # What it waited for is no longer kept.
    assert not any("metadata" in event for event in memories.events(memory))


@behaviour(
    "`messagesCount` limits the messages that are brought back",
    note="From a message on that the user has begun with: a result without its call would be refused by the model.",
)
@pytest.mark.parametrize(("count", "known"), [(0, 1), (1, 1), (2, 3), (3, 3), (100, 5)])
def test_only_so_many_messages_come_back(
    *, account: Account, create: Create, say: Say, own: Any, script: Any, count: int, known: int
) -> None:
    script(counts)
    harness = create(memory=existing(own(), messagesCount=count))
    for _ in range(2):
        say(harness["arn"], "Hello.")
    machine_ends(account)
    assert say(harness["arn"], "Hello again.") == f"{known}"


def test_what_others_have_written_into_the_session_was_said_in_it(
    account: Account, create: Create, say: Say, own: Any, script: Any
) -> None:
    script(lambda call: " | ".join(message["content"][0]["text"] for message in call.messages))
    memory = own()
    payload = [
        {"conversational": {"role": role, "content": {"text": text}}}
        for role, text in (("USER", "Imported question."), ("ASSISTANT", "Imported answer."))
    ]
    account.client("bedrock-agentcore").create_event(
        memoryId=memory, actorId="ann", sessionId=SESSION, eventTimestamp=0, payload=payload
    )
    harness = create(memory=existing(memory))
    heard = say(harness["arn"], "And now?", actorId="ann")
    assert heard == "Imported question. | Imported answer. | And now?"


# ---- brought back ----------------------------------------------------------------------------------------------------


@behaviour(
    "What is extracted from one session is brought back in others of the same actor",
    status="approximated",
    note="By rule and at once, found by shared words, in `<user_context>` after the system prompt; the service has "
    "models do it, minutes later.",
)
def test_what_was_learned_in_one_session_is_known_in_the_next(
    account: Account, create: Create, say: Say, script: Any
) -> None:
    script(lambda call: call.system_prompt)
    harness = create(systemPrompt=[{"text": "You help."}])
    say(harness["arn"], "My dog is called Rex. Is that fine?", actorId="ann")
    heard = say(harness["arn"], "How is my dog called?", "t" * 33, actorId="ann")
    assert heard == "You help.\n<user_context>My dog is called Rex.</user_context>"
    # Neither somebody else nor something else is told; and the session itself has it in its conversation.
    assert say(harness["arn"], "How is my dog called?", "u" * 33, actorId="bob") == "You help."
    assert say(harness["arn"], "Tell us news.", "v" * 33, actorId="ann") == "You help."
    assert say(harness["arn"], "How is my dog called?", actorId="ann") == "You help."


@behaviour(
    "`retrievalConfig` says which namespaces are searched, for how many records, how relevant, of which strategy"
)
def test_retrieval_is_as_configured(account: Account, local_cloud: Any, create: Create, say: Say, own: Any) -> None:
    memory = own("own", semantic())
    strategy = account.client("bedrock-agentcore-control").get_memory(memoryId=memory.rpartition("/")[2])["memory"][
        "strategies"
    ][0]["strategyId"]
    cases: list[tuple[dict[str, Any], int]] = [
        ({"/facts/{actorId}/": {"topK": 1}}, 1),
        ({"/facts/{actorId}/": {"topK": 10, "relevanceScore": 0.5}}, 2),
        ({"/facts/{actorId}/": {"relevanceScore": 0.99}}, 0),
        ({"/facts/{actorId}/": {"strategyId": strategy}}, 2),
        ({"/facts/{actorId}/": {"strategyId": "other"}}, 0),
        ({"/elsewhere/{actorId}/": {}}, 0),
        ({"/facts/{tenant}/": {}}, 0),
        ({}, 0),
    ]
    for index, (retrieval, expected) in enumerate(cases):
        memory_of_case = existing(memory, retrievalConfig=retrieval)
        harness = create(f"helper{index}", memory=memory_of_case)
        local_cloud.script(f"helper{index}", lambda call: call.system_prompt or "Nothing.")
        if index == 0:
            say(harness["arn"], "My red car is old. My blue car is new.", actorId="ann")
        heard = say(harness["arn"], "My car today?", f"{index}" * 33, actorId="ann")
        assert heard.count("car") == expected, retrieval


def test_the_result_of_an_invocation_is_not_changed_by_what_is_remembered(
    account: Account, create: Create, say: Say, memories: Memories, script: Any
) -> None:
    """What is brought back is not part of the conversation."""
    script("Yes.")
    harness = create()
    say(harness["arn"], "My dog is called Rex.")
    say(harness["arn"], "My dog is called?", "t" * 33)
    assert memories.said(managed(account, harness), session="t" * 33) == ["USER: My dog is called?", "ASSISTANT: Yes."]


# ---- refused ---------------------------------------------------------------------------------------------------------


def refusal(say: Say, *args: Any, **request: Any) -> str:
    with pytest.raises(EventStreamError) as raised:
        say(*args, **request)
    return str(raised.value)


@behaviour("An invocation whose memory cannot be read fails with a RuntimeClientError")
def test_a_memory_that_is_gone_fails_the_invocation(account: Account, create: Create, say: Say, own: Any) -> None:
    memory = own()
    harness = create(memory=existing(memory))
    account.client("bedrock-agentcore-control").delete_memory(memoryId=memory.rpartition("/")[2])
    assert "(runtimeClientError)" in (text := refusal(say, harness["arn"], "Hello."))
    assert "The memory could not be read: ResourceNotFoundException: Memory 'own-" in text


def test_a_memory_of_another_account_is_not_read(create: Create, say: Say) -> None:
    arn = "arn:aws:bedrock-agentcore:us-east-1:999999999999:memory/theirs-0123456789"
    harness = create(memory=existing(arn))
    assert "AccessDeniedException: the memory arn" in refusal(say, harness["arn"], "Hello.")


def test_an_actor_that_no_memory_takes_is_refused(create: Create, say: Say) -> None:
    harness = create()
    text = refusal(say, harness["arn"], "Hello.", actorId="ann@example.com")
    assert "ValidationException: actorId must be at most 255 letters, digits" in text


def test_without_a_memory_any_actor_will_do(create: Create, say: Say, script: Any) -> None:
    script("Hello.")
    harness = create(memory={"disabled": {}})
    assert say(harness["arn"], "Hello.", actorId="ann@example.com") == "Hello."
