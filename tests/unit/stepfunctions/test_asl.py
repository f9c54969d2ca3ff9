"""What is rendered is Amazon States Language, by cfn-lint's schema of it."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import cfnlint.api
import pytest
from aws_cdk import aws_stepfunctions as sfn
from support.workflows import Machine

from agentcore_constructs import Harness, HarnessBase, Model
from agentcore_stepfunctions import InvokeHarness, Message, SessionId, jsonata


def findings(definition: dict[str, Any]) -> list[str]:
    """What cfn-lint says about a definition."""
    properties = {"RoleArn": "arn:aws:iam::111122223333:role/Machine", "DefinitionString": json.dumps(definition)}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    return [match.message for match in cfnlint.api.lint(json.dumps(template), regions=["us-east-1"])]


def full(state_class: Any, stack: cdk.Stack, harness: HarnessBase, **props: Any) -> InvokeHarness:
    state: InvokeHarness = state_class(
        stack,
        "Ask",
        harness=harness,
        messages=[Message.user("Hi"), Message.assistant("Yes"), Message.user("Go on")],
        session_id=SessionId.per_execution("writer"),
        qualifier="PROD",
        actor_id="customer",
        model=Model.bedrock("global.anthropic.claude-opus-4-6-v1", temperature=0.5),
        system_prompt="Be brief.",
        allowed_tools=["shell"],
        max_iterations=3,
        max_tokens=100,
        harness_timeout=60,
        timeout=120,
        comment="Asks",
        **props,
    )
    state.add_catch(sfn.Pass(stack, "Apologize"), errors=["States.Timeout"])
    return state


def test_a_jsonata_workflow(stack: cdk.Stack, imported: HarnessBase) -> None:
    state = full(
        InvokeHarness.jsonata,
        stack,
        imported,
        outputs=jsonata("$states.result"),
        assign={"a": jsonata("$states.input")},
    )
    each = sfn.Map.jsonata(stack, "Each", items=sfn.ProvideItems.jsonata("{% $states.input %}"))
    inner = InvokeHarness(stack, "Inner", harness=imported, prompt="Hi", session_id=SessionId.per_item())
    machine = Machine(stack, state.next(each.item_processor(inner)))
    assert findings(machine.definition) == []


def test_a_json_path_workflow(stack: cdk.Stack, imported: HarnessBase) -> None:
    state = full(
        InvokeHarness.json_path,
        stack,
        imported,
        input_path="$.a",
        result_path="$.b",
        output_path="$.c",
        result_selector={"all": sfn.JsonPath.string_at("$")},
        assign={"a": sfn.JsonPath.string_at("$.x")},
    )
    each = sfn.Map(stack, "Each")
    inner = InvokeHarness.json_path(stack, "Inner", harness=imported, prompt="Hi", session_id=SessionId.per_item())
    machine = Machine(stack, state.next(each.item_processor(inner)), sfn.QueryLanguage.JSON_PATH)
    assert findings(machine.definition) == []


@pytest.mark.parametrize("broken", [{"Type": "Tusk"}, {"TimeoutSeconds": -1}, {"InputPath": "$.a"}])
def test_the_check_sees_what_is_broken(stack: cdk.Stack, harness: Harness, broken: dict[str, Any]) -> None:
    definition = Machine(stack, InvokeHarness(stack, "Ask", harness=harness, prompt="Hi")).definition
    definition["States"]["Ask"] |= broken
    assert findings(definition)
