"""Stacks with gateways, written as a user would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager

from agentcore_constructs import AllowedTools, Harness, Target, Tool, ToolGateway, gateway_tool

if TYPE_CHECKING:
    from constructs import Construct

CODE = "def handler(event, context):\n    return event\n"
LOOKUP = {
    "name": "lookup",
    "description": "Looks an order up.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "Such as A-1."},
            "lines": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["order_id"],
    },
}
OPEN_API = {
    "openapi": "3.0.3",
    "info": {"title": "Weather", "version": "1"},
    "servers": [{"url": "https://weather.example.com"}],
    "paths": {
        "/forecast/{city}": {
            "get": {
                "operationId": "forecast",
                "summary": "The forecast of a city.",
                "parameters": [{"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "The forecast."}},
            }
        }
    },
}


def function(stack: Construct, construct_id: str = "Orders") -> lambda_.Function:
    return lambda_.Function(
        stack,
        construct_id,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(CODE),
    )


def gateway_targets(stack: Construct) -> None:
    secret = secretsmanager.Secret(stack, "Secret")
    key = agentcore.ApiKeyCredentialProvider(
        stack, "Key", api_key_credential_provider_name="weather", api_key=secret.secret_value
    )
    api = apigateway.RestApi(stack, "Api", cloud_watch_role=False)
    api.root.add_resource("stock").add_method("GET")
    gateway = ToolGateway(
        stack,
        "Tools",
        targets=[
            Target.lambda_(function(stack), [LOOKUP], name="orders"),
            Target.open_api(OPEN_API, name="weather", credentials=key),
            Target.api_gateway(api, name="shop", operations={"/stock": ["GET"]}, names={("/stock", "GET"): "stock"}),
            Target.mcp_server("https://mcp.example.com/mcp", name="docs"),
            Target.web_search(include_domains=["docs.aws.amazon.com"], exclude_domains=["example.com"]),
        ],
    )
    tool = Tool.gateway(gateway, name="tools")
    Harness(
        stack,
        "Agent",
        tools=[tool],
        allowed_tools=AllowedTools.only(AllowedTools.SHELL, gateway_tool("orders", "lookup", of=tool)),
    )


def gateway_settings(stack: Construct) -> None:
    gateway = ToolGateway(
        stack,
        "Tools",
        gateway_name="Checked",
        description="Orders, checked.",
        instructions="Orders of the shop.",
        semantic_search=True,
        policy_engine=agentcore.PolicyEngine(stack, "Policies", policy_engine_name="orders"),
        request_interceptor=function(stack, "Request"),
        response_interceptor=function(stack, "Response"),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        exception_level=agentcore.GatewayExceptionLevel.DEBUG,
        tags={"team": "orders"},
    )
    gateway.add_target(Target.lambda_(function(stack), [LOOKUP], name="orders"))
    Harness(stack, "Agent", tools=[Tool.gateway(gateway, name="orders", allowed=[gateway_tool("orders", "lookup")])])


def gateway_jwt(stack: Construct) -> None:
    authorizer = agentcore.GatewayAuthorizer.using_custom_jwt(
        discovery_url="https://id.example.com/.well-known/openid-configuration", allowed_audience=["orders"]
    )
    ToolGateway(stack, "Tools", authorizer=authorizer, targets=[Target.web_search()])


CAPABILITIES = (gateway_targets, gateway_settings, gateway_jwt)
