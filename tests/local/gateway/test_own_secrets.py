"""A gateway reads the user's own secret behind the key of a target, with its service role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
import httpx
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_secretsmanager as secretsmanager

from agentcore_constructs import ApiKey, Target, ToolGateway
from agentcore_local.gateway.signing import Signed

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local import Account

NOWHERE = {
    "openapi": "3.0.3",
    "info": {"title": "Nowhere", "version": "1"},
    "servers": [{"url": "https://127.0.0.1:1"}],
    "paths": {"/a": {"get": {"operationId": "a", "responses": {}}}},
}
DENIED = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


def test_the_service_role_reads_the_secret(account: Account, tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Shop")
    placeholder = {"key": cdk.SecretValue.unsafe_plain_text("replaced after the deployment")}
    secret = secretsmanager.Secret(stack, "Keys", secret_object_value=placeholder)
    key = ApiKey(stack, "Key", secret, json_key="key")
    gateway = ToolGateway(
        stack,
        "Gateway",
        exception_level=agentcore.GatewayExceptionLevel.DEBUG,
        targets=[Target.open_api(NOWHERE, name="api", credentials=key)],
    )
    cdk.CfnOutput(stack, "Url", value=gateway.gateway_url)
    cdk.CfnOutput(stack, "Role", value=gateway.role.role_name)
    app.synth()
    outputs = account.deploy(tmp_path)["Shop"].outputs

    def told() -> str:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "api___a", "arguments": {}}}
        auth = Signed(account.account_id, "bedrock-agentcore", account.region)
        headers = {"accept": "application/json, text/event-stream"}
        return httpx.post(outputs["Url"], json=call, headers=headers, auth=auth, timeout=30).text

    assert "GET https://127.0.0.1:1/a failed" in told()  # the key was had
    document = json.dumps({"Version": "2012-10-17", "Statement": [DENIED]})
    account.client("iam").put_role_policy(RoleName=outputs["Role"], PolicyName="No", PolicyDocument=document)
    assert "is not authorized to perform: secretsmanager:GetSecretValue on resource" in told()
