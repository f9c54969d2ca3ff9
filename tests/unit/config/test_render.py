"""The forms a configuration is written in."""

from __future__ import annotations

from typing import Any

import pytest
from support.all_fields import all_configs, api_only_configs, cloudformation_configs

from agentcore_constructs.config import (
    Environment,
    FileSystem,
    Guardrail,
    HarnessConfig,
    HarnessConfigError,
    HarnessImage,
    Hook,
    HookTarget,
    MCPAuth,
    Memory,
    Model,
    Skill,
    Tool,
)
from agentcore_constructs.config.node import fields, walk

CONFIGS = all_configs()
CLOUDFORMATION = cloudformation_configs()
API_ONLY = api_only_configs()
VERBATIM = {"additionalParams", "inputSchema"}
MAPS = {
    "environmentVariables",
    "headers",
    "customParameters",
    "retrievalConfig",
    "advertisedScopeMapping",
    "tags",
}


def pascal(value: Any, *, inside: str = "") -> Any:
    """CloudFormation's names, written independently: structures begin in upper case, the rest stays as it is."""
    if inside in VERBATIM:
        return value
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if isinstance(value, dict):
        if inside in MAPS:
            return {key: pascal(item) for key, item in value.items()}
        return {key[0].upper() + key[1:]: pascal(item, inside=key) for key, item in value.items()}
    return value


@pytest.mark.parametrize("name", CONFIGS)
def test_what_was_parsed_comes_back_equal(name: str) -> None:
    config = HarnessConfig.parse(CONFIGS[name])
    assert config.to_api() == CONFIGS[name]
    assert HarnessConfig.parse(config.to_api()) == config


@pytest.mark.parametrize("name", CLOUDFORMATION)
def test_cloudformation_has_the_same_in_pascal_case(name: str) -> None:
    expected = pascal(CLOUDFORMATION[name])
    if "Tags" in expected:
        expected["Tags"] = [{"Key": key, "Value": value} for key, value in CLOUDFORMATION[name]["tags"].items()]
    assert HarnessConfig.parse(CLOUDFORMATION[name]).to_cfn() == expected


@pytest.mark.parametrize("name", CLOUDFORMATION)
def test_the_l1_takes_the_names_of_the_api_below_the_top(name: str) -> None:
    rendered = HarnessConfig.parse(CLOUDFORMATION[name]).to_l1()
    given = dict(CLOUDFORMATION[name])
    if "authorizerConfiguration" in given:
        authorizer = given["authorizerConfiguration"]["customJWTAuthorizer"]
        given["authorizerConfiguration"] = {"customJwtAuthorizer": authorizer}
    if "tags" in given:
        given["tags"] = [{"key": key, "value": value} for key, value in given["tags"].items()]
    names = {field.api: field.name for field in fields(HarnessConfig)}
    assert rendered == {names[key]: value for key, value in given.items()}


def test_step_functions_get_what_an_invocation_may_override() -> None:
    config = HarnessConfig.parse(CLOUDFORMATION["everything"])
    rendered = config.to_step_functions()
    assert set(rendered) == {
        "Model",
        "SystemPrompt",
        "Tools",
        "Skills",
        "AllowedTools",
        "MaxIterations",
        "MaxTokens",
        "TimeoutSeconds",
    }
    cfn = config.to_cfn()
    assert rendered == {key: cfn[key] for key in rendered}
    assert HarnessConfig.create(max_tokens=5).to_step_functions() == {"MaxTokens": 5}


def test_step_functions_can_say_what_cloudformation_cannot() -> None:
    tool = Tool.remote_mcp("https://x", name="x", auth=MCPAuth.aws_iam("lambda"))
    rendered = HarnessConfig.create(tools=[tool]).to_step_functions()
    assert rendered["Tools"][0]["Config"]["RemoteMcp"]["OutboundAuth"] == {"AwsIam": {"Service": "lambda"}}


