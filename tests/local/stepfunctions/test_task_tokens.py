"""Tasks that wait for their token: every integration that can, answers, heartbeats, timeouts, stops, permissions."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.behaviours import behaviour

from agentcore_local import seams
from agentcore_local.stepfunctions import callbacks

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "Task tokens"
SOURCES = (
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html",
)
TOKEN = "{% $states.context.Task.Token %}"
WAIT = ".waitForTaskToken"
# Answers the token it is given, or keeps it, or fails.
SOURCE = """
import boto3, json

def handler(event, context):
    states, token = boto3.client("stepfunctions"), event["token"]
    if event.get("fail"):
        raise ValueError("no good")
    if event.get("answer"):
        states.send_task_success(taskToken=token, output=json.dumps({"said": event["answer"]}))
"""


class Clock:
    """The clock of those who wait for a token; it can be put forward."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._looked_at = threading.Event()

    def monotonic(self) -> float:
        self._looked_at.set()
        return time.monotonic() + self._ahead

    def forward(self, seconds: float) -> None:
        """Returns when somebody has seen it."""
        self._ahead += seconds
        self._looked_at.clear()
        assert self._looked_at.wait(20)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(callbacks, "time", clock)
    return clock


@pytest.fixture(scope="module")
def function(machines: Any, allow: Any) -> str:
    """A function that may answer for state machines of its account."""
    account = machines.account
    answering = ["states:SendTaskSuccess", "states:SendTaskHeartbeat"]
    role = machines.make_role(
        "responder",
        allow((answering, f"arn:aws:states:us-east-1:{account.account_id}:stateMachine:m*")),
        "lambda.amazonaws.com",
    )
    made = account.client("lambda").create_function(
        FunctionName="respond",
        Role=role,
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": stacks.zipped({"index.py": SOURCE})},
        Timeout=30,
    )
    return str(made["FunctionArn"])


def ask(function: str, **payload: Any) -> dict[str, Any]:
    """A state that hands its token to the function."""
    arguments = {"FunctionName": function, "Payload": {"token": TOKEN, **payload}}
    return {"Type": "Task", "Resource": f"arn:aws:states:::lambda:invoke{WAIT}", "Arguments": arguments}


@pytest.fixture(scope="module")
def queue(machines: Any) -> str:
    return str(machines.account.client("sqs").create_queue(QueueName="asked")["QueueUrl"])


@pytest.fixture
def receive(machines: Any, queue: str) -> Callable[[], dict[str, Any]]:
    """The next message in the queue, read."""

    def next_message() -> dict[str, Any]:
        sqs = machines.account.client("sqs")
        for _ in range(10):
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                found: dict[str, Any] = json.loads(message["Body"])
                return found
        raise AssertionError("nothing was sent")

    return next_message


def send(queue: str, **fields: Any) -> dict[str, Any]:
    """A state that sends its token to the queue."""
    arguments = {"QueueUrl": queue, "MessageBody": {"token": TOKEN}}
    return {"Type": "Task", "Resource": f"arn:aws:states:::sqs:sendMessage{WAIT}", "Arguments": arguments, **fields}


