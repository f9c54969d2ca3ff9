"""InvokeHarness: the request, the stream, limits, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EventStreamError, ParamValidationError
from support.behaviours import behaviour, error_of

from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "InvokeHarness"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarness.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html",
)


def look(call: Any) -> Any:
    return Turn(text="Looking.", tool_calls=[ToolCall("shell", {"command": "pwd"})]) if call.turn == 1 else "Seen."


@behaviour("The stream: message start, deltas of blocks, block stop, message stop, metadata, event by event")
def test_the_stream(agent: Callable[..., Agent]) -> None:
    answer = agent(script="one two").say()
    assert answer.names[0] == "messageStart"
    assert answer.names[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert answer.text == "one two"
    assert len([name for name in answer.names if name == "contentBlockDelta"]) == 2


@behaviour(
    "A tool's result comes as a message of the user that stops with `tool_result`, between those of the assistant"
)
def test_tool_results(agent: Callable[..., Agent]) -> None:
    answer = agent(script=look).say()
    assert [event["messageStart"]["role"] for event in answer.events if "messageStart" in event] == [
        "assistant",
        "user",
        "assistant",
    ]
    assert answer.stops == ["tool_use", "tool_result", "end_turn"]


@behaviour(
    "`metadata` says tokens and latency",
    status="approximated",
    note="After each message of the assistant; where the service sends it is not documented. "
    "The scripted model counts a word as a token.",
)
def test_metadata(agent: Callable[..., Agent]) -> None:
    answer = agent(script=look).say()
    found = [event["metadata"] for event in answer.events if "metadata" in event]
    assert len(found) == 2
    for one in found:
        assert one["usage"]["totalTokens"] == one["usage"]["inputTokens"] + one["usage"]["outputTokens"] > 0
        assert one["metrics"]["latencyMs"] >= 0


@behaviour("Model, system prompt, tools, skills, allowed tools, limits and actor can be replaced for one call")
def test_overrides(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(script=lambda call: f"{call.model_id} {call.system_prompt} {sorted(call.tools)} {call.actor_id}")
    said = made.say(
        model={"bedrockModelConfig": {"modelId": "other-model"}},
        systemPrompt=[{"text": "Rhyme."}],
        tools=[inline("refund")],
        allowedTools=["@refund"],
        actorId="ada",
        maxIterations=2,
    ).text
    assert said == "other-model Rhyme. ['refund'] ada"
    assert "other-model" not in made.say().text


@behaviour("Hooks, truncation, environment, memory and the authorizer cannot be replaced for one call")
def test_what_is_not_overridable(agent: Callable[..., Agent]) -> None:
    made = agent(script="never")
    for member in ("hooks", "truncation", "environment", "memory", "authorizerConfiguration"):
        with pytest.raises(ParamValidationError, match=f'Unknown parameter in input: "{member}"'):
            made.say(**{member: {}})


@behaviour("The model can change within a session; the history goes along")
def test_another_model(agent: Callable[..., Agent]) -> None:
    made = agent(script=lambda call: f"{call.model_id} {len(call.messages)}")
    made.say()
    assert made.say(model={"bedrockModelConfig": {"modelId": "other"}}).text == "other 3"


@behaviour("`maxIterations` ends the invocation with `max_iterations_exceeded`")
def test_max_iterations(agent: Callable[..., Agent]) -> None:
    assert agent(script=look).say(maxIterations=1).stop == "max_iterations_exceeded"


@behaviour("`maxTokens` of the model ends one answer with `max_tokens`")
def test_model_max_tokens(agent: Callable[..., Agent]) -> None:
    model = {"bedrockModelConfig": {"modelId": "m", "maxTokens": 2}}
    answer = agent(script="one two three four", model=model).say()
    assert (answer.text.split(), answer.stop) == (["one", "two"], "max_tokens")


@behaviour(
    "`maxTokens` of the harness ends the invocation with `max_output_tokens_exceeded`",
    status="approximated",
    note="It is the budget of the whole invocation, as the developer guide says; the API reference says per iteration.",
)
def test_max_tokens(agent: Callable[..., Agent]) -> None:
    assert agent(script="one two three four", maxTokens=2).say().stop == "max_output_tokens_exceeded"


@behaviour("`timeoutSeconds` ends the invocation with `timeout_exceeded`")
def test_timeout(agent: Callable[..., Agent]) -> None:
    assert agent(script=lambda call: Turn(error=ModelFailure("hang"))).say(timeoutSeconds=1).stop == "timeout_exceeded"


@behaviour("The model's own stop reasons reach the caller: `stop_sequence`, `content_filtered` and the like")
def test_stop_reasons(agent: Callable[..., Agent]) -> None:
    for reason in ("stop_sequence", "content_filtered"):
        made = agent(f"says_{reason}", script=lambda call, why=reason: Turn(text="No.", stop_reason=why))
        assert made.say().stop == reason


@behaviour("A model provider that refuses or fails is a `runtimeClientError` in the stream")
def test_failing_model(agent: Callable[..., Agent]) -> None:
    made = agent(script=lambda call: Turn(text="one two", error=ModelFailure("throttling")))
    with pytest.raises(EventStreamError, match="runtimeClientError"):
        made.say()


@behaviour("A call of a tool in the last message of the request is refused")
def test_tool_use_in_the_request(agent: Callable[..., Agent]) -> None:
    call = {"toolUse": {"toolUseId": "t1", "name": "shell", "input": {}}}
    code, message = error_of(agent(script="never").send, messages=[{"role": "assistant", "content": [call]}])
    assert (code, "toolUse" in message) == ("ValidationException", True)


@behaviour("A harness of another account, or none, is `ResourceNotFoundException`")
def test_unknown_harness(agent: Callable[..., Agent]) -> None:
    made = agent()
    made.arn = made.arn[:-10] + "0123456789"
    assert error_of(made.say)[0] == "ResourceNotFoundException"


@behaviour(
    "A second invocation of a session that is busy",
    status="approximated",
    note="`ValidationException`, reason `ResourceConflict`. What the service does is not documented.",
)
def test_a_busy_session(agent: Callable[..., Agent]) -> None:
    made = agent(script=lambda call: Turn(text="one two three", token_delay=0.2))
    request = {
        "harnessArn": made.arn,
        "runtimeSessionId": made.session,
        "messages": [{"role": "user", "content": [{"text": "first"}]}],
    }
    first = made.runtime.invoke_harness(**request)["stream"]
    next(iter(first))
    with pytest.raises(ClientError) as caught:
        made.say()
    assert caught.value.response["reason"] == "ResourceConflict"
    first.close()


@behaviour("`runtimeUserId` is passed on and authenticates nobody")
def test_user_id(agent: Callable[..., Agent]) -> None:
    assert agent(script="fine").say(runtimeUserId="anybody").text == "fine"


@behaviour(
    "A result with `json` comes back in the stream",
    status="approximated",
    note="As text: boto3 was seen to fail on the service's own `json` deltas.",
)
def test_json_results(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(
        script=lambda call: Turn(tool_calls=[ToolCall("refund")]) if call.turn == 1 else "Done.", tools=[inline()]
    )
    (call,) = made.say().calls
    answer = made.give(call["toolUseId"], {"json": {"ok": True}})
    deltas = [event["contentBlockDelta"]["delta"] for event in answer.events if "contentBlockDelta" in event]
    assert deltas[0]["toolResult"] == [{"text": '{"ok": true}'}]
