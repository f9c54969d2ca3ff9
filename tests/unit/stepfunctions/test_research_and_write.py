"""The ready-made workflow: its definition is the file that ships, its role is minimal, its branches are right."""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from cdk_nag import AwsSolutionsChecks
from support.workflows import Machine, evaluate

from agentcore_constructs import Harness
from agentcore_stepfunctions import ResearchAndWrite

if TYPE_CHECKING:
    from pathlib import Path

ASL: Path = resources.files("agentcore_stepfunctions.workflows") / "research_and_write.asl.json"  # type: ignore[assignment]


@pytest.fixture
def definition(stack: cdk.Stack) -> dict[str, Any]:
    ResearchAndWrite(stack, "Brief", researcher=Harness(stack, "Researcher"), writer=Harness(stack, "Writer"))
    return Machine(stack).definition


def test_the_shipped_definition_is_what_the_construct_renders(definition: dict[str, Any]) -> None:
    rendered = json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    for name in ("Researcher", "Writer"):
        rendered = rendered.replace(f"<{name}.Arn>", f"${{{name}Arn}}")
    if "WRITE_ASL" in os.environ:
        ASL.write_text(rendered, encoding="utf-8")
    assert ASL.read_text(encoding="utf-8") == rendered, "run this test with WRITE_ASL=1 to write the file anew"


def test_the_role_invokes_the_two_harnesses_and_logs(stack: cdk.Stack) -> None:
    researcher, writer = Harness(stack, "Researcher"), Harness(stack, "Writer")
    ResearchAndWrite(stack, "Brief", researcher=researcher, writer=writer, researcher_qualifier="PROD")
    invoke = [s for s in Machine(stack).statements if "bedrock-agentcore:InvokeHarness" in s["Action"]]
    assert [s["Resource"] for s in invoke] == [
        ["<Researcher.Arn>", "<Researcher.Arn>/harness-endpoint/PROD"],
        "<Writer.Arn>",
    ]
    others = {a.split(":")[0] for s in Machine(stack).statements if s not in invoke for a in s["Action"]}
    assert others == {"logs", "xray"}


def test_one_harness_may_do_both(stack: cdk.Stack) -> None:
    agent = Harness(stack, "Agent")
    ResearchAndWrite(stack, "Brief", researcher=agent, writer=agent)
    states = Machine(stack).definition["States"]
    sessions = {states[name]["Arguments"]["RuntimeSessionId"] for name in ("Research", "Write")}
    assert len(sessions) == 2


def test_a_log_group_and_a_timeout_can_be_given(stack: cdk.Stack) -> None:
    agent, group = Harness(stack, "Agent"), logs.LogGroup(stack, "Mine")
    brief = ResearchAndWrite(
        stack, "Brief", researcher=agent, writer=agent, log_group=group, timeout=cdk.Duration.minutes(5)
    )
    brief.grant_start_execution(iam.AccountPrincipal("111122223333"))
    assert brief.log_group is group
    assert Machine(stack).definition["TimeoutSeconds"] == 300


def test_cdk_nag_finds_nothing(stack: cdk.Stack) -> None:
    agent = Harness.from_harness_arn(
        stack, "A", "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/A-0123456789"
    )
    ResearchAndWrite(stack, "Brief", researcher=agent, writer=agent).acknowledge_wildcards()
    app = stack.node.root
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    assert isinstance(app, cdk.App)
    app.synth()


@pytest.mark.parametrize(
    ("given", "expected"), [({"topic": "x"}, True), ({"topic": " "}, False), ({"topic": 3}, False), ({}, False)]
)
def test_a_topic_is_a_text(definition: dict[str, Any], given: dict[str, Any], expected: bool) -> None:
    (rule,) = definition["States"]["Topic given?"]["Choices"]
    assert evaluate(rule["Condition"], input=given) is expected


def test_usage_is_that_of_both_agents(definition: dict[str, Any]) -> None:
    expression = definition["States"]["Write"]["Output"]["usage"].replace("$researchUsage", "$states.first")
    result = {"Usage": {"InputTokens": 7, "OutputTokens": 2, "TotalTokens": 9}}
    first = {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110}
    total = {"inputTokens": 107, "outputTokens": 12, "totalTokens": 119}
    assert evaluate(expression, result=result, first=first) == total
    assert evaluate(expression, result={}, first={}) == {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
