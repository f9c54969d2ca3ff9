"""What the agent says and does, with the model scripted: the tools, the hook, the session are real."""

from __future__ import annotations

from agentcore_local.agents.scripts import ModelCall, ToolCall, Turn


def test_it_answers(talk, model_says):
    model_says(lambda call: f"You asked: {call.prompt}")

    reply = talk().say("Are you there?")

    assert reply.text == "You asked: Are you there?"
    assert reply.stop_reason == "end_turn"


def looks_up_17(call: ModelCall) -> Turn | str:
    """Looks order 17 up, then says what it read."""
    if call.turn == 1:
        return Turn(text="Let me see. ", tool_calls=[ToolCall("look_up_order", {"order": "17"})])
    return call.tool_result


def test_it_looks_an_order_up(talk, model_says):
    model_says(looks_up_17)
    conversation = talk()

    asked = conversation.say("Where is my lamp?")
    told = conversation.run_tool(asked)

    assert asked.stop_reason == "tool_use"
    assert [(call["name"], call["input"]) for call in asked.tool_calls] == [("look_up_order", {"order": "17"})]
    assert told.text == "Order 17: a lamp, on its way."


def test_the_model_knows_the_tools(talk, model_says):
    model_says(lambda call: ", ".join(sorted(call.tools)))

    assert talk().say("What can you do?").text == "file_operations, look_up_order, refund, shell"


def test_a_small_refund_is_given(talk, model_says):
    model_says(lambda call: Turn(tool_calls=[ToolCall("refund", {"order": "17", "euros": 40})]))

    reply = talk().say("The lamp is broken.")

    assert [hook["decision"] for hook in reply.hooks] == ["allow"]
    assert reply.stop_reason == "tool_use"  # it is ours to give


def test_a_large_refund_is_denied_by_the_guard(talk, model_says):
    def script(call: ModelCall) -> Turn | str:
        if call.turn == 1:
            return Turn(tool_calls=[ToolCall("refund", {"order": "18", "euros": 320})])
        return f"I may not: {call.tool_result}"

    model_says(script)

    reply = talk().say("The desk is broken.")

    (hook,) = reply.hooks
    assert (hook["decision"], hook["reason"]) == ("deny", "A refund of 320 euros needs a person.")
    assert reply.stop_reason == "end_turn"  # nothing was handed out
    assert "needs a person" in reply.text


def what_was_said(call: ModelCall) -> str:
    """Repeats the user's side of the conversation, as far as the model is given it."""
    texts = [block["text"] for message in call.messages if message["role"] == "user" for block in message["content"]]
    return " | ".join(texts)


def test_it_remembers_within_a_session_and_nowhere_else(talk, model_says):
    model_says(what_was_said)
    conversation = talk()

    conversation.say("My name is Ada.")

    assert conversation.say("Who am I?").text == "My name is Ada. | Who am I?"
    assert talk().say("Who am I?").text == "Who am I?"
