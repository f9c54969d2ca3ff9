"""The protocol of inline functions: handing a call out, taking its result back, and what is refused."""

from __future__ import annotations

import json

import pytest

from agentcore_local import agents
from agentcore_local.agents.scripts import ToolCall, Turn
from agentcore_local.faults import RequestRefused

TWO = Turn(tool_calls=[ToolCall("refund", {"n": 1}), ToolCall("refund", {"n": 2})])


@pytest.fixture
def waiting(caller, script, inline, calling):
    """A session that waits for the result of a refund."""
    script(calling("refund", amount=5, text="Refunding."), "The tool said: $tool_result")
    client = caller(tools=[inline("refund")])
    return client, client.say("Refund 5")


def refused(action) -> str:
    with pytest.raises(RequestRefused) as caught:
        action()
    assert (caught.value.error_code, caught.value.status) == ("ValidationException", 400)
    return str(caught.value)


def test_a_call_ends_the_stream_with_tool_use(waiting):
    _client, stream = waiting
    assert stream.stops == ["tool_use"]
    assert [call["name"] for call in stream.calls] == ["refund"]
    assert stream.names[-2:] == ["messageStop", "metadata"]


def test_the_result_goes_back_to_the_model(waiting):
    client, stream = waiting
    second = client.answer(stream.calls[0]["toolUseId"], {"text": "refunded"})
    assert second.results == [("success", "refunded")]
    assert second.text == "The tool said: refunded"
    assert second.stops == ["tool_result", "end_turn"]


def test_json_results_reach_the_model_as_json_and_the_stream_as_text(caller, script, inline, calling):
    seen = []

    def speak(call):
        if call.turn == 1:
            return calling("refund")
        seen.append(call.tool_results[-1]["content"])
        return "done"

    script(speak)
    client = caller(tools=[inline("refund")])
    second = client.answer(client.say().calls[0]["toolUseId"], {"json": {"ok": True}}, {"text": "and more"})
    assert seen == [[{"json": {"ok": True}}, {"text": "and more"}]]
    assert second.results == [("success", '{"ok": true}\nand more')]


def test_an_error_result_is_told_as_one(waiting):
    client, stream = waiting
    second = client.answer(stream.calls[0]["toolUseId"], {"text": "no such order"}, status="error")
    assert second.results == [("error", "no such order")]


def test_a_result_may_be_empty(waiting):
    client, stream = waiting
    message = {"role": "user", "content": [{"toolResult": {"toolUseId": stream.calls[0]["toolUseId"], "content": []}}]}
    assert client.send([message]).results == [("success", "")]


def test_several_calls_of_a_turn_are_handed_out_one_at_a_time_in_order(caller, script, inline):
    script(TWO, "All done.")
    client = caller(tools=[inline("refund")])
    first = client.say()
    ids = [call["toolUseId"] for call in first.calls]
    second = client.answer(ids[0])
    assert second.stops == ["tool_result", "tool_use"]
    assert [call["toolUseId"] for call in second.calls] == [ids[1]]
    assert client.answer(ids[1]).text == "All done."


def test_a_call_handed_out_later_is_repeated_with_its_input(caller, script, inline):
    script(TWO, "All done.")
    client = caller(tools=[inline("refund")])
    second = client.answer(client.say().calls[0]["toolUseId"])
    pieces = [p["delta"]["toolUse"]["input"] for p in second.named("contentBlockDelta") if "toolUse" in p["delta"]]
    assert "".join(pieces) == '{"n":2}'


def test_the_harness_own_tools_run_when_their_turn_comes(caller, script, inline):
    create = {"command": "create", "path": "a", "file_text": "x"}
    view = {"command": "view", "path": "a"}
    turn = Turn(tool_calls=[ToolCall("file_operations", create), ToolCall("refund"), ToolCall("file_operations", view)])
    script(turn, "Done.")
    client = caller(tools=[inline("refund")])
    first = client.say()
    assert first.results == [("success", "Wrote 1 line(s) to /workspace/a.")]
    assert first.stops == ["tool_use", "tool_result", "tool_use"]
    second = client.answer(first.calls[-1]["toolUseId"], {"text": "ok"})
    assert second.results == [("success", "ok"), ("success", "     1\tx")]
    assert second.text == "Done."


def test_the_last_message_always_names_the_call_that_waits(caller, script, inline):
    turn = Turn(
        tool_calls=[ToolCall("file_operations", {"command": "list", "path": "."}), ToolCall("refund", {"n": 1})]
    )
    script(turn, "Done.")
    stream = caller(tools=[inline("refund")]).say()
    assert stream.calls[-1]["name"] == "refund"
    assert stream.calls[-1]["toolUseId"] == stream.calls[1]["toolUseId"]


def test_a_plain_message_is_refused_while_a_result_is_waited_for(waiting):
    client, _stream = waiting
    assert "waits for the result of the inline function 'refund'" in refused(lambda: client.say("Are you there?"))


def test_a_wrong_id_is_refused(waiting):
    client, stream = waiting
    message = refused(lambda: client.answer("tooluse_other"))
    assert f"must be '{stream.calls[0]['toolUseId']}'" in message
    assert "received 'tooluse_other', which is not known in it" in message


