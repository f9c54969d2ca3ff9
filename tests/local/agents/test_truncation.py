"""Truncation strategies: what is kept of a long conversation."""

from __future__ import annotations

import pytest
from strands.agent.conversation_manager import (
    NullConversationManager,
    SlidingWindowConversationManager,
    SummarizingConversationManager,
)
from support.behaviours import behaviour

from agentcore_local.agents import truncation
from agentcore_local.agents.scripts import ModelFailure, Turn

TOPIC = "Long conversations"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html",)


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ("sliding_window", SlidingWindowConversationManager),
        ("summarization", SummarizingConversationManager),
        ("none", NullConversationManager),
    ],
)
def test_each_strategy_is_one_of_strands_managers(strategy, kind):
    assert isinstance(truncation.manager({"strategy": strategy}), kind)


def test_the_settings_reach_the_managers():
    window = truncation.manager({"strategy": "sliding_window", "config": {"slidingWindow": {"messagesCount": 6}}})
    assert isinstance(window, SlidingWindowConversationManager)
    assert window.window_size == 6
    settings = {"summaryRatio": 0.5, "preserveRecentMessages": 3, "summarizationSystemPrompt": "Be brief."}
    summary = truncation.manager({"strategy": "summarization", "config": {"summarization": settings}})
    assert isinstance(summary, SummarizingConversationManager)
    assert (summary.summary_ratio, summary.preserve_recent_messages) == (0.5, 3)
    assert summary.summarization_system_prompt == "Be brief."


def conversation(client, script, turns: int) -> list[str]:
    script(lambda call: f"{len(call.messages)}")
    return [client.say(f"turn {turn}").text for turn in range(turns)]


@behaviour("`sliding_window` forgets the oldest messages")
def test_a_window_forgets_the_oldest_messages(caller, script):
    window = {"strategy": "sliding_window", "config": {"slidingWindow": {"messagesCount": 4}}}
    assert conversation(caller(truncation=window), script, 5) == ["1", "3", "5", "5", "5"]


def test_the_default_window_is_strands(caller, script):
    assert conversation(caller(), script, 23)[-3:] == ["41", "41", "41"]


@behaviour("`none` keeps everything")
def test_none_keeps_everything(caller, script):
    assert conversation(caller(truncation={"strategy": "none"}), script, 23)[-1] == "45"


def overflowing(limit: int):
    """A model whose context takes at most `limit` messages; summaries are asked for with a prompt of their own."""

    def speak(call):
        if "ummari" in call.prompt or "ummari" in call.system_prompt:
            return "SUMMARY"
        if len(call.messages) > limit:
            return Turn(error=ModelFailure("context_overflow"))
        return " | ".join(block["text"] for message in call.messages for block in message["content"] if "text" in block)

    return speak


@behaviour("A conversation that the model finds too long is trimmed, and the call tried again")
def test_an_overflow_is_trimmed_and_tried_again(caller, script):
    client = caller(truncation={"strategy": "sliding_window"})
    conversation(client, script, 3)
    script(overflowing(4))
    text = client.say("last").text
    assert text.endswith("last")
    assert "turn 0" not in text


@behaviour("`summarization` replaces what is old by a summary of it")
def test_an_overflow_is_summarized_and_tried_again(caller, script):
    settings = {"summaryRatio": 0.8, "preserveRecentMessages": 1}
    client = caller(truncation={"strategy": "summarization", "config": {"summarization": settings}})
    conversation(client, script, 3)
    script(overflowing(4))
    text = client.say("last").text
    assert "SUMMARY" in text
    assert text.endswith("last")


@behaviour("Without truncation it ends the invocation with `model_context_window_exceeded`")
def test_an_overflow_without_truncation_ends_the_invocation(caller, script):
    client = caller(truncation={"strategy": "none"})
    conversation(client, script, 3)
    script(overflowing(4))
    stream = client.say("last")
    assert stream.stop == "model_context_window_exceeded"