class TestIntegrations:
    @behaviour(
        "A function, queue, topic, bus, another workflow and AWS SDK calls can be waited for: `.waitForTaskToken`"
    )
    def test_a_function_answers(self, machines: Any, function: str) -> None:
        """With the permission on the state machine, which `grant_task_response` of the CDK gives."""
        execution = machines.run(ask(function, answer="yes"))
        assert (execution["status"], execution["output"]) == ("SUCCEEDED", {"said": "yes"}), execution

    @behaviour("A call that fails fails the task; nobody waits for its token")
    def test_a_function_that_fails_fails_the_task(self, machines: Any, function: str) -> None:
        execution = machines.run(ask(function, fail=True))
        assert (execution["error"], "no good" in execution["cause"]) == ("ValueError", True)

    def test_a_queue(self, machines: Any, queue: str, receive: Any) -> None:
        execution = machines.start({"Only": {**send(queue), "End": True}})
        machines.client.send_task_success(taskToken=receive()["token"], output='{"by": "queue"}')
        assert execution.wait()["output"] == {"by": "queue"}

    def test_a_topic(self, machines: Any, queue: str, receive: Any) -> None:
        sns, sqs = machines.account.client("sns"), machines.account.client("sqs")
        topic = sns.create_topic(Name="asked")["TopicArn"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [open_to_all]})})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        arguments = {"TopicArn": topic, "Message": {"token": TOKEN}, "Subject": "Approve?"}
        state = {"Type": "Task", "Resource": f"arn:aws:states:::sns:publish{WAIT}", "Arguments": arguments}
        execution = machines.start({"Only": {**state, "End": True}})
        machines.client.send_task_success(taskToken=receive()["token"], output='"by topic"')
        assert execution.wait()["output"] == "by topic"

    def test_a_bus(self, machines: Any, queue: str, receive: Any) -> None:
        events = machines.account.client("events")
        arn = f"arn:aws:sqs:us-east-1:{machines.account.account_id}:asked"
        events.put_rule(Name="asked", EventPattern=json.dumps({"source": ["my.workflow"]}))
        events.put_targets(Rule="asked", Targets=[{"Id": "queue", "Arn": arn}])
        entry = {
            "Source": "my.workflow",
            "DetailType": "approval",
            "Detail": {"token": TOKEN},
            "EventBusName": "default",
        }
        state = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::events:putEvents{WAIT}",
            "Arguments": {"Entries": [entry]},
        }
        execution = machines.start({"Only": {**state, "End": True}})
        machines.client.send_task_success(taskToken=receive()["detail"]["token"], output='"by bus"')
        assert execution.wait()["output"] == "by bus"

    def test_another_workflow(self, machines: Any, function: str) -> None:
        inner = machines.make(
            {"Answer": {**ask(function, answer="inner"), "Resource": "arn:aws:states:::lambda:invoke", "End": True}}
        )
        definition = json.loads(machines.client.describe_state_machine(stateMachineArn=inner)["definition"])
        definition["States"]["Answer"]["Arguments"]["Payload"]["token"] = "{% $states.input.token %}"
        machines.client.update_state_machine(stateMachineArn=inner, definition=json.dumps(definition))
        arguments = {"StateMachineArn": inner, "Input": {"token": TOKEN}}
        resource = f"arn:aws:states:::states:startExecution{WAIT}"
        outer = machines.run({"Type": "Task", "Resource": resource, "Arguments": arguments})
        assert outer["output"] == {"said": "inner"}

    def test_an_sdk_integration(self, machines: Any, queue: str, receive: Any) -> None:
        body = "{% $string({'token': $states.context.Task.Token}) %}"
        resource = f"arn:aws:states:::aws-sdk:sqs:sendMessage{WAIT}"
        state = {"Type": "Task", "Resource": resource, "Arguments": {"QueueUrl": queue, "MessageBody": body}}
        execution = machines.start({"Only": {**state, "End": True}})
        machines.client.send_task_success(taskToken=receive()["token"], output="7")
        assert execution.wait()["output"] == 7

    @pytest.mark.parametrize("service", ["bedrockagentcore:invokeHarness", "dynamodb:putItem"])
    @behaviour(
        "Integrations that cannot wait for a token",
        status="refused",
        note="`States.Runtime`, when the state runs; AWS refuses the definition.",
    )
    def test_what_cannot_wait_says_so(self, machines: Any, service: str) -> None:
        execution = machines.run({"Type": "Task", "Resource": f"arn:aws:states:::{service}{WAIT}", "Arguments": {}})
        assert execution["error"] == "States.Runtime"
        assert f"{service} cannot wait for a task token: the integration is request/response only" in execution["cause"]

    def test_by_json_path(self, machines: Any, queue: str, receive: Any) -> None:
        parameters = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}}
        resource = f"arn:aws:states:::sqs:sendMessage{WAIT}"
        state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "ResultPath": "$.answer", "End": True}
        execution = machines.start({"Only": state}, {"kept": 1}, language="JSONPath")
        machines.client.send_task_success(taskToken=receive()["token"], output="true")
        assert execution.wait()["output"] == {"kept": 1, "answer": True}


