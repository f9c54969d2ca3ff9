"""Turns, approvals and commands in executions on the local cloud, also when things fail."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_sns_subscriptions import SqsSubscription
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from support import synth

from agentcore_constructs import Harness, InlineTool, Memory
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.harness import api as data_plane
from agentcore_local.harness.errors import ServiceError
from agentcore_stepfunctions import (
    AgentTurn,
    HumanApproval,
    RunHarnessCommand,
    SessionId,
    VisibleAgentTurn,
    jsonata,
)
from agentcore_stepfunctions.fragments import CALL

if TYPE_CHECKING:
    from agentcore_local import LocalCloud

SCHEMA = {"type": "object", "properties": {"how": {"type": "string"}}}
# Counts its runs where they can be read afterwards, and ends as it is told.
TOOL = """
import json, os, time, boto3
def handler(event, context):
    name = context.client_context.custom["bedrockAgentCoreToolName"]
    call = context.client_context.custom["toolUseId"]
    boto3.client("sns").publish(TopicArn=os.environ["RUNS"], Message=json.dumps([name, call, event]))
    how = event.get("how")
    if how == "slow":
        time.sleep(6)
    if how == "raise":
        raise KeyError("secret")
    if how == "error":
        return {"isError": True, "content": [{"type": "text", "text": "No such order."}]}
    return {"how": how}
