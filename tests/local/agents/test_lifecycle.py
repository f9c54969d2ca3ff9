"""Lifecycle hooks: what is told to whom, what a Lambda decides, and what the stream says about it."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace

import pytest

from agentcore_lambdas import hooks as receiving
from agentcore_local.agents import delivery, lifecycle
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.faults import StreamFailed

LAMBDA = "arn:aws:lambda:us-east-1:111122223333:function:decide"
TOPIC = "arn:aws:sns:us-east-1:111122223333:topic"
BUS = "arn:aws:events:us-east-1:111122223333:event-bus/bus"
EVENTS = ["beforeInvocation", "beforeToolCall", "afterToolCall", "afterInvocation"]


def hook(event: str, kind: str = "lambda", name: str = "it", **settings) -> dict:
    arn = {"lambda": LAMBDA, "sns": TOPIC, "eventBridge": BUS}[kind]
    return {event: {"name": name, "target": {kind: {"arn": arn, **settings}}}}


@pytest.fixture
def told(monkeypatch):
    """What reached the targets; a Lambda answers what `decisions` says for its hook, or does, else allow."""
    received: list[dict] = []
    decisions: dict[str, object] = {}

    def decide(_plan, _arn, payload, timeout):
        received.append(payload)
        answer = decisions.get(payload["name"], ("allow", None))
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    monkeypatch.setattr(delivery, "invoke_function", decide)
    monkeypatch.setattr(delivery, "publish", lambda _plan, _arn, payload: received.append(payload))
    monkeypatch.setattr(delivery, "put_event", lambda _plan, _arn, payload: received.append(payload))
    return SimpleNamespace(payloads=received, decisions=decisions)


@pytest.fixture
def working(caller, script, calling):
    """A caller of an agent that lists its directory and says Done."""
    script(calling("file_operations", command="list", path="."), "Done.")
    return lambda *hooks, **configuration: caller(hooks=list(hooks), **configuration)


def decisions(stream) -> list[tuple]:
    return [(e["name"], e["type"], e.get("decision"), e.get("reason")) for e in stream.named("hookEvent")]


def test_every_event_is_told_with_its_context(working, told):
    client = working(*(hook(event) for event in EVENTS))
    client.say("Look")
    assert [payload["event"] for payload in told.payloads] == [
        "before_invocation",
        "before_tool_call",
        "after_tool_call",
        "after_invocation",
    ]
    invocation, before, after, end = (payload["context"] for payload in told.payloads)
    message = {"role": "user", "content": [{"text": "Look"}]}
    assert invocation == {"messages": [message], "messageCount": 1, "truncated": False}
    tool_use_id = before["toolUseId"]
    assert before == {
        "toolName": "file_operations",
        "toolType": "builtin",
        "toolUseId": tool_use_id,
        "toolInput": {"command": "list", "path": "."},
    }
    assert after == {**before, "toolResult": [{"text": "[empty]"}]}
    assert end["stopReason"] == "end_turn"
    assert end["usage"]["outputTokens"] == 5
    for payload in told.payloads:
        assert payload["name"] == "it"
        assert payload["harnessArn"] == client.harness["arn"]
        assert payload["sessionId"] == client.session


def test_the_payloads_are_what_our_lambda_side_reads(working, told):
    working(*(hook(event) for event in EVENTS)).say("Look")
    parsed = [receiving.parse(json.loads(json.dumps(payload))) for payload in told.payloads]
    assert [type(event).__name__ for event in parsed] == [
        "BeforeInvocation",
        "BeforeToolCall",
        "AfterToolCall",
        "AfterInvocation",
    ]


def test_each_fired_hook_is_in_the_stream_where_it_happened(working, told):
    stream = working(*(hook(event) for event in EVENTS)).say()
    marks = [
        payload["type"] if name == "hookEvent" else payload["stopReason"]
        for name, payload in stream.events
        if name in {"hookEvent", "messageStop"}
    ]
    assert marks == [
        "before_invocation",
        "tool_use",
        "before_tool_call",
        "after_tool_call",
        "tool_result",
        "end_turn",
        "after_invocation",
    ]
    assert [e["hookEventId"] for e in stream.named("hookEvent")] == [p["hookEventId"] for p in told.payloads]


@pytest.mark.parametrize("kind", ["sns", "eventBridge"])
def test_topics_and_buses_are_told_without_a_decision(working, told, kind):
    stream = working(*(hook(event, kind) for event in EVENTS)).say()
    wait_for(lambda: len(told.payloads) == 4)
    assert [payload["event"] for payload in told.payloads] == [
        "before_invocation",
        "before_tool_call",
        "after_tool_call",
        "after_invocation",
    ]
    assert all(decision is None for _name, _type, decision, _reason in decisions(stream))


def wait_for(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_slow_topic_gets_the_events_of_a_session_in_their_order(working, told, monkeypatch):
    answered = threading.Event()

    def slow_at_first(_plan, _arn, payload):
        if payload["event"] == "before_invocation":
            assert answered.wait(30)
        told.payloads.append(payload)

    monkeypatch.setattr(delivery, "publish", slow_at_first)
    agent = working(*(hook(event, "sns") for event in EVENTS))
    agent.say()
    agent.say()
    assert told.payloads == []
    answered.set()
    wait_for(lambda: len(told.payloads) >= 6)
    order = [payload["event"] for payload in told.payloads]
    assert order[:4] == ["before_invocation", "before_tool_call", "after_tool_call", "after_invocation"]
    assert order[4] == "before_invocation"


def test_a_topic_that_fails_changes_nothing(working, told, monkeypatch, caplog):
    def fail(*_arguments):
        raise delivery.HookFailed("no such topic")

    monkeypatch.setattr(delivery, "publish", fail)
    assert working(hook("beforeInvocation", "sns")).say().text == "Done."
    wait_for(lambda: "lifecycle event not delivered" in caplog.text)


def test_a_denied_invocation_stops_before_the_model(working, told):
    told.decisions["guard"] = ("deny", "not today")
    client = working(hook("beforeInvocation", name="guard"))
    stream = client.say()
    assert stream.stops == ["hook_stopped"]
    assert decisions(stream) == [("guard", "before_invocation", "deny", "not today")]
    told.decisions.clear()
    assert client.say().stop == "end_turn"


def test_a_denied_tool_call_is_skipped_and_the_loop_goes_on(working, told):
    told.decisions["guard"] = ("deny", "no listing")
    stream = working(hook("beforeToolCall", name="guard")).say()
    assert stream.results == [("error", "no listing")]
    assert stream.text == "Done."


def test_a_deny_without_a_reason_names_the_hook(working, told):
    told.decisions["guard"] = ("deny", None)
    stream = working(hook("beforeToolCall", name="guard")).say()
    assert stream.results == [("error", "Denied by the hook 'guard'.")]


def test_a_deny_after_a_tool_call_keeps_the_result_and_stops(working, told, script):
    told.decisions["guard"] = ("deny", "seen enough")
    client = working(hook("afterToolCall", name="guard"))
    stream = client.say()
    assert stream.results == [("success", "[empty]")]
    assert stream.stops == ["tool_use", "tool_result", "hook_stopped"]
    told.decisions.clear()
    script(lambda call: f"{len(call.messages)} {call.messages[-2]['content']}")
    assert client.say("go on").text == "5 [{'text': 'seen enough'}]"


def test_other_calls_of_a_stopped_turn_do_not_run(caller, script, calling, told):
    create = ToolCall("file_operations", {"command": "create", "path": "f", "file_text": "x"})
    listing = ToolCall("file_operations", {"command": "list", "path": "."})
    script(calling(listing, create), "never")
    told.decisions["guard"] = ("deny", "stop")
    stream = caller(hooks=[hook("afterToolCall", name="guard")]).say()
    assert stream.results == [("success", "[empty]"), ("error", "Tool execution cancelled")]
    assert stream.stop == "hook_stopped"


def test_a_deny_after_the_invocation_is_only_reported(working, told):
    told.decisions["audit"] = ("deny", "hm")
    stream = working(hook("afterInvocation", name="audit")).say()
    assert stream.stop == "end_turn"
    assert decisions(stream) == [("audit", "after_invocation", "deny", "hm")]


def test_one_deny_of_several_suffices_and_all_are_asked_at_once(working, told):
    everybody = threading.Barrier(3)  # broken, and the stream with it, unless all three are waited for

    def after_everybody_was_asked(decision):
        def decide():
            everybody.wait(30)
            return decision

        return decide

    answers = {"one": ("allow", None), "two": ("deny", "no"), "three": ("allow", None)}
    told.decisions.update({name: after_everybody_was_asked(answer) for name, answer in answers.items()})
    stream = working(*(hook("beforeInvocation", name=name) for name in answers)).say()
    assert [decision for _name, _type, decision, _reason in decisions(stream)] == ["allow", "deny", "allow"]
    assert stream.stop == "hook_stopped"


def test_of_several_denies_the_model_hears_the_first(working, told):
    told.decisions.update(one=("deny", "first"), two=("deny", "second"))
    stream = working(*(hook("beforeToolCall", name=name) for name in ("one", "two"))).say()
    ((_status, text),) = stream.results
    assert "first" in text
    assert "second" not in text


@pytest.mark.parametrize(("mode", "stop"), [("deny", "hook_stopped"), ("allow", "end_turn"), (None, "hook_stopped")])
def test_a_lambda_that_fails_follows_its_failure_mode(working, told, mode, stop):
    told.decisions["guard"] = delivery.HookFailed("the function failed: boom")
    settings = {} if mode is None else {"failureMode": mode}
    stream = working(hook("beforeInvocation", name="guard", **settings)).say()
    assert stream.stop == stop
    ((_name, _type, decision, reason),) = decisions(stream)
    assert decision == (mode or "deny")
    assert "gave no decision (the function failed: boom)" in reason


def test_a_lambda_that_is_too_slow_follows_its_failure_mode(working, told):
    answered = threading.Event()
    told.decisions["guard"] = lambda: ("allow" if answered.wait(30) else "nobody waited", None)
    stream = working(hook("beforeInvocation", name="guard", timeoutSeconds=1)).say()
    answered.set()  # only now: had the stream waited for it, it would have waited in vain
    assert "no decision within 1 s" in decisions(stream)[0][3]
    assert stream.stop == "hook_stopped"


def test_a_very_long_failure_fits_the_reason(working, told):
    told.decisions["guard"] = delivery.HookFailed("x" * 5000)
    stream = working(hook("beforeInvocation", name="guard")).say()
    assert len(decisions(stream)[0][3]) == 1024


def test_inline_calls_are_asked_about_once_and_reported_once(caller, script, calling, inline, told):
    script(calling("refund"), "Done.")
    client = caller(hooks=[hook(event) for event in EVENTS], tools=[inline("refund")])
    first = client.say()
    assert [payload["event"] for payload in told.payloads] == [
        "before_invocation",
        "before_tool_call",
        "after_invocation",
    ]
    assert told.payloads[-1]["context"]["stopReason"] == "tool_use"
    told.payloads.clear()
    client.answer(first.calls[0]["toolUseId"], {"text": "refunded"})
    assert [payload["event"] for payload in told.payloads] == [
        "before_invocation",
        "after_tool_call",
        "after_invocation",
    ]
    assert told.payloads[1]["context"]["toolResult"] == [{"text": "refunded"}]
    assert told.payloads[1]["context"]["toolType"] == "inline_function"


def test_a_denied_inline_call_is_not_handed_out(caller, script, calling, inline, told):
    script(calling("refund"), "Done.")
    told.decisions["it"] = ("deny", "no refunds")
    stream = caller(hooks=[hook("beforeToolCall")], tools=[inline("refund")]).say()
    assert stream.stops == ["tool_use", "tool_result", "end_turn"]
    assert stream.results == [("error", "no refunds")]


def test_a_failing_tool_is_reported_with_its_error(caller, script, calling, told):
    script(calling("file_operations", command="view", path="nope"), "Done.")
    caller(hooks=[hook("afterToolCall")]).say()
    context = told.payloads[0]["context"]
    assert context["error"] == "nope does not exist."
    assert context["toolResult"] == [{"text": "nope does not exist."}]


def test_an_invocation_that_fails_ends_without_a_stop_reason(caller, script, told):
    script(Turn(error=ModelFailure("server")))
    with pytest.raises(StreamFailed):
        caller(hooks=[hook("afterInvocation")]).say()
    assert "stopReason" not in told.payloads[0]["context"]


def test_the_oldest_messages_are_left_out_of_a_large_request(caller, script, told):
    script("ok")
    texts = ["a" * 40_000, "b" * 40_000, "c"]
    messages = [{"role": "user", "content": [{"text": text}]} for text in texts]
    caller(hooks=[hook("beforeInvocation")]).send(messages)
    context = told.payloads[0]["context"]
    assert (context["messageCount"], context["truncated"]) == (3, True)
    assert [message["content"][0]["text"][0] for message in context["messages"]] == ["b", "c"]


def test_the_limit_counts_the_bytes_of_the_text_and_not_of_its_escapes(caller, script, calling, told):
    text = "語" * 20_000  # 60 000 bytes; escaped it would be 120 000
    script(calling("file_operations", command="create", path="f", file_text=text), "ok")
    caller(hooks=[hook("beforeInvocation"), hook("beforeToolCall", name="calls")]).say(text)
    assert [payload["context"].get("truncated", False) for payload in told.payloads] == [False, False]
    assert told.payloads[1]["context"]["toolInput"]["file_text"] == text


def test_the_context_of_messages_fits_the_limit_as_a_whole(caller, script, told):
    script("ok")
    envelope = len(json.dumps({"messages": [{"role": "user", "content": [{"text": ""}]}]}))
    caller(hooks=[hook("beforeInvocation")]).say("a" * (lifecycle.CONTEXT_LIMIT - envelope))
    context = told.payloads[0]["context"]
    assert (context["messages"], context["messageCount"], context["truncated"]) == ([], 1, True)


def test_a_large_tool_input_becomes_a_preview(caller, script, calling, told):
    script(calling("file_operations", command="create", path="f", file_text="x" * lifecycle.CONTEXT_LIMIT), "ok")
    caller(hooks=[hook("beforeToolCall")]).say()
    cut = told.payloads[0]["context"]["toolInput"]
    assert set(cut) == {"truncated", "preview"}
    assert cut["truncated"] is True
    assert receiving.parse(told.payloads[0]).truncated


def test_a_context_of_several_large_values_fits_the_limit_as_a_whole(caller, script, calling, told):
    script(calling("file_operations", command="view", path="p" * 40_000), "ok")
    caller(hooks=[hook("afterToolCall")]).say()
    context = told.payloads[0]["context"]
    assert len(json.dumps(context).encode()) <= lifecycle.CONTEXT_LIMIT
    cut = [name for name in ("toolInput", "toolResult", "error") if "truncated" in context[name]]
    assert cut == ["toolInput", "toolResult"]  # the largest ones; what fits stays
    assert context["error"].startswith("pppp")
    assert receiving.parse(told.payloads[0]).truncated
