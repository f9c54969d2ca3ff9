"""The optimized integration of Step Functions."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.behaviours import Agent, behaviour

from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

TOPIC = "InvokeHarness in Step Functions"
SOURCES = ("https://docs.aws.amazon.com/step-functions/latest/dg/connect-bedrockagentcore.html",)
INVOKE = "arn:aws:states:::bedrockagentcore:invokeHarness"


@pytest.fixture(scope="module")
def house(local_cloud: Any) -> Account:
    """An account with a role for harnesses and state machines."""
    account: Account = local_cloud.account()
    trust = stacks.trust()
    trust["Statement"][0]["Principal"]["Service"] = ["bedrock-agentcore.amazonaws.com", "states.amazonaws.com"]
    iam = account.client("iam")
    iam.create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="any", PolicyName="Anything", PolicyDocument=json.dumps(stacks.ANYTHING))
    return account


@pytest.fixture
def run(house: Account) -> Callable[..., dict[str, Any]]:
    """Runs a state machine of one state to its end."""
    client = house.client("stepfunctions")

    def run(arguments: dict[str, Any], *, resource: str = INVOKE, **state: Any) -> dict[str, Any]:
        task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **state}
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": task}})
        role = f"arn:aws:iam::{house.account_id}:role/any"
        machine = client.create_state_machine(name=f"m{uuid.uuid4().hex[:12]}", definition=definition, roleArn=role)
        started = client.start_execution(stateMachineArn=machine["stateMachineArn"], input="{}")
        end = time.monotonic() + 20
        while (found := client.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.02)
        return dict(found)

    return run


@pytest.fixture
def speaker(house: Account, local_cloud: Any) -> Callable[..., dict[str, Any]]:
    """Makes a harness with a script; gives the arguments of a state that invokes it."""

    def make(script: Any, prompt: str = "hello", **members: Any) -> dict[str, Any]:
        created = house.client("bedrock-agentcore-control").create_harness(
            harnessName=f"h{uuid.uuid4().hex[:12]}",
            executionRoleArn=f"arn:aws:iam::{house.account_id}:role/any",
            memory={"disabled": {}},
            **members,
        )["harness"]
        local_cloud.script(created["arn"], script)
        messages = [{"Role": "user", "Content": [{"Text": prompt}]}]
        session = Agent(house, created).session
        return {"HarnessArn": created["arn"], "RuntimeSessionId": session, "Messages": messages}

    return make


@behaviour(
    "The result is the last message of the assistant, its stop reason, the usage of all model calls, the latency"
)
def test_result(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    def script(call: Any) -> Any:
        return Turn(text="a b", tool_calls=[ToolCall("shell", {"command": "true"})]) if call.turn == 1 else "c"

    found = json.loads(run(speaker(script))["output"])
    assert found["Output"] == {"Message": {"Role": "assistant", "Content": [{"Text": "c"}]}}
    assert found["StopReason"] == "end_turn"
    assert found["Usage"]["TotalTokens"] == found["Usage"]["InputTokens"] + found["Usage"]["OutputTokens"]
    assert found["Usage"]["OutputTokens"] > 2
    assert found["Metrics"]["LatencyMs"] >= 0


@behaviour("Everything is PascalCase, overrides included; enumerated values stay as the API has them")
def test_pascal_case(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    overrides = {"Model": {"BedrockModelConfig": {"ModelId": "other"}}, "SystemPrompt": [{"Text": "Rhyme."}]}
    arguments = speaker(lambda call: f"{call.model_id} {call.system_prompt}") | overrides
    found = json.loads(run(arguments)["output"])
    assert found["Output"]["Message"]["Content"] == [{"Text": "other Rhyme."}]
    lower = run({**arguments, "maxIterations": 2})
    assert (lower["error"], "did you mean MaxIterations?" in lower["cause"]) == ("States.Runtime", True)


@behaviour("`Content` is empty when the agent says nothing")
def test_empty(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    assert json.loads(run(speaker(lambda call: ""))["output"])["Output"]["Message"]["Content"] == []


@behaviour("A call of an inline function ends the task with `tool_use` and without the call: no workflow can answer it")
def test_inline(run: Callable[..., Any], speaker: Callable[..., Any], inline: Callable[..., Any]) -> None:
    arguments = speaker(lambda call: Turn(tool_calls=[ToolCall("refund")]), tools=[inline("refund")])
    found = json.loads(run(arguments)["output"])
    assert (found["StopReason"], found["Output"]["Message"]["Content"]) == ("tool_use", [])


@behaviour("The same session id in several states is one conversation")
def test_conversation(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    arguments = speaker(lambda call: str(len(call.messages)))
    texts = [json.loads(run(arguments)["output"])["Output"]["Message"]["Content"][0]["Text"] for _ in range(2)]
    assert texts == ["1", "3"]


@behaviour("`.sync` and `.waitForTaskToken` are not supported: request/response only")
def test_patterns(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    for ending in (".sync", ".waitForTaskToken"):
        found = run(speaker(lambda call: "never"), resource=INVOKE + ending)
        assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
        assert "request/response only" in found["cause"]


@behaviour(
    "Errors are `BedrockAgentCore.<name>`, and Retry and Catch match them",
    note="`RuntimeClientErrorException` for the API's `RuntimeClientError`, as was observed.",
)
def test_errors(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    arguments = speaker(lambda call: Turn(error=ModelFailure("throttling")))
    assert run(arguments)["error"] == "BedrockAgentCore.RuntimeClientErrorException"
    gone = {**arguments, "Qualifier": "GONE"}
    assert run(gone)["error"] == "BedrockAgentCore.ResourceNotFoundException"
    short = {**arguments, "RuntimeSessionId": "short"}
    assert run(short)["error"] == "BedrockAgentCore.ValidationException"


@behaviour("A harness in another Region or account is refused: `BedrockAgentCore.AccessDeniedException`")
def test_elsewhere(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    arguments = speaker(lambda call: "never")
    here = arguments["HarnessArn"]
    account = here.split(":")[4]
    for arn in (here.replace("us-east-1", "eu-west-1"), here.replace(account, "999988887777")):
        assert run({**arguments, "HarnessArn": arn})["error"] == "BedrockAgentCore.AccessDeniedException"


@behaviour("`TimeoutSeconds` ends the task with `States.Timeout`; a task ends after 900 seconds whatever it says")
def test_timeout(run: Callable[..., Any], speaker: Callable[..., Any]) -> None:
    arguments = speaker(lambda call: Turn(error=ModelFailure("hang"))) | {"TimeoutSeconds": 2}
    assert run(arguments, TimeoutSeconds=1)["error"] == "States.Timeout"


@behaviour("The state machine's role needs both actions on the harness: `BedrockAgentCore.AccessDeniedException`")
def test_role(run: Callable[..., Any], speaker: Callable[..., Any], house: Account) -> None:
    arguments = speaker(lambda call: "never")
    iam = house.client("iam")
    deny = {"Effect": "Deny", "Action": "bedrock-agentcore:InvokeAgentRuntime", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName="any", PolicyName="Deny", PolicyDocument=document)
    found = run(arguments)
    iam.delete_role_policy(RoleName="any", PolicyName="Deny")
    assert found["error"] == "BedrockAgentCore.AccessDeniedException"
    assert "bedrock-agentcore:InvokeAgentRuntime" in found["cause"]
