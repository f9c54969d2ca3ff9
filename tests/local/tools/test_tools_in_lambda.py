"""Python functions as tools on the local cloud: deployed, called both ways, changed, and taken away."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import httpx
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from botocore.exceptions import ClientError
from support import synth
from support.shop import guards, orders

from agentcore_constructs import (
    ApiKey,
    Harness,
    Hook,
    InlineTool,
    Memory,
    Model,
    OAuthClient,
    Target,
    Tool,
    ToolFunction,
    ToolGateway,
)
from agentcore_lambdas.tools import define, results
from agentcore_local import client_context
from agentcore_local.agents.scripts import ToolCall, Turn
from agentcore_local.gateway.signing import Signed

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud


KEY = "sk-proj-hunter2-hunter2-hunter2"
REFUND = {"order_id": "7", "lines": [{"sku": "a"}], "reason": "late"}
DISCOVERY = "https://idp.example.com/.well-known/openid-configuration"


def shop(folder: Path, *, timeout: int = 5) -> cdk.App:
    app = cdk.App(context=synth.CONTEXT, outdir=str(folder))
    stack = cdk.Stack(app, "Shop")
    tools = ToolFunction(stack, "Orders", orders, timeout=cdk.Duration.seconds(timeout))
    keys = secretsmanager.Secret(
        stack, "Keys", secret_object_value={"key": cdk.SecretValue.unsafe_plain_text("replaced after the deployment")}
    )
    key = ApiKey(stack, "Key", keys, json_key="key")
    OAuthClient(stack, "Client", client_id="c", client_secret=keys, json_key="key", discovery_url=DISCOVERY)
    gateway = ToolGateway(stack, "Gateway", targets=[Target.lambda_(tools, name="orders")])
    agent = Harness(
        stack,
        "Agent",
        harness_name="shop",
        model=Model.openai("gpt-5", api_key=key),
        memory=Memory.disabled(),
        tools=[tools.inline_tool("refund"), InlineTool.from_function(orders.status), Tool.inline(orders.misbehave)],
        hooks=[Hook.before_tool_call(guards.guard, timeout=30), Hook.before_invocation(guards.watch)],
    )
    cdk.CfnOutput(stack, "Agent1", value=agent.harness_arn)
    cdk.CfnOutput(stack, "Tools", value=tools.function_name)
    cdk.CfnOutput(stack, "Url", value=gateway.gateway_url)
    cdk.CfnOutput(stack, "Secret", value=keys.secret_arn)
    app.synth()
    return app


class Shop:
    """The deployed stack."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.folder = folder
        self.outputs = account.deploy(shop(folder / "one").outdir)["Shop"].outputs
        account.client("secretsmanager").put_secret_value(
            SecretId=self.outputs["Secret"], SecretString=json.dumps({"key": KEY})
        )

    def call(self, name: str, event: Any) -> results.ToolResult:
        custom = {"custom": {"bedrockAgentCoreToolName": name}}
        response = self.account.client("lambda").invoke(
            FunctionName=self.outputs["Tools"],
            Payload=json.dumps(event),
            ClientContext=base64.b64encode(json.dumps(custom).encode()).decode(),
        )
        return results.read(response["Payload"].read(), response.get("FunctionError"))

    def through_the_gateway(self, method: str, **params: Any) -> dict[str, Any]:
        answer = httpx.post(
            self.outputs["Url"],
            content=json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
            headers={"accept": "application/json, text/event-stream", "content-type": "application/json"},
            auth=Signed(self.account.account_id, "bedrock-agentcore", self.account.region),
            timeout=30,
        )
        found: dict[str, Any] = answer.json()["result"]
        return found

    def say(self, *, session: str = "", **request: Any) -> list[dict[str, Any]]:
        whole = {
            "harnessArn": self.outputs["Agent1"],
            "runtimeSessionId": session or f"session-{uuid.uuid4()}",
            "messages": [{"role": "user", "content": [{"text": "hello"}]}],
            **request,
        }
        return list(self.account.client("bedrock-agentcore").invoke_harness(**whole)["stream"])

    def logged(self) -> str:
        logs = self.account.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        return "\n".join(
            event["message"] for group in groups for event in logs.filter_log_events(logGroupName=group)["events"]
        )


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(local_cloud.account(), tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize("name", ["refund", "orders___refund"])
def test_one_function_answers_inline_calls_and_gateways(deployed: Shop, name: str) -> None:
    result = deployed.call(name, REFUND)
    assert (result.is_error, result.value["order"], result.value["reason"]) == (False, "7", "late")


def test_a_gateway_offers_and_calls_the_same_function(deployed: Shop) -> None:
    offered = {tool["name"]: tool for tool in deployed.through_the_gateway("tools/list")["tools"]}
    assert set(offered) == {"orders___refund", "orders___order-status", "orders___misbehave"}
    assert offered["orders___refund"]["inputSchema"] == define(orders.refund).gateway_schema
    called = deployed.through_the_gateway("tools/call", name="orders___refund", arguments=REFUND)
    assert json.loads(called["content"][0]["text"]) == deployed.call("refund", REFUND).value
    wrong = deployed.through_the_gateway("tools/call", name="orders___refund", arguments={**REFUND, "reason": "bored"})
    assert "reason: input should be 'damaged' or 'late'" in wrong["content"][0]["text"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("raise", "The tool misbehave failed (RuntimeError)."),
        ("exit", "The tool misbehave failed (SystemExit)."),
        ("decline", "Order 7 is closed; reopen it first."),
        ("object", "The tool misbehave returned something that is no JSON: an object of class object."),
        ("huge", "The tool misbehave returned 6.7 MiB, and at most 6 MiB can be passed on."),
        ("sleep", "The tool misbehave did not finish within 5 seconds."),
    ],
)
def test_whatever_goes_wrong_is_a_sentence(deployed: Shop, how: str, told: str) -> None:
    assert deployed.call("misbehave", {"how": how}) == results.ToolResult(is_error=True, value=told)


