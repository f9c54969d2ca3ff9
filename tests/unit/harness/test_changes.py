"""A harness grows: tools, skills and hooks added later, and what calls may override."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from support.needs import FUNCTION, GATEWAY, OAUTH, TOPIC

from agentcore_constructs import GatewayAuth, Harness, HarnessConfigError, Hook, Model, Skill, Tool, stored_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_constructs import HarnessTool
    from agentcore_constructs.config.outbound_auth import OAuthGrantType

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
    assert found.harness["Skills"] == [{"S3": {"Uri": "s3://agent-skills/report/"}}]
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


def test_an_unknown_model_behind_litellm_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", model=Model.litellm("bedrock/" + cdk.CfnParameter(stack, "Model").value_as_string))

    (warning,) = warnings()
    assert warning.endswith("[ack: @agentcore-harness-cdk:unknown-model]")


def test_an_unknown_model_of_calls_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    model = Model.bedrock(cdk.CfnParameter(stack, "Model").value_as_string)
    Harness(stack, "Agent").allow_override(model=model)

    assert len(warnings()) == 1


REFUND = Tool.inline("refund", description="Refunds an order.", input_schema={"type": "object"})
DOCS = Tool.remote_mcp("https://mcp.example.com", name="docs")
ALLOWED = "[ack: @agentcore-harness-cdk:allowed-tool]"


@pytest.mark.parametrize(
    ("entry", "nearest"),
    [
        ("shel", "shell"),
        ("Shell", "shell"),
        ("file_operation", "file_operations"),
        ("shell/x", "shell"),
        ("refunds", "refund"),
        ("docs", "@docs"),
        ("docs/search", "@docs/search"),
        ("builtin", "@builtin"),
    ],
)
def test_an_allowed_tool_that_allows_nothing_is_warned_of(
    stack: cdk.Stack, warnings: Warnings, entry: str, nearest: str
) -> None:
    Harness(stack, "Agent", tools=[REFUND, DOCS], allowed_tools=["@builtin", entry])

    (warning,) = warnings()
    assert warning.startswith(f"allowedTools has '{entry}', which is the name of no built-in and no inline tool")
    assert warning.endswith(f"Did you mean '{nearest}'? {ALLOWED}")


def test_what_there_is_is_said_when_nothing_is_near(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", tools=[REFUND, DOCS], allowed_tools=["zzz"])

    (warning,) = warnings()
    assert warning.endswith(f"There are: @builtin, @docs, shell, file_operations, refund. {ALLOWED}")


@pytest.mark.parametrize(
    "entry", ["shell", "file_operations", "refund", "file_*", "x?", "[xy]", "*", "@docs/x", "orders___list"]
)
def test_an_allowed_tool_that_may_allow_something_is_not(stack: cdk.Stack, warnings: Warnings, entry: str) -> None:
    Harness(stack, "Agent", tools=[REFUND, DOCS], allowed_tools=[entry])

    assert warnings() == []


@pytest.mark.parametrize(
    ("names", "entry", "form"),
    [
        (["shop"], "orders___list", "@shop/orders___list"),
        (["shop", "web"], "orders___list", "@*/orders___list"),
        (["shop"], f"orders___{'l' * 55}", f"@shop/*__{'l' * 55}"),
    ],
    ids=["one gateway", "two gateways", "as long as an entry may be"],
)
def test_the_bare_name_of_a_gateways_tool_is_warned_of(
    stack: cdk.Stack, warnings: Warnings, names: list[str], entry: str, form: str
) -> None:
    gateway = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/shop-0123456789"
    tools = [Tool.gateway(gateway, name=name) for name in names]
    Harness(stack, "Agent", tools=tools, allowed_tools=["@builtin", entry])

    (warning,) = warnings()
    assert warning.startswith(f"allowedTools has '{entry}', the bare name of a gateway's tool, which was seen to allow")
    assert warning.endswith(f"Write '{form}', which works. {ALLOWED}")


def test_an_allowed_tool_that_is_known_later_is_not(stack: cdk.Stack, warnings: Warnings) -> None:
    token = cdk.CfnParameter(stack, "Tool").value_as_string
    listed = cdk.CfnParameter(stack, "Tools", type="CommaDelimitedList").value_as_list
    Harness(stack, "A", allowed_tools=[token])
    Harness(stack, "B", allowed_tools=listed)
    Harness(stack, "C", allowed_tools=["anything"], tools=[Tool.browser(name=None)])
    Harness(stack, "D", allowed_tools=["anything"], tools=[Tool.browser(name=token)])

    assert warnings() == []


def test_an_allowed_tool_that_is_added_is_not(stack: cdk.Stack, warnings: Warnings) -> None:
    harness = Harness(stack, "Agent", allowed_tools=["refund"])
    harness.add_tool(REFUND)

    assert warnings() == []


@pytest.mark.parametrize("first", [True, False])
def test_the_warning_of_an_allowed_tool_can_be_acknowledged(stack: cdk.Stack, warnings: Warnings, first: bool) -> None:
    harness = Harness(stack, "Agent", allowed_tools=["secret_tool"])
    of = harness if first else stack
    cdk.Annotations.of(of).acknowledge_warning("@agentcore-harness-cdk:allowed-tool", "the service has it already")

    assert warnings() == []


def gateway_tool(name: str | None, grant_type: OAuthGrantType | None) -> HarnessTool:
    return Tool.gateway(GATEWAY, name=name, outbound_auth=GatewayAuth.oauth(OAUTH, scopes=[], grant_type=grant_type))


@pytest.mark.parametrize("how", ["given", "added", "of calls"])
def test_a_grant_type_that_gateways_do_not_support_is_warned_of(stack: cdk.Stack, warnings: Warnings, how: str) -> None:
    tool = gateway_tool("orders", "AUTHORIZATION_CODE")
    harness = Harness(stack, "Agent", tools=[tool] if how == "given" else None)
    if how == "added":
        harness.add_tool(tool)
    if how == "of calls":
        harness.allow_override(tools=[tool])

    (warning,) = warnings()
    assert warning.startswith(
        "The gateway tool 'orders' has the grantType AUTHORIZATION_CODE, which AgentCore documents"
    )
    assert warning.endswith("[ack: @agentcore-harness-cdk:authorization-code]")


def test_a_key_in_a_header_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    provider = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/search"
    headers = {
        "Authorization": "Bearer sk-proj-0123456789",
        "X-Api-Key": stored_key(provider),
        "X-Token": cdk.CfnParameter(stack, "Token", no_echo=True).value_as_string,
        "X-Team": "search",
    }
    Harness(stack, "Agent", tools=[Tool.remote_mcp("https://mcp.example.com", name="search", headers=headers)])

    (warning,) = warnings()
    assert warning.startswith("The header 'Authorization' of the tool 'search' is written in code: whoever reads")
    assert "sk-proj" not in warning
    assert warning.endswith("[ack: @agentcore-harness-cdk:literal-header]")


def test_a_tool_that_is_added_is_warned_of_once(stack: cdk.Stack, warnings: Warnings) -> None:
    harness = Harness(stack, "Agent", tools=[gateway_tool(None, "AUTHORIZATION_CODE")])
    harness.add_tool(Tool.browser())
    harness.add_hook(Hook.after_tool_call("tell", TOPIC))

    (warning,) = warnings()
    assert warning.startswith("A gateway tool has the grantType AUTHORIZATION_CODE")


@pytest.mark.parametrize("grant_type", [None, "CLIENT_CREDENTIALS"])
def test_other_grant_types_are_not(stack: cdk.Stack, warnings: Warnings, grant_type: OAuthGrantType | None) -> None:
    Harness(stack, "Agent", tools=[gateway_tool("orders", grant_type)])

    assert warnings() == []


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
