"""Reading a harness' stream, and what is tried again when it fails."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, EventStreamError, ReadTimeoutError
from urllib3.exceptions import ProtocolError

from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.harness import Harness
from agentcore_lambdas.tool_loop.stream import read

START = {"messageStart": {"role": "assistant"}}


def text(value: str, index: int = 0) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": value}}}


def call(index: int, name: str, *parts: str) -> list[dict[str, Any]]:
    tool = {"toolUseId": f"id-{name}", "name": name}
    begun = {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": tool}}}
    inputs = [
        {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": {"input": part}}}} for part in parts
    ]
    return [begun, *inputs]


def stop(reason: str) -> dict[str, Any]:
    return {"messageStop": {"stopReason": reason}}


def usage(total: int) -> dict[str, Any]:
    counted = {"inputTokens": total - 1, "outputTokens": 1, "totalTokens": total}
    return {"metadata": {"usage": counted, "metrics": {"latencyMs": 5}}}


DONE = [START, text("Hi"), stop("end_turn"), usage(3)]


def test_puts_text_together_and_adds_tokens_up() -> None:
    reply = read([START, text("old"), stop("tool_use"), usage(3), START, text("b", 1), text("a"), *DONE[2:]], [], [])
    assert (reply.text, reply.stop_reason, reply.call, reply.usage.total_tokens) == ("ab", "end_turn", None, 6)


def test_puts_the_input_of_a_call_together() -> None:
    reply = read([START, *call(0, "order", '{"id"', ": 7}"), stop("tool_use")], ["order"], [])
    assert reply.call is not None
    assert (reply.call.name, reply.call.input) == ("order", {"id": 7})


def test_a_call_without_input_has_an_empty_one_and_a_broken_one_says_so() -> None:
    empty = read([START, *call(0, "order"), stop("tool_use")], ["order"], []).call
    broken = read([START, *call(0, "order", '{"id":'), stop("tool_use")], ["order"], []).call
    assert empty is not None
    assert empty.input == {}
    assert broken is not None
    assert str(broken.fault).startswith("The input of the call is no JSON")


def test_a_call_that_was_denied_after_it_was_streamed_is_none() -> None:
    events = [START, *call(0, "order", "{}"), stop("tool_use"), START, text("Denied."), stop("end_turn")]
    assert read(events, ["order"], []).call is None


def test_takes_the_next_inline_call_of_several() -> None:
    events = [START, *call(0, "shell", "{}"), *call(1, "order", "{}"), *call(2, "refund", "{}"), stop("tool_use")]
    inline = ["order", "refund"]
    assert [getattr(read(events, inline, answered).call, "name", None) for answered in ([], ["id-order"])] == inline


def test_ignores_events_of_hooks_and_of_versions_to_come() -> None:
    assert read([{"hookEvent": {"type": "x"}}, *DONE, {"later": {}}], [], []).text == "Hi"


class Client:
    """Answers InvokeHarness with streams and errors, in order; an error among the events is raised while reading."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def invoke_harness(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {"stream": self._events(answer)}

    @staticmethod
    def _events(answer: list[Any]) -> Any:
        for event in answer:
            if isinstance(event, BaseException):
                raise event
            yield event


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "why"}}, "InvokeHarness")


def in_stream(code: str) -> EventStreamError:
    return EventStreamError({"Error": {"Code": code, "Message": "why"}}, "InvokeHarness")


def ask(*answers: Any) -> tuple[Any, Client, list[float]]:
    client, pauses = Client(*answers), []  # type: ignore[var-annotated]  # seconds
    try:
        got: Any = Harness(client, pauses.append).ask({}, [], [])
    except errors.ToolLoopError as error:
        got = error
    return got, client, pauses


@pytest.mark.parametrize(
    "failure",
    [
        refused("InternalServerException"),
        refused("RuntimeClientError"),
        EndpointConnectionError(endpoint_url="https://x"),
        [START, text("Hi")],
        [START, in_stream("internalServerException")],
        [START, in_stream("runtimeClientError")],
        [START, ProtocolError("Connection broken: IncompleteRead")],
        [START, ReadTimeoutError(endpoint_url="https://x")],
        [START, ConnectionResetError()],
    ],
)
def test_tries_a_failure_once_more(failure: Any) -> None:
    got, client, pauses = ask(failure, DONE)
    assert (got.text, client.asked, len(pauses)) == ("Hi", 2, 1)


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceQuotaExceededException"])
def test_tries_five_times_when_throttled(code: str) -> None:
    got, client, pauses = ask(*[refused(code)] * 4, DONE)
    assert (got.text, client.asked) == ("Hi", 5)
    assert all(0 <= pause <= 20 for pause in pauses)
    got, client, _ = ask(*[refused(code)] * 5)
    assert isinstance(got, errors.HarnessThrottled)
    assert client.asked == 5


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (refused("InternalServerException"), errors.HarnessInternalError),
        (refused("SomethingNew"), errors.HarnessInternalError),
        ([in_stream("runtimeClientError")], errors.HarnessRuntimeFailed),
        ([START], errors.HarnessConnectionLost),
        ([START, ProtocolError("cut")], errors.HarnessConnectionLost),
    ],
)
def test_fails_by_name_after_a_second_try(failure: Any, error: type[Exception]) -> None:
    got, client, _ = ask(failure, failure)
    assert (type(got), client.asked) == (error, 2)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (refused("AccessDeniedException"), errors.HarnessAccessDenied),
        (refused("ResourceNotFoundException"), errors.HarnessNotFound),
        (refused("ValidationException"), errors.HarnessInvalidRequest),
        ([in_stream("validationException")], errors.HarnessInvalidRequest),
    ],
)
def test_does_not_try_again_what_was_refused(failure: Any, error: type[Exception]) -> None:
    got, client, pauses = ask(failure)
    assert (type(got), client.asked, pauses) == (error, 1, [])
    assert str(got).endswith(": why")


def test_knows_when_the_first_try_was_taken() -> None:
    got, _, _ = ask([START, ProtocolError("cut")], refused("ValidationException"))
    assert type(got) is errors.HarnessHasTakenIt
