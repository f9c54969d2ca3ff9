"""What the state renders, and what the machine's role gets, wherever the state stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_stepfunctions as sfn
from support.workflows import Machine, evaluate

from agentcore_constructs import Harness, HarnessBase, Memory, Model, Skill, Tool, Version
from agentcore_stepfunctions import (
    DEFAULT_OUTPUTS,
    RETRIED_ERRORS,
    AgentTurn,
    InvokeHarness,
    Message,
    SessionId,
    jsonata,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RESOURCE = "arn:aws:states:::bedrockagentcore:invokeHarness"
INVOKE = ["bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"]
ANSWER = {
    "Output": {"Message": {"Role": "assistant", "Content": [{"Text": "Hello"}, {"Text": " there"}]}},
    "StopReason": "end_turn",
    "Usage": {"InputTokens": 7, "OutputTokens": 2, "TotalTokens": 9},
    "Metrics": {"LatencyMs": 12},
}


def test_the_shortest_state(stack: cdk.Stack, harness: Harness) -> None:
    machine = Machine(stack, InvokeHarness(stack, "Ask", harness=harness, prompt="Hello"))
    assert machine.state("Ask") == {
        "Type": "Task",
        "Resource": RESOURCE,
        "Arguments": {
            "HarnessArn": "<Agent.Arn>",
            "RuntimeSessionId": "{% $uuid() %}",
            "Messages": [{"Role": "user", "Content": [{"Text": "Hello"}]}],
            "TimeoutSeconds": 870,
        },
        "TimeoutSeconds": 900,
        "Output": dict(DEFAULT_OUTPUTS),
        "Retry": [
            {
                "ErrorEquals": ["BedrockAgentCore.ThrottlingException", "BedrockAgentCore.InternalServerException"],
                "IntervalSeconds": 2,
                "MaxAttempts": 3,
                "BackoffRate": 2,
                "MaxDelaySeconds": 20,
                "JitterStrategy": "FULL",
            }
        ],
        "End": True,
    }


def test_everything_that_can_be_overridden_is_pascal_case(stack: cdk.Stack, imported: HarnessBase) -> None:
    state = InvokeHarness(
        stack,
        "Ask",
        harness=imported,
        messages=[Message.user("One", jsonata("$states.input.two")), Message.assistant("Yes"), Message.user("Go on")],
        session_id=SessionId.per_execution(),
        qualifier="PROD",
        actor_id=jsonata("$states.input.customer"),
        model=Model.bedrock("global.anthropic.claude-opus-4-6-v1", temperature=0.1, additional_params={"top_k": 3}),
        system_prompt=["Be brief.", jsonata("$states.input.tone")],
        tools=[Tool.browser(), Tool.remote_mcp("https://mcp.example.com", name="docs", headers={"x-team": "a"})],
        skills=[Skill.aws("core-skills/*"), Skill.path("/mnt/skills")],
        allowed_tools=["@browser", "@docs/*", "shell"],
        max_iterations=5,
        max_tokens=1000,
        harness_timeout=cdk.Duration.minutes(5),
        timeout=cdk.Duration.minutes(6),
    )
    arguments = state.to_state_json()["Arguments"]
    arguments.pop("RuntimeSessionId")
    assert arguments == {
        "HarnessArn": "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/Known-0123456789",
        "Qualifier": "PROD",
        "ActorId": "{% $states.input.customer %}",
        "Messages": [
            {"Role": "user", "Content": [{"Text": "One"}, {"Text": "{% $states.input.two %}"}]},
            {"Role": "assistant", "Content": [{"Text": "Yes"}]},
            {"Role": "user", "Content": [{"Text": "Go on"}]},
        ],
        "Model": {
            "BedrockModelConfig": {
                "ModelId": "global.anthropic.claude-opus-4-6-v1",
                "Temperature": 0.1,
                "AdditionalParams": {"top_k": 3},
            }
        },
        "SystemPrompt": [{"Text": "Be brief."}, {"Text": "{% $states.input.tone %}"}],
        "Tools": [
            {"Type": "agentcore_browser", "Name": "browser"},
            {
                "Type": "remote_mcp",
                "Name": "docs",
                "Config": {"RemoteMcp": {"Url": "https://mcp.example.com", "Headers": {"x-team": "a"}}},
            },
        ],
        "Skills": [{"AwsSkills": {"Paths": ["core-skills/*"]}}, {"Path": "/mnt/skills"}],
        "AllowedTools": ["@browser", "@docs/*", "shell"],
        "MaxIterations": 5,
        "MaxTokens": 1000,
        "TimeoutSeconds": 300,
    }


def test_an_expression_stands_for_a_whole_override(stack: cdk.Stack, imported: HarnessBase) -> None:
    expressions = {
        name: jsonata(f"$states.input.{name}")
        for name in ("messages", "model", "tools", "skills", "allowed_tools", "max_iterations", "max_tokens")
    }
    arguments = InvokeHarness(stack, "Ask", harness=imported, **expressions).to_state_json()["Arguments"]
    names = ("Messages", "Model", "Tools", "Skills", "AllowedTools", "MaxIterations", "MaxTokens")
    assert {name: arguments[name] for name in names} == dict(zip(names, expressions.values(), strict=True))


def test_what_a_call_overrides_is_allowed_to_the_execution_role(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", model=Model.bedrock("anthropic.claude-sonnet-4-6"), memory=Memory.disabled())
    state = InvokeHarness(
        stack, "Ask", harness=harness, prompt="Hi", model=Model.bedrock("amazon.nova-lite-v1:0"), tools=[Tool.browser()]
    )
    Machine(stack, state)
    allowed = str(assertions.Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy"))
    assert "foundation-model/amazon.nova-lite-v1:0" in allowed
    assert "StartBrowserSession" in allowed


@pytest.mark.parametrize("kind", [InvokeHarness, AgentTurn])
def test_a_skill_in_a_folder_is_copied_for_the_call_and_the_agent_may_read_it(
    stack: cdk.Stack, tmp_path: Path, kind: Any
) -> None:
    folder = tmp_path / "excel"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: excel\ndescription: Sheets.\n---\nOpen it.\n", encoding="utf-8")
    harness = Harness(stack, "Agent", memory=Memory.disabled())
    ask = kind(stack, "Ask", harness=harness, prompt="Hi", skills=[Skill.from_directory(folder)])
    (skill,) = re.findall(r's3://[^"\\]*', Machine(stack, ask).definition_text)
    assert skill.endswith("/")
    template = assertions.Template.from_stack(stack)
    template.resource_count_is("Custom::CDKBucketDeployment", 1)
    reading = [
        statement
        for policy in template.find_resources("AWS::IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Sid", "").startswith("AgentCoreSkillS3")
    ]
    assert reading


@pytest.mark.parametrize("known", [True, False])
def test_an_override_that_cannot_be_allowed_is_announced(stack: cdk.Stack, imported: HarnessBase, known: bool) -> None:
    harness = Harness(stack, "Agent") if known else imported
    model = Model.bedrock(jsonata("$states.input.model") if known else "amazon.nova-lite-v1:0")
    Machine(stack, InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", model=model))
    warnings = assertions.Annotations.from_stack(stack).find_warning("/Agents/Ask", assertions.Match.any_value())
    (warning,) = warnings
    why = "their values are known at run time only" if known else "the harness is imported"
    assert f"overrides model, and its execution role is not changed for that, since {why}" in str(warning.entry.data)
    assert "[ack: @agentcore-harness-cdk:override-permissions]" in str(warning.entry.data)


def test_a_harness_keeps_its_own_time_limit(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", timeout=cdk.Duration.minutes(10))
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi").to_state_json()
    assert "TimeoutSeconds" not in state["Arguments"]
    assert state["TimeoutSeconds"] == 900


# ---- output ----------------------------------------------------------------------------------------------------------


def rendered_output(**result: Any) -> dict[str, Any]:
    return {name: evaluate(expression, result=result) for name, expression in DEFAULT_OUTPUTS.items()}


def test_the_output_is_text_reason_and_usage() -> None:
    usage = {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}
    assert rendered_output(**ANSWER) == {"text": "Hello there", "stopReason": "end_turn", "usage": usage}


@pytest.mark.parametrize("message", [{"Role": "assistant", "Content": []}, {"Role": "assistant"}, {}])
def test_the_output_holds_when_there_is_no_text(message: dict[str, Any]) -> None:
    output = rendered_output(**(ANSWER | {"Output": {"Message": message}, "StopReason": "hook_stopped"}))
    assert (output["text"], output["stopReason"]) == ("", "hook_stopped")


def test_the_output_holds_when_the_result_is_bare() -> None:
    assert rendered_output() == {"text": "", "stopReason": "", "usage": {}}


def test_outputs_assign_comment_and_name(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness.jsonata(
        stack,
        "Ask",
        harness=harness,
        prompt="Hi",
        outputs={"reply": jsonata("$states.result.StopReason")},
        assign={"spent": jsonata("$states.result.Usage.TotalTokens")},
        comment="Asks once",
        state_name="Ask the agent",
    )
    rendered = Machine(stack, state.next(sfn.Pass(stack, "Done"))).state("Ask the agent")
    assert rendered["Output"] == {"reply": "{% $states.result.StopReason %}"}
    assert rendered["Assign"] == {"spent": "{% $states.result.Usage.TotalTokens %}"}
    assert (rendered["Comment"], rendered["Next"]) == ("Asks once", "Done")


def test_a_fragment_may_prefix_the_name(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", state_name="Question")
    state.add_prefix("Morning: ")
    assert state.state_id == "Morning: Question"


# ---- JSONPath --------------------------------------------------------------------------------------------------------


def test_a_json_path_state(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness.json_path(
        stack,
        "Ask",
        harness=harness,
        prompt=sfn.JsonPath.format("About {}", sfn.JsonPath.string_at("$.topic")),
        session_id=sfn.JsonPath.string_at("$.session"),
        actor_id=sfn.JsonPath.string_at("$.customer"),
        allowed_tools=sfn.JsonPath.list_at("$.allowed"),
        max_iterations=sfn.JsonPath.number_at("$.steps"),
        assign={"topic": sfn.JsonPath.string_at("$.topic")},
        input_path="$.order",
        result_path="$.answer",
        output_path="$.answer",
    )
    rendered = Machine(stack, state, sfn.QueryLanguage.JSON_PATH).state("Ask")
    rendered.pop("Retry")
    assert rendered == {
        "Type": "Task",
        "Resource": RESOURCE,
        "Parameters": {
            "HarnessArn": "<Agent.Arn>",
            "RuntimeSessionId.$": "$.session",
            "ActorId.$": "$.customer",
            "Messages": [{"Role": "user", "Content": [{"Text.$": "States.Format('About {}', $.topic)"}]}],
            "AllowedTools.$": "$.allowed",
            "MaxIterations.$": "$.steps",
            "TimeoutSeconds": 870,
        },
        "TimeoutSeconds": 900,
        "InputPath": "$.order",
        "ResultSelector": {
            "texts.$": "$.Output.Message.Content[*].Text",
            "stopReason.$": "$.StopReason",
            "usage.$": "$.Usage",
        },
        "ResultPath": "$.answer",
        "OutputPath": "$.answer",
        "Assign": {"topic.$": "$.topic"},
        "End": True,
    }


def test_a_json_path_result_can_be_selected_or_discarded(stack: cdk.Stack, harness: Harness) -> None:
    selector = {"reason": sfn.JsonPath.string_at("$.StopReason"), "kind": "agent"}
    state = InvokeHarness.json_path(
        stack, "Ask", harness=harness, prompt="Hi", result_selector=selector, result_path=sfn.JsonPath.DISCARD
    )
    rendered = Machine(stack, state, sfn.QueryLanguage.JSON_PATH).state("Ask")
    assert rendered["ResultSelector"] == {"reason.$": "$.StopReason", "kind": "agent"}
    assert rendered["ResultPath"] is None


def test_a_jsonata_state_says_so_in_a_json_path_workflow(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")
    assert Machine(stack, state, sfn.QueryLanguage.JSON_PATH).state("Ask")["QueryLanguage"] == "JSONata"


# ---- retry, catch, Map, Parallel -------------------------------------------------------------------------------------


def test_own_retries_and_catches(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", retry_on_service_exceptions=False)
    state.add_retry(errors=["States.Timeout"], max_attempts=1)
    state.add_catch(
        sfn.Pass(stack, "Apologize"),
        errors=["BedrockAgentCore.ResourceNotFoundException"],
        outputs={"why": jsonata("$states.errorOutput.Cause")},
        assign={"failed": True},
    )
    rendered = Machine(stack, state).state("Ask")
    assert rendered["Retry"] == [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}]
    assert rendered["Catch"] == [
        {
            "ErrorEquals": ["BedrockAgentCore.ResourceNotFoundException"],
            "Next": "Apologize",
            "Output": {"why": "{% $states.errorOutput.Cause %}"},
            "Assign": {"failed": True},
        }
    ]


def test_a_catch_all_retry_comes_after_ours(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")
    state.add_retry(errors=["States.ALL"], max_attempts=1)
    errors = [retry["ErrorEquals"] for retry in Machine(stack, state).state("Ask")["Retry"]]
    assert errors == [list(RETRIED_ERRORS), ["States.ALL"]]


def test_a_json_path_catch_keeps_its_result_path(stack: cdk.Stack, harness: Harness) -> None:
    state = InvokeHarness.json_path(stack, "Ask", harness=harness, prompt="Hi")
    state.add_catch(sfn.Pass(stack, "Apologize"), result_path="$.error")
    (catch,) = Machine(stack, state, sfn.QueryLanguage.JSON_PATH).state("Ask")["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Apologize"}


def in_chain(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    return sfn.Pass(stack, "First").next(state).next(sfn.Pass(stack, "Last"))


def in_map(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    each = sfn.Map.jsonata(stack, "Each", items=sfn.ProvideItems.jsonata("{% $states.input %}"))
    return each.item_processor(state)


def in_distributed_map(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    each = sfn.DistributedMap.jsonata(stack, "Each", items=sfn.ProvideItems.jsonata("{% $states.input %}"))
    return each.item_processor(state)


def in_parallel(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    return sfn.Parallel.jsonata(stack, "Both").branch(sfn.Pass(stack, "Beside"), state)


def in_map_in_parallel(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    return sfn.Parallel.jsonata(stack, "Both").branch(in_map(stack, state))


def behind_choice_and_catch(stack: cdk.Stack, state: InvokeHarness) -> sfn.IChainable:
    failing = sfn.Pass.jsonata(stack, "First")
    choice = sfn.Choice.jsonata(stack, "Choice").when(sfn.Condition.jsonata("{% true %}"), state)
    return failing.next(choice.otherwise(sfn.Succeed.jsonata(stack, "Fine")))


@pytest.mark.parametrize(
    "place", [in_chain, in_map, in_distributed_map, in_parallel, in_map_in_parallel, behind_choice_and_catch]
)
@pytest.mark.parametrize("qualifier", [None, "PROD"])
def test_the_role_gets_the_harness_and_nothing_else_wherever_the_state_stands(
    stack: cdk.Stack,
    harness: Harness,
    place: Callable[[cdk.Stack, InvokeHarness], sfn.IChainable],
    qualifier: str | None,
) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", qualifier=qualifier)
    machine = Machine(stack, place(stack, state))
    endpoint = "<Agent.Arn>/harness-endpoint/PROD"
    resource = ["<Agent.Arn>", endpoint] if qualifier else "<Agent.Arn>"
    assert machine.statements == [{"Action": INVOKE, "Effect": "Allow", "Resource": resource}]
    assert '"Resource": "arn:aws:states:::bedrockagentcore:invokeHarness"' in str(machine.definition).replace("'", '"')


def test_an_endpoint_names_itself(stack: cdk.Stack, harness: Harness) -> None:
    prod = harness.add_endpoint("PROD", version=Version.latest())
    machine = Machine(stack, InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", endpoint=prod))
    assert machine.state("Ask")["Arguments"]["Qualifier"] == "PROD"
    assert machine.statements[0]["Resource"] == ["<Agent.Arn>", "<Agent.Arn>/harness-endpoint/PROD"]


def test_two_harnesses_are_granted_each(stack: cdk.Stack, harness: Harness, imported: HarnessBase) -> None:
    first = InvokeHarness(stack, "A", harness=harness, prompt="Hi")
    second = InvokeHarness(stack, "B", harness=imported, prompt="Hi")
    again = InvokeHarness(stack, "C", harness=harness, prompt="Hi")
    resources = [s["Resource"] for s in Machine(stack, first.next(second).next(again)).statements]
    assert sorted(resources) == ["<Agent.Arn>", imported.harness_arn]


# ---- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("literal", ["plain", "it's", 'say "no"', "a\nb", "50 %} off", "back\\slash", "ünï 😀", ""])
def test_text_survives_the_way_through_jsonata(literal: str) -> None:
    joined = text(literal, jsonata("$states.input.x ? 'yes' : 'no'"), literal)
    assert "%}" not in joined[2:-2]
    assert evaluate(joined, input={"x": True}) == f"{literal}yes{literal}"


def test_jsonata_is_marked_once() -> None:
    assert jsonata("{% $a %}") == jsonata("$a") == "{% $a %}"
