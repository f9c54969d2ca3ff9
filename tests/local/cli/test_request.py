"""The request a command line means; what the service could only refuse is refused here."""

from __future__ import annotations

import json
import re

import botocore.session
import pytest
from botocore.validate import ParamValidator
from support.fake_service import ARN

from agentcore_cli import request, targets
from agentcore_cli.errors import MISUSED, CliError
from agentcore_cli.harnesses import Harness

SESSION = "s" * 33
LOCAL = targets.Target("local", "http://127.0.0.1:1", targets.DEFAULT_ACCOUNT, "us-east-1")


def refusal(**options: object) -> str:
    given = {"session": None, "endpoint": None, "answer_to": None, "failed": False, **options}
    with pytest.raises(CliError) as caught:
        request.check_options("research", **given)  # type: ignore[arg-type] - the options are what is tested
    assert caught.value.exit_code == MISUSED
    return caught.value.message


def test_the_smallest_request() -> None:
    built = request.build_request(Harness(ARN), "hello")

    assert built.pop("runtimeSessionId")
    assert built == {"harnessArn": ARN, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def test_the_largest_request_is_one_botocore_accepts() -> None:
    built = request.build_request(
        Harness(ARN),
        "done",
        session=SESSION,
        endpoint="PROD",
        actor="ann",
        model=request.parse_model("m"),
        answer_to="t1",
        failed=True,
    )
    shape = (
        botocore.session.get_session()
        .get_service_model("bedrock-agentcore")
        .operation_model("InvokeHarness")
        .input_shape
    )

    assert ParamValidator().validate(built, shape).generate_report() == ""
    assert built["qualifier"] == "PROD"
    assert built["actorId"] == "ann"
    assert built["messages"][0]["content"] == [
        {"toolResult": {"toolUseId": "t1", "content": [{"text": "done"}], "status": "error"}}
    ]


def test_new_sessions_are_long_enough_and_never_the_same() -> None:
    first, second = (request.build_request(Harness(ARN), "x")["runtimeSessionId"] for _ in range(2))

    assert first != second
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9-_]{32,99}", first)


@pytest.mark.parametrize("session", ["s" * 33, "s" * 100, "9-_" + "a" * 30])
def test_sessions_at_their_limits_pass(session: str) -> None:
    request.check_options("research", session=session, endpoint=None, answer_to=None, failed=False)


@pytest.mark.parametrize("session", ["s" * 32, "s" * 101, "-" + "s" * 33, "s" * 33 + "!"])
def test_sessions_beyond_their_limits_are_refused(session: str) -> None:
    assert refusal(session=session) == (
        "--session must have 33-100 letters, digits, hyphens and underscores, and start with a letter or digit; "
        f"received {session!r} ({len(session)} characters). Leave it out for a new session."
    )


@pytest.mark.parametrize("endpoint", ["production-endpoint", "1st", "e" * 49, ""])
def test_endpoint_names_the_service_cannot_have_are_refused(endpoint: str) -> None:
    assert refusal(endpoint=endpoint) == (
        f"--endpoint must be letters, digits and underscores, at most 48, a letter first; received {endpoint!r}."
    )


def test_the_longest_endpoint_name_passes() -> None:
    request.check_options("research", session=None, endpoint="e" * 48, answer_to=None, failed=False)


def test_answering_needs_the_session_that_waits() -> None:
    assert refusal(answer_to="t1") == "--answer continues a session; give the session that waits with --session."


def test_the_id_of_a_call_is_checked() -> None:
    assert refusal(answer_to="t 1", session=SESSION).startswith("--answer must be the id of a tool call (1-64 letters")


def test_failed_belongs_to_an_answer() -> None:
    assert (
        refusal(failed=True) == "--failed says that an inline function failed; give the id of its call with --answer."
    )


def test_an_endpoint_arn_names_the_endpoint() -> None:
    assert request.build_request(Harness(ARN, "PROD"), "x")["qualifier"] == "PROD"
    assert request.build_request(Harness(ARN, "PROD"), "x", endpoint="PROD")["qualifier"] == "PROD"
    with pytest.raises(CliError, match="--endpoint DEV contradicts the endpoint PROD that HARNESS names"):
        request.build_request(Harness(ARN, "PROD"), "x", endpoint="DEV")


def test_a_model_is_an_id_or_the_api_shape() -> None:
    gemini = {"geminiModelConfig": {"modelId": "g", "apiKeyArn": "arn"}}

    assert request.parse_model("global.anthropic.claude-sonnet-4-6") == {
        "bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}
    }
    assert request.parse_model(json.dumps(gemini)) == gemini


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "received nothing"),
        ("{", "the JSON is broken"),
        ("{}", "must have exactly one of bedrockModelConfig, .*; received none"),
        ('{"bedrockModelConfig": {}, "geminiModelConfig": {}}', "received bedrockModelConfig, geminiModelConfig"),
        ('{"modelId": "m"}', "received modelId"),
    ],
)
def test_models_that_can_be_none_are_refused(given: str, says: str) -> None:
    with pytest.raises(CliError, match=says):
        request.parse_model(given)


def test_the_command_that_continues_repeats_what_decides_where() -> None:
    built = request.build_request(Harness(ARN), "x", session=SESSION, endpoint="PROD", actor="ann")

    words = request.continue_command("research", built, LOCAL, kind_flag="--local")

    assert words == [
        *("agentcore-harness", "invoke", "research", "--session", SESSION),
        *("--endpoint", "PROD", "--actor", "ann", "--local", "--region", "us-east-1"),
    ]


def test_an_arn_says_where_by_itself() -> None:
    arn = f"{ARN}/harness-endpoint/PROD"
    built = request.build_request(Harness(ARN, "PROD"), "x", session=SESSION)

    assert request.continue_command(arn, built, LOCAL, kind_flag="") == [
        "agentcore-harness",
        "invoke",
        arn,
        "--session",
        SESSION,
    ]


def test_another_account_of_the_local_cloud_is_repeated() -> None:
    elsewhere = targets.Target("local", LOCAL.endpoint, "111122223333", "us-east-1")
    built = request.build_request(Harness(ARN), "x", session=SESSION)

    assert request.continue_command("research", built, elsewhere, kind_flag="")[-2:] == ["--account", "111122223333"]