def test_an_update_wraps_what_can_be_cleared() -> None:
    given = CLOUDFORMATION["everything"]
    request = HarnessConfig.parse(given).to_update_request()
    assert "harnessName" not in request
    assert "tags" not in request
    for wrapped in ("environmentArtifact", "authorizerConfiguration", "memory"):
        assert request[wrapped] == {"optionalValue": given[wrapped]}
    rest = {key: value for key, value in given.items() if key not in {"harnessName", "tags"}}
    assert {
        key: request[key] for key in rest if key not in {"environmentArtifact", "authorizerConfiguration", "memory"}
    } == {
        key: value
        for key, value in rest.items()
        if key not in {"environmentArtifact", "authorizerConfiguration", "memory"}
    }
    assert set(request) == set(rest)
    assert HarnessConfig.create(max_tokens=5).to_update_request() == {"maxTokens": 5}


def test_empty_lists_and_maps_are_kept() -> None:
    given: dict[str, Any] = {
        "tools": [],
        "skills": [],
        "hooks": [],
        "systemPrompt": [],
        "environmentVariables": {},
        "tags": {},
        "model": {"bedrockModelConfig": {"modelId": "m", "additionalParams": {}}},
    }
    config = HarnessConfig.parse(given)
    assert config.to_api() == given
    assert config.to_cfn()["Tools"] == []
    assert config.to_cfn()["Tags"] == []


def test_forms_are_made_anew() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x"]}}}
    config = HarnessConfig.create(tools=[Tool.inline("f", description="d", input_schema=schema)])
    schema["properties"]["a"]["enum"].append("later")  # type: ignore[index]
    first = config.to_api()
    assert first["tools"][0]["config"]["inlineFunction"]["inputSchema"]["properties"] == {"a": {"enum": ["x"]}}
    first["tools"][0]["config"]["inlineFunction"]["inputSchema"]["properties"].clear()
    assert config.to_api() != first


def test_a_configuration_is_frozen() -> None:
    config = HarnessConfig.create(max_tokens=5)
    with pytest.raises(ValueError, match="frozen"):
        config.max_tokens = 6


# What CloudFormation cannot say

EXPECTED_API_ONLY = {
    "api_only": {
        "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig.requireServiceS3Endpoint",
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[0].capacityProviderVolume",
        "authorizerConfiguration.customJWTAuthorizer.discoveryUrl",
        "authorizerConfiguration.customJWTAuthorizer.certificateConfigurations",
        "authorizerConfiguration.customJWTAuthorizer.allowedWorkloadConfiguration",
        "tools[0].config.remoteMcp.outboundAuth",
        "tools[1].config.remoteMcp.outboundAuth",
        "tools[2].config.agentCoreGateway.outboundAuth.oauth.grantType",
    },
    "api_only_null": {
        "model.bedrockModelConfig.additionalParams.stop",
        "model.bedrockModelConfig.additionalParams.deep[0].er[1]",
    },
    "api_only_secret": {"authorizerConfiguration.customJWTAuthorizer.certificateConfigurations"},
}


@pytest.mark.parametrize("name", API_ONLY)
def test_what_only_the_api_takes_is_found(name: str) -> None:
    assert {fault.path for fault in HarnessConfig.parse(API_ONLY[name]).api_only()} == EXPECTED_API_ONLY[name]


@pytest.mark.parametrize("name", CLOUDFORMATION)
def test_nothing_is_found_where_there_is_nothing(name: str) -> None:
    assert HarnessConfig.parse(CLOUDFORMATION[name]).api_only() == ()


@pytest.mark.parametrize("name", API_ONLY)
def test_nothing_is_dropped_from_a_template(name: str) -> None:
    config = HarnessConfig.parse(API_ONLY[name])
    for form in (config.to_cfn, config.to_l1):
        with pytest.raises(HarnessConfigError) as caught:
            form()
        assert {fault.path for fault in caught.value.faults} == EXPECTED_API_ONLY[name]


