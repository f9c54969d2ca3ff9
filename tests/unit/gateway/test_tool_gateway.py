"""The gateway construct: what it makes, what its role may do, what it warns of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from support import capabilities_gateway, synth
from support.capabilities_gateway import LOOKUP, function

from agentcore_constructs import Target, ToolGateway

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Resources = dict[str, dict[str, Any]]


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == f"AWS::{kind}"]


@pytest.fixture(scope="module")
def targets() -> dict[str, Any]:
    stack = synth.new_stack()
    capabilities_gateway.gateway_targets(stack)
    made: dict[str, Any] = synth.template_of(stack).to_json()
    return made


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    stack = synth.new_stack()
    capabilities_gateway.gateway_settings(stack)
    made: dict[str, Any] = synth.template_of(stack).to_json()
    return made


def target(template: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in of_type(template, "BedrockAgentCore::GatewayTarget") if one["Name"] == name)


def statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the gateway's service role."""
    policies = [
        one["PolicyDocument"]["Statement"] for one in of_type(template, "IAM::Policy") if "Tools" in one["PolicyName"]
    ]
    return [statement for policy in policies for statement in policy]


def test_callers_sign_with_iam_and_no_user_pool_is_made(targets: dict[str, Any]) -> None:
    (gateway,) = of_type(targets, "BedrockAgentCore::Gateway")
    assert gateway["AuthorizerType"] == "AWS_IAM"
    assert gateway["ProtocolConfiguration"] == {"Mcp": {}}
    assert of_type(targets, "Cognito::UserPool") == []


def test_the_role_is_assumable_for_this_gateway_alone(settings: dict[str, Any]) -> None:
    role = next(
        one
        for one in of_type(settings, "IAM::Role")
        if "bedrock-agentcore" in json.dumps(one["AssumeRolePolicyDocument"])
        and "gateway/" in json.dumps(one["AssumeRolePolicyDocument"])
    )
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": synth.ACCOUNT}
    # The id of a gateway is its name, "Checked", in lower case with ten characters more.
    assert "gateway/checked-*" in json.dumps(statement["Condition"]["ArnLike"])


def test_a_lambda_target(targets: dict[str, Any]) -> None:
    (tool,) = target(targets, "orders")["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"]
    assert tool == {
        "Name": "lookup",
        "Description": "Looks an order up.",
        "InputSchema": {
            "Type": "object",
            "Properties": {
                "order_id": {"Type": "string", "Description": "Such as A-1."},
                "lines": {"Type": "array", "Items": {"Type": "integer"}},
            },
            "Required": ["order_id"],
        },
    }


def test_the_other_targets(targets: dict[str, Any]) -> None:
    weather = target(targets, "weather")
    assert json.loads(weather["TargetConfiguration"]["Mcp"]["OpenApiSchema"]["InlinePayload"])["openapi"] == "3.0.3"
    assert weather["CredentialProviderConfigurations"][0]["CredentialProviderType"] == "API_KEY"
    assert target(targets, "shop")["TargetConfiguration"]["Mcp"]["ApiGateway"]["ApiGatewayToolConfiguration"] == {
        "ToolFilters": [{"FilterPath": "/stock", "Methods": ["GET"]}],
        "ToolOverrides": [{"Method": "GET", "Name": "stock", "Path": "/stock"}],
    }
    assert target(targets, "docs")["TargetConfiguration"] == {
        "Mcp": {"McpServer": {"Endpoint": "https://mcp.example.com/mcp"}}
    }


def test_a_rest_api_is_called_with_the_role_unless_told_otherwise(targets: dict[str, Any]) -> None:
    shop = target(targets, "shop")
    assert shop["CredentialProviderConfigurations"] == [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}]
    assert "execute-api:Invoke" in [one["Action"] for one in statements(targets)]


