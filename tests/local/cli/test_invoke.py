"""`agentcore-harness invoke` over the wire: what it sends, what it writes where, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions
from support import streams
from support.fake_service import ARN, Wire

from agentcore_cli import aws, console, invoke, targets
from agentcore_cli.errors import FAILED, INCOMPLETE, INTERRUPTED, MISUSED

from .conftest import Run, document

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "s" * 33


@pytest.fixture(autouse=True)
def answers(cloud: Wire) -> None:
    cloud.events = streams.ANSWERED


def test_the_answer_goes_to_stdout_and_everything_else_to_stderr(cloud: Wire, run: Run) -> None:
    cloud.events = streams.WORKED

    result = run("invoke", "research", "where are you?", "--session", SESSION)

    assert result.exit_code == 0
    assert result.stdout == "I look.\nYou are in /work.\n"
    assert result.stderr.splitlines() == [
        f"research · local cloud {cloud.endpoint}, account 000000000000, us-east-1 · session {SESSION}",
        '→ shell {"command": "pwd"}',
        "← /work",
        "hook audit after_tool_call: allow",
        f"end_turn · 300 in + 30 out tokens (90 from the cache) · 1.2 s · session {SESSION}",
    ]


def test_the_request_says_what_was_typed(cloud: Wire, run: Run) -> None:
    key = "arn:aws:bedrock-agentcore:us-east-1:000000000000:token-vault/default/apikeycredentialprovider/k"
    model = json.dumps({"openAiModelConfig": {"modelId": "gpt", "apiKeyArn": key}})

    run("invoke", "research", "hi", "--session", SESSION, "--endpoint", "PROD", "--actor", "ann", "--model", model)

    (method, path, body, headers) = cloud.requests[-1]
    assert (method, path.partition("?")[0]) == ("POST", "/harnesses/invoke")
    assert "qualifier=PROD" in path
    assert headers["X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"] == SESSION
    assert "agentcore-harness-cli" in headers["User-Agent"]
    assert json.loads(body) == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "actorId": "ann",
        "model": json.loads(model),
    }


def test_the_prompt_may_come_from_stdin(cloud: Wire, run: Run) -> None:
    run("invoke", "research", "-", stdin="line 1\nline 2\n")

    assert cloud.invocations()[0]["messages"][0]["content"] == [{"text": "line 1\nline 2\n"}]


@pytest.mark.parametrize(("prompt", "stdin"), [("", None), ("  ", None), ("-", "\n")])
def test_an_empty_prompt_is_refused(cloud: Wire, run: Run, prompt: str, stdin: str | None) -> None:
    result = run("invoke", "research", prompt, stdin=stdin)

    assert (result.exit_code, result.stderr) == (MISUSED, "agentcore-harness: The prompt must not be empty.\n")
    assert cloud.invocations() == []


def test_json_is_one_document(cloud: Wire, run: Run) -> None:
    cloud.events = streams.HANDED_OVER

    found = document(run("invoke", "research", "refund 12", "--session", SESSION, "--json"))

    assert found["harnessArn"] == ARN
    assert found["endpoint"] == "DEFAULT"
    assert found["sessionId"] == SESSION
    assert found["target"] == {
        "kind": "local",
        "endpoint": cloud.endpoint,
        "account": "000000000000",
        "region": "us-east-1",
    }
    assert found["stopReason"] == "tool_use"
    assert found["text"] == "One moment."
    assert found["pendingToolUses"] == [{"toolUseId": "t7", "name": "refund", "input": {"order": "12"}}]
    assert found["usage"]["totalTokens"] == 59
    assert found["metrics"] == {"latencyMs": 200}
    assert "error" not in found


def test_events_are_lines_of_json_as_boto3_yields_them(cloud: Wire, run: Run) -> None:
    cloud.events = streams.WORKED

    first, *rest = [json.loads(line) for line in run("invoke", "research", "hi", "--events").stdout.splitlines()]

    assert first["invocation"]["harnessArn"] == ARN
    assert rest == streams.WORKED


def test_json_and_events_exclude_each_other(run: Run) -> None:
    result = run("invoke", "research", "hi", "--json", "--events")

    assert result.exit_code == MISUSED
    assert "--json and --events exclude each other; give one of them." in result.stderr


def test_an_inline_function_is_handed_over_with_the_command_that_answers_it(cloud: Wire, run: Run) -> None:
    cloud.events = streams.HANDED_OVER

    result = run("invoke", "research", "refund 12", "--session", SESSION, "--endpoint", "PROD", "--actor", "ann")

    assert result.exit_code == 0
    assert result.stderr.splitlines()[-2:] == [
        'The agent waits for the result of the inline function refund({"order": "12"}).',
        (
            f"Answer it: agentcore-harness invoke research --session {SESSION} --endpoint PROD --actor ann "
            "--region us-east-1 --answer t7 'RESULT'"
        ),
    ]


def test_an_answer_is_a_lone_tool_result(cloud: Wire, run: Run) -> None:
    run("invoke", "research", '{"refunded": true}', "--session", SESSION, "--answer", "t7")

    assert cloud.invocations()[0]["messages"] == [
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t7", "content": [{"text": '{"refunded": true}'}], "status": "success"}}
            ],
        }
    ]


def test_a_failed_inline_function_is_answered_too(cloud: Wire, run: Run) -> None:
    run("invoke", "research", "no such order", "--session", SESSION, "--answer", "t7", "--failed")

    assert cloud.invocations()[0]["messages"][0]["content"][0]["toolResult"]["status"] == "error"


@pytest.mark.parametrize("flag", ["", "--json"])
def test_an_answer_cut_short_is_not_a_success(cloud: Wire, run: Run, flag: str) -> None:
    cloud.events = [*streams.message("assistant", streams.text("Be"), stop="max_iterations_exceeded")]

    result = run("invoke", "research", "hi", *[flag] * bool(flag))

    assert result.exit_code == INCOMPLETE
    assert result.stderr.endswith(
        "agentcore-harness: The answer is not complete (max_iterations_exceeded): "
        "the agent reached maxIterations; raise it, or continue in the same session.\n"
    )


def test_an_error_in_the_stream_is_a_sentence_after_what_came(cloud: Wire, run: Run) -> None:
    cloud.events = [*streams.ANSWERED[:2], {"exception:runtimeClientError": {"message": "The container stopped"}}]

    result = run("invoke", "research", "hi")

    assert (result.exit_code, result.stdout) == (FAILED, "Bees \n")
    assert "failed with runtimeClientError: The container stopped; " in result.stderr


def test_json_keeps_what_came_before_an_error(cloud: Wire, run: Run) -> None:
    cloud.events = [
        *streams.ANSWERED[:2],
        {"exception:validationException": {"message": "Stale id", "reason": "CannotParse"}},
    ]

    result = run("invoke", "research", "hi", "--json")

    found = document(result)
    assert result.exit_code == FAILED
    assert found["text"] == "Bees "
    assert found["error"]["code"] == "validationException"
    assert "Stale id" in found["error"]["message"]
    assert json.loads(run("invoke", "research", "hi", "--events").stdout.splitlines()[-1]) == {"error": found["error"]}


def test_a_broken_connection_says_that_the_agent_may_still_work(cloud: Wire, run: Run) -> None:
    cloud.events, cloud.breaks_off = streams.ANSWERED[:2], True

    result = run("invoke", "research", "hi", "--session", SESSION)

    assert (result.exit_code, result.stdout) == (FAILED, "Bees \n")
    assert f"The connection to local cloud {cloud.endpoint}" in result.stderr
    assert result.stderr.endswith(f"it may still be working. Continue with --session {SESSION}.\n")


def test_a_stream_without_an_end_is_a_failure(cloud: Wire, run: Run) -> None:
    cloud.events = streams.ANSWERED[:3]

    result = run("invoke", "research", "hi", "--session", SESSION)

    assert result.exit_code == FAILED
    assert result.stderr.endswith(
        "agentcore-harness: The stream ended before the agent had finished; it may still be working. "
        f"Continue with --session {SESSION}.\n"
    )


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (
            403,
            "AccessDeniedException",
            "needs bedrock-agentcore:InvokeHarness and bedrock-agentcore:InvokeAgentRuntime",
        ),
        (404, "ResourceNotFoundException", "check the name, the account, the Region and --endpoint."),
        (429, "ThrottlingException", "wait a little and try again."),
        (500, "InternalServerException", "failed with InternalServerException: No luck."),
    ],
)
def test_a_refusal_is_one_sentence_and_is_never_retried(
    cloud: Wire, run: Run, status: int, code: str, says: str
) -> None:
    cloud.refusal = (status, code, "No luck.")

    result = run("invoke", "research", "hi", "--json")

    assert result.exit_code == FAILED
    assert f"agentcore-harness: InvokeHarness on local cloud {cloud.endpoint}" in result.stderr
    assert says in result.stderr
    assert document(result)["error"]["code"] == code
    assert len(cloud.invocations()) == 1


def test_a_harness_that_takes_tokens_asks_for_no_permission(cloud: Wire, run: Run) -> None:
    cloud.refusal = (403, "AccessDeniedException", "Authorization method mismatch: JWT is configured.")

    result = run("invoke", "research", "hi")

    assert result.exit_code == FAILED
    assert "the harness takes tokens of its identity provider" in result.stderr
    assert "bedrock-agentcore:InvokeHarness" not in result.stderr


def test_ctrl_c_says_how_to_continue(cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def interrupted(text: str) -> None:
        written.append(text)
        if text == "dance.":
            raise KeyboardInterrupt

    monkeypatch.setattr(console, "answer", interrupted)

    result = run("invoke", "research", "hi", "--session", SESSION)

    assert result.exit_code == INTERRUPTED
    assert written == ["Bees ", "dance.", "\n"]
    assert f"Interrupted; the agent may still be working. Continue with --session {SESSION}." in result.stderr


def test_text_is_there_before_the_stream_ends_and_ctrl_c_ends_it(cloud: Wire) -> None:
    cloud.events, cloud.holds_seconds = streams.ANSWERED[:2], 2
    words = [sys.executable, "-m", "agentcore_cli", "invoke", "research", "hi", "--session", SESSION]
    command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None

    early = os.read(command.stdout.fileno(), 100)
    command.send_signal(signal.SIGINT)
    late, err = command.communicate(timeout=20)

    assert (early, late) == (b"Bees ", b"\n")
    assert command.returncode == INTERRUPTED
    assert err.decode().splitlines()[1:] == [
        f"agentcore-harness: Interrupted; the agent may still be working. Continue with --session {SESSION}.",
    ]


def test_an_arn_decides_account_and_region_on_the_local_cloud(cloud: Wire, run: Run) -> None:
    arn = ARN.replace("us-east-1:000000000000", "eu-west-1:111122223333")

    result = run("invoke", arn, "hi", "--json")

    assert document(result)["target"]["account"] == "111122223333"
    assert "Credential=111122223333/" in cloud.requests[-1][3]["Authorization"]
    assert "/eu-west-1/" in cloud.requests[-1][3]["Authorization"]


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--region", "eu-west-1", "--region eu-west-1 contradicts the Region us-east-1 of the ARN; leave it out."),
        (
            "--account",
            "111122223333",
            "--account 111122223333 contradicts the account 000000000000 of the ARN; leave it out.",
        ),
    ],
)
def test_an_arn_is_not_contradicted(run: Run, option: str, value: str, says: str) -> None:
    result = run("invoke", ARN, "hi", option, value)

    assert (result.exit_code, says in result.stderr) == (MISUSED, True)


def test_the_users_own_aws_settings_do_not_reach_the_local_cloud(
    cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile prod]\nregion = eu-west-3\nendpoint_url = https://elsewhere.example\n")
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": "https://elsewhere.example",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)

    result = run("invoke", "research", "hi")

    assert (result.exit_code, result.stdout) == (0, "Bees dance.\n")
    assert "X-Amz-Security-Token" not in cloud.requests[-1][3]


def test_aws_without_credentials_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)

    result = run("invoke", ARN, "hi", "--aws")

    assert result.exit_code == FAILED
    assert result.stderr.splitlines()[0].startswith(f"{ARN} · AWS, us-east-1 · session ")
    assert result.stderr.endswith("No AWS credentials were found; sign in (`aws sso login`) or use --local.\n")


def test_aws_without_a_region_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    assert (
        run("invoke", "research", "hi", "--aws").stderr == "agentcore-harness: No AWS Region is set; give --region.\n"
    )


def test_an_unknown_profile_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")

    result = run("invoke", ARN, "hi", "--aws")

    assert "The config profile (missing) could not be found; check AWS_PROFILE." in result.stderr


def test_the_client_for_streams_is_patient_and_never_repeats(cloud: Wire) -> None:
    made = aws.client(
        targets.Target("local", cloud.endpoint, "000000000000", "us-east-1"), "bedrock-agentcore", streaming=True
    )

    options = made._endpoint.http_session._socket_options
    assert made.meta.config.read_timeout >= 1000
    assert made.meta.config.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    assert (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60) in options
    assert made._endpoint.http_session._manager.connection_pool_kw["socket_options"] is options


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            exceptions.ReadTimeoutError(endpoint_url="u"),
            "The agent sent nothing for 60 minutes; it may still be working.",
        ),
        (
            exceptions.EndpointConnectionError(endpoint_url="u"),
            "AWS, us-east-1 cannot be reached: Could not connect to",
        ),
        (exceptions.ConnectTimeoutError(endpoint_url="u"), "AWS, us-east-1 cannot be reached within 10 s: "),
        (
            exceptions.SSLError(endpoint_url="u", error="bad"),
            "Talking to AWS, us-east-1 failed: SSL validation failed for u",
        ),
    ],
)
def test_what_goes_wrong_on_the_way_is_a_sentence(error: exceptions.BotoCoreError, says: str) -> None:
    sentence = aws.from_sdk(error, targets.Target("aws", region="us-east-1"))

    assert sentence.message.startswith(says)
    assert sentence.code == type(error).__name__


def test_a_model_configuration_that_boto3_refuses_is_one_line(cloud: Wire, run: Run) -> None:
    result = run("invoke", "research", "hi", "--model", '{"bedrockModelConfig": {"modelID": "m"}}')

    assert result.exit_code == MISUSED
    assert result.stderr.splitlines()[-1].startswith(
        "agentcore-harness: The request cannot be right: Parameter validation failed: Missing required parameter"
    )
    assert cloud.invocations() == []


def test_aws_is_reached_with_the_normal_credentials(
    cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The one variable that lets a test stand in for the service; `AWS_ENDPOINT_URL` would be refused."""
    (tmp_path / "config").write_text(
        "[profile prod]\nregion = eu-west-3\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", cloud.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL", cloud.endpoint)

    result = run("invoke", "research", "hi", "--aws", "--session", SESSION)

    assert (result.exit_code, result.stdout) == (0, "Bees dance.\n")
    assert result.stderr.startswith(f"research · AWS, profile prod · session {SESSION}\n")
    assert "Credential=AKIAPROD/" in cloud.requests[-1][3]["Authorization"]
    assert "/eu-west-3/" in cloud.requests[-1][3]["Authorization"]


def test_the_request_id_of_aws_is_passed_on() -> None:
    response: Any = {"Error": {"Code": "X", "Message": "No."}, "ResponseMetadata": {"RequestId": "r-1"}}
    error = exceptions.ClientError(response, "InvokeHarness")

    assert (
        aws.from_service(error, targets.Target("aws")).message
        == "InvokeHarness on AWS failed with X: No. Request id r-1."
    )


def test_a_terminal_is_protected_from_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    console.answer("a\x1b]0;title\x07b\tc\n")

    assert capsys.readouterr().out == "a\\x1b]0;title\\x07b\tc\n"


def test_a_pipe_gets_the_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.answer("a\x1b[1mb\n")

    assert capsys.readouterr().out == "a\x1b[1mb\n"


def test_bytes_are_base64_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.line({"redactedContent": b"\x00\xff"})

    assert json.loads(capsys.readouterr().out) == {"redactedContent": "AP8="}


def test_reading_from_a_terminal_says_how_to_end_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True, "read": lambda self: "hi"})())

    assert invoke.read_prompt("-") == "hi"
    assert "end it with Ctrl-D" in capsys.readouterr().err
