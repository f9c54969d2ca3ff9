"""What a stream amounts to."""

from __future__ import annotations

import botocore.session
import pytest
from support import streams
from support.streams import call, message, result, text, usage

from agentcore_cli.stream import ANSWERED, CUT_SHORT, HANDED_OVER, Reply, incomplete, parse_input


def test_text_is_put_together() -> None:
    reply = Reply.of(streams.ANSWERED)

    assert reply.text == "Bees dance."
    assert reply.messages == [{"role": "assistant", "content": [{"text": "Bees dance."}]}]
    assert reply.stop_reason == "end_turn"
    assert reply.pending == []


def test_tool_calls_and_results_become_messages_in_the_shape_of_the_api() -> None:
    reply = Reply.of(streams.WORKED)

    assert reply.messages[0]["content"][1] == {
        "toolUse": {"toolUseId": "t1", "name": "shell", "input": {"command": "pwd"}}
    }
    assert reply.messages[1] == {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "/work\n"}]}}],
    }
    assert reply.text == "You are in /work.\n"
    assert [event["name"] for event in reply.hook_events] == ["audit"]


def test_usage_and_latency_are_those_of_all_model_calls() -> None:
    reply = Reply.of(streams.WORKED)

    assert reply.usage == {"inputTokens": 300, "outputTokens": 30, "totalTokens": 330, "cacheReadInputTokens": 90}
    assert reply.latency_ms == 1200


def test_an_inline_function_call_waits_for_the_caller() -> None:
    assert Reply.of(streams.HANDED_OVER).pending == [{"toolUseId": "t7", "name": "refund", "input": {"order": "12"}}]


def test_only_the_last_stop_reason_hands_over() -> None:
    """A hook may deny a call that was already streamed."""
    denied = message("user", result("t7", {"text": "denied"}, status="error"), stop="tool_result")

    assert Reply.of([*streams.HANDED_OVER, *denied, *streams.ANSWERED]).pending == []


def test_calls_wait_in_order_and_those_the_harness_runs_do_not() -> None:
    events = message(
        "assistant",
        call("a", "refund"),
        call("b", "search", type="mcp_tool_use", serverName="web"),
        call("c", "notify", "{}"),
        stop="tool_use",
    )

    assert [pending["toolUseId"] for pending in Reply.of(events).pending] == ["a", "c"]


def test_reasoning_keeps_text_signature_and_redacted_parts() -> None:
    deltas = ({"text": "Let me "}, {"text": "see"}, {"signature": "s"}, {"redactedContent": b"\x01"})
    reply = Reply.of(message("assistant", streams.reasoning(*deltas), text("Yes."), stop="end_turn"))

    reasoning = {"text": "Let me see", "signature": "s", "redactedContent": b"\x01"}
    assert reply.messages[0]["content"] == [{"reasoningContent": reasoning}, {"text": "Yes."}]
    assert reply.text == "Yes."


def test_metadata_of_an_mcp_result_is_kept() -> None:
    reply = Reply.of(message("user", result("t", {"text": "x"}, metadata='{"a": 1}'), stop="tool_result"))

    assert reply.messages[0]["content"][0]["toolResult"]["metadata"] == '{"a": 1}'


def test_what_this_version_does_not_know_is_kept() -> None:
    delta = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"SDK_UNKNOWN_MEMBER": {"name": "video"}}}}
    reply = Reply.of([{"surprise": {"a": 1}}, delta])

    assert reply.unknown_events == [{"surprise": {"a": 1}}, delta]


def test_a_stream_that_breaks_off_keeps_what_came() -> None:
    reply = Reply.of(
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Be"}}},
        ]
    )

    assert (reply.text, reply.stop_reason) == ("Be", "")
    assert reply.to_json()["stopReason"] is None


@pytest.mark.parametrize(("raw", "value"), [("", {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ('{"a": ', '{"a": ')])
def test_inputs_are_parsed_when_they_are_json(raw: str, value: object) -> None:
    assert parse_input(raw) == value


def test_usage_without_tokens_is_empty() -> None:
    assert Reply.of([{"messageStop": {"stopReason": "end_turn"}}]).usage == {}
    assert Reply.of([usage(1, 2, 3)]).usage["totalTokens"] == 3


def test_every_stop_reason_of_the_service_is_known() -> None:
    model = botocore.session.get_session().get_service_model("bedrock-agentcore")

    known = ANSWERED | {HANDED_OVER} | set(CUT_SHORT)

    assert set(model.shape_for("HarnessStopReason").enum) <= known


def test_whether_an_answer_is_complete() -> None:
    assert incomplete("end_turn") == incomplete("tool_use") == ""
    assert incomplete("max_iterations_exceeded").startswith("the agent reached maxIterations")
    assert incomplete("new_reason") == "this version does not know that stop reason"
