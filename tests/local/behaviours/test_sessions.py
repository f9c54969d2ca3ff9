"""Sessions: one machine and one conversation each."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EventStreamError
from support.behaviours import behaviour

from agentcore_local.agents.scripts import ModelFailure, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "Sessions"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html",
)


def count(call: Any) -> str:
    return str(len(call.messages))


@behaviour("The same session id goes on with the conversation, another one begins a new one")
def test_conversations(agent: Callable[..., Agent]) -> None:
    made = agent(script=count)
    assert [made.say().text, made.say().text] == ["1", "3"]
    assert made.say(runtimeSessionId=f"other-{uuid.uuid4()}").text == "1"


@behaviour("Within a session, each actor has a conversation of its own")
def test_actors(agent: Callable[..., Agent]) -> None:
    made = agent(script=count)
    assert [made.say(actorId=actor).text for actor in ("ada", "ada", "bob")] == ["1", "3", "1"]


@behaviour("Sessions of other harnesses and accounts do not meet, whatever their ids")
def test_harnesses_are_apart(agent: Callable[..., Agent]) -> None:
    one, two = agent("one", script=count), agent("two", script=count)
    two.session = one.session
    one.say()
    assert two.say().text == "1"


@behaviour(
    "Each session has a microVM of its own, whose files stay until it stops",
    status="approximated",
    note="A directory in place of a machine: commands see it and the system's programs, and nothing else of the host.",
)
def test_files(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    made = agent(script=shell("cat note 2>/dev/null || echo none; echo kept > note"))
    assert [made.say().text.strip(), made.say().text.strip()] == ["none", "kept"]
    assert made.say(runtimeSessionId=f"other-{uuid.uuid4()}").text.strip() == "none"


@behaviour("Another version of the harness goes on on a fresh machine, with the conversation that its memory has")
def test_an_update(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    made = agent(script=shell("cat note 2>/dev/null || echo none; echo kept > note"))
    made.say()
    made.update(maxIterations=9)
    assert made.say().text.strip() == "none"
    for name, memory, messages in (("kept", {}, "3"), ("forgotten", {"memory": {"disabled": {}}}, "1")):
        made = agent(name, script=count, **memory)
        assert made.say().text == "1"
        made.update(maxIterations=9)
        assert made.say().text == messages


@behaviour(
    "An invocation that fails leaves no trace in the conversation",
    status="approximated",
    note="What the service keeps of it is not documented.",
)
def test_failures(agent: Callable[..., Agent]) -> None:
    made = agent(script=lambda call: count(call) if call.prompt != "fail" else Turn(error=ModelFailure("server")))
    assert made.say().text == "1"
    with pytest.raises(EventStreamError):
        made.say("fail")
    assert made.say().text == "3"
