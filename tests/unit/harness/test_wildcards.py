"""Answers for cdk-nag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_iam as iam

from agentcore_constructs import Harness, HarnessExecutionRole, Skill, Tool
from agentcore_constructs.harness.wildcards import findings, flattened

if TYPE_CHECKING:
    import aws_cdk as cdk


def statement(sid: str, *resources: str, effect: str = "Allow") -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Action": ["x:Y"], "Resource": list(resources)}


def found(*statements: dict[str, Any]) -> dict[str, str]:
    return dict(findings(statements, lambda value: value))


def test_a_wildcard_gets_the_reason_of_its_row() -> None:
    assert found(statement("XRayTracingAccess", "*")) == {
        "AwsSolutions::AwsSolutions-IAM5[Resource::*]": "XRayTracingAccess: the actions have no resource type."
    }


def test_no_wildcard_needs_no_reason() -> None:
    assert found(statement("AgentCoreGatewayAccess", "arn:x")) == {}


def test_a_deny_needs_no_reason() -> None:
    assert found(statement("DenyRoleAssumption", "*", effect="Deny")) == {}


def test_one_finding_of_several_rows_gets_their_reasons() -> None:
    (reason,) = found(statement("XRayTracingAccess", "*"), statement("ECRTokenAccess", "*")).values()

    assert reason.startswith("XRayTracingAccess: ")
    assert "ECRTokenAccess: " in reason


@pytest.mark.parametrize("sid", ["BedrockInferenceProfileModels2", "BedrockInferenceProfileModelsPart3"])
def test_a_numbered_statement_has_the_reason_of_its_row(sid: str) -> None:
    (reason,) = found(statement(sid, "arn:*")).values()

    assert reason.startswith("BedrockInferenceProfileModels: ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("arn:${AWS::Partition}:x", "arn:<AWS::Partition>:x"),
        ({"Ref": "AWS::Region"}, "<AWS::Region>"),
        ({"Fn::GetAtt": ["Gateway", "Arn"]}, "<Gateway.Arn>"),
        ({"Fn::ImportValue": "Shared"}, "Shared"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x"]]}, "arn:<AWS::Partition>:x"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", "a/b"]}]}, '{"Fn::Select":[0,{"Fn::Split":["/","a/b"]}]}'),
    ],
)
def test_arns_are_written_as_cdk_nag_writes_them(value: Any, text: str) -> None:
    assert flattened(value) == text


def acknowledged(construct: cdk.IConstruct) -> str:
    return " ".join(str(entry.data) for node in construct.node.find_all() for entry in node.node.metadata)


def test_nothing_is_acknowledged_unless_asked_for(stack: cdk.Stack) -> None:
    assert "IAM5" not in acknowledged(Harness(stack, "Agent"))


def test_what_is_added_later_is_acknowledged_too(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    harness.acknowledge_wildcards()
    harness.allow_override(
        tools=[Tool.gateway("arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/x-0123456789")]
    )
    harness.add_skill(Skill.s3("agent-skills"))

    assert "arn:<AWS::Partition>:s3:::agent-skills/*" in acknowledged(harness)


def test_statements_of_the_user_are_not_acknowledged(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    harness.acknowledge_wildcards()
    harness.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::theirs/*"]))

    assert "theirs" not in acknowledged(harness)


def test_a_role_alone_answers_too(stack: cdk.Stack) -> None:
    role = HarnessExecutionRole(stack, "Role", harness_name="research", config={})
    role.acknowledge_wildcards()

    assert "harness_research-*" in acknowledged(role)
