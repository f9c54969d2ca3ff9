"""Requests against botocore's shapes and against the service's own rules: accepted at the limit, refused beyond it."""

from __future__ import annotations

from typing import Any

import botocore
import pytest

from agentcore_local.harness import rules
from agentcore_local.harness.errors import ServiceError
from agentcore_local.harness.routes import CONTROL, DATA, Request, find, parse, service_model
from agentcore_local.harness.validation import validate

ROLE = "arn:aws:iam::111122223333:role/agent"
MINIMAL = {"harnessName": "helper", "executionRoleArn": ROLE}
INLINE = {"inlineFunction": {"description": "d", "inputSchema": {"type": "object"}}}
TOOL = {"type": "inline_function", "name": "ask", "config": INLINE}
SNS = {"sns": {"arn": "arn:aws:sns:us-east-1:111122223333:topic"}}
KEY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/key"


def faults(operation: str = "CreateHarness", service: str = CONTROL, **members: Any) -> list[tuple[str, str]]:
    """Path and message of every fault of a request, shapes and rules."""
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    request = {**(MINIMAL if operation == "CreateHarness" else {}), **members}
    found = validate(shape, request) or rules.check(request)
    return [(fault.name, fault.message) for fault in found]


def bedrock(**members: Any) -> dict[str, Any]:
    return {"bedrockModelConfig": {"modelId": "m", **members}}


def runtime(**members: Any) -> dict[str, Any]:
    return {"agentCoreRuntimeEnvironment": members}


def lifecycle(**seconds: int) -> dict[str, Any]:
    return runtime(lifecycleConfiguration=seconds)


def session(path: str) -> dict[str, Any]:
    return {"sessionStorage": {"mountPath": path}}


def efs(path: str) -> dict[str, Any]:
    arn = f"arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-{'0' * 17}"
    return {"efsAccessPoint": {"accessPointArn": arn, "mountPath": path}}


def jwt(**members: Any) -> dict[str, Any]:
    url = "https://issuer.example/.well-known/openid-configuration"
    return {"customJWTAuthorizer": {"discoveryUrl": url, **members}}


def claim(kind: str, operator: str, **value: Any) -> dict[str, Any]:
    match = {"claimMatchValue": value, "claimMatchOperator": operator}
    named = {"inboundTokenClaimName": "c", "inboundTokenClaimValueType": kind, "authorizingClaimMatchValue": match}
    return jwt(customClaims=[named])


VPC = {"networkMode": "VPC", "networkModeConfig": {"subnets": ["subnet-12345678"], "securityGroups": ["sg-12345678"]}}

ACCEPTED: dict[str, dict[str, Any]] = {
    "minimal": {},
    "name of 40": {"harnessName": "a" * 40},
    "temperature at both ends": {"model": bedrock(temperature=0, topP=1.0)},
    "one token": {"model": bedrock(maxTokens=1)},
    "topK at its end": {"model": {"geminiModelConfig": {"modelId": "m", "apiKeyArn": KEY, "topK": 500}}},
    "guardrail": {"model": bedrock(additionalParams={"guardrailConfig": {}}, apiFormat="converse_stream")},
    "20 hooks": {"hooks": [{"beforeInvocation": {"name": f"h{n}", "target": SNS}} for n in range(20)]},
    "50 variables": {"environmentVariables": {f"V{n}": "" for n in range(50)}},
    "variable of 5000": {"environmentVariables": {"V": "x" * 5000}},
    "allowed tool of 64": {"allowedTools": ["x" * 64, "*", "@browser/*", "@x"]},
    "lifetimes at the limit": {"environment": lifecycle(idleRuntimeSessionTimeout=28800, maxLifetime=28800)},
    "lifetimes at the other limit": {"environment": lifecycle(idleRuntimeSessionTimeout=60, maxLifetime=60)},
    "32 bits": {"maxIterations": 2**31 - 1},
    "5 mounts": {
        "environment": runtime(
            networkConfiguration=VPC, filesystemConfigurations=[session("/mnt/a"), efs("/mnt/b"), efs("/mnt/c")]
        )
    },
    "tools of every type": {
        "tools": [
            TOOL,
            {"type": "agentcore_browser"},
            {"type": "agentcore_code_interpreter", "config": {"agentCoreCodeInterpreter": {}}},
            {"type": "remote_mcp", "name": "m", "config": {"remoteMcp": {"url": "https://x"}}},
        ]
    },
    "a claim of each type": {"authorizerConfiguration": claim("STRING", "EQUALS", matchValueString="v")},
    "a list claim": {"authorizerConfiguration": claim("STRING_ARRAY", "CONTAINS_ANY", matchValueStringList=["v"])},
    "strategy with its config": {"truncation": {"strategy": "summarization", "config": {"summarization": {}}}},
    "tags": {"tags": {"a" * 128: "b" * 256}},
}