def test_web_search(targets: dict[str, Any]) -> None:
    search = target(targets, "web-search")
    assert search["TargetConfiguration"]["Mcp"]["Connector"] == {
        "Source": {"ConnectorId": "web-search"},
        "Configurations": [
            {
                "Name": "WebSearch",
                "ParameterValues": {"domainFilter": {"include": ["docs.aws.amazon.com"], "exclude": ["example.com"]}},
            }
        ],
    }
    assert search["CredentialProviderConfigurations"] == [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}]
    (allowed,) = [one for one in statements(targets) if one["Action"] == "bedrock-agentcore:InvokeWebSearch"]
    assert ":bedrock-agentcore:us-east-1:aws:tool/web-search.v1" in json.dumps(allowed["Resource"])


def test_web_search_without_filters_says_so() -> None:
    stack = synth.new_stack()
    ToolGateway(stack, "Tools", targets=[Target.web_search()])
    search = target(synth.template_of(stack).to_json(), "web-search")
    connector = search["TargetConfiguration"]["Mcp"]["Connector"]
    assert connector["Configurations"] == [{"Name": "WebSearch", "ParameterValues": {}}]


def test_a_harness_may_invoke_this_gateway_and_nothing_else(targets: dict[str, Any]) -> None:
    policies = [one["PolicyDocument"]["Statement"] for one in of_type(targets, "IAM::ManagedPolicy")]
    found = [one for policy in policies for one in policy if "bedrock-agentcore:InvokeGateway" in one["Action"]]
    ((resource,),) = [one["Resource"] for one in found]
    assert resource["Fn::GetAtt"] == ["ToolsGateway33D7DE2F", "GatewayArn"]


def test_settings(settings: dict[str, Any]) -> None:
    (gateway,) = of_type(settings, "BedrockAgentCore::Gateway")
    assert gateway["Name"] == "Checked"
    assert gateway["ExceptionLevel"] == "DEBUG"
    assert gateway["PolicyEngineConfiguration"]["Mode"] == "ENFORCE"
    assert [one["InterceptionPoints"] for one in gateway["InterceptorConfigurations"]] == [["REQUEST"], ["RESPONSE"]]
    assert gateway["ProtocolConfiguration"]["Mcp"] == {"SearchType": "SEMANTIC", "Instructions": "Orders of the shop."}
    assert "KmsKeyArn" in gateway
    assert gateway["Tags"] == {"team": "orders"}


def test_narrowing_is_rendered_by_the_harness(settings: dict[str, Any]) -> None:
    (harness,) = of_type(settings, "BedrockAgentCore::Harness")
    assert harness["AllowedTools"] == ["@builtin", "@orders/orders___lookup"]


class Tools:
    """Offers what a `ToolFunction` does."""

    def __init__(self, served: Any) -> None:
        self.function = served
        self.tool_schemas = [LOOKUP]
        self.target_name = "python"


def test_every_target_waits_for_all_that_the_role_may_do(targets: dict[str, Any], settings: dict[str, Any]) -> None:
    for template in (targets, settings):
        kinds = {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}
        (policy,) = (one for one, kind in kinds.items() if kind == "AWS::IAM::Policy" and "ToolsServiceRole" in one)
        made = [one for one, kind in kinds.items() if kind == "AWS::BedrockAgentCore::GatewayTarget"]
        assert made
        for one in made:
            assert policy in template["Resources"][one]["DependsOn"]


def test_targets_wait_for_a_role_of_the_users_own() -> None:
    stack = synth.new_stack()
    role = iam.Role.from_role_arn(stack, "Given", f"arn:aws:iam::{synth.ACCOUNT}:role/tools")
    ToolGateway(stack, "Gateway", role=role, targets=[Target.lambda_(function(stack), [LOOKUP], name="orders")])
    resources = synth.template_of(stack).to_json()["Resources"]
    (policy,) = (one for one, resource in resources.items() if resource["Type"] == "AWS::IAM::Policy")
    (waiting,) = (one for one in resources.values() if one["Type"] == "AWS::BedrockAgentCore::GatewayTarget")
    assert policy in waiting["DependsOn"]


