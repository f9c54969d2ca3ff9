"""Every factory makes the API's shape, from literals and from CDK objects, created and imported."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3files as s3files
from aws_cdk import aws_sns as sns

from agentcore_constructs import ToolGateway
from agentcore_constructs.config import (
    Authorizer,
    Certificate,
    Claim,
    Environment,
    FileSystem,
    GatewayAuth,
    Guardrail,
    HarnessConfig,
    HarnessConfigError,
    HarnessImage,
    Hook,
    HookTarget,
    MCPAuth,
    Memory,
    Model,
    PrivateEndpoint,
    Retrieval,
    Skill,
    Tool,
    Truncation,
)
from agentcore_constructs.config.render import render

PROVIDER = "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/apikeycredentialprovider/key"
GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/orders-0123456789"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:guard"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/bus"
DISCOVERY = "https://id.example.com/.well-known/openid-configuration"


def api(node: Any) -> Any:
    return render(node, "api")


def test_bedrock_model() -> None:
    assert api(Model.bedrock("m")) == {"bedrockModelConfig": {"modelId": "m"}}
    full = Model.bedrock(
        "m", max_tokens=1, temperature=0, top_p=1, api_format="responses", additional_params={"a": {"b": 1}}
    )
    assert api(full) == {
        "bedrockModelConfig": {
            "modelId": "m",
            "maxTokens": 1,
            "temperature": 0,
            "topP": 1,
            "apiFormat": "responses",
            "additionalParams": {"a": {"b": 1}},
        }
    }


def test_guardrail_joins_other_parameters() -> None:
    model = Model.bedrock("m", guardrail=Guardrail("abc", "2", trace="enabled"), additional_params={"a": 1})
    assert api(model)["bedrockModelConfig"]["additionalParams"] == {
        "a": 1,
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "2", "trace": "enabled"},
    }
    assert model.bedrock_model_config is not None
    assert model.bedrock_model_config.guardrail == {
        "guardrailIdentifier": "abc",
        "guardrailVersion": "2",
        "trace": "enabled",
    }
    assert Model.bedrock("m").bedrock_model_config.guardrail is None  # type: ignore[union-attr]


def test_guardrail_arn_is_known_from_the_arn_and_from_the_construct(stack: cdk.Stack) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc"
    assert Guardrail(arn, "1").arn == arn
    assert Guardrail("abc", "1").arn is None
    construct = bedrock.CfnGuardrail(stack, "G", name="g", blocked_input_messaging="no", blocked_outputs_messaging="no")
    key = kms.Key(stack, "K")
    made = Model.bedrock("m", guardrail=Guardrail(construct, "DRAFT", encryption_key=key)).bedrock_model_config
    assert made is not None
    assert made.guardrail_arn == construct.attr_guardrail_arn
    assert made.guardrail_key_arn == key.key_arn
    assert made.guardrail is not None
    assert made.guardrail["guardrailIdentifier"] == construct.attr_guardrail_id
    HarnessConfig.create(model=Model.bedrock("m", guardrail=Guardrail(construct, "DRAFT")))


def test_other_models(stack: cdk.Stack) -> None:
    provider = agentcore.ApiKeyCredentialProvider(stack, "Key", api_key=cdk.SecretValue.unsafe_plain_text("x"))
    assert api(Model.openai("gpt", api_key=PROVIDER, api_base="https://x", api_format="responses")) == {
        "openAiModelConfig": {
            "modelId": "gpt",
            "apiKeyArn": PROVIDER,
            "apiBase": "https://x",
            "apiFormat": "responses",
        }
    }
    assert api(Model.gemini("g", api_key=provider, top_k=3)) == {
        "geminiModelConfig": {"modelId": "g", "apiKeyArn": provider.credential_provider_arn, "topK": 3}
    }
    assert api(Model.litellm("a/b")) == {"liteLlmModelConfig": {"modelId": "a/b"}}
    HarnessConfig.create(model=Model.litellm("a/b", api_key=provider))


def test_tools_by_arn() -> None:
    assert api(Tool.gateway(GATEWAY, name="orders")) == {
        "type": "agentcore_gateway",
        "name": "orders",
        "config": {"agentCoreGateway": {"gatewayArn": GATEWAY}},
    }
    assert api(Tool.browser()) == {"type": "agentcore_browser", "name": "browser"}
    assert api(Tool.code_interpreter()) == {"type": "agentcore_code_interpreter", "name": "code_interpreter"}
    assert api(Tool.remote_mcp("https://x", name="x", headers={"A": "b"}, auth=MCPAuth.none())) == {
        "type": "remote_mcp",
        "name": "x",
        "config": {"remoteMcp": {"url": "https://x", "headers": {"A": "b"}, "outboundAuth": {"none": {}}}},
    }
    assert api(Tool.inline("f", description="d", input_schema={"type": "object"})) == {
        "type": "inline_function",
        "name": "f",
        "config": {"inlineFunction": {"description": "d", "inputSchema": {"type": "object"}}},
    }


def test_outbound_authentication() -> None:
    assert api(GatewayAuth.aws_iam()) == {"awsIam": {}}
    assert api(GatewayAuth.none()) == {"none": {}}
    assert api(
        GatewayAuth.oauth(
            "arn:x", scopes=["s"], custom_parameters={"a": "b"}, grant_type="TOKEN_EXCHANGE", default_return_url="x:y"
        )
    ) == {
        "oauth": {
            "providerArn": "arn:x",
            "scopes": ["s"],
            "customParameters": {"a": "b"},
            "grantType": "TOKEN_EXCHANGE",
            "defaultReturnUrl": "x:y",
        }
    }
    assert api(MCPAuth.aws_iam("lambda", region="us-east-1")) == {
        "awsIam": {"service": "lambda", "region": "us-east-1"}
    }


def test_tools_from_constructs(stack: cdk.Stack) -> None:
    signed = agentcore.GatewayAuthorizer.using_aws_iam()
    gateway = agentcore.Gateway(stack, "Gateway", gateway_name="orders", authorizer_configuration=signed)
    browser = agentcore.BrowserCustom(stack, "Browser", browser_custom_name="research")
    interpreter = agentcore.CodeInterpreterCustom(stack, "Interpreter", code_interpreter_custom_name="python")
    config = HarnessConfig.create(
        tools=[Tool.gateway(gateway, name="g"), Tool.browser(browser), Tool.code_interpreter(interpreter)]
    )
    configs = [tool["config"] for tool in config.to_api()["tools"]]
    assert configs == [
        {"agentCoreGateway": {"gatewayArn": gateway.gateway_arn}},
        {"agentCoreBrowser": {"browserArn": browser.browser_arn}},
        {"agentCoreCodeInterpreter": {"codeInterpreterArn": interpreter.code_interpreter_arn}},
    ]


OAUTH = GatewayAuth.oauth(
    "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/oauth2credentialprovider/shop", scopes=[]
)


def takes_tokens() -> Any:
    return agentcore.GatewayAuthorizer.using_custom_jwt(discovery_url=DISCOVERY, allowed_clients=["agents"])


open_to_all = agentcore.GatewayAuthorizer.with_no_auth


@pytest.mark.parametrize(
    ("kind", "authorizer", "auth", "sentence"),
    [
        (
            agentcore.Gateway,  # the CDK gives it a user pool unless something is said
            None,
            None,
            (
                "must be oauth, since the gateway takes tokens of an identity provider; received awsIam, which is what "
                "is done unless something is said; write outbound_auth=GatewayAuth.oauth(<provider>, scopes=[…]), or "
                "have the gateway's callers use IAM."
            ),
        ),
        (ToolGateway, takes_tokens, GatewayAuth.none(), "takes tokens of an identity provider; received none; write"),
        (
            ToolGateway,
            None,
            OAUTH,
            (
                "must be awsIam, since the gateway's callers sign with IAM; received oauth; leave outbound_auth out, "
                "or give the gateway another authorizer."
            ),
        ),
        (ToolGateway, takes_tokens, OAUTH, None),
        (ToolGateway, None, GatewayAuth.aws_iam(), None),
        (ToolGateway, open_to_all, GatewayAuth.none(), None),
        (ToolGateway, open_to_all, None, None),
    ],
)
def test_the_way_to_a_gateway_is_one_that_it_takes(
    stack: cdk.Stack, kind: Any, authorizer: Any, auth: Any, sentence: str | None
) -> None:
    named = {} if authorizer is None else {"authorizer": authorizer()}
    tool = Tool.gateway(kind(stack, "Gateway", **named), name="g", outbound_auth=auth)
    if sentence is None:
        HarnessConfig.create(tools=[tool])
        return
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(tools=[tool])
    assert "tools[0].config.agentCoreGateway.outboundAuth: must be " in str(caught.value)
    assert sentence in str(caught.value)


def test_an_l1_gateway_tells_what_it_takes_too(stack: cdk.Stack) -> None:
    gateway = agentcore.CfnGateway(
        stack, "Gateway", authorizer_type="CUSTOM_JWT", name="g", protocol_type="MCP", role_arn="arn:aws:iam::1:role/x"
    )
    with pytest.raises(HarnessConfigError, match="must be oauth, since the gateway takes tokens"):
        HarnessConfig.create(tools=[Tool.gateway(gateway, name="g")])


def test_tools_from_imported_constructs(stack: cdk.Stack) -> None:
    """jsii wraps these in a proxy whose class knows none of their attributes."""
    gateway = agentcore.Gateway.from_gateway_attributes(
        stack,
        "Gateway",
        gateway_arn=GATEWAY,
        gateway_id="orders-0123456789",
        gateway_name="orders",
        role=iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/x"),
    )
    assert api(Tool.gateway(gateway))["config"] == {"agentCoreGateway": {"gatewayArn": GATEWAY}}


def test_skills(stack: cdk.Stack) -> None:
    assert api(Skill.path("/opt/x")) == {"path": "/opt/x"}
    assert api(Skill.s3("s3://bucket/x")) == {"s3": {"uri": "s3://bucket/x"}}
    assert api(Skill.s3("s3://bucket/", "x/")) == {"s3": {"uri": "s3://bucket/x/"}}
    assert api(Skill.s3("bucket", "/x")) == {"s3": {"uri": "s3://bucket/x/"}}
    assert api(Skill.s3("bucket")) == {"s3": {"uri": "s3://bucket"}}
    assert api(Skill.git("https://x/y")) == {"git": {"url": "https://x/y"}}
    assert api(Skill.git("https://x/y", path="a", credential=PROVIDER, username="u")) == {
        "git": {"url": "https://x/y", "path": "a", "auth": {"credentialArn": PROVIDER, "username": "u"}}
    }
    assert api(Skill.aws()) == {"awsSkills": {}}
    assert api(Skill.aws("a/*", "b")) == {"awsSkills": {"paths": ["a/*", "b"]}}
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Bucket", encryption_key=key)
    skill = Skill.s3(bucket, "report")
    assert api(skill) == {"s3": {"uri": f"s3://{bucket.bucket_name}/report/"}}
    assert skill.s3 is not None
    assert skill.s3.encryption_key_arn == key.key_arn
    imported = s3.Bucket.from_bucket_name(stack, "Imported", "imported-bucket")
    skill = Skill.s3(imported, "report")
    assert api(skill) == {"s3": {"uri": "s3://imported-bucket/report/"}}
    assert skill.s3 is not None
    assert skill.s3.encryption_key_arn is None
    HarnessConfig.create(skills=[skill, Skill.s3(bucket)])


def test_a_user_name_without_a_credential_is_refused() -> None:
    with pytest.raises(HarnessConfigError, match=r"skills\[0\]\.git\.auth\.credentialArn: must be given"):
        HarnessConfig.create(skills=[Skill.git("https://x/y", username="u")])


def test_memory(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    assert api(Memory.managed()) == {"managedMemoryConfiguration": {}}
    assert api(Memory.managed(strategies=["EPISODIC"], expiry=cdk.Duration.days(7), encryption_key=key)) == {
        "managedMemoryConfiguration": {
            "strategies": ["EPISODIC"],
            "eventExpiryDuration": 7,
            "encryptionKeyArn": key.key_arn,
        }
    }
    assert api(Memory.managed(expiry=9)) == {"managedMemoryConfiguration": {"eventExpiryDuration": 9}}
    assert api(Memory.disabled()) == {"disabled": {}}
    memory = agentcore.Memory(stack, "Memory", memory_name="customers")
    made = Memory.existing(
        memory,
        actor_id="a",
        messages_count=3,
        retrieval={"/facts/{actorId}/": Retrieval(top_k=5, relevance_score=0.5, strategy_id="s"), "/x/": Retrieval()},
    )
    assert api(made) == {
        "agentCoreMemoryConfiguration": {
            "arn": memory.memory_arn,
            "actorId": "a",
            "messagesCount": 3,
            "retrievalConfig": {
                "/facts/{actorId}/": {"topK": 5, "relevanceScore": 0.5, "strategyId": "s"},
                "/x/": {},
            },
        }
    }
    HarnessConfig.create(memory=made)


def test_environment(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    imported = ec2.SecurityGroup.from_security_group_id(stack, "Imported", "sg-0123456789abcdef0")
    private = vpc.private_subnets
    made = Environment.vpc(
        subnets=private,
        security_groups=[group, imported, "sg-12345678"],
        idle_timeout=cdk.Duration.minutes(5),
        max_lifetime=7200,
        require_service_s3_endpoint=True,
    )
    assert api(made) == {
        "agentCoreRuntimeEnvironment": {
            "lifecycleConfiguration": {"idleRuntimeSessionTimeout": 300, "maxLifetime": 7200},
            "networkConfiguration": {
                "networkMode": "VPC",
                "networkModeConfig": {
                    "securityGroups": [group.security_group_id, "sg-0123456789abcdef0", "sg-12345678"],
                    "subnets": [subnet.subnet_id for subnet in private],
                    "requireServiceS3Endpoint": True,
                },
            },
        }
    }
    selected = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    by_selection = Environment.vpc(subnets=selected, security_groups=[group])  # type: ignore[arg-type]
    network = api(by_selection)["agentCoreRuntimeEnvironment"]["networkConfiguration"]
    assert network["networkModeConfig"]["subnets"] == selected.subnet_ids
    tokens = cdk.Fn.split(",", cdk.Fn.import_value("Subnets"))
    HarnessConfig.create(environment=Environment.vpc(subnets=tokens, security_groups=tokens))
    assert api(Environment.public()) == {
        "agentCoreRuntimeEnvironment": {"networkConfiguration": {"networkMode": "PUBLIC"}}
    }


def test_filesystems(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    file_system = efs.FileSystem(stack, "Efs", vpc=vpc)
    point = file_system.add_access_point("Point")
    made = FileSystem.efs(point, "/mnt/efs", read_only=True)
    assert api(made) == {"efsAccessPoint": {"accessPointArn": point.access_point_arn, "mountPath": "/mnt/efs"}}
    assert made.efs_access_point is not None
    assert made.efs_access_point.file_system_arn == file_system.file_system_arn
    assert made.efs_access_point.read_only is True
    imported = efs.AccessPoint.from_access_point_id(stack, "Imported", "fsap-0123456789abcdef0")
    assert api(FileSystem.efs(imported, "/mnt/x"))["efsAccessPoint"]["accessPointArn"] == imported.access_point_arn
    files = s3files.CfnAccessPoint(stack, "Files", file_system_id="fs-0123456789abcdef0")
    assert api(FileSystem.s3_files(files, "/mnt/s")) == {
        "s3FilesAccessPoint": {"accessPointArn": files.attr_access_point_arn, "mountPath": "/mnt/s"}
    }
    assert api(FileSystem.session("/mnt/d")) == {"sessionStorage": {"mountPath": "/mnt/d"}}
    assert api(FileSystem.capacity_provider_volume("v", "/mnt/v")) == {
        "capacityProviderVolume": {"volumeName": "v", "mountPath": "/mnt/v"}
    }
    environment = Environment.public(filesystems=[FileSystem.session("/mnt/a")])
    more = environment.with_filesystems([FileSystem.session("/mnt/b")])
    mounts = api(more)["agentCoreRuntimeEnvironment"]["filesystemConfigurations"]
    assert [mount["sessionStorage"]["mountPath"] for mount in mounts] == ["/mnt/a", "/mnt/b"]


def test_an_imported_access_point_without_file_system_is_taken(stack: cdk.Stack) -> None:
    imported = efs.AccessPoint.from_access_point_id(stack, "Imported", "fsap-0123456789abcdef0")
    made = FileSystem.efs(imported, "/mnt/x", file_system_arn="arn:aws:elasticfilesystem:us-east-1:1:file-system/fs-1")
    assert made.efs_access_point is not None
    assert made.efs_access_point.file_system_arn == "arn:aws:elasticfilesystem:us-east-1:1:file-system/fs-1"


def test_images(stack: cdk.Stack) -> None:
    uri = "public.ecr.aws/docker/library/python:3.12"
    assert api(HarnessImage.from_uri(uri)) == {"containerConfiguration": {"containerUri": uri}}
    repository = ecr.Repository(stack, "Repository")
    made = HarnessImage.from_ecr(repository, tag="1.0")
    assert stack.resolve(api(made)) == stack.resolve(
        {"containerConfiguration": {"containerUri": f"{repository.repository_uri}:1.0"}}
    )
    assert made.container_configuration is not None
    assert made.container_configuration.repository_arn == repository.repository_arn
    digest = HarnessImage.from_ecr(repository, digest="sha256:" + "a" * 64)
    assert api(digest)["containerConfiguration"]["containerUri"].endswith("@sha256:" + "a" * 64)
    latest = HarnessImage.from_ecr(repository)
    assert api(latest)["containerConfiguration"]["containerUri"].endswith(":latest")
    with pytest.raises(HarnessConfigError, match="must be chosen by a tag or by a digest; received both"):
        HarnessConfig.create(environment_artifact=HarnessImage.from_ecr(repository, tag="a", digest="b"))


def test_hooks_recognise_their_targets(stack: cdk.Stack) -> None:
    function = lambda_.Function(
        stack, "F", runtime=lambda_.Runtime.PYTHON_3_13, handler="x.y", code=lambda_.Code.from_inline("x")
    )
    topic = sns.Topic(stack, "T", master_key=kms.Key(stack, "K"))
    bus = events.EventBus(stack, "B")
    hooks = [
        Hook.before_invocation("a", function, timeout=cdk.Duration.seconds(9), failure_mode="allow"),
        Hook.after_invocation("b", topic),
        Hook.before_tool_call("c", bus),
        Hook.after_tool_call("d", function.current_version),
    ]
    assert [api(hook) for hook in hooks] == [
        {
            "beforeInvocation": {
                "name": "a",
                "target": {"lambda": {"arn": function.function_arn, "timeoutSeconds": 9, "failureMode": "allow"}},
            }
        },
        {"afterInvocation": {"name": "b", "target": {"sns": {"arn": topic.topic_arn}}}},
        {"beforeToolCall": {"name": "c", "target": {"eventBridge": {"arn": bus.event_bus_arn}}}},
        {"afterToolCall": {"name": "d", "target": {"lambda": {"arn": function.current_version.function_arn}}}},
    ]
    sns_target = hooks[1].event.target.sns  # type: ignore[union-attr]
    assert sns_target is not None
    assert sns_target.encryption_key_arn == topic.master_key.key_arn  # type: ignore[union-attr]
    HarnessConfig.create(hooks=hooks)


def test_hooks_recognise_imported_targets(stack: cdk.Stack) -> None:
    function = lambda_.Function.from_function_arn(stack, "F", FUNCTION)
    topic = sns.Topic.from_topic_arn(stack, "T", TOPIC)
    bus = events.EventBus.from_event_bus_arn(stack, "B", BUS)
    targets = [
        api(Hook.before_invocation("a", target))["beforeInvocation"]["target"] for target in (function, topic, bus)
    ]
    assert targets == [{"lambda": {"arn": FUNCTION}}, {"sns": {"arn": TOPIC}}, {"eventBridge": {"arn": BUS}}]


def test_hooks_recognise_arns() -> None:
    targets = [api(Hook.before_invocation("a", arn))["beforeInvocation"]["target"] for arn in (FUNCTION, TOPIC, BUS)]
    assert targets == [{"lambda": {"arn": FUNCTION}}, {"sns": {"arn": TOPIC}}, {"eventBridge": {"arn": BUS}}]
    partial = f"arn:{cdk.Aws.PARTITION}:sns:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:topic"
    assert api(Hook.before_invocation("a", partial))["beforeInvocation"]["target"] == {"sns": {"arn": partial}}


def test_a_hook_target_that_is_not_known_at_synthesis_needs_its_kind() -> None:
    token = cdk.Fn.import_value("HookArn")
    with pytest.raises(
        HarnessConfigError, match=r"hooks\[0\]\.beforeInvocation\.target: must be a Lambda function, an SNS topic"
    ):
        HarnessConfig.create(hooks=[Hook.before_invocation("a", token)])
    for target in (HookTarget.function(token), HookTarget.topic(token), HookTarget.event_bus(token)):
        HarnessConfig.create(hooks=[Hook.before_invocation("a", target)])


def test_authorizer(stack: cdk.Stack) -> None:
    assert Authorizer.iam() is None
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    endpoint = PrivateEndpoint.managed_vpc(
        vpc, subnets=vpc.private_subnets, ip_address_type="IPV6", routing_domain="x.y", tags={"a": "b"}
    )
    made = Authorizer.jwt(
        DISCOVERY,
        audiences=["a"],
        clients=["c"],
        scopes=["s"],
        claims=[Claim.equals("n", "v"), Claim.contains("n", "v"), Claim.contains_any("n", ["v", "w"])],
        advertised_scopes={"s": "t"},
        private_endpoint=endpoint,
        private_endpoint_overrides={"d.example.com": PrivateEndpoint.lattice("rcfg-0123456789abcdefg")},
        certificates=[Certificate.s3("s3://bucket/ca.pem")],
        allowed_workloads=Authorizer.allowed_workloads(hosting_environments=[GATEWAY], workload_identities=["one"]),
    )
    jwt = api(made)["customJWTAuthorizer"]
    assert jwt["privateEndpoint"] == {
        "managedVpcResource": {
            "vpcIdentifier": vpc.vpc_id,
            "subnetIds": [subnet.subnet_id for subnet in vpc.private_subnets],
            "endpointIpAddressType": "IPV6",
            "tags": {"a": "b"},
            "routingDomain": "x.y",
        }
    }
    assert jwt["privateEndpointOverrides"] == [
        {
            "domain": "d.example.com",
            "privateEndpoint": {
                "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdefg"}
            },
        }
    ]
    assert [claim["authorizingClaimMatchValue"] for claim in jwt["customClaims"]] == [
        {"claimMatchValue": {"matchValueString": "v"}, "claimMatchOperator": "EQUALS"},
        {"claimMatchValue": {"matchValueString": "v"}, "claimMatchOperator": "CONTAINS"},
        {"claimMatchValue": {"matchValueStringList": ["v", "w"]}, "claimMatchOperator": "CONTAINS_ANY"},
    ]
    assert jwt["allowedWorkloadConfiguration"] == {
        "hostingEnvironments": [{"arn": GATEWAY}],
        "workloadIdentities": ["one"],
    }
    HarnessConfig.create(authorizer_configuration=made)


def test_truncation() -> None:
    assert api(Truncation.sliding_window()) == {"strategy": "sliding_window"}
    assert api(Truncation.sliding_window(5)) == {
        "strategy": "sliding_window",
        "config": {"slidingWindow": {"messagesCount": 5}},
    }
    assert api(Truncation.summarization()) == {"strategy": "summarization"}
    assert api(Truncation.summarization(ratio=0.3, preserve_recent=2, prompt="p")) == {
        "strategy": "summarization",
        "config": {
            "summarization": {
                "summaryRatio": 0.3,
                "preserveRecentMessages": 2,
                "summarizationSystemPrompt": "p",
            }
        },
    }
    assert api(Truncation.none()) == {"strategy": "none"}


def test_system_prompt_and_times_and_role(stack: cdk.Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/x")
    config = HarnessConfig.create(
        execution_role_arn=role, system_prompt=["one", "two"], timeout_seconds=cdk.Duration.minutes(2)
    )
    assert config.to_api() == {
        "executionRoleArn": "arn:aws:iam::123456789012:role/x",
        "systemPrompt": [{"text": "one"}, {"text": "two"}],
        "timeoutSeconds": 120,
    }
    assert HarnessConfig.create(system_prompt="one").to_api() == {"systemPrompt": [{"text": "one"}]}


def test_dicts_in_the_shape_of_the_api_may_stand_for_structures() -> None:
    config = HarnessConfig.create(
        model={"bedrockModelConfig": {"modelId": "m"}},  # type: ignore[arg-type]
        tools=[{"type": "agentcore_browser"}, Tool.code_interpreter()],  # type: ignore[list-item]
    )
    assert config.to_api() == {
        "model": {"bedrockModelConfig": {"modelId": "m"}},
        "tools": [{"type": "agentcore_browser"}, {"type": "agentcore_code_interpreter", "name": "code_interpreter"}],
    }


def refused(**values: Any) -> str:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(**values)
    return str(caught.value)


def test_an_inexact_duration_is_reported_with_the_rest() -> None:
    said = refused(memory=Memory.managed(expiry=cdk.Duration.hours(30)), max_tokens=0)
    assert "eventExpiryDuration: must be a whole number of days; received a Duration that is none" in said
    assert "maxTokens" in said


def test_an_object_of_another_kind_is_reported() -> None:
    assert "gatewayArn: must be the ARN of a gateway" in refused(tools=[Tool.gateway(object())])  # type: ignore[arg-type]
    said = refused(tools=[Skill.aws()])
    assert "tools[0]: must be a tool, made by Tool.gateway" in said
    assert "received an object of class HarnessSkill" in said


def test_what_only_a_function_can_do_is_not_asked_of_a_topic() -> None:
    said = refused(hooks=[Hook.after_tool_call("a", TOPIC, timeout=3)])
    assert "hooks[0].afterToolCall.target: must be a Lambda function for timeout and failureMode to apply" in said


def test_two_guardrails_are_reported() -> None:
    model = Model.bedrock("m", guardrail=Guardrail("a", "1"), additional_params={"guardrailConfig": {}})
    assert "must not hold guardrailConfig when a guardrail is given; received both" in refused(model=model)


def test_one_subnet_is_not_a_list_of_subnets() -> None:
    environment = Environment.vpc(subnets="subnet-12345678", security_groups=["sg-12345678"])
    assert "networkModeConfig.subnets: must be a list of subnets" in refused(environment=environment)


def test_a_factory_refuses_names_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'temprature'"):
        Model.bedrock("m", temprature=1)  # type: ignore[call-arg]


def test_an_id_for_a_guardrail_is_refused_with_all_the_rest() -> None:
    with pytest.raises(HarnessConfigError) as refused:
        HarnessConfig.create(model=Model.bedrock("m", temperature=3, guardrail="abc"))  # type: ignore[arg-type]
    assert [fault.path for fault in refused.value.faults] == [
        "model.bedrockModelConfig.temperature",
        "model.bedrockModelConfig.additionalParams",
    ]
    assert "pass guardrail=Guardrail('<id>', '<version>')" in str(refused.value)