@pytest.mark.parametrize("members", ACCEPTED.values(), ids=list(ACCEPTED))
def test_accepts(members: dict[str, Any]) -> None:
    assert faults(**members) == []


# What is refused: the members, the path that is named, a part of the message.
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "hyphen": ({"harnessName": "a-b"}, "harnessName", "regular expression pattern: [a-zA-Z][a-zA-Z0-9_]{0,39}"),
    "name of 41": ({"harnessName": "a" * 41}, "harnessName", "regular expression pattern"),
    "name is missing": ({"harnessName": None}, "harnessName", "Member must not be null"),
    "unknown member": ({"modle": {}}, "modle", "'modle' is not a member of CreateHarnessRequest"),
    "PascalCase": ({"Model": bedrock()}, "Model", "is not a member"),
    "text for a number": ({"maxIterations": "3"}, "maxIterations", "Member must be an integer, not a string"),
    "more than 32 bits": ({"maxIterations": 2**31}, "maxIterations", "Member must be an integer of 32 bits"),
    "boolean for a number": ({"maxIterations": True}, "maxIterations", "Member must be an integer, not a boolean"),
    "map for a list": ({"tools": {}}, "tools", "Member must be a list, not a map"),
    "too hot": ({"model": bedrock(temperature=2.1)}, "model.bedrockModelConfig.temperature", "less than or equal to 2"),
    "below zero": ({"model": bedrock(topP=-0.1)}, "model.bedrockModelConfig.topP", "greater than or equal to 0"),
    "no tokens": ({"model": bedrock(maxTokens=0)}, "model.bedrockModelConfig.maxTokens", "greater than or equal to 1"),
    "format": ({"model": bedrock(apiFormat="xml")}, "model.bedrockModelConfig.apiFormat", "enum value set: [converse_"),
    "no model of the union": ({"model": {}}, "model", "exactly one of bedrockModelConfig, openAiModelConfig"),
    "two models of the union": (
        {"model": {**bedrock(), "openAiModelConfig": {"modelId": "m", "apiKeyArn": KEY}}},
        "model",
        "received bedrockModelConfig, openAiModelConfig",
    ),
    "underscore in a key provider": (
        {"model": {"openAiModelConfig": {"modelId": "m", "apiKeyArn": f"{KEY}_"}}},
        "model.openAiModelConfig.apiKeyArn",
        "regular expression pattern",
    ),
    "21 hooks": (
        {"hooks": [{"beforeInvocation": {"name": f"h{n}", "target": SNS}} for n in range(21)]},
        "hooks",
        "length less than or equal to 20",
    ),
    "51 variables": ({"environmentVariables": {f"V{n}": "" for n in range(51)}}, "environmentVariables", "equal to 50"),
    "allowed tool of 65": ({"allowedTools": ["x" * 65]}, "allowedTools.1.member", "length less than or equal to 64"),
    "empty allowed tool": ({"allowedTools": [""]}, "allowedTools.1.member", "greater than or equal to 1"),
    "a place in a list": (
        {"tools": [TOOL, {"type": "nothing"}]},
        "tools.2.member.type",
        "Value 'nothing' at 'tools.2.member.type' failed to satisfy constraint: Member must satisfy enum value set",
    ),
    "tool without its config": ({"tools": [{"type": "remote_mcp"}]}, "tools.1.member.config", "requires config.remote"),
    "tool with another's config": (
        {"tools": [{"type": "agentcore_browser", "config": INLINE}]},
        "tools.1.member.config",
        "takes config.agentCoreBrowser, not config.inlineFunction",
    ),
    "tool names twice": (
        {"tools": [TOOL, TOOL]},
        "tools.2.member.name",
        "tool names must be unique; 'ask' is used before",
    ),
    "hook names twice": (
        {"hooks": [{"afterInvocation": {"name": "h", "target": SNS}}] * 2},
        "hooks.2.member.afterInvocation.name",
        "hook names must be unique; 'h' is used before",
    ),
    "lifetime beyond": (
        {"environment": lifecycle(maxLifetime=28801)},
        "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.maxLifetime",
        "less than or equal to 28800 for a harness",
    ),
    "idle above lifetime": (
        {"environment": lifecycle(idleRuntimeSessionTimeout=61, maxLifetime=60)},
        "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.idleRuntimeSessionTimeout",
        "must be less than or equal to maxLifetime (60)",
    ),
    "lifetime of 59": (
        {"environment": lifecycle(maxLifetime=59)},
        "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.maxLifetime",
        "greater than or equal to 60",
    ),
    "VPC without subnets": (
        {"environment": runtime(networkConfiguration={"networkMode": "VPC"})},
        "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig",
        "is required when networkMode is VPC",
    ),
    "two session mounts": (
        {"environment": runtime(filesystemConfigurations=[session("/mnt/a"), session("/mnt/b")])},
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations",
        "at most 1 sessionStorage may be mounted; received 2",
    ),
    "three EFS mounts": (
        {
            "environment": runtime(
                networkConfiguration=VPC, filesystemConfigurations=[efs("/mnt/a"), efs("/mnt/b"), efs("/mnt/c")]
            )
        },
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations",
        "at most 2 efsAccessPoint",
    ),
    "one path twice": (
        {"environment": runtime(networkConfiguration=VPC, filesystemConfigurations=[efs("/mnt/a"), efs("/mnt/a/")])},
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations.2.member",
        "mountPath must be unique; '/mnt/a' is used before",
    ),
    "two segments": (
        {"environment": runtime(filesystemConfigurations=[session("/mnt/a/b")])},
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations.1.member.sessionStorage.mountPath",
        "regular expression pattern",
    ),
    "the directory itself": (
        {"environment": runtime(filesystemConfigurations=[session("/mnt/.")])},
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations.1.member.sessionStorage.mountPath",
        "mountPath must name a directory below /mnt; received '/mnt/.'",
    ),
    "the directory above": (
        {
            "environment": runtime(
                networkConfiguration=VPC, filesystemConfigurations=[session("/mnt/a"), efs("/mnt/../")]
            )
        },
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations.2.member.efsAccessPoint.mountPath",
        "mountPath must name a directory below /mnt; received '/mnt/../'",
    ),
    "guardrail elsewhere": (
        {"model": bedrock(additionalParams={"guardrailConfig": {}}, apiFormat="responses")},
        "model.bedrockModelConfig.additionalParams.guardrailConfig",
        "only supported with apiFormat converse_stream, not responses",
    ),
    "nobody is allowed in": (
        {"authorizerConfiguration": jwt()},
        "authorizerConfiguration.customJWTAuthorizer",
        "at least one of allowedAudience, allowedClients, allowedScopes or customClaims",
    ),
    "operator of another type": (
        {"authorizerConfiguration": claim("STRING", "CONTAINS", matchValueString="v")},
        "authorizerConfiguration.customJWTAuthorizer.customClaims.1.member.authorizingClaimMatchValue.claimMatchOperator",
        "a STRING claim takes EQUALS, not CONTAINS",
    ),
    "value of another operator": (
        {"authorizerConfiguration": claim("STRING_ARRAY", "CONTAINS_ANY", matchValueString="v")},
        "authorizerConfiguration.customJWTAuthorizer.customClaims.1.member.authorizingClaimMatchValue.claimMatchValue",
        "CONTAINS_ANY takes matchValueStringList",
    ),
    "config of another strategy": (
        {"truncation": {"strategy": "none", "config": {"slidingWindow": {}}}},
        "truncation.config",
        "strategy none takes no config, not config.slidingWindow",
    ),
    "git reference in the URL": ({"skills": [{"git": {"url": "https://x#main"}}]}, "skills.1.member.git.url", "https"),
    "a mount that needs a VPC": (
        {
            "environment": runtime(
                networkConfiguration={"networkMode": "PUBLIC"},
                filesystemConfigurations=[session("/mnt/a"), efs("/mnt/b")],
            )
        },
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations.2.member.efsAccessPoint",
        "efsAccessPoint can only be mounted when networkMode is VPC",
    ),
    "an endpoint for S3 on create": (
        {
            "environment": runtime(
                networkConfiguration={
                    "networkMode": "VPC",
                    "networkModeConfig": {**VPC["networkModeConfig"], "requireServiceS3Endpoint": False},
                }
            )
        },
        "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig.requireServiceS3Endpoint",
        "cannot be set on runtimes created after May 2026",
    ),
    "an advertised scope that is not allowed": (
        {"authorizerConfiguration": jwt(allowedScopes=["a"], advertisedScopeMapping={"a": "x", "b": "y"})},
        "authorizerConfiguration.customJWTAuthorizer.advertisedScopeMapping.2.key",
        "'b' must be one of allowedScopes to be advertised",
    ),
    "a certificate without a private endpoint": (
        {
            "authorizerConfiguration": jwt(
                allowedAudience=["a"], certificateConfigurations=[{"s3": {"uri": "s3://bucket/ca.pem"}}]
            )
        },
        "authorizerConfiguration.customJWTAuthorizer.certificateConfigurations",
        "can only be used together with privateEndpoint",
    ),
    "a reserved tag": ({"tags": {"a": "b", "Aws:c": "d"}}, "tags.2.key", "Tag keys must not start with 'aws:'"),
    "a blank of another script": ({"tags": {"a\u00a0b": "c"}}, "tags.1.key", "regular expression pattern"),
    "a strategy named twice": (
        {"memory": {"managedMemoryConfiguration": {"strategies": ["SEMANTIC", "EPISODIC", "SEMANTIC"]}}},
        "memory.managedMemoryConfiguration.strategies",
        "strategies must be unique; SEMANTIC is named before",
    ),
    "five strategies": (
        {"memory": {"managedMemoryConfiguration": {"strategies": ["SEMANTIC"] * 5}}},
        "memory.managedMemoryConfiguration.strategies",
        "length less than or equal to 4",
    ),
    "two days": (
        {"memory": {"managedMemoryConfiguration": {"eventExpiryDuration": 2}}},
        "memory.managedMemoryConfiguration.eventExpiryDuration",
        "greater than or equal to 3",
    ),
}


