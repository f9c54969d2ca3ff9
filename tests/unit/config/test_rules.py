"""Each rule that concerns several fields: what it says, and that its neighbour is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from agentcore_constructs.config import (
    Authorizer,
    Certificate,
    Claim,
    Environment,
    FileSystem,
    HarnessConfig,
    HarnessConfigError,
    HarnessEndpointConfig,
    Hook,
    Memory,
    Model,
    PrivateEndpoint,
    Tool,
    Truncation,
)

DISCOVERY = "https://id.example.com/.well-known/openid-configuration"
EFS = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
S3_FILES = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
TOKEN = "${Token[TOKEN.7]}"
VPC = {"subnets": ["subnet-12345678"], "security_groups": ["sg-12345678"]}
SCHEMA = {"type": "object"}


def faults(config: dict[str, Any] | None = None, **values: Any) -> list[str]:
    """Returns what is wrong with a configuration in the API's shape, or with what factories made."""
    try:
        if config is not None:
            HarnessConfig.parse(config)
        else:
            HarnessConfig.create(**values)
    except HarnessConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


# Unions

UNIONS = {
    "model": ({"model": {}}, "model", "bedrockModelConfig, openAiModelConfig, geminiModelConfig, liteLlmModelConfig"),
    "memory": (
        {"memory": {}},
        "memory",
        "agentCoreMemoryConfiguration, managedMemoryConfiguration, disabled",
    ),
    "skill": ({"skills": [{}]}, "skills[0]", "path, s3, git, awsSkills"),
    "hook": ({"hooks": [{}]}, "hooks[0]", "beforeInvocation, afterInvocation, beforeToolCall, afterToolCall"),
    "target": (
        {"hooks": [{"afterToolCall": {"name": "a", "target": {}}}]},
        "hooks[0].afterToolCall.target",
        "lambda, sns, eventBridge",
    ),
    "file system": (
        {"environment": {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": [{}]}}},
        "environment.agentCoreRuntimeEnvironment.filesystemConfigurations[0]",
        "sessionStorage, s3FilesAccessPoint, efsAccessPoint, capacityProviderVolume",
    ),
    "truncation": (
        {"truncation": {"strategy": "none", "config": {}}},
        "truncation.config",
        "slidingWindow, summarization",
    ),
}


@pytest.mark.parametrize(("config", "path", "members"), UNIONS.values(), ids=UNIONS)
def test_a_union_without_a_member(config: dict[str, Any], path: str, members: str) -> None:
    assert faults(config) == [
        f"{path}: must have exactly one of {members}; received none of them; add the one that is meant."
    ]


@pytest.mark.parametrize(
    ("config", "path", "member"),
    [
        ({"environment": {}}, "environment", "agentCoreRuntimeEnvironment"),
        ({"environmentArtifact": {}}, "environmentArtifact", "containerConfiguration"),
        ({"authorizerConfiguration": {}}, "authorizerConfiguration", "customJWTAuthorizer"),
        ({"systemPrompt": [{}]}, "systemPrompt[0]", "text"),
    ],
)
def test_a_union_of_one_member_without_it(config: dict[str, Any], path: str, member: str) -> None:
    assert faults(config) == [f"{path}: must have the member {member}; received none of them; add {member}."]


def test_a_union_with_two_members() -> None:
    config = {"memory": {"disabled": {}, "managedMemoryConfiguration": {}}}
    assert faults(config) == [
        (
            "memory: must have exactly one of agentCoreMemoryConfiguration, managedMemoryConfiguration, disabled; "
            "received managedMemoryConfiguration and disabled; keep the one that is meant."
        )
    ]
    two = {"bedrockModelConfig": {"modelId": "a"}, "liteLlmModelConfig": {"modelId": "b"}}
    assert "received bedrockModelConfig and liteLlmModelConfig" in faults({"model": two})[0]


# Tools


@pytest.mark.parametrize("kind", ["remote_mcp", "agentcore_gateway", "inline_function"])
def test_a_tool_that_needs_a_configuration(kind: str) -> None:
    (said,) = faults({"tools": [{"type": kind, "name": "x"}]})
    assert said.startswith(f"tools[0].config: must be given for type {kind}; received nothing; add config.")


@pytest.mark.parametrize("kind", ["agentcore_browser", "agentcore_code_interpreter"])
def test_a_tool_that_needs_none(kind: str) -> None:
    assert faults({"tools": [{"type": kind}]}) == []


def test_a_tool_whose_type_is_not_that_of_its_configuration() -> None:
    config = {"tools": [{"type": "remote_mcp", "name": "x", "config": {"agentCoreBrowser": {}}}]}
    assert faults(config) == [
        (
            "tools[0].config: must have the member remoteMcp, since the type is remote_mcp; received agentCoreBrowser; "
            "write type agentcore_browser, or config.remoteMcp."
        )
    ]


def test_tool_names_are_unique() -> None:
    tools = [Tool.browser(), Tool.code_interpreter(), Tool.inline("browser", description="d", input_schema=SCHEMA)]
    assert faults(tools=tools) == [
        (
            "tools[2].name: must be unique among the tools; received 'browser' (7 characters), the name of tools[0] "
            "too; choose another name."
        )
    ]
    assert faults({"tools": [{"type": "agentcore_browser"}, {"type": "agentcore_browser"}]}) == []
    assert faults(tools=[Tool.browser(name=TOKEN), Tool.browser(name=TOKEN)]) == []


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, "inputSchema.type: must be 'object'; received nothing; write {'type': 'object', 'properties': {…}}."),
        ({"type": "string"}, "inputSchema.type: must be 'object'; received 'string' (6 characters)"),
        ({"type": "object", "properties": ["a"]}, "inputSchema.properties: must be an object of argument names"),
    ],
)
def test_arguments_of_an_inline_function_have_names(schema: dict[str, Any], said: str) -> None:
    (fault,) = faults(tools=[Tool.inline("f", description="d", input_schema=schema)])
    assert fault.startswith(f"tools[0].config.inlineFunction.{said}")


