"""Which tools the model sees, under which names, and what those do that are not emulated."""

from __future__ import annotations

import pytest

from agentcore_local.agents.tools.allowed import is_allowed, may_offer
from agentcore_local.agents.tools.remote import KINDS
from agentcore_local.faults import RequestRefused
from agentcore_local.harness.routes import service_model

GATEWAY = {
    "type": "agentcore_gateway",
    "config": {
        "agentCoreGateway": {"gatewayArn": "arn:aws:bedrock-agentcore:us-east-1:1:gateway/web-search-abcdefghij"}
    },
}


@pytest.fixture
def seen(caller, script):
    """The tools a model is offered."""

    def tools(**configuration) -> list[str]:
        found: list[str] = []
        script(lambda call: found.extend(call.tools) or "ok")
        caller(**configuration).say()
        return sorted(found)

    return tools


def test_the_built_in_tools_are_on(seen):
    assert seen() == ["file_operations", "shell"]


def test_every_type_has_a_name(seen, inline):
    tools = [{"type": "agentcore_browser"}, {"type": "agentcore_code_interpreter"}, GATEWAY, inline("refund")]
    tools.append({"type": "remote_mcp", "config": {"remoteMcp": {"url": "http://127.0.0.1:9"}}})
    assert seen(tools=tools, allowedTools=["@*"]) == [
        "browser",
        "code_interpreter",
        "file_operations",
        "refund",
        "remote_mcp",
        "shell",
        "web-search",
    ]


def test_every_tool_type_of_botocore_is_known():
    types = set(service_model("bedrock-agentcore").shape_for("HarnessToolType").enum)
    assert types == {*KINDS, "inline_function", "agentcore_browser", "agentcore_code_interpreter"}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (GATEWAY["config"], "the local cloud has no gateway arn:aws:bedrock-agentcore:us-east-1:1:gateway/web-search-"),
        ({"remoteMcp": {"url": "http://127.0.0.1:9/mcp"}}, "nobody answers as it should: "),
    ],
)
def test_tools_of_somebody_who_is_not_there_say_so(caller, script, calling, config, reason):
    kind = "agentcore_gateway" if "agentCoreGateway" in config else "remote_mcp"
    script(calling("it"), "ok")
    ((status, text),) = caller(tools=[{"type": kind, "name": "it", "config": config}]).say().results
    assert status == "error"
    assert text.startswith(f"The tools of 'it' are not available, so nothing was done: {reason}")
    assert text.endswith("Go on without them, or say that the task needs them.")


def test_names_must_be_unique(caller):
    with pytest.raises(RequestRefused, match="unique names"):
        caller(tools=[{"type": "agentcore_browser"}, {"type": "agentcore_browser"}]).say()


def test_names_that_differ_in_a_hyphen_are_different_names(caller, script, inline, calling):
    """Strands would refuse them; CreateHarness does not."""
    script(calling("re_fund"), calling("re-fund"), "done")
    client = caller(tools=[inline("re-fund"), inline("re_fund")])
    (first,) = client.say().calls
    assert first["name"] == "re_fund"
    (second,) = client.answer(first["toolUseId"]).calls
    assert second["name"] == "re-fund"
    assert client.answer(second["toolUseId"]).text == "done"


def test_a_configured_tool_takes_the_name_of_a_built_in_one(caller, script, inline, calling):
    script(calling("shell", command="ls"), "ok")
    assert caller(tools=[inline("shell")]).say().stop == "tool_use"


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["*"], ["browser", "file_operations", "refund", "shell", "web-search"]),
        (["shell"], ["shell"]),
        (["file_*"], ["file_operations"]),
        (["@builtin"], ["file_operations", "shell"]),
        (["@builtin/shell"], ["shell"]),
        (["@builtin/*"], ["file_operations", "shell"]),
        (["@refund"], ["refund"]),
        (["refund"], ["refund"]),
        (["ref*"], ["refund"]),
        (["@browser"], ["browser"]),
        (["browser"], []),
        (["@web-search/search___query"], ["web-search"]),
        (["@web-search/*"], ["web-search"]),
        (["search___query"], []),
        (["@*/shell"], ["shell", "web-search"]),
        (["shell", "@browser"], ["browser", "shell"]),
        (["@nothing"], []),
        ([], ["refund"]),
    ],
)
def test_allowed_tools(seen, inline, patterns, names):
    assert seen(tools=[{"type": "agentcore_browser"}, GATEWAY, inline("refund")], allowedTools=patterns) == names


def test_names_are_case_sensitive():
    assert not is_allowed("shell", "builtin", ["Shell"])


def test_a_name_like_that_of_a_built_in_tool_leaves_the_built_in_one(seen, inline):
    assert seen(tools=[inline("file-operations")]) == ["file-operations", "file_operations", "shell"]


@pytest.mark.parametrize("schema", ["text", ["list"]])
def test_a_schema_that_is_no_object_is_refused(caller, inline, schema):
    tool = inline("refund")
    tool["config"]["inlineFunction"]["inputSchema"] = schema
    with pytest.raises(RequestRefused, match=r"inputSchema must be a JSON object; received (str|list)"):
        caller(tools=[tool]).say()


def test_allowed_tools_can_be_overridden_for_a_call(caller, script):
    found = []
    script(lambda call: found.append(sorted(call.tools)) or "ok")
    client = caller()
    client.say(allowedTools=["shell"])
    client.say()
    assert found == [["shell"], ["file_operations", "shell"]]


def test_a_tool_that_is_not_allowed_cannot_be_called(caller, script, calling):
    script(calling("shell", command="echo ran"), "ok")
    assert caller(allowedTools=["file_operations"]).say().results == [("error", "Unknown tool: shell")]


def test_the_model_sees_the_inline_functions_schema(caller, script, inline):
    found = []
    script(lambda call: found.append(call.tools["refund"]) or "ok")
    schema = {"type": "object", "properties": {"order": {"type": "string", "description": "Id"}}, "required": ["order"]}
    caller(tools=[inline("refund", **schema)]).say()
    assert found[0]["description"] == "Runs refund."
    assert found[0]["inputSchema"]["json"] == schema


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("*", True),
        ("@shop", True),
        ("@shop/*", True),
        ("@shop/orders___lookup", True),
        ("@shop/orders___*", True),
        ("@sh*/*___lookup", True),
        ("@*/orders___lookup", True),
        ("@shop/other___*", False),
        ("@other/orders___lookup", False),
        ("orders___lookup", False),
        ("shop", False),
    ],
)
def test_a_tool_behind_a_gateway(pattern, allowed):
    assert is_allowed("orders___lookup", "agentcore_gateway", [pattern], source="shop") is allowed


@pytest.mark.parametrize(
    ("patterns", "asked"), [(["shell"], False), (["@shop/x"], True), (["@s*"], True), (["*"], True)]
)
def test_a_gateway_of_which_nothing_is_allowed_is_not_asked(patterns, asked):
    assert may_offer("shop", patterns) is asked
