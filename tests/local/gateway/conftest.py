"""A stack with a gateway of every kind of target, deployed once, and an agent that calls the tool it is told to."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_lambda as lambda_

from agentcore_constructs import Harness, Memory, Target, Tool, ToolGateway
from agentcore_local import fixtures
from agentcore_local.agents.scripts import ModelCall, ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account, LocalCloud

FUNCTION = """
import time

def handler(event, context):
    tool = context.client_context.custom["bedrockAgentCoreToolName"].split("___", 1)[1]
    if tool == "echo":
        return {"event": event, "custom": context.client_context.custom}
    if tool == "text":
        return "just text"
    if tool == "nothing":
        return None
    if tool == "big":
        return "x" * 1_000_000
    if tool == "raises":
        raise ValueError("no such order")
    if tool == "times_out":
        time.sleep(5)
    if tool == "not_json":
        return {1, 2}
    return {"ok": True}
"""
TOOLS = ("echo", "text", "nothing", "big", "raises", "times_out", "not_json")
WEATHER = {
    "openapi": "3.0.3",
    "info": {"title": "Weather", "version": "1"},
    "servers": [{"url": "https://weather.example.com/v1"}],
    "components": {"schemas": {"Report": {"type": "object", "properties": {"text": {"type": "string"}}}}},
    "paths": {
        "/forecast/{city}": {
            "parameters": [{"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "forecast",
                "summary": "The forecast of a city.",
                "parameters": [{"name": "days", "in": "query", "schema": {"type": "integer"}}],
                "responses": {},
            },
            "post": {
                "operationId": "report",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}}},
                "responses": {},
            },
        },
        "/broken": {"get": {"operationId": "broken", "responses": {}}},
    },
}


def tool(name: str, **properties: str) -> dict[str, Any]:
    """A tool whose arguments are all optional."""
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"name": name, "description": f"Does {name}.", "inputSchema": schema}


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    """An HTTP API on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            url = urlsplit(self.path)
            seen = {
                "method": self.command,
                "path": url.path,
                "query": parse_qs(url.query),
                "key": self.headers.get("x-api-key"),
                "body": json.loads(self.rfile.read(length) or b"null"),
            }
            self.send_response(500 if url.path.endswith("/broken") else 200)
            self.end_headers()
            self.wfile.write(json.dumps(seen).encode())

        do_GET = do_POST = _answer  # noqa: N815 - the handler's own names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def build(stack: cdk.Stack) -> None:
    """What a user would write."""
    function = lambda_.Function(
        stack,
        "Orders",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(FUNCTION),
        timeout=cdk.Duration.seconds(1),
    )
    key = agentcore.ApiKeyCredentialProvider(
        stack,
        "Key",
        api_key_credential_provider_name="weather-key",
        api_key=cdk.SecretValue.unsafe_plain_text("w3ather"),
    )
    location = agentcore.ApiKeyCredentialLocation.header(credential_parameter_name="x-api-key")
    credentials = agentcore.GatewayCredentialProvider.from_api_key_identity(key, credential_location=location)
    tools = [tool(name, id="string") for name in TOOLS]
    gateway = ToolGateway(
        stack,
        "Tools",
        gateway_name="Shop",
        instructions="Orders of the shop.",
        exception_level=agentcore.GatewayExceptionLevel.DEBUG,
        targets=[
            Target.lambda_(function, tools, name="orders"),
            Target.open_api(WEATHER, name="weather", credentials=credentials),
            Target.mcp_server("https://mcp.example.com/mcp", name="docs"),
            Target.web_search(include_domains=["example.com"]),
        ],
    )
    quiet = ToolGateway(stack, "Quiet", targets=[Target.lambda_(function, tools, name="orders")])
    agent = Harness(stack, "Agent", tools=[Tool.gateway(gateway, name="shop")], memory=Memory.disabled())
    docs = ToolGateway(
        stack,
        "Docs",
        targets=[Target.lambda_(function, [tool("text")], name="pages")],
        authorizer=agentcore.GatewayAuthorizer.with_no_auth(),
    )
    for name, value in {
        "Arn": agent.harness_arn, "GatewayArn": gateway.gateway_arn, "Url": gateway.gateway_url,
        "QuietArn": quiet.gateway_arn, "DocsUrl": docs.gateway_url, "Role": agent.execution_role.role_arn,
        "FunctionArn": function.function_arn, "ServiceRole": gateway.role.role_name,
    }.items():  # fmt: skip
        cdk.CfnOutput(stack, name, value=value)


