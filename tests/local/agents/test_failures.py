"""Model providers that fail, scripts that do, and the in-stream errors they become."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from agentcore_local.agents import failures, scripted
from agentcore_local.agents.scripts import ModelFailure, Turn
from agentcore_local.faults import StreamFailed


def failing(caller, script, turn):
    """The error, and what was streamed before it."""
    script(turn)
    client = caller()
    seen: list[tuple[str, dict]] = []
    into = SimpleNamespace(add=lambda name, payload: seen.append((name, payload)))
    with pytest.raises(StreamFailed) as caught:
        asyncio.run(client.collect([{"role": "user", "content": [{"text": "x"}]}], into))
    return caught.value, seen


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("throttling", "The model provider throttled the request: Too many requests"),
        ("access_denied", "The model provider refused the request: AccessDeniedException: You don't have access"),
        ("validation", "The model provider refused the request: ValidationException: The provided model identifier"),
        ("server", "The model provider refused the request: InternalServerException"),
        ("drop", "The model provider failed: ConnectionResetError: The connection to the model provider was lost."),
    ],
)
def test_a_provider_that_fails_is_a_failed_dependency(caller, script, kind, words):
    error, seen = failing(caller, script, Turn(text="never", error=ModelFailure(kind)))
    assert error.kind == "runtimeClientError"
    assert str(error).startswith(words)
    assert seen == []


def test_what_came_before_the_connection_dropped_was_streamed(caller, script):
    error, seen = failing(
        caller, script, Turn(text="one two three", error=ModelFailure("drop", "gone", after_tokens=2))
    )
    assert "gone" in str(error)
    assert [p["delta"]["text"] for name, p in seen if name == "contentBlockDelta"] == ["one", " two"]


def test_a_later_call_works_again(caller, script):
    client = caller()
    script(Turn(error=ModelFailure("server")))
    with pytest.raises(StreamFailed):
        client.say()
    script("Fine.")
    assert client.say().text == "Fine."


def test_a_failure_in_the_middle_of_the_loop_leaves_no_half_turn(caller, script, calling):
    client = caller()
    script(calling("file_operations", command="list", path="."), Turn(error=ModelFailure("server")))
    with pytest.raises(StreamFailed):
        client.say("first")
    script(lambda call: f"{len(call.messages)}")
    assert client.say("second").text == "1"


def test_a_script_that_raises_says_so(caller, script):
    def broken(_call):
        raise KeyError("oops")

    error, _ = failing(caller, script, broken)
    assert str(error) == "The scripted model cannot answer: The script raised KeyError: 'oops'."


def test_a_timeout_of_the_providers_own_is_its_failure(caller, script, monkeypatch):
    async def slow(_call):
        raise TimeoutError("read timed out")

    monkeypatch.setattr(scripted, "answer", lambda _script, call: slow(call))
    error, _ = failing(caller, script, "x")
    assert str(error) == "The model provider failed: TimeoutError: read timed out"


def test_a_script_that_returns_nonsense_says_so(caller, script):
    error, _ = failing(caller, script, lambda _call: 42)
    assert "must return a Turn or a string; received int" in str(error)


def test_the_emulators_own_faults_are_internal_errors(caplog):
    error = failures.in_stream(RuntimeError("bug"), from_model=False)
    assert (error.kind, str(error)) == ("internalServerException", "The agent loop failed: RuntimeError: bug")
    assert "invocation failed" in caplog.text


def test_the_payload_has_what_the_shapes_require():
    assert StreamFailed("validationException", "no").payload() == {"message": "no", "reason": "FieldValidationFailed"}
    assert StreamFailed("runtimeClientError", "no").payload() == {"message": "no"}
    assert StreamFailed("internalServerException", "").payload() == {"message": "internalServerException"}
