"""Every row of the permission table: a harness that uses the feature works with the role that was made for it, and
shows the documented symptom when the statement is gone (docs/local-permissions.md).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_bedrockagentcore
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3files as s3files
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from botocore.exceptions import ClientError, EventStreamError

from agentcore_constructs import (
    ApiKey,
    Environment,
    FileSystem,
    GatewayAuth,
    Guardrail,
    HarnessImage,
    Hook,
    HookTarget,
    Memory,
    Model,
    Skill,
    Tool,
)
from agentcore_constructs.harness.permissions import TABLE
from agentcore_local.agents.scripts import ToolCall, Turn
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Agent

MODEL = Model.bedrock("amazon.nova-pro-v1:0")
PROFILE = Model.bedrock("global.anthropic.claude-sonnet-4-6")


# --- symptoms ---------------------------------------------------------------------------------------------------------


class Works:
    """What an invocation looks like while nothing is missing."""

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        script(agent, lambda call: "fine")
        assert "messageStop" in [name for event in agent.say() for name in event]
        assert not told(caplog)

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        raise NotImplementedError


def told(caplog: Any) -> list[str]:
    """What the local cloud's log says of refusals."""
    return [record.getMessage() for record in caplog.records if "AccessDenied" in record.getMessage()]


@dataclass
class Stream(Works):
    """A `runtimeClientError` in the stream names the action."""

    action: str

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        with pytest.raises(EventStreamError) as caught:
            agent.say()
        assert "runtimeClientError" in str(caught.value)
        assert f"not authorized to perform: {self.action} on" in str(caught.value)


@dataclass
class NoSession(Works):
    """The session does not start: RuntimeClientError, HTTP 424, before any event."""

    action: str

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        with pytest.raises(ClientError) as caught:
            agent.say()
        assert caught.value.response["Error"]["Code"] == "RuntimeClientError"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert f"not authorized to perform: {self.action} on" in str(caught.value)


class NoTools(Works):
    """The model is shown no tools, and nothing says so."""

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        script(agent, lambda call: ",".join(sorted(call.tools)))
        assert text(agent.say()) == "file_operations,shell"

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        assert text(agent.say()) == ""


@dataclass
class ToolError(Works):
    """The tool answers the model with an error that names the action."""

    tool: str
    action: str

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        script(agent, lambda call: call.tool_result or Turn(tool_calls=[ToolCall(self.tool)]))
        assert "AccessDenied" not in text(agent.say())

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        assert f"not authorized to perform: {self.action} on" in text(agent.say())


@dataclass
class Squashed(Works):
    """Root is nobody on the mounted file system, and nobody may write there."""

    path: str

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        written = {"command": "create", "path": f"{self.path}/note", "file_text": "x"}
        script(agent, lambda call: call.tool_result or Turn(tool_calls=[ToolCall("file_operations", written)]))
        assert "Wrote 1 line" in text(agent.say())

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        assert "mounted read-only" in text(agent.say())


@dataclass
class Denied(Works):
    """The hook cannot be asked; its failure mode, deny, stops the invocation."""

    action: str

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        script(agent, lambda call: "fine")
        assert text(agent.say()) == "fine"

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        happened = agent.say()
        decided = [event["hookEvent"] for event in happened if "hookEvent" in event]
        assert (text(happened), decided[0]["decision"]) == ("", "deny")
        assert f"not authorized to perform: {self.action} on" in decided[0]["reason"]


@dataclass
class Silent(Works):
    """Nothing shows it but the local cloud's own log."""

    action: str

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        assert text(agent.say()) == "fine"
        end = time.monotonic() + 15
        while not told(caplog) and time.monotonic() < end:
            time.sleep(0.05)
        assert any(f"not authorized to perform: {self.action} on" in message for message in told(caplog))


@dataclass
class NoLogs(Silent):
    """There is nothing new in the agent's log group."""

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        super().works(agent, script, caplog)
        assert agent.log_events() > 0

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        before = agent.log_events()
        super().fails(agent, script, caplog)
        assert agent.log_events() == before