@dataclass
class Shop:
    """The deployed stack, and what its agent does."""

    account: Account
    outputs: dict[str, str]
    seen: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, tool_name: str, **arguments: Any) -> tuple[str, str]:
        """Have the agent call a tool; status and text of the result in the stream."""
        return self.invoke_with({}, tool_name, **arguments)

    def invoke_with(self, request: dict[str, Any], tool_name: str, **arguments: Any) -> tuple[str, str]:
        """The same, with a request that overrides something."""
        client = self.account.client("bedrock-agentcore")
        prompt = json.dumps({"tool": tool_name, "input": arguments})
        stream = client.invoke_harness(
            harnessArn=self.outputs["Arn"],
            runtimeSessionId=uuid.uuid4().hex + "-session",
            messages=[{"role": "user", "content": [{"text": prompt}]}],
            **request,
        )["stream"]
        status, parts = "", []
        for event in stream:
            start = event.get("contentBlockStart", {}).get("start", {}).get("toolResult")
            delta = event.get("contentBlockDelta", {}).get("delta", {}).get("toolResult", [])
            status = start["status"] if start else status
            parts += [part["text"] for part in delta]
        return status, "".join(parts)

    def offered(self, **request: Any) -> list[str]:
        """The tools the agent's model is offered."""
        self.invoke_with(request, "none")
        return sorted(self.seen[-1])

    @property
    def control(self) -> Any:
        """The control plane."""
        return self.account.client("bedrock-agentcore-control")

    @property
    def gateway_id(self) -> str:
        """Id of the gateway with every kind of target."""
        return self.outputs["GatewayArn"].rsplit("/", 1)[-1]


@pytest.fixture(scope="module")
def shop(local_cloud: LocalCloud, weather: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The stack, deployed directly."""
    outdir = tmp_path_factory.mktemp("assembly")
    app = cdk.App(outdir=str(outdir))
    account = local_cloud.account()
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account=account.account_id, region="us-east-1"))
    build(stack)
    app.synth()
    outputs = account.deploy(outdir)["Shop"].outputs
    made = Shop(account, outputs)
    fixtures.use(
        {
            "endpoints": {"https://weather.example.com": weather, "https://mcp.example.com/mcp": outputs["DocsUrl"]},
            "web_search": [
                {
                    "query": "*harness*",
                    "results": [
                        {
                            "url": "https://docs.example.com/a",
                            "text": "About A.",
                            "title": "A",
                            "publishedAt": "2026-02-01",
                        },
                        {"url": "https://other.org/b", "text": "About B."},
                    ],
                }
            ],
        }
    )

    def script(call: ModelCall) -> Turn | str:
        made.seen.append(dict(call.tools))
        wanted = json.loads(call.prompt)
        if call.turn > 1 or wanted["tool"] == "none":
            return "done"
        return Turn(tool_calls=[ToolCall(wanted["tool"], wanted["input"])])

    local_cloud.script(outputs["Arn"], script)
    yield made
    fixtures.use(None)


@pytest.fixture
def without(shop: Shop) -> Iterator[Callable[[str], None]]:
    """Takes an action away from the gateway's service role, until the test ends."""
    iam = shop.account.client("iam")
    role = shop.outputs["ServiceRole"]

    def deny(action: str) -> None:
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="Without", PolicyDocument=document)

    yield deny
    iam.delete_role_policy(RoleName=role, PolicyName="Without")