"""


def machine(stack: cdk.Stack, name: str, states: Any) -> None:
    made = sfn.StateMachine(
        stack,
        f"{name}Machine",
        definition_body=sfn.DefinitionBody.from_chainable(states),
        query_language=sfn.QueryLanguage.JSONATA,
    )
    cdk.CfnOutput(stack, name, value=made.state_machine_arn)


def workflows(stack: cdk.Stack) -> None:
    runs = sns.Topic(stack, "Runs")
    kept = sqs.Queue(stack, "Kept")
    runs.add_subscription(SqsSubscription(kept, raw_message_delivery=True))
    cdk.CfnOutput(stack, "RunsUrl", value=kept.queue_url)
    function = lambda_.Function(
        stack,
        "Tool",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(TOOL),
        timeout=cdk.Duration.seconds(20),
        environment={"RUNS": runs.topic_arn},
    )
    runs.grant_publish(function)
    tools = [
        InlineTool.from_lambda(
            function, name=name, description="Does it.", input_schema=SCHEMA, approval=name == "risky"
        )
        for name in ("work", "risky")
    ]
    agent = Harness(stack, "Agent", harness_name="clerk", memory=Memory.disabled(), tools=tools)
    cdk.CfnOutput(stack, "Harness", value=agent.harness_arn)
    channel = sns.Topic(stack, "Channel")
    waiting = sqs.Queue(stack, "Waiting")
    channel.add_subscription(SqsSubscription(waiting, raw_message_delivery=True))
    cdk.CfnOutput(stack, "WaitingUrl", value=waiting.queue_url)
    for name, kind in (("Turn", AgentTurn), ("Visible", VisibleAgentTurn)):
        approval = HumanApproval(
            stack,
            f"{name}Approval",
            title="May it?",
            channel=channel,
            request=jsonata(CALL),
            timeout=cdk.Duration.seconds(2 if name == "Visible" else 120),
        )
        cdk.CfnOutput(stack, f"{name}Responder", value=approval.desk.responder.function_name)
        turn = kind(stack, name, harness=agent, prompt=jsonata("$states.input.q"), approval=approval)
        cdk.CfnOutput(stack, f"{name}Loop", value=turn.loop.function.function_name)
        machine(stack, f"{name}Arn", turn)
    session = SessionId.per_execution()
    write = RunHarnessCommand(
        stack, "Write", harness=agent, session_id=session, command=jsonata("$states.input.command")
    )
    failed = sfn.Pass.jsonata(stack, "Caught", outputs=jsonata("{'caught': $states.input.Error}"))
    write.add_catch(failed, errors=["CommandFailed"])
    machine(stack, "CommandArn", write)


class Shop:
    def __init__(self, cloud: LocalCloud) -> None:
        app = cdk.App(context=synth.CONTEXT)
        workflows(cdk.Stack(app, "Shop"))
        self.account = cloud.account()
        self.out = self.account.deploy(app.synth().directory)["Shop"].outputs
        self.sfn = self.account.client("stepfunctions")
        self.sqs = self.account.client("sqs")

    def script(self, *turns: Any) -> None:
        self.account.cloud.script(self.out["Harness"], lambda call: turns[min(call.turn, len(turns)) - 1])

    def start(self, name: str, /, **given: Any) -> str:
        more = {"name": given.pop("name")} if "name" in given else {}
        arn = self.out[f"{name}Arn"]
        started = self.sfn.start_execution(stateMachineArn=arn, input=json.dumps({"q": "hi", **given}), **more)
        return str(started["executionArn"])

    def ended(self, execution: str, seconds: float = 120) -> SimpleNamespace:
        until = time.monotonic() + seconds
        while (told := self.sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < until, "the execution does not end"
            time.sleep(0.05)
        output = json.loads(told["output"]) if "output" in told else None
        return SimpleNamespace(status=told["status"], output=output, error=told.get("error"), cause=told.get("cause"))

    def run(self, name: str, /, **given: Any) -> SimpleNamespace:
        return self.ended(self.start(name, **given))

    def messages(self, queue: str, count: int = 0) -> list[Any]:
        """What came, at least as much as is said."""
        found: list[Any] = []
        until = time.monotonic() + 60
        while True:
            got = self.sqs.receive_message(QueueUrl=self.out[queue], MaxNumberOfMessages=10).get("Messages", [])
            for message in got:
                self.sqs.delete_message(QueueUrl=self.out[queue], ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            if not got and len(found) >= count:
                return found
            assert time.monotonic() < until, f"only {found} came"


@pytest.fixture(scope="module")
def shop(local_cloud: LocalCloud) -> Shop:
    return Shop(local_cloud)


def calls(how: str, tool: str = "work", times: int = 1) -> Turn:
    return Turn(text="Let me.", tool_calls=[ToolCall(tool, {"how": how})] * times)


BOTH = pytest.mark.parametrize("kind", ["Turn", "Visible"])


@BOTH
@pytest.mark.parametrize(
    ("how", "text", "status"),
    [
        ("well", '"how": "well"', "success"),
        ("error", "No such order.", "error"),
        ("raise", "The tool failed.", "error"),
    ],
)
def test_runs_a_tool_once_and_tells_the_agent(shop: Shop, kind: str, how: str, text: str, status: str) -> None:
    shop.script(calls(how), "It said: $tool_result")
    ended = shop.run(kind)
    assert (ended.status, ended.error) == ("SUCCEEDED", None)
    assert text in ended.output["text"]
    assert [(call["name"], call["status"]) for call in ended.output["toolCalls"]] == [("work", status)]
    assert ended.output["usage"]["totalTokens"] > 0
    ((name, call, given),) = shop.messages("RunsUrl", 1)
    assert (name, call, given) == ("work", ended.output["toolCalls"][0]["toolUseId"], {"how": how})


@BOTH
def test_runs_several_calls_of_one_message_in_order(shop: Shop, kind: str) -> None:
    shop.script(calls("well", times=3), "Done.")
    ended = shop.run(kind, name="abc")
    assert (ended.status, ended.output["text"], len(ended.output["toolCalls"])) == ("SUCCEEDED", "Done.", 3)
    ran = sorted(call for _, call, _ in shop.messages("RunsUrl", 3))
    assert ran == sorted(call["toolUseId"] for call in ended.output["toolCalls"])


def test_shows_each_call_as_a_state(shop: Shop) -> None:
    shop.script(calls("well"), "Done.")
    execution = shop.start("Visible")
    assert shop.ended(execution).status == "SUCCEEDED"
    history = shop.sfn.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    turn, choice = "Visible: Turn", "Visible: What next?"
    assert entered == ["Visible: Begin", turn, choice, "Visible: work", turn, choice, "Visible: Done"]
    shop.messages("RunsUrl", 1)


@BOTH
def test_an_answer_without_content_is_empty_text(shop: Shop, kind: str) -> None:
    shop.script("")
    ended = shop.run(kind)
    assert (ended.status, ended.output["text"], ended.output["toolCalls"]) == ("SUCCEEDED", "", [])


@pytest.mark.parametrize(("approved", "status", "runs"), [(True, "success", 1), (False, "rejected", 0)])
def test_waits_for_a_person(shop: Shop, approved: bool, status: str, runs: int) -> None:
    shop.script(calls("well", "risky"), "It said: $tool_result")
    execution = shop.start("Turn")
    (asked,) = shop.messages("WaitingUrl", 1)
    assert asked["request"]["input"] == {"how": "well"}
    said = {"approvalId": asked["approvalId"], "approved": approved, "comment": "too much"}
    function = shop.out["TurnResponder"]
    shop.account.client("lambda").invoke(FunctionName=function, Payload=json.dumps(said))
    ended = shop.ended(execution)
    assert ended.output["toolCalls"][0]["status"] == status
    assert ("rejected this call: too much" in ended.output["text"]) is not approved
    assert len(shop.messages("RunsUrl", runs)) == runs


def answered_over_http(shop: Shop, asked: dict[str, Any], *, signed: bool) -> int:
    """Sends a yes to the address that people are told; the local cloud serves the host name of the real one."""
    account, body = shop.account, json.dumps({"approvalId": asked["approvalId"], "approved": True}).encode()
    request = AWSRequest("POST", asked["respondTo"], {"Content-Type": "application/json"}, body)
    if signed:
        credentials = account.session().get_credentials().get_frozen_credentials()
        SigV4Auth(credentials, "lambda", account.region).add_auth(request)
    address = urlsplit(asked["respondTo"])
    sent = Request(
        f"{account.cloud.endpoint_url}{address.path}", body, {**dict(request.headers), "Host": address.netloc}
    )
    try:
        with urlopen(sent, timeout=30) as reply:
            return int(reply.status)
    except HTTPError as error:
        return error.code


def test_people_answer_over_http_and_sign_what_they_say(shop: Shop) -> None:
    shop.script(calls("well", "risky"), "Done.")
    execution = shop.start("Turn")
    (asked,) = shop.messages("WaitingUrl", 1)
    assert answered_over_http(shop, asked, signed=False) == 403
    assert shop.sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert answered_over_http(shop, asked, signed=True) == 200
    assert shop.ended(execution).output["toolCalls"][0]["status"] == "success"
    history = shop.sfn.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    heard = [event["taskSucceededEventDetails"] for event in history if event["type"] == "TaskSucceeded"]
    decisions = [said for event in heard if "approved" in (said := json.loads(event["output"]))]
    assert [said["by"] for said in decisions] == [f"arn:aws:iam::{shop.account.account_id}:root"]
    assert answered_over_http(shop, asked, signed=True) == 200  # the same again is confirmed
    assert len(shop.messages("RunsUrl", 1)) == 1


def test_nobodys_answer_is_a_no(shop: Shop) -> None:
    shop.script(calls("well", "risky"), "It said: $tool_result")
    ended = shop.run("Visible")
    assert "Nobody answered within 2 seconds." in ended.output["text"]
    assert ended.output["toolCalls"][0]["status"] == "rejected"
    assert shop.messages("RunsUrl") == []
    shop.messages("WaitingUrl", 1)


def test_a_harness_that_fails_fails_the_turn_by_name(shop: Shop) -> None:
    shop.script(Turn(error=ModelFailure("validation", "no")))
    ended = shop.run("Turn")
    assert ended.status == "FAILED"
    assert ended.error.startswith("Harness")


def test_a_turn_that_is_longer_than_its_function_is_taken_up_again(shop: Shop) -> None:
    lambda_client = shop.account.client("lambda")
    lambda_client.update_function_configuration(FunctionName=shop.out["TurnLoop"], Timeout=50)
    try:
        shop.script(calls("slow"), calls("slow"), "Done.")
        ended = shop.run("Turn")
    finally:
        lambda_client.update_function_configuration(FunctionName=shop.out["TurnLoop"], Timeout=900)
    assert (ended.status, ended.output["text"], len(ended.output["toolCalls"])) == ("SUCCEEDED", "Done.", 2)
    assert len(shop.messages("RunsUrl", 2)) == 2


def kill(function: str) -> None:
    """Ends the process of a Lambda function at once, as a host that fails does."""
    worker = f"ministack-lambda-{function}-".encode()
    # Children alone: the local cloud of another process that runs tests has a function of this name as well.
    children = " ".join((task / "children").read_text() for task in Path("/proc/self/task").iterdir()).split()
    running = [int(pid) for pid in children if worker in cmdline(pid)]
    assert running, f"no process of {function} runs"
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc")
def test_a_loop_that_is_killed_in_the_middle_of_a_tool_call_goes_on_without_running_it_again(shop: Shop) -> None:
    shop.script(calls("slow"), calls("well"), "It said: $tool_result")
    shop.messages("RunsUrl")
    execution = shop.start("Turn")
    ((_, killed, _),) = shop.messages("RunsUrl", 1)
    kill(shop.out["TurnLoop"])
    ended = shop.ended(execution)
    assert (ended.status, ended.error) == ("SUCCEEDED", None)
    # The first call was cut off: the agent is told so, and the tool has run once. The second one runs as always.
    first, second = ended.output["toolCalls"]
    assert (first["toolUseId"], first["status"], second["status"]) == (killed, "error", "success")
    ((_, ran, given),) = shop.messages("RunsUrl", 1)
    assert (ran, given) == (second["toolUseId"], {"how": "well"})
    told = shop.sfn.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    assert [event["type"] for event in told if "Failed" in event["type"]], "nothing was killed"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc")
def test_a_loop_that_is_killed_while_the_agent_works_goes_on(shop: Shop) -> None:
    working = threading.Event()

    async def work(call: Any) -> Any:
        if call.turn == 1 and not working.is_set():
            working.set()
            await asyncio.Event().wait()  # until the caller is gone
        return Turn(tool_calls=[ToolCall("work", {"how": "well"})]) if not call.tool_result else "Done."

    shop.account.cloud.script(shop.out["Harness"], work)
    execution = shop.start("Turn")
    assert working.wait(30)
    kill(shop.out["TurnLoop"])
    ended = shop.ended(execution)
    assert (ended.status, ended.output["text"]) == ("SUCCEEDED", "Done.")
    assert len(shop.messages("RunsUrl", 1)) == len(ended.output["toolCalls"]) == 1


@BOTH
def test_throttling_is_waited_out(shop: Shop, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = iter(range(3))
    invokable = data_plane.invokable

    def refuse(*given: Any) -> Any:
        if next(refused, None) is not None:
            raise ServiceError("ThrottlingException", "Rate exceeded")
        return invokable(*given)

    monkeypatch.setattr(data_plane, "invokable", refuse)
    shop.script(calls("well"), "Done.")
    ended = shop.run(kind)
    assert (ended.status, ended.output["text"]) == ("SUCCEEDED", "Done.")
    assert next(refused, None) is None
    assert len(shop.messages("RunsUrl", 1)) == 1


def test_runs_commands_and_catches_those_that_fail(shop: Shop) -> None:
    ended = shop.run("Command", command="echo done; echo careful >&2")
    assert (ended.output["exitCode"], ended.output["stdout"], ended.output["stderr"]) == (0, "done\n", "careful\n")
    assert shop.run("Command", command="exit 3").output == {"caught": "CommandFailed"}
