"""The events of InvokeHarness' stream: their shapes (checked on every event by `Stream.add`), order and content."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from agentcore_local.agents import events
from agentcore_local.agents.scripts import ModelCall, ModelFailure, ToolCall, Turn
from agentcore_local.harness.routes import service_model


def test_an_answer_is_one_message_with_its_usage(caller, script):
    script("Hello, world.")
    stream = caller().say("Hi")
    assert stream.names == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert stream.named("messageStart") == [{"role": "assistant"}]
    assert stream.text == "Hello, world."
    assert stream.stop == "end_turn"
    usage = stream.named("metadata")[0]["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert usage["outputTokens"] == 2
    assert usage["inputTokens"] > 0


def test_blocks_are_numbered_in_each_message(caller, script, calling):
    script(
        Turn(reasoning="Hm.", text="Look:", tool_calls=[ToolCall("file_operations", {"command": "list", "path": "."})]),
        "Done.",
    )
    stream = caller().say()
    indices = [payload["contentBlockIndex"] for payload in stream.named("contentBlockStop")]
    assert indices == [0, 1, 2, 0, 0]
    assert stream.stops == ["tool_use", "tool_result", "end_turn"]


def test_a_tool_call_streams_its_input_in_pieces(caller, script, calling):
    arguments = {"command": "list", "path": "a/rather/long/path"}
    script(calling("file_operations", **arguments), "Done.")
    stream = caller().say()
    pieces = [p["delta"]["toolUse"]["input"] for p in stream.named("contentBlockDelta") if "toolUse" in p["delta"]]
    assert len(pieces) > 1
    assert "".join(pieces) == '{"command": "list", "path": "a/rather/long/path"}'


def test_a_tool_result_is_a_message_of_the_user_that_stops_with_tool_result(caller, script, calling):
    script(calling("file_operations", command="list", path="."), "Done.")
    stream = caller().say()
    assert stream.named("messageStart") == [{"role": "assistant"}, {"role": "user"}, {"role": "assistant"}]
    assert stream.results == [("success", "[empty]")]
    assert stream.stops[1] == "tool_result"


def test_reasoning_is_a_block_of_its_own(caller, script):
    script(Turn(reasoning="I think.", text="Yes."))
    stream = caller().say()
    deltas = [payload["delta"] for payload in stream.named("contentBlockDelta")]
    assert deltas[:2] == [{"reasoningContent": {"text": "I"}}, {"reasoningContent": {"text": " think."}}]
    assert stream.text == "Yes."


def test_events_arrive_while_the_model_is_still_speaking(caller, script):
    script(Turn(text="one two three four", error=ModelFailure("hang", after_tokens=2)))

    async def arrivals() -> list[str]:
        heard = []
        async with aclosing(caller().start([{"role": "user", "content": [{"text": "Count"}]}])) as events:
            async for name, payload in events:
                if name == "contentBlockDelta":
                    heard.append(payload["delta"]["text"])
                if len(heard) == 2:
                    break  # the model will never say the rest
        return heard

    assert asyncio.run(arrivals()) == ["one", " two"]


def test_every_model_call_reports_its_own_usage(caller, script, calling):
    script(calling("file_operations", command="list", path="."), "Done.")
    stream = caller().say()
    assert [p["usage"]["outputTokens"] for p in stream.named("metadata")] == [4, 1]


def test_a_script_can_state_the_usage(caller, script):
    script(Turn(text="x", usage={"inputTokens": 7, "outputTokens": 3, "cacheReadInputTokens": 5}))
    usage = caller().say().named("metadata")[0]["usage"]
    assert usage == {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10, "cacheReadInputTokens": 5}


@pytest.mark.parametrize(
    "reason", ["stop_sequence", "content_filtered", "malformed_tool_use", "malformed_model_output"]
)
def test_stop_reasons_of_the_model_are_passed_on(caller, script, reason):
    script(Turn(text="x", stop_reason=reason))
    assert caller().say().stop == reason


def test_arguments_that_are_no_json_reach_the_tool_empty(caller, script, calling):
    script(calling(ToolCall("file_operations", '{"command": "li')), "Done.")
    stream = caller().say()
    assert stream.results == [("error", "The argument command is missing.")]


def test_results_of_calls_with_the_same_id_are_all_told(caller, script, calling):
    listing = ToolCall("file_operations", {"command": "list", "path": "."}, id="same")
    script(calling(listing), calling(listing), "Done.")
    assert len(caller().say().results) == 2


def test_a_model_that_calls_an_unknown_tool_is_told_so(caller, script, calling):
    script(calling("teleport"), "Done.")
    assert caller().say().results == [("error", "Unknown tool: teleport")]


def test_the_stop_reasons_are_those_of_botocore():
    shape = service_model("bedrock-agentcore").shape_for("HarnessStopReason")
    assert set(shape.enum) == events.STOP_REASONS


def written(*chunks: dict) -> list[tuple[str, dict]]:
    out: list[tuple[str, dict]] = []
    stream = events.Stream(out.append, clock=lambda: 0.0)
    for chunk in chunks:
        stream.model_chunk(chunk)
    stream.model_message_complete()
    return out


def test_a_provider_without_indices_and_with_empty_starts_becomes_regular():
    out = written(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {}}},
        {"contentBlockDelta": {"delta": {"text": ""}}},
        {"contentBlockStop": {}},
        {"contentBlockStart": {"start": {}}},
        {"contentBlockDelta": {"delta": {"text": "a"}}},
        {"contentBlockStop": {}},
        {"messageStop": {"stopReason": "end_turn"}},
    )
    assert out == [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "a"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, "metrics": {"latencyMs": 0}}),
    ]


def test_an_end_of_turn_with_a_tool_call_is_a_tool_use():
    out = written(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "t", "name": "shell"}}}},
        {"contentBlockStop": {}},
        {"messageStop": {"stopReason": "end_turn"}},
    )
    assert ("messageStop", {"stopReason": "tool_use"}) in out


@pytest.mark.parametrize(("given", "told"), [("guardrail_intervened", "content_filtered"), ("brand_new", "end_turn")])
def test_reasons_the_shapes_do_not_know_are_translated(given, told):
    out = written({"messageStart": {"role": "assistant"}}, {"messageStop": {"stopReason": given}})
    assert ("messageStop", {"stopReason": told}) in out


def test_an_answer_that_is_retried_starts_a_new_message():
    out = written(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "a"}}},
        {"messageStart": {"role": "assistant"}},
        {"messageStop": {"stopReason": "end_turn"}},
    )
    assert [name for name, _ in out] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStart",
        "messageStop",
        "metadata",
    ]


def test_signatures_and_redacted_reasoning_go_out_as_they_go_over_the_wire():
    out = written(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"signature": "sig"}}}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"redactedContent": b"\x00\xff"}}}},
        {"contentBlockDelta": {"delta": {"citation": {}}}},
    )
    deltas = [payload["delta"] for name, payload in out if name == "contentBlockDelta"]
    assert deltas == [{"reasoningContent": {"signature": "sig"}}, {"reasoningContent": {"redactedContent": "AP8="}}]


def test_a_document_in_a_tool_result_is_named_not_dropped():
    out: list[tuple[str, dict]] = []
    stream = events.Stream(out.append)
    stream.tool_result({"toolUseId": "t", "status": "success", "content": [{"json": {"a": 1}}, {"image": {}}]})
    assert out[2][1]["delta"] == {"toolResult": [{"text": '{"a": 1}'}, {"text": "[image content]"}]}


def test_the_system_prompt_and_the_tools_reach_the_model(caller, script, inline):
    seen: list[ModelCall] = []

    def look(call: ModelCall) -> str:
        seen.append(call)
        return "ok"

    script(look)
    caller(systemPrompt=[{"text": "Be brief."}, {"text": "Be kind."}], tools=[inline("refund")]).say("Hi")
    assert "Be brief." in seen[0].system_prompt
    assert "Be kind." in seen[0].system_prompt
    assert set(seen[0].tools) == {"shell", "file_operations", "refund"}
    assert seen[0].prompt == "Hi"
