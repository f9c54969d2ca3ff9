"""A harness grows: tools, skills and hooks added later, and what calls may override."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from support.needs import FUNCTION, GATEWAY, TOPIC

from agentcore_constructs import Harness, HarnessConfigError, Hook, McpAuth, Model, Skill, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]
    Warnings = Callable[[], list[str]]


def test_a_tool_is_added_with_its_permissions(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", tools=[Tool.browser()])
    harness.add_tool(Tool.gateway(GATEWAY, name="orders"))

    found = synthesized()
    assert [tool["Name"] for tool in found.harness["Tools"]] == ["browser", "orders"]
    assert found.statements("AgentPolicy")["AgentCoreGatewayAccess"]["Resource"] == [GATEWAY]


def test_a_first_tool_is_added(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").add_tool(Tool.browser())

    assert [tool["Name"] for tool in synthesized().harness["Tools"]] == ["browser"]


def test_a_skill_is_added_with_its_permissions(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").add_skill(Skill.s3("agent-skills", "report"))

    found = synthesized()
    assert found.harness["Skills"] == [{"S3": {"Uri": "s3://agent-skills/report"}}]
    assert "AgentCoreSkillS3Access" in found.statements("AgentPolicy")


def test_a_hook_is_added_with_its_permissions(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", hooks=[Hook.after_tool_call("tell", TOPIC)])
    harness.add_hook(Hook.before_invocation("guard", FUNCTION))

    found = synthesized()
    assert len(found.harness["Hooks"]) == 2
    assert {"HookLambda", "HookSns"} <= set(found.statements("AgentPolicy"))


def test_what_is_added_is_in_the_configuration(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    harness.add_tool(Tool.browser())

    assert harness.to_config() == {"tools": [{"type": "agentcore_browser", "name": "browser"}]}


def test_what_is_added_is_checked_with_the_rest(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", tools=[Tool.browser()])

    with pytest.raises(HarnessConfigError, match=r"The harness Agents/Agent has 1 fault:\n  tools\[1\].name: must be"):
        harness.add_tool(Tool.browser())


def test_what_is_refused_changes_nothing(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", tools=[Tool.browser()])
    with pytest.raises(HarnessConfigError):
        harness.add_tool(Tool.browser())

    assert harness.to_config()["tools"] == [{"type": "agentcore_browser", "name": "browser"}]
    assert len(synthesized().harness["Tools"]) == 1


def test_what_cloudformation_cannot_say_cannot_be_added_either(stack: cdk.Stack) -> None:
    tool = Tool.remote_mcp("https://mcp.example.com", name="docs", outbound_auth=McpAuth.aws_iam("execute-api"))

    with pytest.raises(
        HarnessConfigError,
        match=r"tools\[0\].config.remoteMcp.outboundAuth: must be left out, since it is not supported yet",
    ):
        Harness(stack, "Agent").add_tool(tool)


def test_a_twenty_first_hook_is_refused(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    for number in range(20):
        harness.add_hook(Hook.after_tool_call(f"hook{number}", TOPIC))

    with pytest.raises(HarnessConfigError, match=r"hooks: must be a list of .*0–20"):
        harness.add_hook(Hook.after_tool_call("hook20", TOPIC))


def test_more_than_one_policy_holds_are_spread_and_waited_for(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    for number in range(60):
        harness.add_tool(Tool.gateway(f"{GATEWAY[:-10]}{number:010}", name=f"gateway{number}"))

    found = synthesized()
    policies = {key for key in found.of_type("AWS::IAM::ManagedPolicy") if "ManagedMemory" not in key}
    assert len(policies) > 1
    assert policies <= set(found.only("AWS::BedrockAgentCore::Harness")["DependsOn"])


def test_calls_may_switch_to_another_model(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent").allow_override(model=Model.bedrock("amazon.nova-pro-v1:0"))

    found = synthesized()
    (model,) = found.statements("AgentPolicy")["BedrockModelInvocation"]["Resource"]
    assert model.endswith("foundation-model/amazon.nova-pro-v1:0")
    assert found.harness["Model"] == {"BedrockModelConfig": {"ModelId": "global.anthropic.claude-sonnet-4-6"}}


def test_calls_may_bring_tools_and_skills(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    harness.allow_override(tools=[Tool.browser()])
    harness.allow_override(skills=[Skill.s3("agent-skills")])

    found = synthesized()
    assert {"AgentCoreBrowserDefault", "AgentCoreSkillS3Access"} <= set(found.statements("AgentPolicy"))
    assert not {"Tools", "Skills"} & set(found.harness)


def test_a_faulty_override_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(
        HarnessConfigError, match=r"What calls of Agents/Agent may override has 1 fault:\n  model\.bedrock"
    ):
        Harness(stack, "Agent").allow_override(model=Model.bedrock("amazon.nova-pro-v1:0", temperature=3))


def test_an_imported_role_is_not_changed_by_what_is_added(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", execution_role="arn:aws:iam::111122223333:role/Research")
    harness.add_tool(Tool.browser())
    harness.allow_override(model=Model.bedrock("amazon.nova-pro-v1:0"))

    assert not synthesized().statements()


def test_an_unknown_model_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", model=Model.bedrock(cdk.CfnParameter(stack, "Model").value_as_string))

    (warning,) = warnings()
    assert warning.startswith("The id of the Bedrock model is known at deployment alone")
    assert warning.endswith("[ack: @agentcore-harness-cdk:unknown-model]")


def test_an_unknown_model_of_calls_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    model = Model.bedrock(cdk.CfnParameter(stack, "Model").value_as_string)
    Harness(stack, "Agent").allow_override(model=model)

    assert len(warnings()) == 1


@pytest.mark.parametrize("later", [False, True])
def test_a_function_in_another_account_is_warned_of(stack: cdk.Stack, warnings: Warnings, later: bool) -> None:
    hook = Hook.before_invocation("guard", "arn:aws:lambda:us-east-1:444455556666:function:guard")
    if later:
        Harness(stack, "Agent").add_hook(hook)
    else:
        Harness(stack, "Agent", hooks=[hook])

    (warning,) = warnings()
    assert "arn:aws:lambda:us-east-1:444455556666:function:guard is in another account" in warning
    assert warning.endswith("[ack: @agentcore-harness-cdk:cross-account-hook]")


def test_a_function_in_the_same_account_is_not(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", hooks=[Hook.before_invocation("guard", FUNCTION)])

    assert warnings() == []