class TestAnswers:
    @behaviour("SendTaskFailure's error and cause are what Retry and Catch see")
    def test_a_failure_has_error_and_cause_and_is_caught(self, machines: Any, queue: str, receive: Any) -> None:
        catch = [{"ErrorEquals": ["Rejected"], "Next": "No", "Output": "{% $states.errorOutput %}"}]
        states = {"Ask": {**send(queue, Catch=catch), "End": True}, "No": {"Type": "Pass", "End": True}}
        execution = machines.start(states)
        machines.client.send_task_failure(taskToken=receive()["token"], error="Rejected", cause="too expensive")
        assert execution.wait()["output"] == {"Error": "Rejected", "Cause": "too expensive"}

    @behaviour("The first answer counts; a later one is `TaskTimedOut`")
    def test_the_first_answer_counts(self, machines: Any, queue: str, receive: Any) -> None:
        execution = machines.start({"Only": {**send(queue), "End": True}})
        token = receive()["token"]
        machines.client.send_task_success(taskToken=token, output="1")
        with pytest.raises(ClientError) as caught:
            machines.client.send_task_failure(taskToken=token)
        assert caught.value.response["Error"]["Code"] == "TaskTimedOut"
        assert execution.wait()["output"] == 1

    @behaviour("An output that is no JSON is `InvalidOutput`, a token nobody has `InvalidToken`")
    def test_wrong_answers_are_refused(self, machines: Any, queue: str, receive: Any) -> None:
        execution = machines.start({"Only": {**send(queue), "End": True}})
        token = receive()["token"]
        for arguments, code in (
            ({"taskToken": token, "output": "no json"}, "InvalidOutput"),
            ({"taskToken": "made-up", "output": "1"}, "InvalidToken"),
        ):
            with pytest.raises(ClientError) as caught:
                machines.client.send_task_success(**arguments)
            assert caught.value.response["Error"]["Code"] == code
        elsewhere = machines.account.cloud.account().client("stepfunctions")
        with pytest.raises(ClientError):
            elsewhere.send_task_success(taskToken=token, output="1")
        machines.client.send_task_success(taskToken=token, output="1")
        assert execution.wait()["status"] == "SUCCEEDED"

    @behaviour("Every attempt has a token of its own, and so has every branch")
    def test_every_attempt_has_its_own_token(self, machines: Any, queue: str, receive: Any) -> None:
        retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxDelaySeconds": 1}]
        execution = machines.start({"Only": {**send(queue, Retry=retry), "End": True}})
        first = receive()["token"]
        machines.client.send_task_failure(taskToken=first, error="Again")
        second = receive()["token"]
        assert first != second
        machines.client.send_task_success(taskToken=second, output='"second"')
        assert execution.wait()["output"] == "second"

    def test_branches_have_tokens_of_their_own(self, machines: Any, queue: str, receive: Any) -> None:
        branches = [{"StartAt": name, "States": {name: {**send(queue), "End": True}}} for name in "abcd"]
        for number, branch in enumerate(branches):
            (state,) = branch["States"].values()
            state["Arguments"] = {"QueueUrl": queue, "MessageBody": {"token": TOKEN, "number": number}}
        execution = machines.start({"All": {"Type": "Parallel", "Branches": branches, "End": True}})
        for _ in branches:
            message = receive()
            machines.client.send_task_success(taskToken=message["token"], output=str(message["number"]))
        assert execution.wait()["output"] == [0, 1, 2, 3]