class Assumes(Works):
    """With the deny a role named by a caller is not assumed, even if the role could; without it it is."""

    def works(self, agent: Agent, script: Any, caplog: Any) -> None:
        script(agent, lambda call: "fine")
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
        iam = agent.account.client("iam")
        iam.put_role_policy(RoleName=agent.role_name, PolicyName="Sts", PolicyDocument=json.dumps(allowed))
        with pytest.raises(EventStreamError, match="explicit deny"):
            self.say(agent)

    def fails(self, agent: Agent, script: Any, caplog: Any) -> None:
        assert text(self.say(agent)) == "fine"

    def say(self, agent: Agent) -> list[dict[str, Any]]:
        other = f"arn:aws:iam::{agent.account.account_id}:role/other"
        model = {"modelId": "mistral/large", "additionalParams": {"aws_role_name": other}}
        return agent.say(model={"liteLlmModelConfig": model})


def text(happened: list[dict[str, Any]]) -> str:
    """What the model said last."""
    parts: list[str] = []
    for event in happened:
        if "messageStart" in event:
            parts = []
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        if "text" in delta:
            parts.append(delta["text"])
    return "".join(parts)


# --- what uses each feature -------------------------------------------------------------------------------------------


def plain(stack: cdk.Stack, **arguments: Any) -> dict[str, Any]:
    return {"model": MODEL, "memory": Memory.disabled(), **arguments}


def agentcore(stack: cdk.Stack, resource: str) -> str:
    return f"arn:aws:bedrock-agentcore:{stack.region}:{stack.account}:{resource}"


def api_key(stack: cdk.Stack) -> str:
    return agentcore(stack, "token-vault/default/apikeycredentialprovider/openai-key")


def own_secret(stack: cdk.Stack) -> dict[str, Any]:
    secret = secretsmanager.Secret(stack, "Secret", encryption_key=kms.Key(stack, "Key"))
    return plain(stack, model=Model.openai("gpt-5", api_key=ApiKey(stack, "ApiKey", secret, json_key="key")))


def guarded(stack: cdk.Stack) -> dict[str, Any]:
    key = kms.Key(stack, "Key")
    made = bedrock.CfnGuardrail(
        stack,
        "Guardrail",
        name="polite",
        blocked_input_messaging="no",
        blocked_outputs_messaging="no",
        kms_key_arn=key.key_arn,
        cross_region_config={
            "guardrailProfileArn": f"arn:aws:bedrock:{stack.region}:{stack.account}:guardrail-profile/us.guardrail.v1:0"
        },
    )
    guardrail = Guardrail(made, "1", encryption_key=key)
    return plain(stack, model=Model.bedrock("amazon.nova-pro-v1:0", guardrail=guardrail))


def in_vpc(stack: cdk.Stack, *filesystems: Any, **arguments: Any) -> dict[str, Any]:
    groups, subnets = ["sg-0123456789abcdef0"], ["subnet-0123456789abcdef0"]
    environment = Environment.vpc(subnets=subnets, security_groups=groups, filesystems=filesystems)
    return plain(stack, environment=environment, **arguments)


def own_image(stack: cdk.Stack) -> dict[str, Any]:
    uri = f"{stack.account}.dkr.ecr.{stack.region}.amazonaws.com/team/agent:1"
    return plain(stack, image=HarnessImage.from_uri(uri))


def gateway(stack: cdk.Stack, auth: Any = None) -> dict[str, Any]:
    arn = agentcore(stack, "gateway/orders-0123456789")
    return plain(stack, tools=[Tool.gateway(arn, name="orders", outbound_auth=auth)])


def oauth(stack: cdk.Stack) -> dict[str, Any]:
    provider = agentcore(stack, "token-vault/default/oauth2credentialprovider/orders")
    return gateway(stack, GatewayAuth.oauth(provider, scopes=["read"]))


