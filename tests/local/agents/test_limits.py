"""maxIterations, maxTokens, timeoutSeconds: where they come from, where they bite, how the stream says so."""

from __future__ import annotations

import pytest

from agentcore_local.agents import Invocation
from agentcore_local.agents import plan as plans
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.faults import RequestRefused

LIST = Turn(tool_calls=[ToolCall("file_operations", {"command": "list", "path": "."})])


def resolved(caller, request=None, **configuration):
    client = caller(**configuration)
    message = {"role": "user", "content": [{"text": "x"}]}
    whole = {"runtimeSessionId": client.session, "messages": [message], **(request or {})}
    return plans.resolve(Invocation(client.harness, whole, client.account, "us-east-1", "http://x"))


def test_the_services_defaults(caller):
    plan = resolved(caller)
    assert (plan.max_iterations, plan.max_tokens, plan.timeout_seconds) == (75, None, 3600)
    assert plan.model_id == "global.anthropic.claude-sonnet-4-6"
    assert (plan.idle_seconds, plan.lifetime_seconds) == (900, 28_800)


def test_the_harness_overrides_the_defaults_and_the_request_the_harness(caller):
    configuration = {"maxIterations": 5, "maxTokens": 100, "timeoutSeconds": 60}
    plan = resolved(caller, {"maxIterations": 3}, **configuration)
    assert (plan.max_iterations, plan.max_tokens, plan.timeout_seconds) == (3, 100, 60)


@pytest.mark.parametrize("name", ["maxIterations", "maxTokens", "timeoutSeconds"])
def test_limits_below_one_are_refused(caller, name):
    assert resolved(caller, {name: 1})
    with pytest.raises(RequestRefused, match=f"{name} must be at least 1; received 0"):
        resolved(caller, {name: 0})


def test_overrides_replace_lists(caller, inline):
    plan = resolved(caller, {"tools": [inline("b")], "allowedTools": ["b"]}, tools=[inline("a")], allowedTools=["*"])
    assert [tool.name for tool in plan.tools] == ["b"]
    assert plan.allowed_tools == ("b",)


def test_an_empty_override_replaces_too(caller, inline):
    assert resolved(caller, {"tools": []}, tools=[inline("a")]).tools == ()


@pytest.mark.parametrize(("limit", "calls", "stop"), [(1, 1, "max_iterations_exceeded"), (3, 3, "end_turn")])
def test_max_iterations_counts_model_calls(caller, script, limit, calls, stop):
    made = []

    def speak(call):
        made.append(call.turn)
        return LIST if call.turn < 3 else "Done."

    script(speak)
    stream = caller().say(maxIterations=limit)
    assert stream.stop == stop
    assert len(made) == calls


def test_the_stream_of_an_exhausted_agent_ends_with_an_empty_message(caller, script):
    script(LIST, "never")
    stream = caller().say(maxIterations=1)
    assert stream.stops == ["tool_use", "tool_result", "max_iterations_exceeded"]
    assert stream.names[-3:] == ["messageStart", "messageStop", "metadata"]
    assert stream.usage("outputTokens") == 4


def test_many_iterations_do_not_exhaust_the_stack(caller, script):
    script(lambda call: LIST if call.turn < 120 else "Done.")
    stream = caller().say(maxIterations=120)
    assert stream.stop == "end_turn"
    assert len(stream.results) == 119


def test_max_iterations_holds_across_segments(caller, script):
    script(lambda _call: LIST)
    stream = caller().say(maxIterations=120)
    assert stream.stop == "max_iterations_exceeded"
    assert len(stream.results) == 120


def test_a_result_brought_back_does_not_use_up_an_iteration(caller, script, inline, calling):
    script(calling("refund"), "Done.")
    client = caller(tools=[inline("refund")], maxIterations=1)
    assert client.answer(client.say().calls[0]["toolUseId"]).stop == "end_turn"