def test_a_stale_id_is_refused(caller, script, inline):
    script(TWO, "Done.")
    client = caller(tools=[inline("refund")])
    old = client.say().calls[0]["toolUseId"]
    client.answer(old)
    assert "not the one being waited for" in refused(lambda: client.answer(old))


def test_an_answered_id_is_refused_once_nothing_is_waited_for(waiting):
    client, stream = waiting
    client.answer(stream.calls[0]["toolUseId"])
    message = refused(lambda: client.answer(stream.calls[0]["toolUseId"]))
    assert "waits for no result" in message
    assert "was answered before" in message


def test_a_result_nobody_asked_for_is_refused(caller, script):
    script("Hi.")
    assert "is not known in it" in refused(lambda: caller().answer("tooluse_1"))


def test_the_same_result_twice_is_refused(waiting):
    client, stream = waiting
    block = {"toolResult": {"toolUseId": stream.calls[0]["toolUseId"], "content": [{"text": "ok"}]}}
    assert "received 2 with the same toolUseId" in refused(
        lambda: client.send([{"role": "user", "content": [block, block]}])
    )


def test_results_of_later_calls_are_refused_until_their_turn(caller, script, inline):
    script(TWO, "Done.")
    client = caller(tools=[inline("refund")])
    blocks = [{"toolResult": {"toolUseId": call["toolUseId"], "content": []}} for call in client.say().calls]
    assert "one at a time; received 2;" in refused(lambda: client.send([{"role": "user", "content": blocks}]))
    assert "must be" in refused(lambda: client.send([{"role": "user", "content": blocks[1:]}]))


@pytest.mark.parametrize("extra", [{"text": "and thanks"}], ids=["text"])
def test_other_blocks_beside_the_result_are_refused(waiting, extra):
    client, stream = waiting
    block = {"toolResult": {"toolUseId": stream.calls[0]["toolUseId"], "content": []}}
    message = refused(lambda: client.send([{"role": "user", "content": [block, extra]}]))
    assert "received 1 message(s) with toolResult, text" in message


def test_the_assistants_call_sent_again_is_refused(waiting):
    client, stream = waiting
    call = {"toolUse": {**stream.calls[0], "input": {}}}
    result = {"toolResult": {"toolUseId": stream.calls[0]["toolUseId"], "content": []}}
    messages = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    assert "leave out the assistant's toolUse" in refused(lambda: client.send(messages))


def test_a_tool_use_in_the_last_message_is_refused(caller, script):
    script("Hi.")
    call = {"toolUse": {"toolUseId": "t", "name": "x", "input": {}}}
    message = refused(lambda: caller().send([{"role": "assistant", "content": [call]}]))
    assert "must not hold a toolUse block" in message


def test_a_history_with_calls_and_their_results_may_be_handed_in(caller, script):
    script("I see.")
    messages = [
        {"role": "user", "content": [{"text": "List."}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "list", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "a"}]}}]},
        {"role": "assistant", "content": [{"text": "a"}]},
        {"role": "user", "content": [{"text": "And now?"}]},
    ]
    assert caller().send(messages).text == "I see."


def test_a_history_with_an_unanswered_call_is_refused(caller, script):
    script("I see.")
    messages = [
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "list", "input": {}}}]},
        {"role": "user", "content": [{"text": "And now?"}]},
    ]
    assert "the toolResult of each toolUse" in refused(lambda: caller().send(messages))


def test_a_tool_given_with_the_request_must_be_given_again(caller, script, inline, calling):
    script(calling("refund"), "Done.")
    client = caller()
    tool_use_id = client.say(tools=[inline("refund")]).calls[0]["toolUseId"]
    assert "must be given again" in refused(lambda: client.answer(tool_use_id))
    assert client.answer(tool_use_id, tools=[inline("refund")]).text == "Done."


def test_a_refused_request_leaves_the_call_waiting(waiting):
    client, stream = waiting
    refused(lambda: client.answer("tooluse_other"))
    assert client.answer(stream.calls[0]["toolUseId"]).stop == "end_turn"


def test_the_conversation_goes_on_after_a_result(waiting, script):
    client, stream = waiting
    client.answer(stream.calls[0]["toolUseId"])
    script(lambda call: str(len(call.messages)))
    # prompt, call, result, answer, new prompt
    assert client.say("More").text == "5"


def test_an_inline_function_that_calls_again_is_handed_out_again(caller, script, inline, calling):
    script(calling("refund", n=1), calling("refund", n=2), "Done.")
    client = caller(tools=[inline("refund")])
    first = client.say()
    second = client.answer(first.calls[0]["toolUseId"])
    assert second.stops == ["tool_result", "tool_use"]
    assert second.calls[0]["toolUseId"] != first.calls[0]["toolUseId"]
    assert client.answer(second.calls[0]["toolUseId"]).text == "Done."


def test_a_waiting_call_survives_as_plain_json(waiting):
    """What a repository would keep is enough to go on in another process."""
    client, stream = waiting
    (session,) = agents.sessions
    kept = json.loads(json.dumps(session.conversations["default"].to_json()))
    session.conversations["default"] = type(session.conversations["default"]).from_json(kept)
    assert client.answer(stream.calls[0]["toolUseId"], {"text": "late"}).text == "The tool said: late"
