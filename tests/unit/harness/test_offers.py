"""Allowed tools of gateways: what a gateway of the app does not offer is warned of, and what is added is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from support import synth
from support.capabilities_gateway import LOOKUP, function

from agentcore_constructs import AllowedTools, Harness, Memory, Target, Tool, ToolGateway, gateway_tool

if TYPE_CHECKING:
    from collections.abc import Callable

    Warnings = Callable[[], list[str]]

ID = "[ack: @agentcore-harness-cdk:allowed-tool]"


def orders(stack: cdk.Stack) -> Target:
    return Target.lambda_(function(stack, "Orders"), [LOOKUP], name="orders")


def pages() -> Target:
    """A target whose tools are known when it is deployed."""
    return Target.mcp_server("https://pages.example.com/mcp", name="pages")


def shop(stack: cdk.Stack, *more: Target) -> ToolGateway:
    return ToolGateway(stack, "Shop", targets=[orders(stack), Target.web_search(name="web"), *more])


def harness(stack: cdk.Stack, *tools: Any, **given: Any) -> Harness:
    return Harness(stack, "Agent", memory=Memory.disabled(), tools=tools, **given)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("@shop/orders___lookupp", "Did you mean '@shop/orders___lookup'?"),
        ("@shop/order___lookup", "Did you mean '@shop/orders___lookup'?"),
        ("@*/orders___lookupp", "Did you mean '@shop/orders___lookup'?"),
        ("@sh*/zz___*", "There are: @shop/orders___lookup, @shop/web___WebSearch."),
        ("@shop/lookup", "Did you mean '@shop/orders___lookup'?"),
    ],
)
def test_what_no_target_offers_is_warned_of(stack: cdk.Stack, warnings: Warnings, entry: str, told: str) -> None:
    harness(stack, Tool.gateway(shop(stack), name="shop"), allowed_tools=["shell", entry])

    (warning,) = warnings()
    assert warning == (
        f"allowedTools has '{entry}', which no gateway of this harness offers, so it allows nothing, and the service "
        f"does not say so. {told} Targets made without the ToolGateway are not known here. {ID}"
    )


def test_what_a_tool_allows_of_itself_is_looked_at_too(stack: cdk.Stack, warnings: Warnings) -> None:
    harness(stack, Tool.gateway(shop(stack), name="shop", allowed=[gateway_tool("orders", "refund")]))

    (warning,) = warnings()
    assert warning.startswith("allowedTools has '@shop/orders___refund', which no gateway of this harness offers")


def test_a_gateway_s_tool_without_a_gateway_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    harness(stack, Tool.browser(), allowed_tools=AllowedTools.only(gateway_tool("orders", "lookup")))

    (warning,) = warnings()
    assert "There are: none." in warning


@pytest.mark.parametrize(
    "entry",
    [
        "*", "@shop", "@shop/*", "@shop/orders___lookup", "@shop/orders___*", "@*/orders___lookup", "@shop/*WebSearch",
        "@shop/x_amz_bedrock_agentcore_search", "@*/shell", "@builtin/shell",
    ],
)  # fmt: skip
def test_what_is_offered_is_not(stack: cdk.Stack, warnings: Warnings, entry: str) -> None:
    harness(stack, Tool.gateway(shop(stack), name="shop"), Tool.browser(), allowed_tools=[entry])

    assert warnings() == []


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        ("@shop/pages___anything", False),
        ("@shop/pages___*", False),
        ("@shop/pa*", False),
        ("@shop/pages", True),
        ("@shop/pagess___x", True),
    ],
)
def test_a_target_of_unknown_tools_may_offer_what_begins_with_its_name(
    stack: cdk.Stack, warnings: Warnings, entry: str, warned: bool
) -> None:
    harness(stack, Tool.gateway(shop(stack, pages()), name="shop"), allowed_tools=[entry])

    assert bool(warnings()) is warned


def test_what_is_known_later_is_not(stack: cdk.Stack, warnings: Warnings) -> None:
    """A target that is added, a gateway made elsewhere, one with targets of the CDK's own, names of tokens."""
    later = ToolGateway(stack, "Later")
    harness(stack, Tool.gateway(later, name="shop", allowed=[gateway_tool("orders", "lookup")]))
    later.add_target(orders(stack))
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/elsewhere-0123456789"
    bare = ToolGateway(stack, "Bare")
    token = cdk.CfnParameter(stack, "Name").value_as_string
    docs = Tool.remote_mcp("https://mcp.example.com", name="docs")
    for index, (tools, entry) in enumerate(
        [
            ([Tool.gateway(arn, name="g")], "@g/orders___lookup"),
            ([Tool.gateway(bare, name="g")], "@g/orders___lookup"),
            ([Tool.gateway(later, name=token)], "@x/a___b"),
            ([Tool.gateway(later)], "@x/a___b"),
            ([Tool.gateway(later, name="g"), docs], "@*/a___b"),
        ]
    ):
        Harness(stack, f"Agent{index}", memory=Memory.disabled(), tools=tools, allowed_tools=[entry])

    assert warnings() == []


# ---- tools that are added --------------------------------------------------------------------------------------------


def allowed(stack: cdk.Stack) -> Any:
    (resource,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    return resource["Properties"].get("AllowedTools")


def test_an_added_tool_that_is_narrowed_is_narrowed_in_the_template(stack: cdk.Stack) -> None:
    made = harness(stack, Tool.browser())
    made.add_tool(Tool.gateway(shop(stack), name="shop", allowed=[gateway_tool("orders", "lookup")]))

    assert allowed(stack) == ["@builtin", "@browser", "@shop/orders___lookup"]


def test_a_tool_added_beside_a_narrowed_one_is_allowed(stack: cdk.Stack) -> None:
    made = harness(stack, Tool.gateway(shop(stack), name="shop", allowed=["orders___lookup"]))
    made.add_tool(Tool.browser())

    assert allowed(stack) == ["@builtin", "@shop/orders___lookup", "@browser"]


def test_an_added_tool_is_not_allowed_beyond_what_the_harness_says(stack: cdk.Stack) -> None:
    made = harness(stack, Tool.browser(), allowed_tools=["@browser"])
    made.add_tool(Tool.code_interpreter())

    assert allowed(stack) == ["@browser"]


def test_an_added_tool_that_is_narrowed_to_nothing_there_is_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    made = harness(stack, Tool.browser())
    gateway = shop(stack)
    made.add_tool(Tool.gateway(gateway, name="shop", allowed=[gateway_tool("orders", "refund")]))
    made.add_tool(Tool.code_interpreter())

    (warning,) = warnings()
    assert "'@shop/orders___refund'" in warning
