"""Stacks with tools of Python functions, credentials, hooks of functions, and a Cognito user pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from agentcore_constructs import (
    ApiKey,
    Authorizer,
    Claim,
    GatewayAuth,
    Harness,
    Hook,
    HookFunction,
    InlineTool,
    Memory,
    Model,
    OAuthClient,
    Tool,
    ToolFunction,
)
from support.shop import guards, orders

if TYPE_CHECKING:
    from constructs import Construct


def function_tools(scope: Construct) -> None:
    tools = ToolFunction(scope, "Orders", [orders.refund, orders.status])
    Harness(
        scope,
        "Harness",
        memory=Memory.disabled(),
        tools=[
            *tools.inline_tools(),
            InlineTool.from_function(orders.misbehave, timeout=cdk.Duration.seconds(10)),
            InlineTool.client_side("pick", description="Lets the user pick.", input_schema={"type": "object"}),
        ],
    )


def function_hooks(scope: Construct) -> None:
    Harness(
        scope,
        "Harness",
        memory=Memory.disabled(),
        hooks=[
            Hook.before_tool_call(guards.guard, timeout=10, failure_mode="deny"),
            Hook.after_invocation("ended", HookFunction(scope, "Ended", guards.watch)),
        ],
    )


def stored_keys(scope: Construct) -> None:
    own = secretsmanager.Secret(scope, "Keys", encryption_key=kms.Key(scope, "Key", enable_key_rotation=True))
    copied = f"arn:aws:secretsmanager:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:secret:openai-AbCdEf"
    client = OAuthClient(
        scope,
        "Orders",
        client_id="agents",
        client_secret=own,
        json_key="clientSecret",
        discovery_url="https://idp.example.com/.well-known/openid-configuration",
    )
    gateway = f"arn:aws:bedrock-agentcore:us-east-1:{cdk.Aws.ACCOUNT_ID}:gateway/orders-0123456789"
    key = ApiKey(scope, "Search", own, json_key="search")
    Harness(
        scope,
        "Harness",
        memory=Memory.disabled(),
        model=Model.openai("gpt-5", api_key=ApiKey(scope, "OpenAi", copied)),
        tools=[
            Tool.remote_mcp("https://search.example.com/mcp", name="search", headers={"x-api-key": key}),
            Tool.gateway(gateway, name="orders", outbound_auth=GatewayAuth.oauth(client, scopes=["read"])),
        ],
    )


def cognito_users(scope: Construct) -> None:
    pool = cognito.UserPool.from_user_pool_id(scope, "Pool", "us-east-1_Abc123")
    Harness(
        scope,
        "Harness",
        memory=Memory.disabled(),
        authorizer=Authorizer.cognito(
            pool, clients=["0123456789abcdef"], claims=[Claim.contains("cognito:groups", "agents")]
        ),
    )


CAPABILITIES = (function_tools, function_hooks, stored_keys, cognito_users)
