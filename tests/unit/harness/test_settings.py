"""What CloudFormation cannot say: left out of the harness, set whole by a custom resource after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from agentcore_constructs import (
    Authorizer,
    Environment,
    FileSystem,
    GatewayAuth,
    Harness,
    HarnessConfig,
    MCPAuth,
    Memory,
    Tool,
    Version,
)

from .conftest import ENDPOINT, flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]

KIND = "Custom::AgentCoreHarnessSettings"
SIGNED = Tool.remote_mcp("https://mcp.example.com", name="docs", auth=MCPAuth.aws_iam("execute-api"))
GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/tools-0123456789"
OAUTH = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/oauth2credentialprovider/idp"


def settings_of(found: Synthesized) -> Any:
    return json.loads(found.only(KIND)["Properties"]["Settings"])


def test_a_harness_that_cloudformation_can_say_has_none(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", tools=[Tool.browser()])
    found = synthesized()
    assert not found.of_type(KIND)
    assert not found.of_type("AWS::Lambda::Function")


def test_the_field_is_in_the_settings_alone(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", tools=[SIGNED, Tool.browser()])
    found = synthesized()
    docs = {"Name": "docs", "Type": "remote_mcp", "Config": {"RemoteMcp": {"Url": "https://mcp.example.com"}}}
    assert found.harness["Tools"] == [docs, {"Name": "browser", "Type": "agentcore_browser"}]
    assert settings_of(found) == {
        "tools": [
            {
                "name": "docs",
                "type": "remote_mcp",
                "config": {
                    "remoteMcp": {
                        "url": "https://mcp.example.com",
                        "outboundAuth": {"awsIam": {"service": "execute-api"}},
                    }
                },
            },
            {"name": "browser", "type": "agentcore_browser"},
        ]
    }


def test_an_added_tool_is_in_them_too(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent", tools=[SIGNED])
    harness.add_tool(Tool.code_interpreter())
    found = synthesized()
    assert [tool["Name"] for tool in found.harness["Tools"]] == ["docs", "code_interpreter"]
    assert [tool["name"] for tool in settings_of(found)["tools"]] == ["docs", "code_interpreter"]


def test_they_come_with_a_tool_that_is_added(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    endpoint = harness.add_endpoint("PROD", version=Version.latest())
    harness.add_tool(SIGNED)
    found = synthesized()
    settings = stack.get_logical_id(harness.node.find_child("Settings").node.default_child)
    assert found.only(ENDPOINT)["Properties"]["TargetVersion"] == {"Fn::GetAtt": [settings, "Version"]}
    assert endpoint.endpoint_name == "PROD"


@pytest.mark.parametrize("field", ["HarnessId", "HarnessVersion"])
def test_they_are_applied_again_when_the_harness_changes(stack: cdk.Stack, synthesized: Read, field: str) -> None:
    harness = Harness(stack, "Agent", tools=[SIGNED])
    properties = synthesized().only(KIND)["Properties"]
    logical = stack.get_logical_id(harness.node.find_child("Resource"))
    assert properties[field] == {"Fn::GetAtt": [logical, field.removeprefix("Harness").replace("Id", "HarnessId")]}


def test_what_cannot_do_without_the_field_goes_with_it(stack: cdk.Stack, synthesized: Read) -> None:
    """A mount without its kind, and an authorizer without its discovery URL, are nothing CloudFormation takes."""
    Harness(
        stack,
        "Agent",
        environment=Environment.public(filesystems=[FileSystem.capacity_provider_volume("v", "/mnt/v")]),
        filesystems=[FileSystem.session("/mnt/s")],
        authorizer=Authorizer.jwt("https://idp.example.com/.well-known/oauth-authorization-server", clients=["web"]),
    )
    found = synthesized()
    runtime = found.harness["Environment"]["AgentCoreRuntimeEnvironment"]
    assert runtime["FilesystemConfigurations"] == [{"SessionStorage": {"MountPath": "/mnt/s"}}]
    assert "AuthorizerConfiguration" not in found.harness
    set_later = settings_of(found)
    assert set(set_later) == {"environment", "authorizerConfiguration"}
    assert len(set_later["environment"]["agentCoreRuntimeEnvironment"]["filesystemConfigurations"]) == 2


def test_one_value_of_a_field_is_api_only_and_another_is_not(stack: cdk.Stack, synthesized: Read) -> None:
    tools = [
        Tool.gateway(GATEWAY, name=name, outbound_auth=GatewayAuth.oauth(OAUTH, scopes=["read"], grant_type=grant))
        for name, grant in (("exchange", "TOKEN_EXCHANGE"), ("credentials", "CLIENT_CREDENTIALS"))
    ]
    Harness(stack, "Agent", tools=tools)
    found = synthesized()
    grants = [
        tool["Config"]["AgentCoreGateway"]["OutboundAuth"]["Oauth"].get("GrantType") for tool in found.harness["Tools"]
    ]
    assert grants == [None, "CLIENT_CREDENTIALS"]
    set_later = [
        tool["config"]["agentCoreGateway"]["outboundAuth"]["oauth"]["grantType"] for tool in settings_of(found)["tools"]
    ]
    assert set_later == ["TOKEN_EXCHANGE", "CLIENT_CREDENTIALS"]


@pytest.mark.parametrize(("memory", "granted"), [(None, True), (Memory.disabled(), False)])
def test_the_function_may_update_this_harness_and_what_it_is_made_of(
    stack: cdk.Stack, synthesized: Read, memory: Any, granted: bool
) -> None:
    Harness(stack, "Agent", tools=[SIGNED], memory=memory)
    statements = synthesized().statements("SettingsPolicy")
    assert set(statements) == {
        "UpdateHarness",
        "UpdateWhatItIsMadeOf",
        "PassExecutionRole",
        "SeeWhetherTheStackIsDeleted",
    }
    assert ("bedrock-agentcore:UpdateMemory" in statements["UpdateWhatItIsMadeOf"]["Action"]) is granted
    assert not [one for statement in statements.values() for one in statement["Resource"] if "*" in one]
    passed = statements["PassExecutionRole"]["Condition"]
    assert passed == {"StringEquals": {"iam:PassedToService": "bedrock-agentcore.amazonaws.com"}}


def test_the_framework_writes_no_properties_to_its_log(stack: cdk.Stack, synthesized: Read) -> None:
    """A header, or an address, may be in the settings; the function itself names kinds and errors alone."""
    Harness(stack, "Agent", tools=[SIGNED])
    functions = [one["Properties"] for one in synthesized().of_type("AWS::Lambda::Function").values()]
    framework = [one["LoggingConfig"] for one in functions if one["Handler"].startswith("framework.")]
    assert len(framework) == 3
    assert {one["ApplicationLogLevel"] for one in framework} == {"FATAL"}


def test_a_token_survives_in_the_settings(stack: cdk.Stack, synthesized: Read) -> None:
    parameter = cdk.CfnParameter(stack, "Url")
    Harness(
        stack,
        "Agent",
        tools=[Tool.remote_mcp(parameter.value_as_string, name="docs", auth=MCPAuth.aws_iam("execute-api"))],
    )
    assert '"url":"<Url>"' in flat(synthesized().only(KIND)["Properties"]["Settings"])


def test_a_configuration_without_them_is_the_same_object() -> None:
    config = HarnessConfig.create(tools=[Tool.browser()])
    assert config.without_api_only() == (config, frozenset())
    assert config.without_api_only()[0] is config
