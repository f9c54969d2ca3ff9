"""The handler that runs commands: what it returns, what it cuts, what it calls an error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from agentcore_lambdas.run_command import main
from agentcore_lambdas.tool_loop import errors

CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    aws_request_id="r",
)
COMMAND: dict[str, Any] = {
    "harness_arn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/clerk-0123456789",
    "session_id": "a-session-of-at-least-33-characters-x",
    "command": "make",
}


class Client:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def invoke_agent_runtime_command(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return {"stream": self._events()}

    def _events(self) -> Any:
        for event in self.answer:
            if isinstance(event, BaseException):
                raise event
            yield {"chunk": event}


def stream(exit_code: int = 0, status: str = "COMPLETED", **said: str) -> list[dict[str, Any]]:
    pieces = [{"contentDelta": {name: text}} for name, text in said.items()]
    return [{"contentStart": {}}, *pieces, {"contentStop": {"exitCode": exit_code, "status": status}}]


def run(answer: Any, **more: Any) -> main.Ended:
    return main.run(Client(answer), main.Command(**{**COMMAND, **more}))


def test_returns_how_it_ended() -> None:
    client = Client(stream(stdout="built", stderr="slowly"))
    ended = main.run(client, main.Command(**COMMAND, timeout_seconds=60, qualifier="live"))
    assert (ended.exit_code, ended.stdout, ended.stderr, ended.truncated) == (0, "built", "slowly", False)
    assert client.asked == [
        {
            "agentRuntimeArn": COMMAND["harness_arn"],
            "runtimeSessionId": COMMAND["session_id"],
            "body": {"command": "make", "timeout": 60},
            "qualifier": "live",
        }
    ]


@pytest.mark.parametrize(("limit", "kept"), [(3, "ilt"), (0, ""), (5, "built")])
def test_keeps_the_end_of_long_output_and_says_so(limit: int, kept: str) -> None:
    ended = run(stream(stdout="built"), output_limit=limit)
    assert (ended.stdout, ended.truncated) == (kept, limit < 5)


def test_another_exit_code_is_an_error_unless_it_is_wanted() -> None:
    with pytest.raises(main.CommandFailed, match="exit code 2: no rule"):
        run(stream(2, stdout="ignored", stderr="no rule\n"))
    assert run(stream(2), check=False).exit_code == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (stream(-1, "TIMED_OUT", stdout="half"), main.CommandTimedOut, "within 300 seconds: half"),
        (stream(-1), errors.HarnessRuntimeFailed, "could not run"),
        (stream()[:-1], errors.HarnessConnectionLost, "without saying"),
        ([ProtocolError("cut")], errors.HarnessConnectionLost, "may still run"),
        ([EventStreamError({"Error": {"Code": "throttlingException"}}, "x")], errors.HarnessThrottled, "throttling"),
        (ClientError({"Error": {"Code": "RetryableConflictException"}}, "x"), errors.HarnessThrottled, "Conflict"),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "x"), errors.HarnessAccessDenied, "Denied"),
    ],
)
def test_fails_by_name(answer: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(errors.ToolLoopError, match=words) as failed:
        run(answer, check=False)
    assert type(failed.value) is error


def test_the_handler_names_everything_that_is_wrong_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    given = {"harnessArn": "x", "sessionId": "short", "command": "", "qualifier": None}
    with pytest.raises(errors.HarnessInvalidRequest, match=r"sessionId: .*; command: "):
        main.handler(given, CONTEXT)
