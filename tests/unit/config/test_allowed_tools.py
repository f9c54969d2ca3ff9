"""What `AllowedTools` and `allowed=` write, and what they refuse."""

from __future__ import annotations

import pytest

from agentcore_constructs.config import (
    AllowedTools,
    HarnessConfig,
    HarnessConfigError,
    Tool,
    gateway_tool,
    stored_key,
)
from agentcore_constructs.config.allowed_tools import entry

GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/orders-0123456789"
PROVIDER = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/docs-key"
ORDERS = Tool.gateway(GATEWAY, name="orders")
DOCS = Tool.remote_mcp("https://mcp.example.com", name="docs")
REFUND = Tool.inline("refund", description="Refunds.", input_schema={"type": "object"})


def allowed(*tools: object, allowed_tools: object = None) -> list[str] | None:
    config = HarnessConfig.create(tools=tools, allowed_tools=allowed_tools)  # type: ignore[arg-type]
    return config.to_api().get("allowedTools")


def faults(*tools: object, allowed_tools: object = None) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(tools=tools, allowed_tools=allowed_tools)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("tool", "entries"),
    [
        (AllowedTools.SHELL, ["shell"]),
        (AllowedTools.FILE_OPERATIONS, ["file_operations"]),
        (AllowedTools.BUILTIN, ["@builtin"]),
        (ORDERS, ["@orders/*"]),
        (DOCS, ["@docs/*"]),
        (REFUND, ["refund", "@refund"]),
        (Tool.browser(), ["@browser"]),
        (Tool.code_interpreter(), ["@code_interpreter"]),
        (gateway_tool("web", "WebSearch"), ["@*/web___WebSearch"]),
        (gateway_tool("web", "WebSearch", of=ORDERS), ["@orders/web___WebSearch"]),
        ("file_*", ["file_*"]),
    ],
)
def test_each_kind_of_tool_has_the_form_that_works(tool: object, entries: list[str]) -> None:
    tools = (ORDERS, DOCS, REFUND, Tool.browser(), Tool.code_interpreter())
    assert allowed(*tools, allowed_tools=AllowedTools.only(tool)) == entries


def test_all() -> None:
    assert allowed(allowed_tools=AllowedTools.all()) == ["*"]


def test_what_is_said_twice_is_written_once() -> None:
    assert AllowedTools.only("shell", AllowedTools.SHELL, ORDERS, ORDERS) == ("shell", "@orders/*")


def test_nothing_is_refused_with_what_to_write() -> None:
    assert faults(allowed_tools=AllowedTools.only()) == [
        (
            "allowedTools[0]: must allow at least one tool; received none; write AllowedTools.all(), or "
            "AllowedTools.only(AllowedTools.BUILTIN) for the built-in ones: what an empty list means is not documented."
        )
    ]


def test_a_tool_without_a_name_is_refused() -> None:
    nameless = Tool.gateway(GATEWAY)
    assert faults(nameless, allowed_tools=AllowedTools.only(nameless)) == [
        (
            "allowedTools[0]: must be a tool with a name; received a tool without a name; "
            "give the tool a name=…, which is what it is allowed by."
        )
    ]


def test_what_is_no_tool_is_refused() -> None:
    assert faults(allowed_tools=AllowedTools.only(42)) == [
        (
            "allowedTools[0]: must be a tool with a name; received 42; "
            "give the tool a name=…, which is what it is allowed by."
        )
    ]


@pytest.mark.parametrize(
    ("source", "tool", "expected"),
    [
        ("a" * 63, None, f"@{'a' * 63}"),
        ("a" * 63 + "b", None, f"@*{'a' * 61}b"),
        ("orders", "t" * 56, f"@orders/{'t' * 56}"),
        ("orders", "t" * 40 + "___" + "lookup_of_orders", f"@orders/*{'t' * 36}___lookup_of_orders"),
        ("a" * 64, "*", f"@*{'a' * 60}/*"),
        ("a" * 60, "t" * 60, f"@*{'a' * 19}/*{'t' * 41}"),
    ],
)
def test_names_beyond_64_characters_become_globs(source: str, tool: str | None, expected: str) -> None:
    written = entry(source, tool)
    assert written == expected
    assert len(written) <= 64


def test_a_gateway_narrowed_leaves_every_other_tool_allowed() -> None:
    narrowed = Tool.gateway(GATEWAY, name="orders", allowed=[gateway_tool("shop", "lookup"), "web___*"])
    assert allowed(narrowed, DOCS, REFUND) == [
        "@builtin", "@orders/shop___lookup", "@orders/web___*", "@docs/*", "refund", "@refund",
    ]  # fmt: skip


def test_a_narrowed_server() -> None:
    assert allowed(Tool.remote_mcp("https://x", name="docs", allowed=["search"])) == ["@builtin", "@docs/search"]


def test_narrowing_survives_a_change_of_the_configuration() -> None:
    first = HarnessConfig.create(tools=[Tool.gateway(GATEWAY, name="orders", allowed=["shop___lookup"])])
    second = first.updated(tools=[*(first.tools or ()), Tool.browser()])
    assert second.to_api()["allowedTools"] == ["@builtin", "@orders/shop___lookup", "@browser"]
    assert second.to_cfn()["AllowedTools"] == second.to_l1()["allowed_tools"] == second.to_api()["allowedTools"]
    assert second.to_step_functions()["AllowedTools"] == second.to_api()["allowedTools"]


def test_narrowing_beside_allowed_tools_is_refused() -> None:
    narrowed = Tool.gateway(GATEWAY, name="orders", allowed=["shop___lookup"])
    assert faults(narrowed, allowed_tools=["@orders/*"]) == [
        (
            "tools[0].allowed: must not be given beside allowedTools of the harness; received both; "
            "say it in allowed_tools, with gateway_tool(…, of=<the tool>), or in the tools alone."
        )
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "must allow at least one tool; received none; write AllowedTools.all(), or"),
        ("shop___lookup", "must be a list of tools; received 'shop___lookup' (13 characters); put the names into"),
        (["a/b"], "must be the name of a tool of the gateway; received 'a/b' (3 characters); write gateway_tool("),
        ([7], "must be the name of a tool of the gateway; received 7; write gateway_tool("),
    ],
)
def test_narrowing_to_what_cannot_be_is_refused(given: object, sentence: str) -> None:
    (fault,) = faults(Tool.gateway(GATEWAY, name="orders", allowed=given))  # type: ignore[arg-type]
    assert fault.startswith(f"tools[0].allowed: {sentence}")


def test_narrowing_a_tool_without_a_name_is_refused() -> None:
    (fault,) = faults(Tool.gateway(GATEWAY, allowed=["a___b"]))
    assert fault.startswith("tools[0].allowed: must be a tool with a name")


class Provider:
    credential_provider_arn = PROVIDER


def test_a_header_that_is_a_stored_key_is_the_placeholder() -> None:
    headers = {"X-Key": Provider(), "Authorization": stored_key(Provider(), prefix="Bearer "), "X-Team": "a"}
    config = HarnessConfig.create(tools=[Tool.remote_mcp("https://x", name="docs", headers=headers)])  # type: ignore[arg-type]
    assert config.to_cfn()["Tools"][0]["Config"]["RemoteMcp"]["Headers"] == {
        "X-Key": f"${{{PROVIDER}}}", "Authorization": f"Bearer ${{{PROVIDER}}}", "X-Team": "a",
    }  # fmt: skip
