"""Lifecycle events as the harness sends them, whole and cut at 64 KiB."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from agentcore_lambdas import hooks

CUT = {"truncated": True, "preview": '{"command": "ec'}
COMMON = {
    "hookEventId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "name": "guard",
    "harnessArn": "arn:aws:bedrock-agentcore:us-west-2:111122223333:harness/Agent-UuFdkQoXSL",
    "sessionId": "12345678-1234-5678-9abc-123456789012",
}
CALL = {"toolName": "shell", "toolType": "builtin", "toolUseId": "t-1"}
CONTEXTS: dict[str, dict[str, Any]] = {
    "before_invocation": {"messageCount": 1, "messages": [{"role": "user", "content": [{"text": "Hello"}]}]},
    "before_tool_call": CALL | {"toolInput": {"command": "ls"}},
    "after_tool_call": CALL | {"toolResult": [{"text": "a b"}]},
    "after_invocation": {"stopReason": "end_turn", "usage": {"inputTokens": 7, "outputTokens": 3}},
}


def payload(event: str, **context: object) -> dict[str, Any]:
    return COMMON | {"event": event, "context": CONTEXTS[event] | context}


@pytest.mark.parametrize(
    ("event", "model"),
    [
        ("before_invocation", hooks.BeforeInvocation),
        ("before_tool_call", hooks.BeforeToolCall),
        ("after_tool_call", hooks.AfterToolCall),
        ("after_invocation", hooks.AfterInvocation),
    ],
)
def test_each_event_has_its_class(event: str, model: type) -> None:
    parsed = hooks.parse(payload(event))
    assert type(parsed) is model
    assert (parsed.name, parsed.hook_event_id, parsed.session_id) == (
        "guard",
        COMMON["hookEventId"],
        COMMON["sessionId"],
    )
    assert not parsed.truncated


def test_the_text_of_an_event_is_read_too() -> None:
    assert hooks.parse(json.dumps(payload("before_tool_call"))) == hooks.parse(payload("before_tool_call"))


def test_messages_give_their_text() -> None:
    content = [{"text": "Look at"}, {"toolResult": {"toolUseId": "t", "content": []}}, {"text": "this"}]
    parsed = hooks.parse(payload("before_invocation", messages=[{"role": "user", "content": content}]))
    assert isinstance(parsed, hooks.BeforeInvocation)
    assert [message.text for message in parsed.messages] == ["Look at\nthis"]


def test_dropped_messages_are_not_taken_for_all_messages() -> None:
    parsed = hooks.parse(payload("before_invocation", messageCount=3, truncated=True))
    assert isinstance(parsed, hooks.BeforeInvocation)
    assert parsed.truncated
    assert len(parsed.context.messages) == 1
    with pytest.raises(hooks.IncompleteContextError, match=r"exceeded 64 KiB; received 1 of 3 messages"):
        _ = parsed.messages


def test_a_cut_tool_input_is_a_preview_and_not_arguments() -> None:
    parsed = hooks.parse(payload("before_tool_call", toolInput=CUT))
    assert isinstance(parsed, hooks.BeforeToolCall)
    assert parsed.truncated
    assert parsed.context.tool_input == hooks.Truncated(preview=CUT["preview"])
    with pytest.raises(hooks.IncompleteContextError, match="input exceeded 64 KiB"):
        _ = parsed.arguments


@pytest.mark.parametrize("given", [None, "ls", ["ls"], 3, {"truncated": True}, {"truncated": False, "preview": "x"}])
def test_tool_input_may_be_any_json(given: object) -> None:
    parsed = hooks.parse(payload("before_tool_call", toolInput=given))
    assert isinstance(parsed, hooks.BeforeToolCall)
    assert parsed.context.tool_input == given
    assert not parsed.truncated


def test_arguments_of_a_call_that_is_no_object_are_refused() -> None:
    parsed = hooks.parse(payload("before_tool_call", toolInput="ls"))
    assert isinstance(parsed, hooks.BeforeToolCall)
    with pytest.raises(hooks.IncompleteContextError, match="must be a JSON object; received str"):
        _ = parsed.arguments


def test_a_tool_that_raised_has_an_error() -> None:
    parsed = hooks.parse(payload("after_tool_call", error="TimeoutError: 30 s"))
    assert isinstance(parsed, hooks.AfterToolCall)
    assert parsed.context.error == "TimeoutError: 30 s"
    assert parsed.result == [{"text": "a b"}]


@pytest.mark.parametrize("field", ["toolResult", "error"])
def test_a_cut_result_or_error_is_marked(field: str) -> None:
    parsed = hooks.parse(payload("after_tool_call", **{field: CUT}))
    assert parsed.truncated


def test_a_cut_result_is_not_a_result() -> None:
    parsed = hooks.parse(payload("after_tool_call", toolResult=CUT))
    assert isinstance(parsed, hooks.AfterToolCall)
    with pytest.raises(hooks.IncompleteContextError, match="result exceeded 64 KiB"):
        _ = parsed.result


def test_an_invocation_that_failed_ends_without_reason_and_usage() -> None:
    parsed = hooks.parse(COMMON | {"event": "after_invocation", "context": {}})
    assert isinstance(parsed, hooks.AfterInvocation)
    assert (parsed.context.stop_reason, parsed.context.usage.input_tokens) == (None, 0)


def test_fields_of_tomorrow_are_kept() -> None:
    parsed = hooks.parse(payload("after_invocation", latencyMs=12) | {"traceId": "1-2"})
    assert parsed.model_extra == {"traceId": "1-2"}
    assert parsed.context.model_extra == {"latencyMs": 12}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        None,
        [],
        "no JSON",
        COMMON | {"event": "on_tuesday", "context": {}},
        COMMON | {"event": "before_tool_call", "context": CUT},
        COMMON | {"event": "before_tool_call", "context": CALL},
        {"event": "before_tool_call", "context": CONTEXTS["before_tool_call"]},
    ],
)
def test_what_is_no_event_is_refused(broken: object) -> None:
    with pytest.raises(ValidationError):
        hooks.parse(broken)


def test_a_refusal_does_not_repeat_what_was_said() -> None:
    with pytest.raises(ValidationError) as caught:
        hooks.parse(payload("before_invocation", messages=[{"role": "user", "content": "my password is swordfish"}]))
    assert "swordfish" not in str(caught.value)


def test_events_are_read_from_sns() -> None:
    records = [{"Sns": {"Message": json.dumps(payload(event))}} for event in CONTEXTS]
    assert [event.event for event in hooks.events_from_sns({"Records": records})] == list(CONTEXTS)


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": None}])
def test_what_sns_did_not_send_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must hold Records\[\].Sns.Message"):
        hooks.events_from_sns(event)


def test_an_event_is_read_from_event_bridge() -> None:
    detail = payload("after_invocation")
    sent = {"source": "bedrock-agentcore.harness", "detail-type": "Harness Lifecycle Hook", "detail": detail}
    assert hooks.event_from_event_bridge(sent) == hooks.parse(detail)


def test_another_source_is_refused() -> None:
    with pytest.raises(ValueError, match=r"source must be bedrock-agentcore.harness; received 'aws.s3'"):
        hooks.event_from_event_bridge({"source": "aws.s3", "detail": payload("after_invocation")})
