"""Calls run once each: against DynamoDB as moto has it, and a Lambda service that fails in every way it can."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from moto import mock_aws

from agentcore_lambdas.tool_loop.errors import ToolRecordUnavailable
from agentcore_lambdas.tool_loop.execution import Execution, NotRun
from agentcore_lambdas.tool_loop.models import Call, State
from agentcore_lambdas.tool_loop.progress import NOTE_LIMIT, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL = Call(tool_use_id="t1", name="order", input={"id": "ä"})


class Lambda:
    """Invokes nothing: it answers, or raises, what it was given, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]  # requests

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class Killed(BaseException):
    """The function is ended."""


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="calls",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def refused(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Invoke")  # type: ignore[typeddict-item]  # as much of it as is read


def test_passes_name_and_input_in_the_protocol_of_gateway_targets_and_runs_a_call_once(dynamodb: Any) -> None:
    function = Lambda({"at": "sea"})
    tools = Execution("calls", function, dynamodb)
    first, second = (tools.run("session", CALL, "arn:order") for _ in range(2))
    assert first == second
    assert (first.text, first.is_error) == ('{"at": "sea"}', False)
    (asked,) = function.asked
    context = json.loads(base64.b64decode(asked["ClientContext"]))["custom"]
    told = {"bedrockAgentCoreToolName": "order", "toolUseId": "t1", "runtimeSessionId": "session"}
    assert (context, json.loads(asked["Payload"]), asked["FunctionName"]) == (told, {"id": "ä"}, "arn:order")


def test_the_same_id_in_another_session_is_another_call(dynamodb: Any) -> None:
    function = Lambda(1, 2)
    tools = Execution("calls", function, dynamodb)
    assert [tools.run(session, CALL, "arn:order").text for session in ("one", "two")] == ["1", "2"]


def test_a_call_that_was_cut_off_is_not_run_again_and_the_agent_is_told(dynamodb: Any) -> None:
    function = Lambda(Killed())
    with pytest.raises(Killed):
        Execution("calls", function, dynamodb).run("session", CALL, "arn:order")
    result = Execution("calls", function, dynamodb).run("session", CALL, "arn:order")
    assert result.is_error
    assert "may have taken effect" in result.text
    assert len(function.asked) == 1


@pytest.mark.parametrize(
    "lost", [ReadTimeoutError(endpoint_url="x"), ConnectionResetError(), refused("ServiceException", 500)]
)
def test_a_run_whose_answer_is_lost_is_not_repeated(dynamodb: Any, lost: BaseException) -> None:
    function = Lambda(lost)
    tools = Execution("calls", function, dynamodb)
    first, second = (tools.run("session", CALL, "arn:order") for _ in range(2))
    assert first == second
    assert "may have taken effect" in first.text
    assert len(function.asked) == 1


BEFORE = [
    refused("TooManyRequestsException", 429),
    refused("EC2ThrottledException", 502),
    ConnectTimeoutError(endpoint_url="x"),
]


@pytest.mark.parametrize("before", BEFORE)
def test_what_was_refused_before_anything_ran_may_run_later(dynamodb: Any, before: BaseException) -> None:
    function = Lambda(before, "fine")
    tools = Execution("calls", function, dynamodb)
    with pytest.raises(NotRun):
        tools.run("session", CALL, "arn:order")
    assert tools.run("session", CALL, "arn:order").text == "fine"


def test_says_that_a_tool_cannot_be_run(dynamodb: Any) -> None:
    tools = Execution("calls", Lambda(refused("AccessDeniedException", 403)), dynamodb)
    assert tools.run("session", CALL, "arn:order").text == "The tool cannot be run: AccessDeniedException."


def test_a_result_beyond_the_limit_is_an_error_that_says_so(dynamodb: Any) -> None:
    result = Execution("calls", Lambda("x" * 400_000), dynamodb).run("session", CALL, "arn:order")
    assert (result.text, result.is_error) == ("The tool order gave 400 KB, and at most 300 KB can be read.", True)


def test_runs_nothing_without_its_record(dynamodb: Any) -> None:
    function = Lambda("fine")
    with pytest.raises(ToolRecordUnavailable, match="ResourceNotFoundException"):
        Execution("missing", function, dynamodb).run("session", CALL, "arn:order")
    assert function.asked == []


def test_progress_keeps_states(dynamodb: Any) -> None:
    progress = Progress("calls", dynamodb)
    assert progress.load("turn") is None
    state = State(pending=CALL, asked=True, text="ä")
    progress.save("turn", state)
    assert progress.load("turn") == state
    progress.save("turn", State(asked=True, text="x" * NOTE_LIMIT))
    assert progress.load("turn") == state


def test_progress_says_when_its_table_is_out_of_reach(dynamodb: Any) -> None:
    progress = Progress("missing", dynamodb)
    with pytest.raises(ToolRecordUnavailable, match="ResourceNotFoundException"):
        progress.load("turn")
    with pytest.raises(ToolRecordUnavailable, match="ResourceNotFoundException"):
        progress.save("turn", State())
