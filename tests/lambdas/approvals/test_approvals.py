"""Asking and answering, against DynamoDB and SNS as moto has them; the token shows nowhere."""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "AQC-the-token-of-a-task"
REGION = "us-east-1"


class Context:
    """Lambda's, as Powertools reads it."""

    function_name = "f"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    aws_request_id = "r"


class Tasks:
    """Step Functions: keeps who was answered, or fails."""

    def __init__(self) -> None:
        self.answered: list[dict[str, Any]] = []
        self.error: str | None = None

    def send_task_success(self, **given: Any) -> None:
        if self.error is not None:
            message = f"Value '{given['taskToken']}' failed"
            raise ClientError({"Error": {"Code": self.error, "Message": message}}, "SendTaskSuccess")
        self.answered.append({**given, "output": json.loads(given["output"])})


class Desk:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sns = boto3.client("sns", region_name=REGION)
        self.topic = self.sns.create_topic(Name="t")["TopicArn"]
        sqs = boto3.client("sqs", region_name=REGION)
        self.queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        self.sqs = sqs
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q")
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName="waiting",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        monkeypatch.setenv("APPROVALS_TABLE", "waiting")
        monkeypatch.setenv("APPROVALS_CHANNEL", self.topic)
        monkeypatch.setenv("APPROVALS_RESPONDER", "https://responder")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
        self._ask = importlib.reload(importlib.import_module("agentcore_lambdas.approvals.ask"))
        self._respond = importlib.reload(importlib.import_module("agentcore_lambdas.approvals.respond"))
        self.tasks = Tasks()
        client = boto3.client
        monkeypatch.setattr(
            self._respond.boto3,
            "client",
            lambda name, **more: self.tasks if name == "stepfunctions" else client(name, **more),
        )
        self.modules = (self._ask, self._respond)
        self.not_notified: type[Exception] = self._ask.NotNotified
        self.not_answered: type[Exception] = self._respond.NotAnswered

    def open(self, title: str = "Refund?") -> None:
        event = {"token": TOKEN, "timeoutSeconds": 60, "title": title, "request": {"id": 1}, "execution": "e"}
        self._ask.handler(event, Context())

    def subscribe_queue_to_fifo_topic(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
        topic = self.sns.create_topic(Name="t.fifo", Attributes=fifo)["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q.fifo")
        monkeypatch.setenv("APPROVALS_CHANNEL", topic)

    def ask(self) -> dict[str, Any]:
        self.open()
        (message,) = self.sqs.receive_message(QueueUrl=self.queue)["Messages"]
        told: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
        return told

    def respond(self, event: dict[str, Any]) -> tuple[int, str]:
        answer = self._respond.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"])["message"]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with mock_aws():
        made = Desk(monkeypatch)
        for module in made.modules:
            # The logger may have taken hold of the output before this test did.
            monkeypatch.setattr(module.logger.registered_handler, "stream", sys.stdout)
        yield made


def through_url(body: dict[str, Any]) -> dict[str, Any]:
    identity = {"iam": {"userArn": "arn:aws:iam::123456789012:user/anna"}}
    return {"requestContext": {"authorizer": identity}, "body": json.dumps(body)}


def test_people_get_an_id_and_the_workflow_their_answer(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    told = desk.ask()
    assert {**told, "approvalId": "…"} == {
        "approvalId": "…",
        "title": "Refund?",
        "request": {"id": 1},
        "respondTo": "https://responder",
        "expiresAfterSeconds": 60,
        "execution": "e",
    }
    said = {"approvalId": told["approvalId"], "approved": True, "comment": "fine"}
    assert desk.respond(through_url(said)) == (200, "approved")
    output = {"approved": True, "comment": "fine", "by": "arn:aws:iam::123456789012:user/anna"}
    assert desk.tasks.answered == [{"taskToken": TOKEN, "output": output}]
    written = "".join(capsys.readouterr())
    assert "approval answered" in written
    assert TOKEN not in written + json.dumps(told)
    assert told["approvalId"] not in written


def test_a_fifo_topic_is_told_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses messages without a group, and without an id where their content does not make one."""
    desk.subscribe_queue_to_fifo_topic(monkeypatch)
    assert desk.ask()["title"] == "Refund?"


def test_the_subject_is_one_line(desk: Desk) -> None:
    desk.open("Refund of\n  12 €?")
    (message,) = desk.sqs.receive_message(QueueUrl=desk.queue)["Messages"]
    told = json.loads(message["Body"])
    assert told["Subject"] == "Approval: Refund of 12 ??"
    assert json.loads(told["Message"])["title"] == "Refund of\n  12 €?"


def test_the_first_answer_counts_and_the_same_again_is_passed_on_again(desk: Desk) -> None:
    said = {"approvalId": desk.ask()["approvalId"], "approved": False}
    assert desk.respond(said) == (200, "rejected")
    assert desk.respond({**said, "approved": True}) == (409, "answered otherwise before")
    # The first function may have been ended between its note and the workflow.
    assert desk.respond(said) == (200, "rejected")
    assert len(desk.tasks.answered) == 2
    desk.tasks.error = "TaskTimedOut"
    assert desk.respond(said) == (200, "rejected before")


@pytest.mark.parametrize("error", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_says_when_nobody_waits_any_more(desk: Desk, error: str) -> None:
    desk.tasks.error = error
    said = {"approvalId": desk.ask()["approvalId"], "approved": True}
    assert desk.respond(said) == (410, "nobody waits for this approval any more")


def test_an_answer_that_could_not_be_passed_on_can_be_given_again(desk: Desk) -> None:
    desk.tasks.error = "ThrottlingException"
    said = {"approvalId": desk.ask()["approvalId"], "approved": True}
    with pytest.raises(desk.not_answered) as raised:
        desk.respond(said)
    # Lambda writes the whole traceback into the log; the service's own words quote the token.
    written = "".join(traceback.format_exception(raised.value))
    assert "could not be told of the answer: ThrottlingException" in written
    assert TOKEN not in written
    desk.tasks.error = None
    assert desk.respond({**said, "approved": False}) == (200, "rejected")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"approvalId": "x"},
        {"approvalId": "x", "approved": "yes"},
        {"approvalId": "x", "approved": True, "to": "me"},
        {"approvalId": "x", "approved": True, "comment": "x" * 4001},
    ],
)
def test_refuses_what_is_no_answer(desk: Desk, body: dict[str, Any]) -> None:
    status, message = desk.respond(through_url(body))
    assert status == 400
    assert message.startswith("the body must be")


def test_refuses_what_is_no_json_and_knows_no_stranger(desk: Desk) -> None:
    assert desk.respond({"requestContext": {}, "body": "{"})[0] == 400
    assert desk.respond({"approvalId": "stranger", "approved": True}) == (404, "there is no such approval")


@pytest.mark.parametrize("refused", [0, 1])
def test_tells_an_event_bus_or_says_that_it_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    sent: list[dict[str, Any]] = []

    class Bus:
        def put_events(self, **given: Any) -> dict[str, Any]:
            sent.extend(given["Entries"])
            return {"FailedEntryCount": refused, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    arn = "arn:aws:events:us-east-1:123456789012:event-bus/approvals"
    monkeypatch.setenv("APPROVALS_CHANNEL", arn)
    monkeypatch.setattr(desk.modules[0].boto3, "client", lambda *_, **__: Bus())
    with pytest.raises(desk.not_notified, match="nobody could be told") if refused else nullcontext():
        desk.open()
    (entry,) = sent
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == (
        "agentcore.approvals",
        "Approval Requested",
        arn,
    )
    assert json.loads(entry["Detail"])["title"] == "Refund?"
    assert TOKEN not in str(sent)


def test_tells_a_function_without_waiting_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Function:
        def invoke(self, **given: Any) -> None:
            asked.append(given)

    monkeypatch.setenv("APPROVALS_CHANNEL", "arn:aws:lambda:us-east-1:123456789012:function:tell")
    monkeypatch.setattr(desk.modules[0].boto3, "client", lambda *_, **__: Function())
    desk.open()
    assert (asked[0]["InvocationType"], asked[0]["FunctionName"].rpartition(":")[2]) == ("Event", "tell")
    told = json.loads(asked[0]["Payload"])
    assert (told["title"], told["expiresAfterSeconds"]) == ("Refund?", 60)
    assert TOKEN not in str(asked)


def test_fails_when_nobody_can_be_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.sns.delete_topic(TopicArn=desk.topic)
    with pytest.raises(desk.not_notified, match="nobody could be told"):
        desk.ask()
    assert TOKEN not in "".join(capsys.readouterr())
