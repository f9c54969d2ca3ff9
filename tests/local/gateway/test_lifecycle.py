"""Gateways and targets over the API and in stacks: made, changed, replaced, deleted, refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks

from agentcore_local import seams
from agentcore_local.deploy import DeploymentError
from agentcore_local.gateway import openapi, vault
from agentcore_local.gateway.result import TargetFailed
from agentcore_local.gateway.store import GATEWAYS, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

MCP = {"mcp": {"mcpServer": {"endpoint": "https://mcp.example.com/mcp"}}}


@pytest.fixture
def gateway(control: Any, role_arn: str) -> Callable[..., dict[str, Any]]:
    def make(name: str = "shop", **members: Any) -> dict[str, Any]:
        request = {"name": name, "roleArn": role_arn, "authorizerType": "AWS_IAM", **members}
        made: dict[str, Any] = control.create_gateway(**request)
        return made

    return make


def test_a_gateway_is_made_read_changed_listed_and_deleted(
    control: Any, gateway: Callable[..., dict[str, Any]]
) -> None:
    made = gateway("Shop", description="Orders.")
    assert made["status"] == "READY"
    assert made["gatewayId"].startswith("shop-")
    got = control.get_gateway(gatewayIdentifier=made["gatewayId"])
    assert got["gatewayUrl"].endswith(f"/_gateway/{made['gatewayId']}/mcp")
    control.update_gateway(
        gatewayIdentifier=made["gatewayId"], name="Shop", roleArn=got["roleArn"], authorizerType="NONE"
    )
    got = control.get_gateway(gatewayIdentifier=made["gatewayArn"].rsplit("/", 1)[-1])
    assert (got["authorizerType"], "description" in got) == ("NONE", False)
    assert [one["name"] for one in control.list_gateways()["items"]] == ["Shop"]
    control.delete_gateway(gatewayIdentifier=made["gatewayId"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        control.get_gateway(gatewayIdentifier=made["gatewayId"])


def test_pages(control: Any, gateway: Callable[..., dict[str, Any]]) -> None:
    for name in ("a", "b", "c"):
        gateway(name)
    first = control.list_gateways(maxResults=2)
    second = control.list_gateways(maxResults=2, nextToken=first["nextToken"])
    assert [one["name"] for one in first["items"] + second["items"]] == ["a", "b", "c"]
    with pytest.raises(ClientError, match="nextToken is not one that this operation returned"):
        control.list_gateways(nextToken="x")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": "a_b"}, "ValidationException"),
        ({"authorizerType": "CUSTOM_JWT"}, "authorizerConfiguration is required for the authorizer type CUSTOM_JWT"),
        ({"roleArn": "arn:aws:iam::999988887777:role/x"}, "Gateway cannot assume the role"),
        ({"authorizerType": "SECRET"}, "ValidationException"),
    ],
)
def test_what_a_gateway_cannot_be(
    gateway: Callable[..., dict[str, Any]], members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        gateway(**members)


def test_a_name_is_unique(gateway: Callable[..., dict[str, Any]]) -> None:
    gateway()
    with pytest.raises(ClientError, match=r"ConflictException.*A gateway with name 'shop' already exists"):
        gateway()


def test_targets(control: Any, gateway: Callable[..., dict[str, Any]]) -> None:
    made = gateway()["gatewayId"]
    target = control.create_gateway_target(gatewayIdentifier=made, name="docs", targetConfiguration=MCP)
    with pytest.raises(ClientError, match=r"ConflictException.*A target with name 'docs' already exists"):
        control.create_gateway_target(gatewayIdentifier=made, name="docs", targetConfiguration=MCP)
    with pytest.raises(ClientError, match="has 1 target"):
        control.delete_gateway(gatewayIdentifier=made)
    control.update_gateway_target(
        gatewayIdentifier=made, targetId=target["targetId"], name="pages", targetConfiguration=MCP
    )
    assert [one["name"] for one in control.list_gateway_targets(gatewayIdentifier=made)["items"]] == ["pages"]
    # Nobody is at mcp.example.com: what the service would show of such a target.
    other = {"mcp": {"mcpServer": {"endpoint": "https://127.0.0.1:9/mcp"}}}
    control.update_gateway_target(
        gatewayIdentifier=made, targetId=target["targetId"], name="pages", targetConfiguration=other
    )
    synchronized = control.synchronize_gateway_targets(gatewayIdentifier=made, targetIdList=[target["targetId"]])
    (shown,) = synchronized["targets"]
    assert shown["status"] == "SYNCHRONIZE_UNSUCCESSFUL"
    assert shown["statusReasons"][0].startswith("The MCP server https://127.0.0.1:9/mcp cannot be reached: ")
    control.delete_gateway_target(gatewayIdentifier=made, targetId=target["targetId"])
    control.delete_gateway(gatewayIdentifier=made)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"mcp": {**MCP["mcp"], "smithyModel": {"inlinePayload": "{}"}}}, "exactly one"),
        (
            {"mcp": {"lambda": {"lambdaArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
                                "toolSchema": {"inlinePayload": []}}}},
            "A Lambda target needs credentialProviderConfigurations with the type GATEWAY_IAM_ROLE",
        ),
        (
            {"mcp": {"connector": {"source": {"connectorId": "web-search"},
                                   "configurations": [{"name": "WebSearch"}]}}},
            "Connector configurations must not be empty",
        ),
        (
            {"mcp": {"connector": {"source": {"connectorId": "web-search"}}}},
            "Connector configurations must not be empty",
        ),
    ],
)  # fmt: skip
def test_what_a_target_cannot_be(
    control: Any, gateway: Callable[..., dict[str, Any]], configuration: Any, message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        control.create_gateway_target(
            gatewayIdentifier=gateway()["gatewayId"], name="x", targetConfiguration=configuration
        )


def test_callers_need_the_actions(account: Account) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    session = account.session()
    client = session.client(
        "bedrock-agentcore-control",
        endpoint_url=account.cloud.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match=r"AccessDeniedException.*bedrock-agentcore:ListGateways"):
        client.list_gateways()


# ---- stacks ----------------------------------------------------------------------------------------------------------


def template(name: str = "shop", target: str = "docs", **properties: Any) -> stacks.Template:
    gateway = {"Name": name, "AuthorizerType": "AWS_IAM", "RoleArn": stacks.get_att("Role", "Arn"), **properties}
    return stacks.template(
        {"Id": {"Ref": "Gateway"}, "Url": stacks.get_att("Gateway", "GatewayUrl"), "Target": {"Ref": "Target"}},
        Gateway={"Type": "AWS::BedrockAgentCore::Gateway", "Properties": gateway},
        Target={
            "Type": "AWS::BedrockAgentCore::GatewayTarget",
            "Properties": {
                "GatewayIdentifier": {"Ref": "Gateway"},
                "Name": target,
                "TargetConfiguration": {"Mcp": {"McpServer": {"Endpoint": "https://mcp.example.com/mcp"}}},
            },
        },
    )


def test_a_stack_is_deployed_updated_replaced_and_destroyed(account: Account, deploy: Any, control: Any) -> None:
    first = deploy(template(Tags={"team": "a"})).outputs
    assert first["Url"].endswith(f"/_gateway/{first['Id']}/mcp")
    assert first["Target"].startswith(f"{first['Id']}|")
    second = deploy(template(target="pages", Description="Orders.")).outputs
    assert (second["Id"], second["Target"]) == (first["Id"], first["Target"])
    assert control.get_gateway(gatewayIdentifier=first["Id"])["description"] == "Orders."
    assert control.list_gateway_targets(gatewayIdentifier=first["Id"])["items"][0]["name"] == "pages"
    third = deploy(template(name="other")).outputs
    assert third["Id"] != first["Id"]
    assert [one["name"] for one in control.list_gateways()["items"]] == ["other"]
    account.destroy("Stack")
    assert control.list_gateways()["items"] == []


def test_a_stack_that_fails_leaves_nothing(deploy: Any, control: Any) -> None:
    with pytest.raises(DeploymentError, match="authorizerConfiguration is required"):
        deploy(template(AuthorizerType="CUSTOM_JWT"))
    assert control.list_gateways()["items"] == []


def test_gateways_outlive_the_process_where_state_is_kept(account: Account, deploy: Any) -> None:
    outputs = deploy(template()).outputs
    store = Store()
    store.load(json.loads(json.dumps(GATEWAYS.dump())))
    kept = store.find(outputs["Id"])
    assert kept is not None
    assert [target.name for target in kept.targets.values()] == ["docs"]
    assert kept.account == account.account_id


# ---- documents and credentials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"swagger": "2.0"}, "not an OpenAPI 3 document"),
        ({"openapi": "3.0.0"}, "names no server"),
        (
            {"openapi": "3.0.0", "servers": [{"url": "https://x"}], "paths": {"/a": {"get": {
                "operationId": "a", "parameters": [{"$ref": "#/components/parameters/p"}]}}}},
            "refers to #/components/parameters/p, which it does not have",
        ),
    ],
)  # fmt: skip
def test_documents_that_cannot_be_used(document: Any, message: str) -> None:
    with pytest.raises(TargetFailed, match=message):
        list(openapi.of_document(document))


def test_a_schema_that_refers_to_itself() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    document = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://{host}/v1", "variables": {"host": {"default": "api.example.com"}}}],
        "components": {"schemas": {"Node": node}},
        "paths": {
            "/nodes": {
                "put": {
                    "operationId": "put",
                    "parameters": [{"name": "next", "in": "query"}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}},
                    },
                }
            }
        },
    }
    (tool,) = openapi.of_document(document)
    assert tool.route.url == "https://api.example.com/v1/nodes"
    assert tool.input_schema["required"] == ["body"]
    assert set(tool.input_schema["properties"]) == {"next", "body"}


def test_a_key_that_nobody_knows(account: Account) -> None:
    arn = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:token-vault/default/apikeycredentialprovider/gone"
    with pytest.raises(vault.VaultError, match="'gone' is of no stack in the local cloud"):
        vault.api_key(arn)
    with seams.acting_for((account.account_id, "us-east-1")), pytest.raises(vault.VaultError, match="is of no stack"):
        vault.oauth_token({"providerArn": arn.replace("apikey", "oauth2")})
