"""The InvokeHarness state on the local cloud: synthesized by the CDK, deployed, executed by Step Functions."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_stepfunctions as sfn
from support import synth

from agentcore_constructs import Harness, Memory, Model, Version
from agentcore_local.agents.scripts import ModelFailure, Turn
from agentcore_stepfunctions import InvokeHarness, ResearchAndWrite, SessionId, jsonata, text

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud


VALID = re.compile(r"(?=.{33,100}$)[a-zA-Z0-9][a-zA-Z0-9-_]*")
USAGE = {"inputTokens", "outputTokens", "totalTokens"}
SESSION = "$split($states.result.Output.Message.Content[0].Text, '|')[0]"


def say_back(call: Any) -> str:
    """Session, model and prompt; nothing at all where the prompt asks for it."""
    return "" if call.prompt == "say nothing" else f"{call.session_id}|{call.model_id}|{call.prompt}"


def machine(stack: cdk.Stack, name: str, start: sfn.IChainable, **options: Any) -> None:
    language = options.pop("language", sfn.QueryLanguage.JSONATA)
    body = sfn.DefinitionBody.from_chainable(start)
    made = sfn.StateMachine(stack, name, definition_body=body, query_language=language, **options)
    cdk.CfnOutput(stack, f"{name}Arn", value=made.state_machine_arn)


def conversations(stack: cdk.Stack, agent: Harness) -> sfn.IChainable:
    """Two states in one conversation, one in a conversation of its own, and one that a customer has."""
    sessions = {
        "First": SessionId.per_execution(),
        "Second": SessionId.per_execution(),
        "Other": SessionId.fresh(),
        "Customer": SessionId.from_input("$states.context.Execution.Input.customer"),
    }
    chain: Any = sfn.Pass.jsonata(stack, "Begin", outputs={})
    for name, session in sessions.items():
        outputs = jsonata(f"$merge([$states.input, {{'{name}': {SESSION}}}])")
        chain = chain.next(InvokeHarness(stack, name, harness=agent, prompt="Hi", session_id=session, outputs=outputs))
    return chain  # type: ignore[no-any-return]  # a Chain after the first step


def item_steps(stack: cdk.Stack, agent: Harness, name: str) -> sfn.IChainable:
    """Two states in the conversation of an item."""
    session = SessionId.per_item()
    first = InvokeHarness(
        stack, f"{name}First", harness=agent, prompt="Hi", session_id=session, outputs={"id": jsonata(SESSION)}
    )
    same = jsonata(f"({SESSION}) = $states.input.id")
    second = InvokeHarness(
        stack,
        f"{name}Second",
        harness=agent,
        prompt="More",
        session_id=session,
        outputs={"same": same, "id": jsonata("$states.input.id")},
    )
    return first.next(second)


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[Account, dict[str, str]]:
    """One stack with every machine of this module; what it says decides the script."""
    account = local_cloud.account()
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Workflows")
    model = Model.bedrock("anthropic.one")
    agent = Harness(stack, "Agent", harness_name="sayer", model=model, memory=Memory.disabled())
    greeting = text("Hello ", jsonata("$states.input.name"))
    machine(stack, "Ask", InvokeHarness(stack, "AskOnce", harness=agent, prompt=greeting))
    override = InvokeHarness(
        stack,
        "Override",
        harness=agent,
        endpoint=agent.add_endpoint("PROD", version=Version.latest()),
        prompt="Hi",
        model=Model.bedrock("anthropic.two"),
        max_iterations=2,
    )
    machine(stack, "Overridden", override)
    machine(stack, "Conversations", conversations(stack, agent))
    each = sfn.Map.jsonata(stack, "Each", items=sfn.ProvideItems.jsonata("{% $states.input.items %}"))
    machine(stack, "Items", each.item_processor(item_steps(stack, agent, "Each")))
    children = sfn.DistributedMap(stack, "Child", items_path="$.items")
    children.item_processor(item_steps(stack, agent, "Child"))
    machine(stack, "Children", children, language=sfn.QueryLanguage.JSON_PATH)
    both = sfn.Parallel.jsonata(stack, "Both")
    for side in ("left", "right"):
        both.branch(InvokeHarness(stack, side, harness=agent, prompt=side))
    machine(stack, "Branches", both)
    missing = InvokeHarness(stack, "Missing", harness=agent, prompt="Hi", qualifier="NOT_THERE")
    caught = sfn.Pass.jsonata(stack, "Caught")
    missing.add_catch(
        caught,
        errors=["BedrockAgentCore.ResourceNotFoundException"],
        outputs={"error": jsonata("$states.errorOutput.Error")},
    )
    machine(stack, "Catching", missing)
    hurried = InvokeHarness(stack, "Hurried", harness=agent, prompt="Hi", timeout=2)
    late = sfn.Pass.jsonata(stack, "Late", outputs={"error": jsonata("$states.input.Error")})
    machine(stack, "Hurrying", hurried.add_catch(late, errors=["States.Timeout"]))
    paths = InvokeHarness.json_path(
        stack,
        "Paths",
        harness=agent,
        prompt=sfn.JsonPath.format("Hello {}", sfn.JsonPath.string_at("$.name")),
        session_id=SessionId.from_input("$.customer"),
        result_path="$.answer",
    )
    machine(stack, "ByPath", paths, language=sfn.QueryLanguage.JSON_PATH)
    brief = ResearchAndWrite(stack, "Brief", researcher=agent, writer=agent, writer_qualifier="PROD")
    cdk.CfnOutput(stack, "BriefArn", value=brief.state_machine.state_machine_arn)
    app.synth()
    local_cloud.script("sayer", say_back)
    outputs = account.deploy(app.outdir)["Workflows"].outputs
    return account, outputs


@pytest.fixture(scope="module")
def execute(deployed: tuple[Account, dict[str, str]]) -> Any:
    """Runs an execution to its end; gives what DescribeExecution says, with output and cause read."""
    account, outputs = deployed
    client = account.client("stepfunctions")

    def executed(machine_name: str, given: dict[str, Any], **options: Any) -> dict[str, Any]:
        arn = outputs[f"{machine_name}Arn"]
        started = client.start_execution(stateMachineArn=arn, input=json.dumps(given), **options)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found: dict[str, Any] = client.describe_execution(executionArn=started["executionArn"])
            if found["status"] != "RUNNING":
                return found | {"output": json.loads(found.get("output") or "null")}
            time.sleep(0.05)
        raise AssertionError(f"{machine_name} did not end: {found}")

    return executed


def output(found: dict[str, Any]) -> Any:
    assert found["status"] == "SUCCEEDED", found
    return found["output"]


def test_an_execution_with_a_name_of_three_characters(execute: Any) -> None:
    answer = output(execute("Ask", {"name": "Ada"}, name="abc"))
    session, model, prompt = answer["text"].split("|")
    assert VALID.fullmatch(session)
    assert (model, prompt, answer["stopReason"]) == ("anthropic.one", "Hello Ada", "end_turn")
    assert set(answer["usage"]) == USAGE


def test_overrides_reach_the_agent_through_the_named_endpoint(execute: Any) -> None:
    assert output(execute("Overridden", {}))["text"].split("|")[1:] == ["anthropic.two", "Hi"]


def test_states_share_the_conversations_they_should(execute: Any) -> None:
    first = output(execute("Conversations", {"customer": "c-7"}))
    second = output(execute("Conversations", {"customer": "c-7"}))
    assert all(VALID.fullmatch(session) for session in (*first.values(), *second.values()))
    assert first["First"] == first["Second"]
    assert first["Customer"] == second["Customer"]
    assert len({*first.values(), *second.values()}) == 5  # one per execution, one fresh each, one customer


@pytest.mark.parametrize("name", ["Items", "Children"])
def test_each_item_has_its_conversation(execute: Any, name: str) -> None:
    answers = output(execute(name, {"items": ["a", "b", "a"]}))
    assert all(answer["same"] for answer in answers)
    assert len({answer["id"] for answer in answers}) == 3


def test_branches_run_beside_each_other(execute: Any) -> None:
    answers = output(execute("Branches", {}))
    assert [answer["text"].split("|")[2] for answer in answers] == ["left", "right"]


def test_an_error_of_the_service_is_caught_by_name(execute: Any) -> None:
    assert output(execute("Catching", {})) == {"error": "BedrockAgentCore.ResourceNotFoundException"}


def test_an_agent_that_takes_too_long_stops_before_the_state_gives_up(execute: Any, local_cloud: LocalCloud) -> None:
    local_cloud.script("sayer", lambda call: Turn(text="So far", error=ModelFailure("hang", after_tokens=2)))
    try:
        answer = output(execute("Hurrying", {}))
    finally:
        local_cloud.script("sayer", say_back)
    assert (answer["text"], answer["stopReason"]) == ("So far", "timeout_exceeded")


def test_an_agent_that_does_not_stop_is_a_timeout_that_can_be_caught(execute: Any, local_cloud: LocalCloud) -> None:
    caught = threading.Event()

    def deaf(_: Any) -> str:
        caught.wait(30)  # nothing ends a tool of the machine that does not listen
        return "Too late."

    local_cloud.script("sayer", deaf)
    try:
        found = execute("Hurrying", {})
    finally:
        caught.set()
        local_cloud.script("sayer", say_back)
    assert output(found) == {"error": "States.Timeout"}


def test_a_json_path_workflow(execute: Any) -> None:
    answer = output(execute("ByPath", {"name": "Ada", "customer": "c-7"}))
    (said,) = answer["answer"]["texts"]
    customer = output(execute("Conversations", {"customer": "c-7"}))["Customer"]
    assert said == f"{customer}|anthropic.one|Hello Ada"
    assert answer["answer"]["stopReason"] == "end_turn"
    assert answer["name"] == "Ada"


def test_the_output_holds_when_the_agent_says_nothing(execute: Any, local_cloud: LocalCloud) -> None:
    local_cloud.script("sayer", lambda call: "")
    try:
        found = execute("Ask", {"name": "Ada"})
    finally:
        local_cloud.script("sayer", say_back)
    assert output(found)["text"] == ""


def test_research_and_write(execute: Any) -> None:
    answer = output(execute("Brief", {"topic": "tides"}))
    assert "Topic: tides" in answer["findings"]
    assert answer["findings"] in answer["brief"]
    assert answer["topic"] == "tides"
    assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"] > 0


def test_research_and_write_without_a_topic(execute: Any) -> None:
    found = execute("Brief", {"subject": "tides"})
    assert (found["status"], found["error"]) == ("FAILED", "ResearchAndWrite.NoTopic")


def test_research_that_finds_nothing(execute: Any, local_cloud: LocalCloud) -> None:
    local_cloud.script("sayer", lambda call: "")
    try:
        found = execute("Brief", {"topic": "tides"})
    finally:
        local_cloud.script("sayer", say_back)
    assert (found["status"], found["error"]) == ("FAILED", "ResearchAndWrite.NothingFound")
    assert found["cause"] == "the researcher stopped without a text: end_turn"
