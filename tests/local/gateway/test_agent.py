"""An agent uses a gateway that constructs made: each kind of target, each kind and size of result, in the stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.behaviours import behaviour

from agentcore_local.gateway import mcp_target
from agentcore_local.gateway.signing import Signed

from .conftest import TOOLS, tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Shop


TOPIC = "Tools behind gateways and MCP servers"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway.html",
)


@behaviour("A gateway's tools are named `<target>___<tool>`; functions, APIs, MCP servers and web search are targets")
def test_the_agent_is_offered_every_target_s_tools_under_their_documented_names(shop: Shop) -> None:
    assert shop.offered() == sorted(
        [
            "docs___pages___text",
            "file_operations",
            *(f"orders___{name}" for name in TOOLS),
            "shell",
            "weather___broken",
            "weather___forecast",
            "weather___report",
            "web-search___WebSearch",
        ]
    )


def test_what_the_model_is_told_of_a_tool(shop: Shop) -> None:
    shop.offered()
    forecast = shop.seen[-1]["weather___forecast"]
    assert forecast["description"] == "The forecast of a city."
    schema = forecast["inputSchema"]["json"]
    assert {name: one["type"] for name, one in schema["properties"].items()} == {"city": "string", "days": "integer"}
    assert schema["required"] == ["city"]


@pytest.mark.parametrize(
    ("patterns", "shown"),
    [
        (["shell"], ["shell"]),
        (["@shop/orders___text"], ["orders___text"]),
        (["@shop/docs___*", "file_*"], ["docs___pages___text", "file_operations"]),
        (["@shop/*WebSearch"], ["web-search___WebSearch"]),
        (["@*/weather___b*"], ["weather___broken"]),
        (["orders___text"], []),
    ],
)
@behaviour("`allowedTools` names them with the harness tool's name, and hides the others")
def test_allowed_tools_hide_the_others(shop: Shop, patterns: list[str], shown: list[str]) -> None:
    assert shop.offered(allowedTools=patterns) == shown


# ---- results of functions --------------------------------------------------------------------------------------------


def test_json_with_unicode_and_what_the_function_is_told_of_the_call(shop: Shop) -> None:
    status, text = shop.invoke("orders___echo", id="größe 🍎 \u2028")
    answer = json.loads(text)
    assert status == "success"
    assert answer["event"] == {"id": "größe 🍎 \u2028"}
    custom = answer["custom"]
    assert custom["bedrockAgentCoreToolName"] == "orders___echo"
    assert custom["bedrockAgentCoreGatewayId"] == shop.gateway_id
    targets = shop.control.list_gateway_targets(gatewayIdentifier=shop.gateway_id)["items"]
    assert custom["bedrockAgentCoreTargetId"] in {one["targetId"] for one in targets}
    assert "größe" in text


def test_a_text_is_json_too(shop: Shop) -> None:
    assert shop.invoke("orders___text") == ("success", '"just text"')


def test_nothing(shop: Shop) -> None:
    assert shop.invoke("orders___nothing") == ("success", "null")


def test_a_megabyte(shop: Shop) -> None:
    status, text = shop.invoke("orders___big")
    assert (status, len(text)) == ("success", 1_000_002)


@behaviour("A tool that fails is an error the model reads")
def test_a_function_that_raises(shop: Shop) -> None:
    status, text = shop.invoke("orders___raises")
    assert status == "error"
    assert "failed: Runtime.HandlerError: no such order" in text or "failed: ValueError: no such order" in text
    assert "Traceback" not in text


def test_a_function_that_takes_too_long(shop: Shop) -> None:
    status, text = shop.invoke("orders___times_out")
    assert status == "error"
    assert "timed out" in text.lower()


def test_a_function_that_returns_what_is_no_json(shop: Shop) -> None:
    status, text = shop.invoke("orders___not_json")
    assert status == "error"
    assert "not JSON serializable" in text


def test_without_debug_callers_learn_no_reason(shop: Shop) -> None:
    override = [
        {
            "type": "agentcore_gateway",
            "name": "quiet",
            "config": {"agentCoreGateway": {"gatewayArn": shop.outputs["QuietArn"]}},
        }
    ]
    _open_to_the_agent(shop, shop.outputs["QuietArn"])
    assert shop.invoke_with({"tools": override}, "orders___raises") == (
        "error",
        "An internal error occurred. Please retry later.",
    )


def _open_to_the_agent(shop: Shop, gateway: str) -> None:
    statement = {"Effect": "Allow", "Action": "bedrock-agentcore:InvokeGateway", "Resource": gateway}
    shop.account.client("iam").put_role_policy(
        RoleName=shop.outputs["Role"].rsplit("/", 1)[-1],
        PolicyName="Also",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


# ---- other targets ---------------------------------------------------------------------------------------------------


@behaviour("An API is called with the key of an API key provider")
def test_an_http_api_with_a_stored_key(shop: Shop) -> None:
    status, text = shop.invoke("weather___forecast", city="São Paulo/Brasil", days=3)
    assert status == "success"
    assert json.loads(text) == {
        "method": "GET",
        "path": "/v1/forecast/S%C3%A3o%20Paulo%2FBrasil",
        "query": {"days": ["3"]},
        "key": "Bearer w3ather",
        "body": None,
    }


def test_an_http_api_with_a_body(shop: Shop) -> None:
    status, text = shop.invoke("weather___report", city="Bonn", text="sunny")
    assert status == "success"
    seen = json.loads(text)
    assert (seen["method"], seen["body"]) == ("POST", {"text": "sunny"})


def test_an_http_api_that_fails(shop: Shop) -> None:
    status, text = shop.invoke("weather___broken")
    assert status == "error"
    assert text.startswith("GET https://weather.example.com/v1/broken answered 500: ")


def test_an_argument_that_is_missing(shop: Shop) -> None:
    assert shop.invoke("weather___forecast") == ("error", "Missing required argument(s): city")


def test_an_mcp_server_behind_the_gateway(shop: Shop) -> None:
    assert shop.invoke("docs___pages___text") == ("success", '"just text"')
    targets = shop.control.list_gateway_targets(gatewayIdentifier=shop.gateway_id)["items"]
    docs = next(one for one in targets if one["name"] == "docs")
    got = shop.control.get_gateway_target(gatewayIdentifier=shop.gateway_id, targetId=docs["targetId"])
    assert got["status"] == "READY"
    assert "lastSynchronizedAt" in got


@behaviour(
    "Web search keeps to the target's domains",
    status="approximated",
    note="It answers from fixtures that you supply; without one it says so. Nothing searches the web.",
)
def test_web_search_answers_from_fixtures_within_the_target_s_domains(shop: Shop) -> None:
    status, text = shop.invoke("web-search___WebSearch", query="The Harness")
    assert status == "success"
    assert [one["url"] for one in json.loads(text)["results"]] == ["https://docs.example.com/a"]
    _, later = shop.invoke(
        "web-search___WebSearch", query="harness", filters={"publishedDateFilter": {"from": "2026-03-01"}}
    )
    assert json.loads(later)["results"] == []


def test_web_search_without_a_fixture_says_so(shop: Shop) -> None:
    status, text = shop.invoke("web-search___WebSearch", query="weather")
    assert status == "error"
    assert text.startswith(
        "The local cloud does not search the web, and its fixtures have no web_search for 'weather'."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"query": "x" * 201}, "query must have 1-200 characters."),
        ({"query": "x", "maxResults": 26}, "maxResults must be 1-25."),
    ],
)
@behaviour("A query has at most 200 characters, an answer at most 25 results")
def test_web_search_keeps_the_service_s_limits(shop: Shop, arguments: dict[str, Any], sentence: str) -> None:
    assert shop.invoke("web-search___WebSearch", **arguments) == ("error", sentence)


# ---- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "name", "arguments"),
    [
        ("lambda:InvokeFunction", "orders___text", {}),
        ("bedrock-agentcore:GetResourceApiKey", "weather___forecast", {"city": "Bonn"}),
        ("secretsmanager:GetSecretValue", "weather___forecast", {"city": "Bonn"}),
        ("bedrock-agentcore:InvokeWebSearch", "web-search___WebSearch", {"query": "harness"}),
    ],
)
@behaviour("The gateway calls its targets with its own service role")
def test_the_gateway_acts_with_its_service_role(
    shop: Shop, without: Callable[[str], None], action: str, name: str, arguments: dict[str, Any]
) -> None:
    without(action)
    status, text = shop.invoke(name, **arguments)
    assert status == "error"
    assert f"is not authorized to perform: {action}" in text
    assert "w3ather" not in text


@behaviour("A function that the service role may not call cannot be made a target")
def test_a_function_is_tried_before_it_is_a_target(shop: Shop) -> None:
    role = shop.account.client("iam").create_role(
        RoleName="powerless", AssumeRolePolicyDocument=json.dumps(stacks.trust())
    )
    made = shop.control.create_gateway(name="powerless", roleArn=role["Role"]["Arn"], authorizerType="AWS_IAM")
    configuration = {
        "mcp": {
            "lambda": {"lambdaArn": shop.outputs["FunctionArn"], "toolSchema": {"inlinePayload": [tool("text")]}},
        }
    }
    with pytest.raises(ClientError, match="Gateway execution role lacks permission to invoke Lambda function arn:aws"):
        shop.control.create_gateway_target(
            gatewayIdentifier=made["gatewayId"],
            name="orders",
            targetConfiguration=configuration,
            credentialProviderConfigurations=[{"credentialProviderType": "GATEWAY_IAM_ROLE"}],
        )


@behaviour(
    "The execution role needs `InvokeGateway`",
    status="approximated",
    note="A `runtimeClientError` names the tool; how the service says it is not documented.",
)
def test_an_agent_without_invoke_gateway_fails(shop: Shop) -> None:
    iam = shop.account.client("iam")
    role = shop.outputs["Role"].rsplit("/", 1)[-1]
    statement = {"Effect": "Deny", "Action": "bedrock-agentcore:InvokeGateway", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="No", PolicyDocument=document)
    try:
        with pytest.raises(Exception, match="The tools of 'shop' could not be loaded"):
            shop.offered()
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="No")


# ---- many tools ------------------------------------------------------------------------------------------------------


def test_two_hundred_tools(shop: Shop) -> None:
    gateway = shop.control.create_gateway(
        name="many",
        roleArn=_role(shop),
        authorizerType="AWS_IAM",
        protocolConfiguration={"mcp": {"searchType": "SEMANTIC"}},
    )
    shop.control.create_gateway_target(
        gatewayIdentifier=gateway["gatewayId"],
        name="orders",
        targetConfiguration={
            "mcp": {
                "lambda": {
                    "lambdaArn": shop.outputs["FunctionArn"],
                    "toolSchema": {"inlinePayload": [tool(f"tool_{index}") for index in range(200)]},
                }
            }
        },
        credentialProviderConfigurations=[{"credentialProviderType": "GATEWAY_IAM_ROLE"}],
    )
    _open_to_the_agent(shop, gateway["gatewayArn"])
    config = {"agentCoreGateway": {"gatewayArn": gateway["gatewayArn"]}}
    override = [{"type": "agentcore_gateway", "name": "many", "config": config}]
    offered = shop.offered(tools=override)
    assert len([name for name in offered if name.startswith("orders___tool_")]) == 200
    status, text = shop.invoke_with({"tools": override}, "x_amz_bedrock_agentcore_search", query="tool 17")
    assert status == "success"
    assert json.loads(text)["tools"][0]["name"] == "orders___tool_17"


def _role(shop: Shop) -> str:
    iam = shop.account.client("iam")
    created = iam.create_role(RoleName="many", AssumeRolePolicyDocument=json.dumps(stacks.trust()))
    iam.put_role_policy(RoleName="many", PolicyName="Any", PolicyDocument=json.dumps(stacks.ANYTHING))
    return str(created["Role"]["Arn"])


# ---- remote MCP servers ----------------------------------------------------------------------------------------------


@behaviour("Remote MCP servers are called, and their tools offered under a prefix")
def test_a_remote_mcp_server(shop: Shop) -> None:
    override = [{"type": "remote_mcp", "name": "docs", "config": {"remoteMcp": {"url": "https://mcp.example.com/mcp"}}}]
    assert shop.offered(tools=override) == ["docs_pages___text", "file_operations", "shell"]
    assert shop.offered(tools=override, allowedTools=["@docs/pages___*"]) == ["docs_pages___text"]
    assert shop.invoke_with({"tools": override}, "docs_pages___text") == ("success", '"just text"')


def test_a_client_of_its_own_with_sigv4(shop: Shop) -> None:
    auth = Signed(shop.account.account_id, "bedrock-agentcore", "us-east-1")
    with mcp_target.connected(shop.outputs["Url"], auth=auth) as client:
        assert "orders___echo" in {one["name"] for one in mcp_target.listed(client)}
        assert client.server_instructions == "Orders of the shop."


@behaviour("Headers that name API key providers carry the keys, read with the execution role")
def test_headers_with_stored_keys_are_resolved_under_the_agent_s_role(shop: Shop, weather: str) -> None:
    vault = f"arn:aws:bedrock-agentcore:us-east-1:{shop.account.account_id}:token-vault/default"
    key = f"${{{vault}/apikeycredentialprovider/weather-key}}"
    config = {"remoteMcp": {"url": f"{weather}/mcp", "headers": {"x-api-key": key}}}
    with pytest.raises(Exception, match="bedrock-agentcore:GetResourceApiKey") as caught:
        shop.offered(tools=[{"type": "remote_mcp", "name": "docs", "config": config}])
    assert "w3ather" not in str(caught.value)
    iam, role = shop.account.client("iam"), shop.outputs["Role"].rsplit("/", 1)[-1]
    actions = ["bedrock-agentcore:GetResourceApiKey", "secretsmanager:GetSecretValue"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="Keys", PolicyDocument=document)
    asked: list[Any] = []
    try:
        override = {"url": shop.outputs["DocsUrl"], "headers": {"x-api-key": f"Key {key}"}}
        original = mcp_target.client

        def client(url: str, headers: Any = None, auth: Any = None) -> Any:
            asked.append(headers)
            return original(url, headers, auth)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mcp_target, "client", client)
            tools = [{"type": "remote_mcp", "name": "docs", "config": {"remoteMcp": override}}]
            assert "docs_pages___text" in shop.offered(tools=tools)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Keys")
    assert asked == [{"x-api-key": "Key w3ather"}]
