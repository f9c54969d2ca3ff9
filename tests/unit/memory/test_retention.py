"""Keeping a managed memory: what is declared for it."""

from __future__ import annotations

from typing import Any, cast

import aws_cdk as cdk
import pytest
from support import synth

from agentcore_constructs import Harness, HarnessConfig, HarnessConfigError, Memory, MemoryRetention, RetainedMemory

RETENTION = "Custom::AgentCoreMemoryRetention"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """A stack with a harness whose memory is kept, and with endpoints of it and of another one."""
    stack = synth.new_stack()
    harness = Harness(stack, "Agent", memory=Memory.managed(expiry=cdk.Duration.days(90), retain=True))
    harness.add_endpoint("live")
    Harness(stack, "Other").add_endpoint("live")
    found: dict[str, Any] = synth.template_of(stack).to_json()
    return found


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def the_harness(template: dict[str, Any]) -> str:
    return next(name for name in of_type(template, "AWS::BedrockAgentCore::Harness") if name.startswith("Agent"))


def test_the_harness_is_given_what_it_is_given_without(template: dict[str, Any]) -> None:
    memory = template["Resources"][the_harness(template)]["Properties"]["Memory"]
    assert memory == {"ManagedMemoryConfiguration": {"EventExpiryDuration": 90}}


def test_it_refers_to_the_harness_so_it_is_deleted_first(template: dict[str, Any]) -> None:
    harness = the_harness(template)
    (resource,) = of_type(template, RETENTION).values()
    shown = {name: value for name, value in resource["Properties"].items() if name != "ServiceToken"}
    assert shown == {
        "ServiceTimeout": "3600",
        "Kind": "MemoryRetention",
        "HarnessId": {"Fn::GetAtt": [harness, "HarnessId"]},
        "HarnessArn": {"Fn::GetAtt": [harness, "Arn"]},
        "HarnessResource": harness,
        "MemoryArn": {"Fn::GetAtt": [harness, "Memory.ManagedMemoryConfiguration.Arn"]},
        "IsKept": "false",
        "IsKeptWhenReplaced": "false",
    }


def test_its_function_may_touch_that_harness_only(template: dict[str, Any]) -> None:
    harness = the_harness(template)
    (policy,) = [
        found["Properties"]
        for name, found in of_type(template, "AWS::IAM::ManagedPolicy").items()
        if "MemoryRetention" in name
    ]
    arn = {"Fn::GetAtt": [harness, "Arn"]}
    memory = {"Fn::GetAtt": [harness, "Memory.ManagedMemoryConfiguration.Arn"]}
    runtime = {"Fn::GetAtt": [harness, "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeArn"]}
    role = template["Resources"][harness]["Properties"]["ExecutionRoleArn"]
    allowed = {found["Sid"]: (found["Action"], found["Resource"]) for found in policy["PolicyDocument"]["Statement"]}
    assert allowed == {
        "UpdateHarness": (["bedrock-agentcore:GetHarness", "bedrock-agentcore:UpdateHarness"], [arn]),
        "UpdateWhatItIsMadeOf": (
            [
                f"bedrock-agentcore:{verb}{part}"
                for part in ("AgentRuntime", "AgentRuntimeEndpoint", "Memory")
                for verb in ("Get", "Update")
            ],
            [arn, runtime, {"Fn::Join": ["", [runtime, "/runtime-endpoint/DEFAULT"]]}, memory],
        ),
        "PassExecutionRole": (["iam:PassRole"], [role]),
        "WhetherItWasUsed": ("bedrock-agentcore:ListActors", memory),
        "WhatIsDeleted": (
            ["cloudformation:DescribeStacks", "cloudformation:DescribeStackResource", "cloudformation:GetTemplate"],
            {"Ref": "AWS::StackId"},
        ),
    }


def test_its_policy_is_replaced_with_the_harness(template: dict[str, Any]) -> None:
    """The description is create-only: the old harness' policy lives until the old memory is detached."""
    ((name, policy),) = [
        (name, found["Properties"])
        for name, found in of_type(template, "AWS::IAM::ManagedPolicy").items()
        if "MemoryRetention" in name
    ]
    identity = {"Fn::GetAtt": [the_harness(template), "HarnessId"]}
    assert policy["Description"] == {"Fn::Join": ["", ["Detaches the memory of the harness ", identity]]}
    (resource,) = of_type(template, RETENTION).values()
    assert name in resource["DependsOn"]