def test_an_input_schema_with_more_in_it() -> None:
    schema = {"$schema": "x", "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert faults(tools=[Tool.inline("f", description="d", input_schema=schema)]) == []
    assert faults(tools=[Tool.inline("f", description="d", input_schema={"type": TOKEN, "properties": TOKEN})]) == []


# Allowed tools


def test_an_empty_list_of_allowed_tools() -> None:
    (said,) = faults(allowed_tools=[])
    assert said == (
        "allowedTools: must be a list of tools, at least 1; received a list of 0 items; leave it out to allow "
        "every tool, write ['*'] to say so, or ['@builtin'] for the built-in ones only: "
        "what an empty list means is not documented."
    )


@pytest.mark.parametrize(
    "entry",
    ["*", "shell", "file_*", "@builtin", "@builtin/shell", "@docs", "@docs/*", "@do*/x", "@*/x", TOKEN, f"@{TOKEN}"],
)
def test_allowed_tools_that_exist(entry: str) -> None:
    assert faults(tools=[Tool.remote_mcp("https://x", name="docs")], allowed_tools=[entry]) == []


def test_an_allowed_tool_that_does_not_exist() -> None:
    assert faults(tools=[Tool.remote_mcp("https://x", name="docs")], allowed_tools=["shell", "@doc/search"]) == [
        (
            "allowedTools[1]: must name a tool of this harness after '@'; received '@doc/search' (11 characters); "
            "write one of @builtin, @docs, or add the tool."
        )
    ]


def test_nothing_is_said_of_allowed_tools_while_a_name_is_unknown() -> None:
    assert faults({"tools": [{"type": "agentcore_browser"}], "allowedTools": ["@anything"]}) == []
    assert faults(tools=[Tool.browser(name=TOKEN)], allowed_tools=["@anything"]) == []


# Model


@pytest.mark.parametrize("api_format", ["responses", "chat_completions"])
def test_a_guardrail_needs_converse_stream(api_format: Any) -> None:
    guardrail = {"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"}}
    (said,) = faults(model=Model.bedrock("m", api_format=api_format, additional_params=guardrail))
    assert said == (
        "model.bedrockModelConfig.additionalParams.guardrailConfig: must be used with apiFormat converse_stream; "
        f"received apiFormat '{api_format}' ({len(api_format)} characters); "
        "leave api_format out, or remove the guardrail."
    )
    for accepted in (None, "converse_stream", TOKEN):
        assert faults(model=Model.bedrock("m", api_format=accepted, additional_params=guardrail)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("guardrail", "said"),
    [
        ("abc", ": must be a JSON object; received 'abc' (3 characters)"),
        ({}, ".guardrailIdentifier: must be given; received nothing; name the guardrail and its version."),
        ({"guardrailIdentifier": "A B", "guardrailVersion": "1"}, ".guardrailIdentifier: must be the id or ARN"),
        ({"guardrailIdentifier": "abc", "guardrailVersion": 1}, ".guardrailVersion: must be a guardrail version"),
        ({"guardrailIdentifier": "abc", "guardrailVersion": "0"}, ".guardrailVersion: must be a guardrail version"),
        (
            {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT", "trace": "on"},
            ".trace: must be 'enabled', 'disabled' or 'enabled_full'; received 'on' (2 characters)",
        ),
    ],
)
def test_the_form_of_a_guardrail(guardrail: Any, said: str) -> None:
    found = faults(model=Model.bedrock("m", additional_params={"guardrailConfig": guardrail}))
    assert found[0].startswith(f"model.bedrockModelConfig.additionalParams.guardrailConfig{said}")


def test_a_guardrail_of_tokens() -> None:
    for guardrail in ({"guardrailIdentifier": TOKEN, "guardrailVersion": TOKEN, "trace": TOKEN}, TOKEN):
        assert faults(model=Model.bedrock("m", additional_params={"guardrailConfig": guardrail})) == []


def test_openai_and_gemini_need_an_api_key() -> None:
    for kind in ("openAiModelConfig", "geminiModelConfig"):
        (said,) = faults({"model": {kind: {"modelId": "m"}}})
        assert said.startswith(
            f"model.{kind}.apiKeyArn: must be given and be the ARN of an API-key credential provider"
        )
    assert faults({"model": {"liteLlmModelConfig": {"modelId": "m"}}}) == []


# Memory


def test_memory_strategies_are_named_once() -> None:
    assert faults(memory=Memory.managed(strategies=["SEMANTIC", "EPISODIC", "SEMANTIC"])) == [
        (
            "memory.managedMemoryConfiguration.strategies: must name each strategy once; "
            "received SEMANTIC twice; remove one."
        )
    ]


def test_the_arn_of_a_managed_memory_is_read_only() -> None:
    (said,) = faults({"memory": {"managedMemoryConfiguration": {"arn": "arn:x"}}})
    assert said == (
        "memory.managedMemoryConfiguration.arn: must not be written here: it is read-only: the service makes the "
        "memory and answers with its ARN; received the key; remove it, or write agentCoreMemoryConfiguration to "
        "bring a memory of your own."
    )


# Truncation


@pytest.mark.parametrize(
    ("strategy", "member", "must"),
    [
        ("sliding_window", "summarization", "must have the member slidingWindow, since the strategy is sliding_window"),
        ("summarization", "slidingWindow", "must have the member summarization, since the strategy is summarization"),
        ("none", "slidingWindow", "must be left out, since the strategy is none"),
    ],
)
def test_the_truncation_configuration_is_that_of_the_strategy(strategy: str, member: str, must: str) -> None:
    assert faults({"truncation": {"strategy": strategy, "config": {member: {}}}}) == [
        f"truncation.config: {must}; received {member}; make the strategy and its config agree."
    ]


@pytest.mark.parametrize(
    "truncation", [Truncation.none(), Truncation.sliding_window(1), Truncation.summarization(ratio=1)]
)
def test_truncations(truncation: Any) -> None:
    assert faults(truncation=truncation) == []


# Hooks


def test_hook_names_are_unique_among_all_events() -> None:
    hooks = [Hook.before_invocation("a", TOPIC), Hook.after_invocation("b", TOPIC), Hook.after_tool_call("a", TOPIC)]
    assert faults(hooks=hooks) == [
        (
            "hooks[2].afterToolCall.name: must be unique among the hooks; received 'a' (1 character), the name of "
            "hooks[0].beforeInvocation too; choose another name."
        )
    ]
    assert faults(hooks=[Hook.before_invocation(TOKEN, TOPIC), Hook.after_invocation(TOKEN, TOPIC)]) == []


# Environment


def test_idle_timeout_and_lifetime() -> None:
    assert faults(environment=Environment.public(idle_timeout=601, max_lifetime=600)) == [
        (
            "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.idleRuntimeSessionTimeout: must not be "
            "greater than maxLifetime (600 seconds); received 601; shorten the idle timeout or lengthen the lifetime."
        )
    ]
    assert faults(environment=Environment.public(idle_timeout=600, max_lifetime=600)) == []
    assert faults(environment=Environment.public(idle_timeout=600, max_lifetime=-1.8881545897087518e289)) == []  # type: ignore[arg-type]


def network(mode: str, **config: Any) -> dict[str, Any]:
    return {"environment": {"agentCoreRuntimeEnvironment": {"networkConfiguration": {"networkMode": mode, **config}}}}


NETWORK = "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig"
PLACE = {"subnets": ["subnet-12345678"], "securityGroups": ["sg-12345678"]}


def test_a_vpc_needs_a_place_and_public_has_none() -> None:
    assert faults(network("VPC")) == [
        f"{NETWORK}: must be given for networkMode VPC; received nothing; add subnets and securityGroups."
    ]
    assert faults(network("PUBLIC", networkModeConfig=PLACE)) == [
        (
            f"{NETWORK}: must be left out for networkMode PUBLIC; received a VPC configuration; remove it, or write "
            "networkMode VPC."
        )
    ]
    assert faults(network("VPC", networkModeConfig=PLACE)) == []
    assert faults(network(TOKEN)) == []


MOUNTS = "environment.agentCoreRuntimeEnvironment.filesystemConfigurations"


@pytest.mark.parametrize(
    ("mount", "kind"),
    [
        (FileSystem.efs(EFS, "/mnt/x"), "efsAccessPoint"),
        (FileSystem.s3_files(S3_FILES, "/mnt/x"), "s3FilesAccessPoint"),
    ],
)
def test_shared_file_systems_need_a_vpc(mount: Any, kind: str) -> None:
    assert faults(environment=Environment.public(filesystems=[mount])) == [
        (
            f"{MOUNTS}[0].{kind}: must be used with networkMode VPC; received networkMode PUBLIC; use "
            "Environment.vpc(…) with subnets that reach the mount targets."
        )
    ]
    bare = {"environment": {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": [mount]}}}
    assert "received no network configuration, which means PUBLIC" in faults(bare)[0]
    assert faults(environment=Environment.vpc(**VPC, filesystems=[mount])) == []  # type: ignore[arg-type]


def test_session_storage_needs_no_vpc() -> None:
    assert faults(environment=Environment.public(filesystems=[FileSystem.session("/mnt/x")])) == []


@pytest.mark.parametrize(
    ("make", "most", "what"),
    [
        (FileSystem.session, 1, "session storage (sessionStorage)"),
        (lambda path: FileSystem.efs(EFS, path), 2, "EFS access points (efsAccessPoint)"),
        (lambda path: FileSystem.s3_files(S3_FILES, path), 2, "S3 Files access points (s3FilesAccessPoint)"),
    ],
)
def test_how_many_mounts_of_a_kind(make: Any, most: int, what: str) -> None:
    def mounted(count: int) -> list[str]:
        filesystems = [make(f"/mnt/{index}") for index in range(count)]
        return faults(environment=Environment.vpc(**VPC, filesystems=filesystems))  # type: ignore[arg-type]

    assert mounted(most) == []
    assert mounted(most + 1) == [f"{MOUNTS}: must hold at most {most} {what}; received {most + 1}; remove the others."]


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize(("dots", "what"), [(".", "/mnt itself"), ("..", "the directory above /mnt")])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (FileSystem.session, "sessionStorage"),
        (lambda path: FileSystem.efs(EFS, path), "efsAccessPoint"),
        (lambda path: FileSystem.s3_files(S3_FILES, path), "s3FilesAccessPoint"),
        (lambda path: FileSystem.capacity_provider_volume("models", path), "capacityProviderVolume"),
    ],
)
def test_a_mount_path_has_a_name(make: Any, kind: str, dots: str, what: str, end: str) -> None:
    path = f"/mnt/{dots}{end}"
    (said,) = faults(environment=Environment.vpc(**VPC, filesystems=[make(path)]))  # type: ignore[arg-type]
    assert said == (
        f"{MOUNTS}[0].{kind}.mountPath: must have a name after /mnt/; received '{path}' ({len(path)} characters), "
        f"which is {what}; mount it at a path such as /mnt/data."
    )


@pytest.mark.parametrize("path", ["/mnt/...", "/mnt/.cache", "/mnt/..a", "/mnt/a."])
def test_a_mount_path_may_have_dots(path: str) -> None:
    assert faults(environment=Environment.public(filesystems=[FileSystem.session(path)])) == []


def test_mount_paths_are_unique() -> None:
    twice = [FileSystem.session("/mnt/data"), FileSystem.efs(EFS, "/mnt/data/")]
    assert faults(environment=Environment.vpc(**VPC, filesystems=twice)) == [  # type: ignore[arg-type]
        (
            f"{MOUNTS}[1]: must be mounted at a path of its own; received '/mnt/data', where {MOUNTS}[0] is mounted; "
            "choose another path."
        )
    ]
    tokens = [FileSystem.session(TOKEN), FileSystem.efs(EFS, TOKEN)]
    assert faults(environment=Environment.vpc(**VPC, filesystems=tokens)) == []  # type: ignore[arg-type]


# Authorizer

JWT = "authorizerConfiguration.customJWTAuthorizer"


def test_an_authorizer_asks_for_something() -> None:
    assert faults(authorizer_configuration=Authorizer.jwt(DISCOVERY)) == [
        (
            f"{JWT}: must ask for at least one of allowedAudience, allowedClients, allowedScopes and customClaims; "
            "received none of them; add one: otherwise every token of the identity provider would do."
        )
    ]
    for asked in ({"audiences": ["a"]}, {"clients": ["a"]}, {"scopes": ["a"]}, {"claims": [Claim.equals("a", "b")]}):
        assert faults(authorizer_configuration=Authorizer.jwt(DISCOVERY, **asked)) == []  # type: ignore[arg-type]


def test_advertised_scopes_are_allowed_scopes() -> None:
    made = Authorizer.jwt(DISCOVERY, scopes=["a/b"], advertised_scopes={"a/b": "x", "c/d": "y"})
    assert faults(authorizer_configuration=made) == [
        (
            f"{JWT}.advertisedScopeMapping[\"c/d\"]: must be a scope of allowedScopes; received 'c/d' (3 "
            "characters); add it to allowedScopes, or remove it here."
        )
    ]
    none = Authorizer.jwt(DISCOVERY, clients=["a"], advertised_scopes={"a": "x"})
    assert "must be a scope of allowedScopes" in faults(authorizer_configuration=none)[0]
    for scopes in ([TOKEN], ["#{Token[TOKEN.1]}"]):
        unknown = Authorizer.jwt(DISCOVERY, scopes=scopes, advertised_scopes={"a": "x"})
        assert faults(authorizer_configuration=unknown) == []


def test_a_certificate_needs_a_private_endpoint() -> None:
    certificate = Certificate.s3("s3://bucket/ca.pem")
    assert faults(authorizer_configuration=Authorizer.jwt(DISCOVERY, clients=["a"], certificates=[certificate])) == [
        (
            f"{JWT}.certificateConfigurations: must be used together with privateEndpoint; received no "
            "privateEndpoint; add the private endpoint, or remove the certificate."
        )
    ]
    endpoint = PrivateEndpoint.lattice("rcfg-0123456789abcdefg")
    made = Authorizer.jwt(DISCOVERY, clients=["a"], certificates=[certificate], private_endpoint=endpoint)
    assert faults(authorizer_configuration=made) == []


def claim(kind: str, operator: str, **value: Any) -> dict[str, Any]:
    match = {"claimMatchValue": value, "claimMatchOperator": operator}
    claims = [{"inboundTokenClaimName": "n", "inboundTokenClaimValueType": kind, "authorizingClaimMatchValue": match}]
    return {"authorizerConfiguration": {"customJWTAuthorizer": {"discoveryUrl": DISCOVERY, "customClaims": claims}}}


ONE = {"matchValueString": "v"}
MANY = {"matchValueStringList": ["v"]}


@pytest.mark.parametrize(
    ("kind", "operator", "value"),
    [("STRING", "EQUALS", ONE), ("STRING_ARRAY", "CONTAINS", ONE), ("STRING_ARRAY", "CONTAINS_ANY", MANY)],
)
def test_claims_that_go_together(kind: str, operator: str, value: dict[str, Any]) -> None:
    assert faults(claim(kind, operator, **value)) == []


@pytest.mark.parametrize(
    ("kind", "operator", "value", "allowed", "wanted"),
    [
        ("STRING", "CONTAINS", ONE, "EQUALS", "STRING_ARRAY"),
        ("STRING", "CONTAINS_ANY", MANY, "EQUALS", "STRING_ARRAY"),
        ("STRING_ARRAY", "EQUALS", ONE, "CONTAINS or CONTAINS_ANY", "STRING"),
    ],
)
def test_operators_that_do_not_fit_the_claim(
    kind: str, operator: str, value: dict[str, Any], allowed: str, wanted: str
) -> None:
    where = f"{JWT}.customClaims[0].authorizingClaimMatchValue.claimMatchOperator"
    assert faults(claim(kind, operator, **value)) == [
        (
            f"{where}: must be {allowed} for a claim of type {kind}; received '{operator}'; write {allowed}, or "
            f"inboundTokenClaimValueType {wanted}."
        )
    ]


@pytest.mark.parametrize(
    ("kind", "operator", "value", "member", "other"),
    [
        ("STRING", "EQUALS", MANY, "matchValueString", "matchValueStringList"),
        ("STRING_ARRAY", "CONTAINS", MANY, "matchValueString", "matchValueStringList"),
        ("STRING_ARRAY", "CONTAINS_ANY", ONE, "matchValueStringList", "matchValueString"),
    ],
)
def test_values_that_do_not_fit_the_operator(
    kind: str, operator: str, value: dict[str, Any], member: str, other: str
) -> None:
    where = f"{JWT}.customClaims[0].authorizingClaimMatchValue.claimMatchValue"
    assert faults(claim(kind, operator, **value)) == [
        f"{where}: must have the member {member} for the operator {operator}; received {other}; write {member}."
    ]


# Endpoint


def endpoint_faults(**values: Any) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessEndpointConfig.create(**values)
    assert str(caught.value).startswith("The endpoint configuration has ")
    return [str(fault) for fault in caught.value.faults]


def test_an_endpoint() -> None:
    made = HarnessEndpointConfig.create(
        harness_id="agent-0123456789", endpoint_name="PROD", target_version="3", description="d", tags={"a": "b"}
    )
    assert made.to_api() == {
        "harnessId": "agent-0123456789",
        "endpointName": "PROD",
        "targetVersion": "3",
        "description": "d",
        "tags": {"a": "b"},
    }
    assert made.to_cfn()["Tags"] == [{"Key": "a", "Value": "b"}]


def test_the_default_endpoint_is_the_services_own() -> None:
    assert endpoint_faults(harness_id="agent-0123456789", endpoint_name="DEFAULT") == [
        (
            "endpointName: must be a name of its own; received 'DEFAULT', which every harness has; choose another "
            "name, or call the harness without a qualifier."
        )
    ]


@pytest.mark.parametrize(
    ("field", "wrong", "right"),
    [
        ("endpoint_name", ["pre-prod", "1a", "a" * 49, ""], ["a" * 48, "A_1"]),
        ("harness_id", ["agent", "agent-012345678", f"{'a' * 41}-0123456789"], [f"{'a' * 40}-0123456789", TOKEN]),
        ("target_version", ["0", "100000", "", "v1", 1], ["1", "99999", TOKEN]),
        ("description", ["", "a" * 257], ["a", "a" * 256]),
        ("tags", [{"aws:x": "y"}, {f"k{i}": "v" for i in range(51)}], [{f"k{i}": "v" for i in range(50)}, {}]),
    ],
)
def test_limits_of_an_endpoint(field: str, wrong: list[Any], right: list[Any]) -> None:
    values: dict[str, Any] = {"harness_id": "agent-0123456789", "endpoint_name": "PROD"}
    for value in wrong:
        assert len(endpoint_faults(**{**values, field: value})) == 1
    for value in right:
        HarnessEndpointConfig.create(**{**values, field: value})