@pytest.mark.parametrize(("members", "path", "message"), REFUSED.values(), ids=list(REFUSED))
def test_refuses(members: dict[str, Any], path: str, message: str) -> None:
    found = faults(**members)
    assert path in [name for name, _ in found]
    assert any(message in text for name, text in found if name == path), found


def test_reports_every_fault_of_a_request() -> None:
    found = faults(harnessName="a-b", maxIterations="3", model=bedrock(temperature=9))
    assert {name for name, _ in found} == {"harnessName", "maxIterations", "model.bedrockModelConfig.temperature"}


@pytest.mark.parametrize(
    "members",
    [
        {"environmentVariables": {"PASSWORD": "s3cret" * 1000}},
        {"tools": [{"type": "remote_mcp", "config": {"remoteMcp": {"url": "", "headers": {"Authorization": ""}}}}]},
        {"systemPrompt": [{"text": ""}]},
    ],
)
def test_never_echoes_a_sensitive_value(members: dict[str, Any]) -> None:
    found = faults(**members)
    assert found
    assert not any("s3cret" in message or "Value '" in message for _, message in found)


def test_documents_are_taken_as_they_are() -> None:
    assert faults(model=bedrock(additionalParams={"anything": [None, {"at": "all"}]})) == []


class TestInvoke:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/helper-0123456789"
    said = (({"role": "user", "content": [{"text": "hi"}]}),)

    def request(self, **members: Any) -> list[tuple[str, str]]:
        whole = {"harnessArn": self.arn, "runtimeSessionId": "s" * 33, "messages": list(self.said), **members}
        return faults("InvokeHarness", DATA, **whole)

    @pytest.mark.parametrize("length", [33, 100])
    def test_session_id_at_its_limits(self, length: int) -> None:
        assert self.request(runtimeSessionId="s" * length) == []

    @pytest.mark.parametrize("session_id", ["s" * 32, "s" * 101, "-" * 40])
    def test_session_id_beyond(self, session_id: str) -> None:
        assert [name for name, _ in self.request(runtimeSessionId=session_id)] == ["runtimeSessionId"]

    def test_tools_of_an_invocation_follow_the_same_rules(self) -> None:
        assert [name for name, _ in self.request(tools=[TOOL, TOOL])] == ["tools.2.member.name"]

    def test_a_content_block_is_one_thing(self) -> None:
        both = {"text": "x", "toolUse": {"name": "n", "toolUseId": "i", "input": {}}}
        messages = [{"role": "user", "content": [both]}]
        assert [name for name, _ in self.request(messages=messages)] == ["messages.1.member.content.1.member"]