def private_git(stack: cdk.Stack) -> dict[str, Any]:
    stored = aws_bedrockagentcore.CfnApiKeyCredentialProvider(stack, "Key", name="git", api_key="secret")
    return plain(
        stack, skills=[Skill.git("https://github.com/anthropics/skills", path="skills/docx", credential=stored)]
    )


def bucket(stack: cdk.Stack) -> s3.Bucket:
    return s3.Bucket(stack, "Bucket")


def keyed_bucket(stack: cdk.Stack) -> dict[str, Any]:
    key = kms.Key(stack, "Key")
    keyed = s3.Bucket(stack, "Bucket", encryption=s3.BucketEncryption.KMS, encryption_key=key)
    return plain(stack, skills=[Skill.s3(keyed, "report/v1", encryption_key=key)])


def mounted(stack: cdk.Stack, *, read_only: bool = False, as_root: bool = False) -> dict[str, Any]:
    system = efs.CfnFileSystem(stack, "Files")
    user = efs.CfnAccessPoint.PosixUserProperty(uid="0", gid="0") if as_root else None
    point = efs.CfnAccessPoint(stack, "Point", file_system_id=system.ref, posix_user=user)
    mount = FileSystem.efs(
        point.attr_arn, "/mnt/efs", file_system_arn=system.attr_arn, read_only=read_only, as_root=as_root
    )
    return in_vpc(stack, mount)


def root_files(stack: cdk.Stack) -> dict[str, Any]:
    system = f"arn:aws:s3files:{stack.region}:{stack.account}:file-system/fs-0123456789abcdef0"
    user = s3files.CfnAccessPoint.PosixUserProperty(uid="0", gid="0")
    point = s3files.CfnAccessPoint(stack, "Point", file_system_id=system, posix_user=user)
    return in_vpc(stack, FileSystem.s3_files(point, "/mnt/s3"))


def existing_memory(stack: cdk.Stack) -> str:
    made = aws_bedrockagentcore.CfnMemory(stack, "Memory", name="customers", event_expiry_duration=30)
    return made.attr_memory_arn


def bucket_files(stack: cdk.Stack, *, read_only: bool = False) -> dict[str, Any]:
    system = f"arn:aws:s3files:{stack.region}:{stack.account}:file-system/fs-0123456789abcdef0"
    mount = FileSystem.s3_files(f"{system}/access-point/fsap-0123456789abcdef0", "/mnt/s3", read_only=read_only)
    return in_vpc(stack, mount)


def lambda_hook(stack: cdk.Stack) -> dict[str, Any]:
    code = lambda_.Code.from_inline("def handler(event, context):\n    return {'decision': 'allow'}\n")
    function = lambda_.Function(stack, "Guard", runtime=lambda_.Runtime.PYTHON_3_12, handler="index.handler", code=code)
    return plain(stack, hooks=[Hook.before_invocation("guard", function)])


def topic_hook(stack: cdk.Stack) -> dict[str, Any]:
    key = kms.Key(stack, "Key")
    topic = sns.Topic(stack, "Topic", master_key=key)
    return plain(stack, hooks=[Hook.after_invocation("tell", HookTarget.topic(topic, encryption_key=key))])


def bus_hook(stack: cdk.Stack) -> dict[str, Any]:
    key = kms.Key(stack, "Key")
    bus = events.CfnEventBus(stack, "Bus", name="agents", kms_key_identifier=key.key_arn)
    target = HookTarget.event_bus(bus.attr_arn, encryption_key=key)
    return plain(stack, hooks=[Hook.after_invocation("record", target)])


@dataclass
class Row:
    """What one row of the table is tried with."""

    build: Callable[[cdk.Stack], dict[str, Any]]
    symptom: Works


