"""The handler: what it answers, how it fails, what it counts, and what it keeps to itself."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.models import Call, Result, Usage
from agentcore_lambdas.tool_loop.stream import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "clerk-0123456789"
SECRETS = ("What is my balance?", "account-4711", "It is 17 euros.")
EVENT = {
    "harnessArn": f"arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/{NAME}",
    "sessionId": "a-session-of-at-least-33-characters-x",
    "turnId": "turn",
    "prompt": SECRETS[0],
    "functions": {"balance": {"function": "arn:balance", "timeoutSeconds": 60}},
}
USED = Usage(input_tokens=2, output_tokens=1, total_tokens=3)


class Context:
    """Lambda's, as the handler and Powertools read it."""

    function_name = "f"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    aws_request_id = "r"

    def __init__(self, seconds: int = 900) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return self._seconds * 1000


class Loop:
    """The handler's module, with a harness that replies as prepared and a tool that works or does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOOL_LOOP_TABLE", "calls")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
        boto3.client("dynamodb", region_name="us-east-1").create_table(
            TableName="calls",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.module = importlib.reload(importlib.import_module("agentcore_lambdas.tool_loop.main"))
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(self.module.loop, "logger", self.module.logger)
        self.replies: list[Reply | Exception] = []
        self.fails = False
        monkeypatch.setattr(self.module, "_HARNESS", self)
        monkeypatch.setattr(self.module, "_EXECUTION", self)

    def ask(self, *_: Any) -> Reply:
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def run(self, _session: str, call: Call, _function: str) -> Result:
        return Result(tool_use_id=call.tool_use_id, text=SECRETS[1], is_error=self.fails)

    def __call__(self, seconds: int = 900, **changed: Any) -> dict[str, Any]:
        # A logger holds on to the output it was made with, which may be that of another test or of its preparation.
        for handler in logging.getLogger(self.module.logger.name).handlers:
            self._monkeypatch.setattr(handler, "stream", sys.stdout)
        answer: dict[str, Any] = self.module.handler({**EVENT, **changed}, Context(seconds))
        return answer


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Loop]:
    with mock_aws():
        yield Loop(monkeypatch)


def calls(times: int = 1) -> list[Reply | Exception]:
    found = [Call(tool_use_id=f"t{number}", name="balance", input={"id": SECRETS[1]}) for number in range(times)]
    return [Reply(text="Let me.", stop_reason="tool_use", call=call, usage=USED) for call in found]


def written(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """All output, the lines of the log in it, and the metrics of the last EMF document."""
    text = "".join(capsys.readouterr())
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    documents = [line for line in lines if "_aws" in line]
    metrics = documents[-1] if documents else {}
    return text, [line for line in lines if "_aws" not in line], metrics


def test_counts_a_turn_and_says_nothing_of_what_was_said(loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    loop.replies = [*calls(2), Reply(text=SECRETS[2], stop_reason="end_turn", usage=USED)]
    answer = loop()
    assert (answer["status"], answer["text"], answer["usage"]["totalTokens"]) == ("done", SECRETS[2], 9)
    text, lines, metrics = written(capsys)
    assert not [secret for secret in SECRETS if secret in text]
    (told,) = (line for line in lines if line["message"] == "turn taken")
    assert (told["status"], told["stop_reason"], told["tool_calls"]) == ("done", "end_turn", 2)
    assert (told["session"], told["turn"]) == (EVENT["sessionId"], "turn")
    (kind,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (kind["Namespace"], sorted(kind["Dimensions"][0])) == ("AgentCoreHarness", ["harness", "service"])
    assert metrics["harness"] == NAME
    counted = {name: metrics[name] for name in ("Turns", "ToolCalls", "ToolErrors", "Tokens")}
    assert counted == {"Turns": [1.0], "ToolCalls": [2.0], "ToolErrors": [0.0], "Tokens": [9.0]}


def test_each_invocation_counts_what_it_did_itself(loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    loop.fails = True
    given = {"functions": {"balance": {"function": "arn:balance", "approval": True}}}
    loop.replies = calls()
    asked = loop(**given)
    assert asked["status"] == "approval"
    _, _, metrics = written(capsys)
    assert (metrics["Turns"], metrics["Tokens"]) == ([0.0], [3.0])
    loop.replies = [Reply(text="No.", stop_reason="end_turn", usage=USED)]
    loop(**given, state=asked["state"], decision={"toolUseId": "t0", "approved": True})
    _, _, metrics = written(capsys)
    counted = [metrics[name] for name in ("Turns", "ToolCalls", "ToolErrors", "Tokens")]
    assert counted == [[1.0], [1.0], [1.0], [3.0]]


def test_logs_what_is_said_when_asked_to(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOL_LOOP_LOGS_CONTENT", "true")
    loop.replies = [Reply(text=SECRETS[2], stop_reason="end_turn", usage=USED)]
    loop()
    text, lines, _ = written(capsys)
    assert [line["text"] for line in lines if line["message"] == "turn taken"] == [SECRETS[2]]
    assert SECRETS[0] not in text


def test_a_turn_that_fails_is_counted_and_keeps_its_name(loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    loop.replies = [errors.HarnessThrottled("the harness answered ThrottlingException: Rate exceeded")]
    with pytest.raises(errors.HarnessThrottled):
        loop()
    text, lines, metrics = written(capsys)
    assert (metrics["TurnFailures"], metrics["harness"]) == ([1.0], NAME)
    assert [line["error"] for line in lines if line["message"] == "turn failed"] == ["HarnessThrottled"]
    assert SECRETS[0] not in text


def test_what_is_no_turn_is_refused_by_name_without_its_content(loop: Loop) -> None:
    with pytest.raises(errors.HarnessInvalidRequest) as raised:
        loop(sessionId="short", promt="What is my balance?", harnessArn=["x"])
    said = str(raised.value)
    assert said.startswith("the turn is not one: ")
    assert all(member in said for member in ("sessionId", "promt", "harnessArn"))
    assert SECRETS[0] not in said


def test_a_function_that_has_no_time_to_do_anything_says_so_instead_of_coming_back_for_ever(loop: Loop) -> None:
    with pytest.raises(errors.TooLittleTime, match="less than 45 seconds: raise the timeout of its function"):
        loop(seconds=44)