class TestRoutes:
    def parsed(self, method: str, path: str, body: bytes = b"", **query: list[str]) -> dict[str, Any]:
        route_and_labels = find(method, path)
        assert route_and_labels is not None
        route, labels = route_and_labels
        return parse(route, labels, Request(method, path, {"x-amzn-trace-id": "t"}, body, query))

    def test_the_literal_path_wins_over_a_label(self) -> None:
        route_and_labels = find("POST", "/harnesses/invoke")
        assert route_and_labels is not None
        assert route_and_labels[0].name == "InvokeHarness"

    def test_query_values_get_their_types(self) -> None:
        path = "/harnesses/helper-0123456789"
        assert self.parsed("DELETE", path, deleteManagedMemory=["false"])["deleteManagedMemory"] is False
        assert self.parsed("GET", "/harnesses", maxResults=["7"])["maxResults"] == 7

    def test_a_query_value_of_another_type_is_refused(self) -> None:
        with pytest.raises(ServiceError, match="Member must be an integer, not a string"):
            self.parsed("GET", "/harnesses", maxResults=["many"])

    def test_an_arn_in_a_path_keeps_its_slashes(self) -> None:
        arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/h-0123456789/harness-endpoint/PROD"
        assert self.parsed("GET", f"/tags/{arn}") == {"resourceArn": arn}

    @pytest.mark.parametrize(
        "body",
        [b"{", b"[]", b'"x"', b"[" * 100_000 + b"]" * 100_000],
        ids=["cut off", "a list", "a text", "too deep to read"],
    )
    def test_a_body_that_is_no_object_cannot_be_parsed(self, body: bytes) -> None:
        with pytest.raises(ServiceError) as caught:
            self.parsed("POST", "/harnesses", body)
        assert caught.value.reason == "CannotParse"

    def test_a_label_cannot_be_given_in_the_body(self) -> None:
        with pytest.raises(ServiceError, match="is not a member"):
            self.parsed("PATCH", "/harnesses/helper-0123456789", b'{"harnessId": "other-0123456789"}')

    def test_every_harness_operation_of_botocore_has_a_route(self) -> None:
        for service in (CONTROL, DATA):
            model = service_model(service)
            for name in model.operation_names:
                if "Harness" in name:
                    uri = model.operation_model(name).http["requestUri"]
                    path = uri.split("?")[0].format(harnessId="h-0123456789", endpointName="E")
                    found = find(model.operation_model(name).http["method"], path)
                    assert found is not None
                    assert found[0].name == name


@pytest.mark.parametrize(
    ("version", "told"), [("1.43.106", True), ("1.44.4", True), ("1.44.5", False), ("2.0.0", False)]
)
def test_a_field_that_may_be_too_new_for_an_older_botocore(
    monkeypatch: pytest.MonkeyPatch, version: str, *, told: bool
) -> None:
    """ministack pins an older one, which pip installs: some fields of the constructs are not in it."""
    monkeypatch.setattr(botocore, "__version__", version)
    ((_, message),) = faults(modle={})
    assert (f"runs on botocore {version}" in message) is told
    assert ("pip install 'botocore>=1.44.5' 'boto3>=1.44.5'" in message) is told
