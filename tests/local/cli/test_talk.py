"""The state of a chat and the commands that change it."""

from __future__ import annotations

import json
import re

import pytest
from support.fake_service import ARN

from agentcore_cli import talk
from agentcore_cli.errors import MISUSED, CliError
from agentcore_cli.harnesses import Harness
from agentcore_cli.talk import Said, Talk
from agentcore_cli.turns import Turn, interpret

SESSION = "s" * 33
CALL = {"toolUseId": "t7", "name": "refund", "input": {"order": "12"}}
OTHER = {"toolUseId": "t8", "name": "notify", "input": {}}


@pytest.fixture
def chat() -> Talk:
    return Talk(Harness(ARN), SESSION)


def say(chat: Talk, typed: str) -> Said:
    return talk.command(chat, interpret(typed))


def refusal(chat: Talk, typed: str) -> str:
    with pytest.raises(CliError) as caught:
        say(chat, typed)
    assert caught.value.exit_code == MISUSED
    return caught.value.message


def test_a_turn_is_a_message_of_the_user(chat: Talk) -> None:
    assert chat.request("hi") == {
        "harnessArn": ARN,
        "runtimeSessionId": SESSION,
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    }
    assert chat.prompt == "you> "


def test_while_a_call_waits_a_turn_is_its_result(chat: Talk) -> None:
    chat.waiting = (CALL, OTHER)

    result = chat.request("20 EUR")["messages"][0]["content"]

    assert result == [{"toolResult": {"toolUseId": "t7", "content": [{"text": "20 EUR"}], "status": "success"}}]
    assert chat.prompt == "refund> "


def test_a_call_that_failed_is_answered_with_an_error(chat: Talk) -> None:
    chat.waiting = (CALL,)

    assert say(chat, "/error no such order") == Said(failed=True, error="no such order")
    assert say(chat, "/error").error == "The function failed."
    assert chat.request("x", failed=True)["messages"][0]["content"][0]["toolResult"]["status"] == "error"


def test_an_error_without_a_call_is_refused(chat: Talk) -> None:
    assert refusal(chat, "/error x") == ("/error answers an inline function that failed, and the agent waits for none.")


def test_the_model_is_switched_and_switched_back(chat: Talk) -> None:
    assert say(chat, "/model").text == "Model: the harness's own."
    assert say(chat, "/model some.model").text == "Model: some.model."
    assert chat.request("hi")["model"] == {"bedrockModelConfig": {"modelId": "some.model"}}
    assert say(chat, "/model default").text == "Model: the harness's own."
    assert "model" not in chat.request("hi")


def test_a_model_may_be_a_configuration(chat: Talk) -> None:
    configuration = {"bedrockModelConfig": {"modelId": "m", "temperature": 0}}

    assert say(chat, f"/model {json.dumps(configuration)}").text == f"Model: {json.dumps(configuration)}."
    assert chat.request("hi")["model"] == configuration


def test_a_broken_model_changes_nothing(chat: Talk) -> None:
    say(chat, "/model some.model")

    assert refusal(chat, "/model {").startswith("/model must be a Bedrock model id or a model configuration as JSON; ")
    assert say(chat, "/model").text == "Model: some.model."


def test_the_endpoint_is_switched(chat: Talk) -> None:
    assert say(chat, "/endpoint").text == "Endpoint: DEFAULT."
    assert say(chat, "/endpoint PROD").text == "Endpoint: PROD."
    assert chat.request("hi")["qualifier"] == "PROD"
    assert chat.session == SESSION
    assert refusal(chat, "/endpoint a-b") == (
        "/endpoint must be letters, digits and underscores, at most 48, a letter first; received 'a-b'."
    )


def test_another_session_waits_for_nothing(chat: Talk) -> None:
    chat.waiting, chat.turns = (CALL,), 3

    assert say(chat, f"/session {'n' * 33}").text == f"Session: {'n' * 33}."
    assert (chat.session, chat.waiting, chat.turns) == ("n" * 33, (), 0)
    assert refusal(chat, "/session short").startswith("/session must have 33-100 letters, digits, hyphens")


def test_a_new_session_has_an_id_the_service_takes(chat: Talk) -> None:
    chat.waiting = (CALL,)
    text = say(chat, "/new").text

    assert re.fullmatch(r"New session: [a-f0-9-]{36}\.", text)
    assert chat.session in text
    assert chat.waiting == ()


def test_the_actor_is_switched(chat: Talk) -> None:
    chat.waiting = (CALL,)

    assert say(chat, "/actor").text == "Actor: the default one."
    assert chat.waiting == (CALL,)
    assert say(chat, "/actor ann").text == "Actor: ann."
    assert chat.waiting == ()
    assert chat.request("hi")["actorId"] == "ann"


def test_showing_the_session_changes_nothing(chat: Talk) -> None:
    chat.waiting = (CALL,)

    assert say(chat, "/session").text == f"Session: {SESSION}."
    assert chat.waiting == (CALL,)


def test_leaving(chat: Talk) -> None:
    assert say(chat, "/exit").leave


def test_help_names_every_command_and_how_to_type(chat: Talk) -> None:
    text = say(chat, "/help").text

    assert [name for name in talk.COMMANDS if f"/{name}" not in text] == []
    assert "Ctrl-C stops the answer and keeps the chat, Ctrl-D leaves." in text


def test_an_unknown_command_is_answered_with_those_there_are(chat: Talk) -> None:
    assert refusal(chat, "/tmp is full") == (
        "The chat has no command /tmp; it has /model, /endpoint, /session, /actor, /new, /error, /help, /exit. "
        "Begin the line with // to send it."
    )


@pytest.mark.parametrize("name", ["new", "help", "exit"])
def test_a_command_that_takes_nothing_says_so(chat: Talk, name: str) -> None:
    assert refusal(chat, f"/{name} now") == f"/{name} takes nothing behind it; received 'now'."


def failed(code: str) -> CliError:
    return CliError("No.", code=code)


def test_an_answered_turn_counts(chat: Talk) -> None:
    talk.after(chat, pending=[CALL], problem=None)

    assert (chat.turns, chat.waiting) == (1, (CALL,))


def test_an_answer_cut_short_counts_too(chat: Talk) -> None:
    chat.waiting = (CALL,)
    talk.after(chat, pending=[], problem=failed("AnswerIncomplete"))

    assert (chat.turns, chat.waiting) == (1, ())


@pytest.mark.parametrize("code", ["ThrottlingException", "StreamBrokenOff", "Interrupted", "runtimeClientError"])
def test_after_a_failure_the_call_is_asked_for_again(chat: Talk, code: str) -> None:
    chat.waiting = (CALL,)
    talk.after(chat, pending=[], problem=failed(code))

    assert (chat.turns, chat.waiting) == (0, (CALL,))


@pytest.mark.parametrize("code", ["ValidationException", "validationException"])
def test_a_result_that_nobody_waits_for_is_not_asked_for_again(chat: Talk, code: str) -> None:
    chat.waiting = (CALL,)
    talk.after(chat, pending=[], problem=failed(code))

    assert chat.waiting == ()


def test_a_turn_without_a_command_is_none() -> None:
    assert interpret("hello") == Turn("hello")