def test_unicode_and_a_megabyte_pass(deployed: Shop) -> None:
    assert deployed.call("order-status", {"order_id": "ü"}).value == "Order ü ist unterwegs 🚚"
    assert deployed.call("misbehave", {"how": "big"}).value == "é" * 500_000


def test_wrong_input_is_refused(deployed: Shop) -> None:
    result = deployed.call("refund", {"order_id": 7})
    assert result.is_error
    assert result.value.startswith("The input of refund does not fit: order_id: input should be a valid string")


def test_the_agent_hands_the_call_out_and_goes_on_with_what_the_function_gave(
    deployed: Shop, local_cloud: LocalCloud
) -> None:
    def script(call: Any) -> Any:
        return "Refunded." if call.turn > 1 else Turn(tool_calls=[ToolCall("refund", REFUND)])

    local_cloud.script("shop", script)
    session = f"session-{uuid.uuid4()}"
    handed = deployed.say(session=session)
    starts = [event["contentBlockStart"]["start"] for event in handed if "contentBlockStart" in event]
    (use,) = [start["toolUse"] for start in starts if "toolUse" in start]
    result = deployed.call(use["name"], REFUND)
    answer = {"toolUseId": use["toolUseId"], "content": result.to_content(), "status": result.status}
    ended = deployed.say(session=session, messages=[{"role": "user", "content": [{"toolResult": answer}]}])
    text = "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in ended)
    assert text == "Refunded."


def test_hooks_of_functions_decide(deployed: Shop, local_cloud: LocalCloud) -> None:
    def script(call: Any) -> Any:
        wanted = {"command": "create", "path": "f", "file_text": "secret"}
        return "Done." if call.turn > 1 else Turn(tool_calls=[ToolCall("file_operations", wanted)])

    local_cloud.script("shop", script)
    told = [event["hookEvent"] for event in deployed.say() if "hookEvent" in event]
    assert [(hook["name"], hook["decision"], hook["reason"]) for hook in told] == [
        ("watch", "allow", "before_invocation"),
        ("guard", "deny", "No secrets in files."),
    ]


def test_the_key_is_nowhere_but_in_its_secret(deployed: Shop, local_cloud: LocalCloud) -> None:
    local_cloud.script("shop", lambda call: "hello")
    deployed.say()
    control = deployed.account.client("bedrock-agentcore-control")
    harness = control.get_harness(harnessId=deployed.outputs["Agent1"].rsplit("/", 1)[-1])["harness"]
    written = "".join(file.read_text(encoding="utf-8") for file in Path(deployed.folder / "one").glob("*.json"))
    assert "ApiKeySecretConfig" in written
    for place in (written, str(deployed.outputs), str(harness), deployed.logged()):
        assert KEY not in place
    assert (
        KEY
        in deployed.account.client("secretsmanager").get_secret_value(SecretId=deployed.outputs["Secret"])[
            "SecretString"
        ]
    )


def test_a_client_context_that_is_none_is_refused(deployed: Shop) -> None:
    client = deployed.account.client("lambda")
    with pytest.raises(ClientError, match="Client context must be a valid Base64-encoded JSON object"):
        client.invoke(FunctionName=deployed.outputs["Tools"], Payload=b"{}", ClientContext="e30=!")
    with pytest.raises(ValueError, match="no more than 3583 bytes"):
        client_context.read("A" * 3584)
    with pytest.raises(ValueError, match="valid Base64-encoded JSON object"):
        client_context.read(base64.b64encode(b"[]").decode())


def test_the_stack_is_changed_and_taken_away(deployed: Shop) -> None:
    """The last test of the module: nothing is there afterwards."""
    before = deployed.outputs["Secret"]
    again = deployed.account.deploy(shop(deployed.folder / "two", timeout=9).outdir)["Shop"].outputs
    assert again["Secret"] == before
    function = deployed.account.client("lambda").get_function(FunctionName=again["Tools"])
    assert function["Configuration"]["Timeout"] == 9
    deployed.account.destroy("Shop")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        deployed.account.client("lambda").get_function(FunctionName=again["Tools"])
    with pytest.raises(ClientError, match="ResourceNotFound"):
        deployed.account.client("secretsmanager").describe_secret(SecretId=before)