def test_what_is_said_of_it() -> None:
    tool = Tool.remote_mcp("https://x", name="x", auth=MCPAuth.none())
    (fault,) = HarnessConfig.create(tools=[tool]).api_only()
    assert str(fault) == (
        "tools[0].config.remoteMcp.outboundAuth: must be something CloudFormation can say; received an object of class "
        "HarnessRemoteMcpOutboundAuth; leave it out and set it with UpdateHarness after the deployment: "
        "AWS::BedrockAgentCore::Harness has no RemoteMcp.OutboundAuth."
    )


def test_a_token_as_discovery_url_is_for_cloudformation_to_judge() -> None:
    given = API_ONLY["api_only_secret"]
    jwt = {"discoveryUrl": "${Token[TOKEN.1]}", "allowedClients": ["a"]}
    config = HarnessConfig.parse({**given, "authorizerConfiguration": {"customJWTAuthorizer": jwt}})
    assert config.api_only() == ()


# Companion facts


def test_companion_facts_appear_in_no_form() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/companion"
    point = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
    topic = "arn:aws:sns:us-east-1:123456789012:topic"
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/bus"
    config = HarnessConfig.create(
        model=Model.bedrock("m", guardrail=Guardrail("abc", "1", encryption_key=key)),
        skills=[Skill.s3("bucket", "x", encryption_key=key)],
        environment=Environment.vpc(
            subnets=["subnet-12345678"],
            security_groups=["sg-12345678"],
            filesystems=[FileSystem.efs(point, "/mnt/x", file_system_arn="arn:companion", read_only=True)],
        ),
        environment_artifact=HarnessImage.from_uri("public.ecr.aws/x/y:1", repository_arn="arn:companion"),
        hooks=[
            Hook.before_invocation("a", HookTarget.topic(topic, encryption_key=key)),
            Hook.after_invocation("b", HookTarget.event_bus(bus, encryption_key=key)),
        ],
        memory=Memory.disabled(),
    )
    kept = {
        (path, field.name): value
        for path, node in walk(config)
        for field in fields(type(node))
        if field.companion and (value := getattr(node, field.name))
    }
    assert len(kept) == 7
    for form in (
        config.to_api(),
        config.to_cfn(),
        config.to_l1(),
        config.to_step_functions(),
        config.to_update_request(),
    ):
        assert "companion" not in str(form)
        assert "read" not in str(form).lower()
    assert config.updated(max_tokens=5).skills == config.skills, "they survive a change"


def test_a_change_is_checked_as_a_whole() -> None:
    config = HarnessConfig.create(tools=[Tool.browser()])
    assert config.updated(max_tokens=5).to_api() == {**config.to_api(), "maxTokens": 5}
    with pytest.raises(HarnessConfigError, match="must be unique among the tools"):
        config.updated(tools=[*(config.tools or ()), Tool.browser()])
    with pytest.raises(TypeError, match="unexpected keyword"):
        config.updated(max_token=5)


@pytest.mark.parametrize(
    ("value", "path", "received"),
    [
        (2**53 + 1, "k", "9007199254740993"),
        ([0, -(2**60)], "k[1]", "-1152921504606846976"),
        ({"Ref": "Order"}, "k.Ref", "the only key 'Ref'"),
        ([{"Fn::Sub": "x"}], 'k[0]["Fn::Sub"]', "the only key 'Fn::Sub'"),
    ],
)
def test_json_that_a_template_would_change_is_refused_where_one_is_made(value: Any, path: str, received: str) -> None:
    config = HarnessConfig.create(model=Model.bedrock("m", additional_params={"k": value}))
    (fault,) = config.api_only()
    assert fault.path == f"model.bedrockModelConfig.additionalParams.{path}"
    assert fault.received == received
    assert config.to_api()["model"]["bedrockModelConfig"]["additionalParams"] == {"k": value}
    with pytest.raises(HarnessConfigError):
        config.to_cfn()


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), 1e300, True, {"Ref": 1, "other": 2}, {"Refs": 1}, {"$ref": "#/x"}, {}, []]
)
def test_json_that_a_template_carries_passes(value: Any) -> None:
    assert HarnessConfig.create(model=Model.bedrock("m", additional_params={"k": value})).api_only() == ()