def test_the_models_own_limit_cuts_the_answer(caller, script):
    script("one two three four five")
    model = {"bedrockModelConfig": {"modelId": "m", "maxTokens": 3}}
    stream = caller(model=model).say()
    assert (stream.text, stream.stop) == ("one two three", "max_tokens")


def test_an_answer_of_exactly_the_limit_is_whole(caller, script):
    script("one two three")
    model = {"bedrockModelConfig": {"modelId": "m", "maxTokens": 3}}
    assert caller(model=model).say().stop == "end_turn"


def test_a_cut_answer_stays_in_the_conversation(caller, script):
    script("one two three four")
    client = caller(model={"bedrockModelConfig": {"modelId": "m", "maxTokens": 2}})
    client.say()
    script(lambda call: call.messages[1]["content"][0]["text"])
    assert client.say("What did you say?").text == "one two"


def test_a_tool_call_that_is_cut_is_not_made(caller, script):
    script(LIST, "never")
    client = caller(model={"bedrockModelConfig": {"modelId": "m", "maxTokens": 2}})
    stream = client.say()
    assert (stream.stop, stream.results) == ("max_tokens", [])
    script("Fine.")
    assert client.say().text == "Fine."


def test_the_budget_cuts_an_answer(caller, script):
    script("one two three four five")
    stream = caller().say(maxTokens=3)
    assert (stream.text, stream.stop) == ("one two three", "max_output_tokens_exceeded")


def test_the_budget_is_for_the_whole_invocation(caller, script):
    script(LIST, "one two three four")
    stream = caller().say(maxTokens=6)
    assert (stream.text, stream.stop) == ("one two", "max_output_tokens_exceeded")
    assert stream.usage("outputTokens") == 6


def test_a_budget_used_up_by_a_tool_call_ends_before_the_next_model_call(caller, script):
    script(LIST, "never")
    stream = caller().say(maxTokens=4)
    assert stream.stops == ["tool_use", "tool_result", "max_output_tokens_exceeded"]


def test_each_invocation_has_its_own_budget(caller, script):
    script("one two three")
    client = caller(maxTokens=3)
    assert [client.say().stop, client.say().stop] == ["end_turn", "end_turn"]


@pytest.mark.parametrize(("own", "stop"), [(2, "max_tokens"), (4, "max_output_tokens_exceeded")])
def test_the_smaller_of_both_limits_names_the_reason(caller, script, own, stop):
    script("one two three four five")
    model = {"bedrockModelConfig": {"modelId": "m", "maxTokens": own}}
    assert caller(model=model).say(maxTokens=3).stop == stop


def test_the_timeout_ends_a_slow_answer(caller, script):
    script(Turn(text="one two three", error=ModelFailure("hang", after_tokens=1)))
    stream = caller().say(timeoutSeconds=2)
    assert stream.stop == "timeout_exceeded"
    assert stream.text == "one"
    assert stream.names[-3:] == ["contentBlockStop", "messageStop", "metadata"]


def test_the_timeout_ends_a_model_that_hangs(caller, script):
    script(Turn(error=ModelFailure("hang")))
    stream = caller().say(timeoutSeconds=1)
    assert stream.names == ["messageStart", "messageStop", "metadata"]
    assert stream.stop == "timeout_exceeded"


def test_a_session_goes_on_after_a_timeout_within_a_tool(caller, script, calling):
    script(lambda call: calling("shell", command="sleep 4321") if call.prompt == "wait" else f"{len(call.messages)}")
    client = caller()
    assert client.say("wait", timeoutSeconds=1).stop == "timeout_exceeded"
    # wait, the call, its made-up error result, and the new prompt
    assert client.say("well?").text == "4"


def test_a_timed_out_result_is_not_waited_for_any_more(caller, script, inline, calling):
    script(lambda call: calling("refund") if call.turn == 1 else Turn(text="x", delay=5))
    client = caller(tools=[inline("refund")])
    tool_use_id = client.say().calls[0]["toolUseId"]
    assert client.answer(tool_use_id, timeoutSeconds=1).stop == "timeout_exceeded"
    script("Fine.")
    assert client.say("Go on").text == "Fine."
