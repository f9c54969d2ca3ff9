"""One stack per capability of the constructs, written as a user would.

Template snapshots, cfn-lint and cdk-nag all run over these, so a capability that is added here is covered by each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import (
    aws_bedrockagentcore as agentcore,
)
from aws_cdk import (
    aws_dynamodb as dynamodb,
)
from aws_cdk import (
    aws_ec2 as ec2,
)
from aws_cdk import (
    aws_ecr as ecr,
)
from aws_cdk import (
    aws_efs as efs,
)
from aws_cdk import (
    aws_events as events,
)
from aws_cdk import (
    aws_iam as iam,
)
from aws_cdk import (
    aws_kms as kms,
)
from aws_cdk import (
    aws_lambda as lambda_,
)
from aws_cdk import (
    aws_s3 as s3,
)
from aws_cdk import (
    aws_s3files as s3files,
)
from aws_cdk import (
    aws_sns as sns,
)

from agentcore_constructs import (
    Authorizer,
    Claim,
    Environment,
    FileSystem,
    GatewayAuth,
    Guardrail,
    Harness,
    HarnessEndpoint,
    HarnessExecutionRole,
    HarnessImage,
    Hook,
    HookTarget,
    Memory,
    Model,
    Retrieval,
    Skill,
    Tool,
    Truncation,
    Version,
)

from . import (
    capabilities_batch,
    capabilities_gateway,
    capabilities_image,
    capabilities_memory,
    capabilities_network,
    capabilities_patterns,
    capabilities_skills,
    capabilities_tools,
    capabilities_workflows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

ACCOUNT = "111122223333"
REGION = "us-east-1"
AGENTCORE = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}"
API_KEY = f"{AGENTCORE}:token-vault/default/apikeycredentialprovider/provider-key"
HARNESS_ARN = f"{AGENTCORE}:harness/Research-0123456789"


def minimal(stack: Construct) -> None:
    Harness(stack, "Agent")


def bedrock_guardrail(stack: Construct) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    model = Model.bedrock(
        "eu.amazon.nova-pro-v1:0",
        temperature=0.2,
        max_tokens=2000,
        guardrail=Guardrail("abc123", "1", trace="enabled", encryption_key=key),
    )
    Harness(stack, "Agent", model=model)


def bedrock_formats(stack: Construct) -> None:
    Harness(stack, "Responses", model=Model.bedrock("openai.gpt-oss-120b-1:0", api_format="responses"))
    Harness(stack, "Completions", model=Model.bedrock("openai.gpt-oss-120b-1:0", api_format="chat_completions"))


def third_party_models(stack: Construct) -> None:
    Harness(stack, "OpenAi", model=Model.openai("gpt-5", api_key=API_KEY, api_base="https://models.example.com/v1"))
    Harness(stack, "Gemini", model=Model.gemini("gemini-3-pro", api_key=API_KEY, additional_params={"a": {"b": 1}}))
    Harness(stack, "LiteLlm", model=Model.litellm("mistral/large", api_key=API_KEY, api_base="https://m.example.com"))


def gateway_tools(stack: Construct) -> None:
    signed = agentcore.GatewayAuthorizer.using_aws_iam()
    gateway = agentcore.Gateway(stack, "Gateway", gateway_name="orders", authorizer_configuration=signed)
    provider = f"{AGENTCORE}:token-vault/default/oauth2credentialprovider/orders"
    tools = [
        Tool.gateway(gateway, name="orders"),
        Tool.gateway(f"{AGENTCORE}:gateway/public-0123456789", name="public", outbound_auth=GatewayAuth.none()),
        Tool.gateway(
            f"{AGENTCORE}:gateway/partner-0123456789",
            name="partner",
            outbound_auth=GatewayAuth.oauth(provider, scopes=["orders/read"]),
        ),
    ]
    Harness(stack, "Agent", tools=tools, allowed_tools=["@orders/*", "@public/*", "@partner/*"])


def built_in_tools(stack: Construct) -> None:
    Harness(stack, "Default", tools=[Tool.browser(), Tool.code_interpreter()])
    browser = agentcore.BrowserCustom(stack, "Browser", browser_custom_name="research")
    interpreter = agentcore.CodeInterpreterCustom(stack, "Interpreter", code_interpreter_custom_name="python")
    Harness(stack, "Custom", tools=[Tool.browser(browser), Tool.code_interpreter(interpreter)])


def other_tools(stack: Construct) -> None:
    schema = {"type": "object", "properties": {"orderId": {"type": "string"}}, "required": ["orderId"]}
    tools = [
        Tool.remote_mcp(
            "https://mcp.example.com/mcp", name="docs", headers={"Authorization": f"Bearer ${{{API_KEY}}}"}
        ),
        Tool.inline("refund", description="Refunds an order.", input_schema=schema),
    ]
    Harness(stack, "Agent", tools=tools)


def memory_managed(stack: Construct) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    memory = Memory.managed(strategies=["SEMANTIC", "EPISODIC"], expiry=cdk.Duration.days(90), encryption_key=key)
    Harness(stack, "Agent", memory=memory)


def memory_existing(stack: Construct) -> None:
    memory = agentcore.Memory(stack, "Memory", memory_name="customers")
    retrieval = {"/facts/{actorId}/": Retrieval(top_k=5, relevance_score=0.4)}
    Harness(stack, "Agent", memory=Memory.existing(memory, messages_count=20, retrieval=retrieval))


def memory_disabled(stack: Construct) -> None:
    Harness(stack, "Agent", memory=Memory.disabled())


def skills(stack: Construct) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="agent-skills", encryption_key=key)
    Harness(
        stack,
        "Agent",
        skills=[
            Skill.aws("core-skills/*"),
            Skill.s3(bucket, "report/v1"),
            Skill.s3("s3://whole-bucket"),
            Skill.git("https://git.example.com/public.git"),
            Skill.git("https://git.example.com/private.git", path="skills/report", credential=API_KEY),
            Skill.path("/opt/skills/local"),
        ],
    )


def vpc_filesystems(stack: Construct) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a", "us-east-1b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, description="Sessions of the agent")
    file_system = efs.FileSystem(stack, "Files", vpc=vpc)
    access_point = efs.AccessPoint(stack, "AccessPoint", file_system=file_system)
    bucket_files = s3files.CfnAccessPoint(stack, "BucketFiles", file_system_id="fs-0123456789abcdef0")
    Harness(
        stack,
        "Agent",
        environment=Environment.vpc(
            subnets=vpc.private_subnets, security_groups=[group], idle_timeout=cdk.Duration.minutes(10)
        ),
        filesystems=[
            FileSystem.session("/mnt/session"),
            FileSystem.efs(access_point, "/mnt/shared"),
            FileSystem.s3_files(bucket_files, "/mnt/bucket", read_only=True),
        ],
    )


def image(stack: Construct) -> None:
    repository = ecr.Repository(stack, "Repository", image_scan_on_push=True)
    Harness(stack, "Agent", image=HarnessImage.from_ecr(repository, tag="1.2.3"))


def hooks(stack: Construct) -> None:
    function = lambda_.Function.from_function_arn(
        stack, "Function", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:guard"
    )
    topic = sns.Topic(stack, "Topic", enforce_ssl=True, master_key=kms.Key(stack, "Key", enable_key_rotation=True))
    bus = events.EventBus(stack, "Bus")
    Harness(
        stack,
        "Agent",
        hooks=[
            Hook.before_invocation("guard", HookTarget.function(function, timeout=cdk.Duration.seconds(5))),
            Hook.before_tool_call("ask", function, failure_mode="allow"),
            Hook.after_tool_call("tell", topic),
            Hook.after_invocation("record", bus),
        ],
    )


def jwt_authorizer(stack: Construct) -> None:
    authorizer = Authorizer.jwt(
        "https://id.example.com/.well-known/openid-configuration",
        audiences=["agents"],
        scopes=["agents/invoke"],
        claims=[Claim.contains("roles", "admin")],
        advertised_scopes={"agents/invoke": "api://agents/invoke"},
    )
    Harness(stack, "Agent", authorizer=authorizer)


def limits(stack: Construct) -> None:
    Harness(
        stack,
        "Agent",
        system_prompt=["You are thorough.", "You are brief."],
        truncation=Truncation.summarization(ratio=0.3, preserve_recent=10),
        max_iterations=20,
        max_tokens=50_000,
        timeout=cdk.Duration.minutes(10),
        environment_variables={"LOG_LEVEL": "debug"},
        tags={"team": "agents"},
    )


def endpoints(stack: Construct) -> None:
    harness = Harness(stack, "Agent")
    harness.add_endpoint("PROD", version=Version.pinned(3), description="What customers use")
    harness.add_endpoint("BETA")
    harness.add_outputs()
    imported = Harness.from_harness_arn(stack, "Elsewhere", HARNESS_ARN)
    HarnessEndpoint(
        stack, "Extra", harness=imported, endpoint_name="EXTRA", version=Version.pinned(1), tags={"team": "agents"}
    )


def callers(stack: Construct) -> None:
    harness = Harness(stack, "Agent")
    endpoint = harness.add_endpoint("PROD")
    trust = iam.ServicePrincipal("states.amazonaws.com")
    harness.grant_invoke(iam.Role(stack, "Any", assumed_by=trust))
    endpoint.grant_invoke(iam.Role(stack, "One", assumed_by=trust))
    endpoint.grant_run_command(iam.Role(stack, "Commands", assumed_by=trust))


def what_the_agent_may_reach(stack: Construct) -> None:
    harness = Harness(stack, "Agent")
    table = dynamodb.TableV2(
        stack,
        "Orders",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
    )
    table.grant_read_data(harness)
    harness.add_to_role_policy(
        iam.PolicyStatement(
            actions=["ses:SendEmail"], resources=[f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com"]
        )
    )
    harness.allow_override(model=Model.bedrock("global.anthropic.claude-opus-4-6-v1"), tools=[Tool.browser()])


def imported_role(stack: Construct) -> None:
    Harness(stack, "Agent", execution_role=f"arn:aws:iam::{ACCOUNT}:role/agents/Research")


def shared_role(stack: Construct) -> None:
    role = HarnessExecutionRole(stack, "Role", path="/agents/")
    Harness(stack, "One", execution_role=role)
    Harness(stack, "Two", execution_role=role, tools=[Tool.browser()], memory=Memory.disabled())


def role_alone(stack: Construct) -> None:
    role = HarnessExecutionRole(
        stack,
        "Role",
        harness_name="research",
        config={"tools": [{"type": "agentcore_browser", "name": "browser"}]},
    )
    role.grant_managed_memory(f"{AGENTCORE}:memory/research-0123456789")


CAPABILITIES: dict[str, Callable[[Construct], None]] = {
    build.__name__: build
    for build in (
        minimal,
        bedrock_guardrail,
        bedrock_formats,
        third_party_models,
        gateway_tools,
        built_in_tools,
        other_tools,
        memory_managed,
        memory_existing,
        memory_disabled,
        skills,
        vpc_filesystems,
        image,
        hooks,
        jwt_authorizer,
        limits,
        endpoints,
        callers,
        what_the_agent_may_reach,
        imported_role,
        shared_role,
        role_alone,
        *capabilities_batch.CAPABILITIES,
        *capabilities_patterns.CAPABILITIES,
        *capabilities_gateway.CAPABILITIES,
        *capabilities_image.CAPABILITIES,
        *capabilities_memory.CAPABILITIES,
        *capabilities_network.CAPABILITIES,
        *capabilities_skills.CAPABILITIES,
        *capabilities_tools.CAPABILITIES,
        *capabilities_workflows.CAPABILITIES,
    )
}