def test_endpoints_of_that_harness_go_before_it(template: dict[str, Any]) -> None:
    ((retention, _),) = of_type(template, RETENTION).items()
    waiting = {
        name.startswith("Agent"): endpoint.get("DependsOn", [])
        for name, endpoint in of_type(template, "AWS::BedrockAgentCore::HarnessEndpoint").items()
    }
    assert waiting == {True: [retention], False: []}


def test_the_arn_is_an_output(template: dict[str, Any]) -> None:
    ((retention, _),) = of_type(template, RETENTION).items()
    outputs = [output for name, output in template["Outputs"].items() if "MemoryRetention" in name]
    assert outputs == [
        {
            "Description": "Memory of Agents/Agent, kept when that goes",
            "Value": {"Fn::GetAtt": [retention, "MemoryArn"]},
        }
    ]


def test_it_knows_whether_the_template_keeps_the_harness() -> None:
    stack = synth.new_stack()
    harness = Harness(stack, "Agent", memory=Memory.managed(retain=True))
    harness.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # after the retention was made
    (resource,) = synth.resources(stack, RETENTION).values()
    assert (resource["Properties"]["IsKept"], resource["Properties"]["IsKeptWhenReplaced"]) == ("true", "true")


@pytest.mark.parametrize("memory", [Memory.disabled(), Memory.existing("${Token[TOKEN.1]}")])
def test_only_a_managed_memory_can_be_kept(memory: Any) -> None:
    harness = Harness(synth.new_stack(), "Agent", memory=memory)
    with pytest.raises(HarnessConfigError, match="memory: must be managed to have an ARN here"):
        MemoryRetention(harness, "Retention", harness=harness)


def test_only_a_harness_of_the_same_stack_can_have_its_memory_kept() -> None:
    stack = synth.new_stack()
    there = cdk.Stack(cast("cdk.App", stack.node.root), "There")
    imported = Harness.from_harness_arn(
        stack, "Imported", "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/support-0123456789"
    )
    for number, (harness, received) in enumerate(
        ((Harness(there, "Agent"), "one of the stack There"), (imported, "one that is imported"), (5, "5"))
    ):
        given: Any = harness
        with pytest.raises(HarnessConfigError) as refusal:
            MemoryRetention(stack, f"Retention{number}", harness=given)
        assert [str(fault) for fault in refusal.value.faults] == [
            (
                f"harness: must be a Harness of the same stack; received {received}; make it with "
                "Memory.managed(retain=True) where the harness is."
            )
        ]


def test_it_follows_the_logical_id_of_the_harness() -> None:
    stack = synth.new_stack()
    harness = Harness(stack, "Agent", memory=Memory.managed(retain=True))
    resource = harness.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.override_logical_id("TheAgent")
    (kept,) = synth.resources(stack, RETENTION).values()
    assert kept["Properties"]["HarnessResource"] == "TheAgent"


def test_retain_is_told_apart_without_the_cdk() -> None:
    assert isinstance(Memory.managed(retain=True), RetainedMemory)
    assert Memory.managed(retain=False) == Memory.managed()
    with pytest.raises(HarnessConfigError, match="memory: must be taken by a harness"):
        HarnessConfig.create(memory=Memory.managed(retain=True))


def test_what_is_wrong_with_it_is_told_with_all_else() -> None:
    with pytest.raises(HarnessConfigError, match="has 2 faults") as raised:
        Harness(synth.new_stack(), "Agent", max_tokens=0, memory=Memory.managed(expiry=2, retain=True))
    assert {fault.path for fault in raised.value.faults} == {
        "maxTokens",
        "memory.managedMemoryConfiguration.eventExpiryDuration",
    }


def test_a_stack_retains_as_many_as_its_function_can_have_policies() -> None:
    stack = synth.new_stack()
    for number in range(10):
        Harness(stack, f"Agent{number}", memory=Memory.managed(retain=True))

    with pytest.raises(HarnessConfigError) as refusal:
        Harness(stack, "OneMore", memory=Memory.managed(retain=True))
    assert (
        "memory: must be one of at most 10 managed memories that a stack retains; received 11 in Agents; put the "
        "harness into another stack, or give it an AgentMemory." in str(refusal.value)
    )
