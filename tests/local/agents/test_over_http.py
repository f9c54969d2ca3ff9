"""The agent loop behind the server: what boto3 and Step Functions see of it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import threading
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from support import stacks

from agentcore_local import agents
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.faults import TaskFailed
from agentcore_local.stepfunctions import harness_task as stepfunctions


class Session:
    """One session of one harness, over boto3."""

    def __init__(self, account: Any, arn: str) -> None:
        self.client = account.client("bedrock-agentcore")
        self.arn = arn
        self.id = f"session-{uuid.uuid4()}"

    def send(self, *content: dict, **request: Any) -> list[dict]:
        messages = [{"role": "user", "content": list(content)}]
        response = self.client.invoke_harness(
            harnessArn=self.arn, runtimeSessionId=self.id, messages=messages, **request
        )
        return list(response["stream"])

    def say(self, text: str = "hello", **request: Any) -> list[dict]:
        return self.send({"text": text}, **request)


def text(events: list[dict]) -> str:
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)


def stops(events: list[dict]) -> list[str]:
    return [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]


@pytest.fixture
def session(account, create):
    def make(**members: Any) -> Session:
        return Session(account, create(f"agent_{uuid.uuid4().hex[:8]}", **members)["arn"])

    return make


def test_events_arrive_one_by_one(session, script):
    script(Turn(text="one two three four", error=ModelFailure("hang", after_tokens=2)))
    client = session()
    messages = [{"role": "user", "content": [{"text": "Count"}]}]
    stream = client.client.invoke_harness(harnessArn=client.arn, runtimeSessionId=client.id, messages=messages)[
        "stream"
    ]
    deltas = (event for event in stream if "contentBlockDelta" in event)
    assert text([next(deltas), next(deltas)]) == "one two"  # though the model will never say the rest
    assert any(one.busy for one in agents.sessions if one.key.session_id == client.id)
    stream.close()


def test_an_inline_function_is_handed_out_and_resumed(session, script, inline):
    script(Turn(tool_calls=[ToolCall("refund", {"n": 1})]), "The tool said: $tool_result")
    client = session(tools=[inline("refund")])
    first = client.say("Refund")
    assert stops(first) == ["tool_use"]
    (start,) = [event["contentBlockStart"]["start"] for event in first if "contentBlockStart" in event]
    result = {"toolUseId": start["toolUse"]["toolUseId"], "content": [{"json": {"ok": True}}], "status": "success"}
    second = client.send({"toolResult": result})
    assert stops(second) == ["tool_result", "end_turn"]
    assert text(second) == 'The tool said: {"ok": true}'


def test_a_wrong_result_is_an_error_of_the_request(session, script, inline):
    script(Turn(tool_calls=[ToolCall("refund")]), "never")
    client = session(tools=[inline("refund")])
    client.say()
    with pytest.raises(ClientError) as caught:
        client.send({"toolResult": {"toolUseId": "other", "content": [{"text": "x"}]}})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["reason"] == "FieldValidationFailed"
    assert "this session waits for" in str(caught.value)


def test_a_busy_session_is_an_error_of_the_request(session, script):
    begun, refused = threading.Event(), threading.Event()

    async def speak(_call):
        begun.set()
        assert await asyncio.to_thread(refused.wait, 30)
        return "slow answer"

    script(speak)
    client = session()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(client.say)
        assert begun.wait(20)
        with pytest.raises(ClientError) as caught:
            client.say()
        refused.set()
        assert text(first.result()) == "slow answer"
    assert (caught.value.response["Error"]["Code"], caught.value.response["reason"]) == (
        "ValidationException",
        "ResourceConflict",
    )


def test_a_failing_model_is_an_error_in_the_stream(session, script):
    script(Turn(text="one two", error=ModelFailure("drop", after_tokens=1)))
    client = session()
    messages = [{"role": "user", "content": [{"text": "x"}]}]
    stream = client.client.invoke_harness(harnessArn=client.arn, runtimeSessionId=client.id, messages=messages)[
        "stream"
    ]
    seen = []
    with pytest.raises(EventStreamError) as caught:
        seen.extend(stream)
    assert "runtimeClientError" in str(caught.value)
    assert "The connection to the model provider was lost" in str(caught.value)


def test_a_client_that_hangs_up_ends_the_agents_work(session, script):
    script(Turn(text="a b c", token_delay=0.3))
    client = session()
    messages = [{"role": "user", "content": [{"text": "x"}]}]
    stream = client.client.invoke_harness(harnessArn=client.arn, runtimeSessionId=client.id, messages=messages)[
        "stream"
    ]
    next(iter(stream))
    stream.close()
    script("free again")
    end = time.monotonic() + 5
    while any(one.busy for one in agents.sessions if one.key.session_id == client.id):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert text(client.say()) == "free again"


def test_the_shell_works_behind_the_server(session, script):
    script(Turn(tool_calls=[ToolCall("shell", {"command": "echo $STAGE; pwd"})]), "$tool_result")
    assert text(session(environmentVariables={"STAGE": "test"}).say()) == "test\n/workspace\n"


def test_a_hundred_streams_at_once(session, script):
    script(lambda call: Turn(text=f"{call.session_id}", token_delay=0.01))
    one = session()

    def go(_number: int) -> bool:
        client = Session.__new__(Session)
        client.client, client.arn, client.id = one.client, one.arn, f"session-{uuid.uuid4()}"
        return text(client.say()) == client.id

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert all(pool.map(go, range(100)))


def test_hooks_reach_topics_and_buses(account, session, script):
    script("Done.")
    sqs, sns, bus = account.client("sqs"), account.client("sns"), account.client("events")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    senders = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    policy = {"Statement": [{"Effect": "Allow", "Principal": senders, "Action": "sqs:SendMessage", "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    bus_arn = bus.create_event_bus(Name="told")["EventBusArn"]
    bus.put_rule(Name="all", EventBusName="told", EventPattern=json.dumps({"source": ["bedrock-agentcore.harness"]}))
    bus.put_targets(Rule="all", EventBusName="told", Targets=[{"Id": "queue", "Arn": arn}])
    hooks = [
        {"beforeInvocation": {"name": "topic", "target": {"sns": {"arn": topic}}}},
        {"afterInvocation": {"name": "bus", "target": {"eventBridge": {"arn": bus_arn}}}},
    ]
    client = session(hooks=hooks)
    events = client.say("Tell them")
    assert [event["hookEvent"]["name"] for event in events if "hookEvent" in event] == ["topic", "bus"]
    received = [json.loads(message["Body"]) for message in receive(sqs, queue, 2)]
    published = next(message for message in received if "detail" not in message)
    event = next(message for message in received if "detail" in message)
    assert (published["event"], published["sessionId"]) == ("before_invocation", client.id)
    assert (event["source"], event["detail-type"]) == ("bedrock-agentcore.harness", "Harness Lifecycle Hook")
    assert event["detail"]["context"]["stopReason"] == "end_turn"


def receive(sqs: Any, queue: str, count: int) -> list[dict]:
    found: list[dict] = []
    end = time.monotonic() + 10
    while len(found) < count and time.monotonic() < end:
        found += sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", [])
    assert len(found) == count
    return found


def test_an_updated_harness_goes_on_with_its_sessions(account, create, control, script):
    script(lambda call: f"{call.system_prompt} {len(call.messages)}")
    created = create("changing", systemPrompt=[{"text": "v1"}])
    client = Session(account, created["arn"])
    assert text(client.say()) == "v1 1"
    control.update_harness(harnessId=created["harnessId"], systemPrompt=[{"text": "v2"}])
    assert text(client.say()) == "v2 3"


# --- Step Functions ---------------------------------------------------------------------------------------------------


@pytest.fixture
def execute(account):
    """Runs one task state with the given resource and arguments; gives its output, or error and cause."""
    states = account.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = account.client("iam")
    role = iam.create_role(RoleName="states", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="states", PolicyName="Anything", PolicyDocument=json.dumps(stacks.ANYTHING))

    def run(arguments: Any, resource: str = "arn:aws:states:::bedrockagentcore:invokeHarness") -> Any:
        task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Invoke", "States": {"Invoke": task}}
        name = f"m-{uuid.uuid4().hex[:8]}"
        machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
        execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        end = time.monotonic() + 20
        while (result := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.05)
        return json.loads(result["output"]) if result["status"] == "SUCCEEDED" else (result["error"], result["cause"])

    return run


def arguments(arn: str, **more: Any) -> dict[str, Any]:
    messages = [{"Role": "user", "Content": [{"Text": "hello"}]}]
    return {"HarnessArn": arn, "RuntimeSessionId": f"session-{uuid.uuid4()}", "Messages": messages, **more}


def test_the_result_of_the_task_has_the_documented_shape(execute, session, script):
    script(Turn(text="first", tool_calls=[ToolCall("file_operations", {"command": "list", "path": "."})]), "the last")
    output = execute(arguments(session().arn))
    assert output["Output"] == {"Message": {"Role": "assistant", "Content": [{"Text": "the last"}]}}
    assert output["StopReason"] == "end_turn"
    assert output["Usage"]["OutputTokens"] == 7
    assert output["Usage"]["TotalTokens"] == output["Usage"]["InputTokens"] + 7
    assert set(output["Metrics"]) == {"LatencyMs"}


def test_overrides_are_taken_in_pascal_case(execute, session, script, inline):
    script(lambda call: f"{call.model_id} {call.system_prompt} {sorted(call.tools)} {call.actor_id}")
    schema = {"type": "object", "properties": {"lowerCase": {"type": "string"}}}
    function = {"Description": "d", "InputSchema": schema}
    output = execute(
        arguments(
            session().arn,
            Model={"BedrockModelConfig": {"ModelId": "anthropic.other", "AdditionalParams": {"top_k": 1}}},
            SystemPrompt=[{"Text": "Be brief."}],
            Tools=[{"Type": "inline_function", "Name": "refund", "Config": {"InlineFunction": function}}],
            AllowedTools=["@refund"],
            ActorId="ann",
            MaxIterations=3,
        )
    )
    assert output["Output"]["Message"]["Content"][0]["Text"] == "anthropic.other Be brief. ['refund'] ann"


def test_a_call_of_an_inline_function_ends_the_task_without_the_call(execute, session, script, inline):
    script(Turn(tool_calls=[ToolCall("refund")]), "never")
    output = execute(arguments(session(tools=[inline("refund")]).arn))
    assert output["StopReason"] == "tool_use"
    assert output["Output"]["Message"]["Content"] == []


@pytest.mark.parametrize("suffix", [".sync", ".waitForTaskToken"])
def test_other_patterns_than_request_response_are_refused(suffix):
    with pytest.raises(TaskFailed, match="request/response only") as caught:
        stepfunctions.invoke_harness(f"{stepfunctions.RESOURCE}{suffix}", {}, account="1" * 12, region="us-east-1")
    assert caught.value.error == "States.Runtime"


def test_the_sync_pattern_fails_the_execution(execute, session):
    assert_failed(
        execute(arguments(session().arn), f"{stepfunctions.RESOURCE}.sync"), "States.Runtime", "leave out .sync"
    )


@pytest.mark.parametrize(
    ("change", "error", "cause"),
    [
        ({"HarnessARN": "x"}, "States.Runtime", "the field(s) HarnessARN of Arguments are not supported by Step"),
        ({"harnessArn": "x"}, "States.Runtime", "did you mean HarnessArn?"),
        ({"Messages": None}, "States.Runtime", "Arguments must have the field(s) Messages"),
        ({"Messages": [{"Role": "user", "Text": "x"}]}, "States.Runtime", "the field(s) Text of Arguments.Messages[0]"),
        ({"RuntimeSessionId": "short"}, "BedrockAgentCore.ValidationException", "greater than or equal to 33"),
        ({"Messages": []}, "BedrockAgentCore.ValidationException", "messages must hold at least one message"),
        ({"MaxIterations": 0}, "BedrockAgentCore.ValidationException", "maxIterations must be at least 1"),
        ({"Qualifier": "nowhere"}, "BedrockAgentCore.ResourceNotFoundException", "nowhere"),
    ],
)
def test_what_is_wrong_is_said(execute, session, change, error, cause):
    given = {name: value for name, value in {**arguments(session().arn), **change}.items() if value is not None}
    assert_failed(execute(given), error, cause)


def assert_failed(result: Any, error: str, cause: str) -> None:
    assert result[0] == error
    assert cause in result[1]


def test_a_harness_that_does_not_exist(execute, account):
    arn = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:harness/none-abcdefghij"
    assert_failed(execute(arguments(arn)), "BedrockAgentCore.ResourceNotFoundException", "none-abcdefghij")


def test_a_harness_of_another_account_is_refused(execute):
    arn = "arn:aws:bedrock-agentcore:us-east-1:999988887777:harness/none-abcdefghij"
    assert_failed(
        execute(arguments(arn)), "BedrockAgentCore.AccessDeniedException", "is not in the state machine's account"
    )


def test_a_failing_model_fails_the_task(execute, session, script):
    script(Turn(error=ModelFailure("throttling")))
    assert_failed(
        execute(arguments(session().arn)), "BedrockAgentCore.RuntimeClientErrorException", "throttled the request"
    )


def test_a_task_has_at_most_fifteen_minutes_and_the_agent_works_on(execute, session, script, monkeypatch):
    assert stepfunctions.TASK_SECONDS == 900
    monkeypatch.setattr(stepfunctions, "TASK_SECONDS", 0.3)
    worked_on = threading.Event()

    def speak(call):
        if call.turn == 1:
            return Turn(delay=1, tool_calls=[ToolCall("shell", {"command": "true"})])
        worked_on.set()
        return "done"

    script(speak)
    assert_failed(execute(arguments(session().arn)), "States.Timeout", "did not end within")
    assert not worked_on.is_set()
    assert worked_on.wait(30)