_STREAM = "bedrock:InvokeModelWithResponseStream"
ROWS: dict[str, Row] = {
    "BedrockModelInvocation": Row(plain, Stream(_STREAM)),
    "BedrockInferenceProfile": Row(lambda stack: plain(stack, model=PROFILE), Stream(_STREAM)),
    "BedrockInferenceProfileModels": Row(lambda stack: plain(stack, model=PROFILE), Stream(_STREAM)),
    "BedrockMantleInference": Row(
        lambda stack: plain(stack, model=Model.bedrock("openai.gpt-oss-120b-1:0", api_format="responses")),
        Stream("bedrock-mantle:CreateInference"),
    ),
    "BedrockMantleCallWithBearerToken": Row(
        lambda stack: plain(stack, model=Model.bedrock("openai.gpt-oss-120b-1:0", api_format="chat_completions")),
        Stream("bedrock-mantle:CallWithBearerToken"),
    ),
    "BedrockGuardrail": Row(guarded, Stream("bedrock:ApplyGuardrail")),
    "BedrockGuardrailProfile": Row(guarded, Stream("bedrock:ApplyGuardrail")),
    "BedrockGuardrailKey": Row(guarded, Stream("kms:Decrypt")),
    "EcrPublicTokenAccess": Row(plain, NoSession("ecr-public:GetAuthorizationToken")),
    "StsForEcrPublicPull": Row(plain, NoSession("sts:GetServiceBearerToken")),
    "EcrManagedImagePull": Row(in_vpc, NoSession("ecr:BatchCheckLayerAvailability")),
    "ECRImageAccess": Row(own_image, NoSession("ecr:BatchCheckLayerAvailability")),
    "ECRTokenAccess": Row(in_vpc, NoSession("ecr:GetAuthorizationToken")),
    "XRayTracingAccess": Row(plain, Silent("xray:PutTraceSegments")),
    "CloudWatchLogsGroup": Row(plain, NoLogs("logs:CreateLogGroup")),
    "CloudWatchLogsDescribeGroups": Row(plain, NoLogs("logs:DescribeLogGroups")),
    "CloudWatchLogsStream": Row(plain, NoLogs("logs:CreateLogStream")),
    "CloudWatchLogsPutResourcePolicy": Row(plain, Silent("logs:PutResourcePolicy")),
    "CloudWatchMetricsPublish": Row(plain, Silent("cloudwatch:PutMetricData")),
    "AgentCoreWorkloadIdentity": Row(plain, NoTools()),
    "AgentCoreApiKeyTokenVault": Row(
        lambda stack: plain(stack, model=Model.openai("gpt-5", api_key=api_key(stack))),
        Stream("bedrock-agentcore:GetResourceApiKey"),
    ),
    "AgentCoreApiKeySecret": Row(
        private_git,
        Stream("secretsmanager:GetSecretValue"),
    ),
    "CredentialSecretKey": Row(own_secret, Stream("kms:Decrypt")),
    "AgentCoreOAuth2TokenVault": Row(oauth, Stream("bedrock-agentcore:GetResourceOauth2Token")),
    "AgentCoreOAuth2Secret": Row(oauth, Stream("secretsmanager:GetSecretValue")),
    "AgentCoreManagedMemory": Row(
        lambda stack: plain(stack, memory=Memory.managed()), Stream("bedrock-agentcore:ListEvents")
    ),
    "AgentCoreMemory": Row(
        lambda stack: plain(stack, memory=Memory.existing(existing_memory(stack))),
        Stream("bedrock-agentcore:ListEvents"),
    ),
    "AgentCoreMemoryKey": Row(
        lambda stack: plain(stack, memory=Memory.managed(encryption_key=kms.Key(stack, "Key"))), Stream("kms:Decrypt")
    ),
    "AgentCoreGatewayAccess": Row(gateway, Stream("bedrock-agentcore:InvokeGateway")),
    "AgentCoreBrowserDefault": Row(
        lambda stack: plain(stack, tools=[Tool.browser()]),
        ToolError("browser", "bedrock-agentcore:StartBrowserSession"),
    ),
    "AgentCoreBrowserCustom": Row(
        lambda stack: plain(stack, tools=[Tool.browser(agentcore(stack, "browser-custom/research-0123456789"))]),
        ToolError("browser", "bedrock-agentcore:StartBrowserSession"),
    ),
    "AgentCoreCodeInterpreterDefault": Row(
        lambda stack: plain(stack, tools=[Tool.code_interpreter()]),
        ToolError("code_interpreter", "bedrock-agentcore:StartCodeInterpreterSession"),
    ),
    "AgentCoreCodeInterpreterCustom": Row(
        lambda stack: plain(
            stack, tools=[Tool.code_interpreter(agentcore(stack, "code-interpreter-custom/python-0123456789"))]
        ),
        ToolError("code_interpreter", "bedrock-agentcore:StartCodeInterpreterSession"),
    ),
    "AgentCoreSkillS3Access": Row(
        lambda stack: plain(stack, skills=[Skill.s3(bucket(stack), "report/v1")]), Stream("s3:GetObject")
    ),
    "AgentCoreSkillS3List": Row(
        lambda stack: plain(stack, skills=[Skill.s3(bucket(stack), "report/v1")]), Stream("s3:ListBucket")
    ),
    "AgentCoreSkillS3ListBucket": Row(
        lambda stack: plain(stack, skills=[Skill.s3(bucket(stack))]), Stream("s3:ListBucket")
    ),
    "AgentCoreSkillS3Key": Row(keyed_bucket, Stream("kms:Decrypt")),
    "EFSClientAccess": Row(mounted, NoSession("elasticfilesystem:ClientMount")),
    "EFSClientReadOnly": Row(lambda stack: mounted(stack, read_only=True), NoSession("elasticfilesystem:ClientMount")),
    "EFSClientRoot": Row(lambda stack: mounted(stack, as_root=True), Squashed("/mnt/efs")),
    "EFSDescribe": Row(mounted, NoSession("elasticfilesystem:DescribeAccessPoints")),
    "S3FilesClientAccess": Row(bucket_files, NoSession("s3files:ClientMount")),
    "S3FilesClientReadOnly": Row(lambda stack: bucket_files(stack, read_only=True), NoSession("s3files:ClientMount")),
    "S3FilesClientRoot": Row(root_files, Squashed("/mnt/s3")),
    "S3FilesGetAccessPoint": Row(bucket_files, NoSession("s3files:GetAccessPoint")),
    "S3FilesListMountTargets": Row(bucket_files, NoSession("s3files:ListMountTargets")),
    "HookLambda": Row(lambda_hook, Denied("lambda:InvokeFunction")),
    "HookSns": Row(topic_hook, Silent("sns:Publish")),
    "HookSnsKey": Row(topic_hook, Silent("kms:GenerateDataKey")),
    "HookEventBridge": Row(bus_hook, Silent("events:PutEvents")),
    "HookEventBridgeKey": Row(bus_hook, Silent("kms:GenerateDataKey")),
    "DenyRoleAssumption": Row(plain, Assumes()),
}


def test_every_row_is_tried() -> None:
    assert sorted(ROWS) == sorted(row.sid for row in TABLE)


@pytest.mark.parametrize("sid", ROWS)
def test_a_row(sid: str, deployed: Any, script: Any, caplog: pytest.LogCaptureFixture) -> None:
    row = ROWS[sid]
    agent = deployed(row.build)
    row.symptom.works(agent, script, caplog)
    agent.lose(sid)
    row.symptom.fails(agent, script, caplog)


@pytest.mark.parametrize(
    ("build", "sid"),
    [(own_image, "ECRImageAccess"), (own_image, "ECRTokenAccess"), (bucket_files, "S3FilesGetAccessPoint")],
)
def test_creation_is_refused_when_the_role_lacks_what_it_tries(
    build: Callable[[cdk.Stack], dict[str, Any]], sid: str, deployed: Any
) -> None:
    with pytest.raises(DeploymentError, match=r"Access denied with the execution role .*not authorized to perform"):
        deployed(build, without=sid)