class TestLimits:
    @behaviour("TimeoutSeconds: `States.Timeout`, and the answer comes too late")
    def test_no_answer_in_time(self, machines: Any, queue: str, receive: Any) -> None:
        execution = machines.start({"Only": {**send(queue, TimeoutSeconds=1), "End": True}})
        token = receive()["token"]
        found = execution.wait()
        assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
        with pytest.raises(ClientError) as caught:
            machines.client.send_task_success(taskToken=token, output="1")
        assert caught.value.response["Error"]["Code"] == "TaskTimedOut"
        assert len(execution.events("TaskTimedOut")) == 1

    @behaviour("HeartbeatSeconds: `States.HeartbeatTimeout` unless SendTaskHeartbeat is called")
    def test_no_heartbeat_in_time(self, machines: Any, queue: str, receive: Any) -> None:
        state = send(queue, TimeoutSeconds="{% 60 %}", HeartbeatSeconds="{% $states.input.beat %}")
        found = machines.run(state, {"beat": 1})
        receive()
        assert (found["status"], found["error"]) == ("FAILED", "States.HeartbeatTimeout")

    def test_heartbeats_keep_it_waiting(self, machines: Any, queue: str, receive: Any, clock: Clock) -> None:
        execution = machines.start({"Only": {**send(queue), "HeartbeatSeconds": 600, "End": True}})
        token = receive()["token"]
        for _ in range(3):
            clock.forward(400)
            machines.client.send_task_heartbeat(taskToken=token)
        machines.client.send_task_success(taskToken=token, output='"at last"')
        assert execution.wait()["output"] == "at last"

    def test_a_heartbeat_counts_from_the_last_one(self, machines: Any, queue: str, receive: Any, clock: Clock) -> None:
        execution = machines.start({"Only": {**send(queue), "HeartbeatSeconds": 600, "End": True}})
        token = receive()["token"]
        clock.forward(400)
        machines.client.send_task_heartbeat(taskToken=token)
        clock.forward(700)
        assert execution.wait()["error"] == "States.HeartbeatTimeout"

    def test_limits_from_the_input(self, machines: Any, queue: str, receive: Any) -> None:
        parameters = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}}
        resource = f"arn:aws:states:::sqs:sendMessage{WAIT}"
        state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "TimeoutSecondsPath": "$.limit"}
        assert machines.run(state, {"limit": 1}, language="JSONPath")["error"] == "States.Timeout"
        receive()

    def test_a_stopped_execution_waits_no_longer(self, machines: Any, queue: str, receive: Any) -> None:
        execution = machines.start({"Only": {**send(queue), "End": True}})
        token = receive()["token"]
        execution.stop()
        end = time.monotonic() + 20
        code = ""
        while code != "TaskTimedOut":
            assert time.monotonic() < end
            try:
                machines.client.send_task_heartbeat(taskToken=token)
            except ClientError as error:
                code = error.response["Error"]["Code"]
            time.sleep(0.05)
        assert execution.read()["status"] == "ABORTED"

    def test_a_reset_leaves_nobody_waiting(self, machines: Any, queue: str, receive: Any) -> None:
        """What `POST /reset` and the end of the local cloud do first."""
        execution = machines.start({"Only": {**send(queue), "End": True}})
        receive()
        names = [thread.name for thread in threading.enumerate()]
        seams.abort_executions()
        end = time.monotonic() + 20
        while len(threading.enumerate()) >= len(names):
            assert time.monotonic() < end, names
            time.sleep(0.05)
        assert execution.read()["status"] == "ABORTED"

    def test_a_limit_that_is_no_number(self, machines: Any, queue: str) -> None:
        found = machines.run(send(queue, TimeoutSeconds="{% $states.input.limit %}"), {"limit": 0})
        assert (found["error"], "TimeoutSeconds must be a number" in found["cause"]) == ("States.Runtime", True)


def test_the_role_must_allow_the_call(machines: Any, queue: str, allow: Any) -> None:
    role = machines.make_role("silent", allow())
    found = machines.run(send(queue), role=role)
    assert "not authorized to perform: sqs:SendMessage" in found["cause"]


@behaviour("SendTaskSuccess and its like are allowed on the state machine of the token")
def test_who_may_answer(machines: Any, queue: str, receive: Any, allow: Any) -> None:
    """SendTaskSuccess is checked on the state machine of the token."""
    execution = machines.start({"Only": {**send(queue), "End": True}})
    token = receive()["token"]
    iam = machines.account.client("iam")
    iam.create_user(UserName="approver")
    key = iam.create_access_key(UserName="approver")["AccessKey"]
    machine = execution.read()["stateMachineArn"]
    client = machines.account.client(
        "stepfunctions", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    for resource, allowed in ((machine + "-other", False), (machine, True)):
        document = json.dumps(allow((["states:SendTaskSuccess"], resource)))
        iam.put_user_policy(UserName="approver", PolicyName="own", PolicyDocument=document)
        if allowed:
            client.send_task_success(taskToken=token, output='"approved"')
        else:
            with pytest.raises(ClientError, match="not authorized to perform: states:SendTaskSuccess"):
                client.send_task_success(taskToken=token, output='"approved"')
    assert execution.wait()["output"] == "approved"