def test_a_tool_function_brings_its_tools_and_its_name() -> None:
    stack = synth.new_stack()
    gateway = ToolGateway(stack, "Tools", targets=[Target.lambda_(Tools(function(stack)))])
    assert list(gateway.targets) == ["python"]
    template = synth.template_of(stack).to_json()
    assert target(template, "python")["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"]


def test_it_is_an_ordinary_construct() -> None:
    stack = synth.new_stack()
    gateway = ToolGateway(stack, "Tools", gateway_name="orders")
    gateway.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    cdk.Tags.of(gateway).add("team", "orders")
    caller = iam.Role(stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    gateway.grant_invoke(caller)
    gateway.grant_read(caller)
    gateway.grant_manage(caller)
    assert gateway.metric("Invocations").metric_name == "Invocations"
    assert gateway.gateway_name == "orders"
    assert gateway.node.default_child is not None
    template = synth.template_of(stack).to_json()
    (resource,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::BedrockAgentCore::Gateway"]
    assert resource["DeletionPolicy"] == "Retain"
    assert resource["Properties"]["Tags"] == {"team": "orders"}
    (granted,) = of_type(template, "IAM::Policy")
    assert "bedrock-agentcore:InvokeGateway" in json.dumps(granted)


def test_two_in_a_stack_and_one_whose_stack_has_no_account() -> None:
    stack = synth.new_stack(account=None, region=None)
    for name in ("One", "Two"):
        ToolGateway(stack, name, targets=[Target.lambda_(function(stack, f"{name}Function"), [LOOKUP], name="orders")])
    names = [one["Name"] for one in of_type(synth.template_of(stack).to_json(), "BedrockAgentCore::Gateway")]
    assert len(set(names)) == 2


def warnings(build: Callable[[cdk.Stack], object], region: str = "us-east-1") -> list[str]:
    stack = synth.new_stack(region=region)
    build(stack)
    return [
        str(entry.data)
        for construct in stack.node.find_all()
        for entry in construct.node.metadata
        if entry.type == "aws:cdk:warning"
    ]


def test_web_search_in_another_region_is_warned_of() -> None:
    def build(stack: cdk.Stack) -> ToolGateway:
        return ToolGateway(stack, "Tools", targets=[Target.web_search()])

    (warning,) = warnings(build, "eu-central-1")
    assert warning.startswith("Web search was offered in us-east-1, eu-west-1 and ap-northeast-1 when this was written")
    assert "[ack: @agentcore-harness-cdk:web-search-region]" in warning
    assert warnings(build, "eu-west-1") == []


def test_the_cdk_warns_of_a_gateway_open_to_everybody() -> None:
    found = warnings(lambda stack: ToolGateway(stack, "Tools", authorizer=agentcore.GatewayAuthorizer.with_no_auth()))
    assert found
    assert all("@agentcore-harness-cdk" not in warning for warning in found)


def test_a_tool_name_beyond_what_models_take_is_warned_of() -> None:
    name = "a" * 60
    (warning,) = warnings(
        lambda stack: ToolGateway(stack, "Tools", targets=[Target.lambda_(function(stack), [LOOKUP], name=name)])
    )
    assert warning.startswith(f"The gateway calls a tool '{name}___lookup', of 69 characters; models of Amazon Bedrock")


@pytest.mark.parametrize("capability", capabilities_gateway.CAPABILITIES)
def test_nag_finds_nothing_without_a_reason(capability: Callable[[cdk.Stack], None], tmp_path: Path) -> None:
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    capability(stack)
    gateways = [one for one in stack.node.find_all() if isinstance(one, ToolGateway)]
    for gateway in gateways:
        gateway.acknowledge_wildcards()
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError:
        report = json.loads((tmp_path / "validation-report.json").read_text())
    else:
        report = {"pluginReports": []}
    found = [
        (construct["constructPath"], violation["ruleName"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        if construct["constructPath"].startswith("Agents/Tools/")
    ]
    assert found == []
