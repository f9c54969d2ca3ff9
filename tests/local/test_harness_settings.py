"""Settings that only the API can say, from constructs to the harness on the local cloud and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from agentcore_constructs import (
    Authorizer,
    Certificate,
    Environment,
    FileSystem,
    GatewayAuth,
    Harness,
    HarnessConfig,
    MCPAuth,
    Memory,
    PrivateEndpoint,
    Tool,
    Version,
)
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local import Account

MCP = "https://example.com/mcp"
SIGNED = Tool.remote_mcp(MCP, name="docs", auth=MCPAuth.aws_iam("execute-api", region="eu-west-1"))
ELSEWHERE = Tool.remote_mcp(MCP, name="docs", auth=MCPAuth.aws_iam("execute-api", region="us-west-2"))
NETWORK = {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": ["sg-0123456789abcdef0"]}
PLAIN = Tool.remote_mcp(MCP, name="docs")


class Cloud:
    """Deploys one harness again and again, and looks at what the service has."""

    def __init__(self, account: Account, folder: Path) -> None:
        self._account = account
        self._folder = folder
        self._control = account.client("bedrock-agentcore-control")

    def deploy(self, *, fail: bool = False, **arguments: Any) -> None:
        app = cdk.App(outdir=str(self._folder))
        stack = cdk.Stack(app, "Agents")
        harness = Harness(stack, "Agent", harness_name="agent", **arguments)
        harness.add_endpoint("PROD", version=Version.latest())
        if fail:
            cfn = cdk.CfnResource(
                stack, "Broken", type="AWS::S3::Bucket", properties={"BucketName": "Not_A_Bucket_Name"}
            )
            cfn.node.add_dependency(harness)
        app.synth()
        self._account.deploy(self._folder)

    def destroy(self) -> None:
        self._account.destroy("Agents")

    @property
    def harnesses(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control.list_harnesses()["harnesses"]
        return found

    @property
    def harness(self) -> dict[str, Any]:
        (only,) = self.harnesses
        found: dict[str, Any] = self._control.get_harness(harnessId=only["harnessId"])["harness"]
        return found

    @property
    def served(self) -> str:
        found = self._control.get_harness_endpoint(harnessId=self.harness["harnessId"], endpointName="PROD")
        return str(found["endpoint"]["liveVersion"])

    @property
    def tool_auth(self) -> Any:
        (tool,) = self.harness["tools"]
        return tool["config"]["remoteMcp"].get("outboundAuth")


@pytest.fixture
def cloud(account: Account, tmp_path: Path) -> Cloud:
    return Cloud(account, tmp_path)


def test_settings_follow_the_harness_and_leave_with_the_field(cloud: Cloud) -> None:
    cloud.deploy(tools=[SIGNED])
    auth = {"awsIam": {"service": "execute-api", "region": "eu-west-1"}}
    assert cloud.tool_auth == auth
    assert cloud.served == cloud.harness["harnessVersion"] == "2"  # made, then set

    cloud.deploy(tools=[SIGNED])
    assert cloud.harness["harnessVersion"] == "2"  # nothing has changed

    cloud.deploy(tools=[SIGNED], system_prompt="Be brief.")
    assert cloud.tool_auth == auth
    assert cloud.served == cloud.harness["harnessVersion"]

    cloud.deploy(tools=[PLAIN], system_prompt="Be brief.")
    assert cloud.tool_auth is None
    assert cloud.harness["systemPrompt"] == [{"text": "Be brief."}]

    cloud.destroy()
    assert cloud.harnesses == []


def test_every_setting_reaches_the_harness(cloud: Cloud) -> None:
    discovery = "https://login.example.com/.well-known/oauth-authorization-server"
    cloud.deploy(
        tools=[SIGNED],
        authorizer=Authorizer.jwt(discovery, clients=["web"]),
        environment=Environment.public(filesystems=[FileSystem.capacity_provider_volume("scratch", "/mnt/scratch")]),
    )
    harness = cloud.harness
    assert harness["authorizerConfiguration"]["customJWTAuthorizer"]["discoveryUrl"] == discovery
    mounts = harness["environment"]["agentCoreRuntimeEnvironment"]["filesystemConfigurations"]
    assert mounts == [{"capacityProviderVolume": {"volumeName": "scratch", "mountPath": "/mnt/scratch"}}]

    cloud.deploy(tools=[SIGNED])
    assert "authorizerConfiguration" not in cloud.harness
    assert not cloud.harness["environment"]["agentCoreRuntimeEnvironment"].get("filesystemConfigurations")
    assert cloud.tool_auth is not None


def test_members_within_what_a_template_carries_come_and_go(cloud: Cloud) -> None:
    """What CloudFormation says of the authorizer and of the gateway stays when the rest is taken back."""
    discovery = "https://login.example.com/.well-known/openid-configuration"
    lattice = PrivateEndpoint.lattice("rcfg-0123456789abcdef0")
    gateway = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/shop-0123456789"
    provider = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/oauth2credentialprovider/shop"

    def configured(*, whole: bool) -> dict[str, Any]:
        grant: Any = {"grant_type": "TOKEN_EXCHANGE"} if whole else {}
        extra: Any = {}
        if whole:
            extra = {
                "certificates": [Certificate.s3("s3://certificates/ca.pem")],
                "allowed_workloads": Authorizer.allowed_workloads(hosting_environments=[gateway]),
            }
        return {
            "authorizer": Authorizer.jwt(discovery, clients=["web"], private_endpoint=lattice, **extra),
            "tools": [
                Tool.gateway(gateway, name="shop", outbound_auth=GatewayAuth.oauth(provider, scopes=["read"], **grant))
            ],
        }

    def seen() -> tuple[Any, Any]:
        harness = cloud.harness
        (tool,) = harness["tools"]
        jwt = harness["authorizerConfiguration"]["customJWTAuthorizer"]
        return jwt, tool["config"]["agentCoreGateway"]["outboundAuth"]["oauth"]

    cloud.deploy(**configured(whole=False))
    plain = seen()
    cloud.deploy(**configured(whole=True))
    jwt, oauth = seen()
    assert jwt == {
        **plain[0],
        "certificateConfigurations": [{"s3": {"uri": "s3://certificates/ca.pem"}}],
        "allowedWorkloadConfiguration": {"hostingEnvironments": [{"arn": gateway}]},
    }
    assert oauth == {**plain[1], "grantType": "TOKEN_EXCHANGE"}
    assert cloud.served == cloud.harness["harnessVersion"]
    cloud.deploy(**configured(whole=False))
    assert seen() == plain
    cloud.destroy()
    assert cloud.harnesses == []


def test_a_member_that_the_service_refuses_fails_with_its_reason_and_leaves_nothing(cloud: Cloud) -> None:
    """`requireServiceS3Endpoint` is for runtimes made before May 2026, so it applies to no harness made here."""
    network = {"networkMode": "VPC", "networkModeConfig": {**NETWORK, "requireServiceS3Endpoint": True}}
    environment = {"agentCoreRuntimeEnvironment": {"networkConfiguration": network}}
    with pytest.raises(DeploymentError, match="requireServiceS3Endpoint cannot be set on runtimes created after"):
        cloud.deploy(environment=HarnessConfig.parse({"environment": environment}).environment)
    assert cloud.harnesses == []


def test_a_rollback_brings_the_earlier_settings_back(cloud: Cloud) -> None:
    cloud.deploy(tools=[SIGNED])
    with pytest.raises(DeploymentError):
        cloud.deploy(tools=[ELSEWHERE], system_prompt="Be brief.", fail=True)
    assert cloud.tool_auth == {"awsIam": {"service": "execute-api", "region": "eu-west-1"}}
    assert not cloud.harness.get("systemPrompt")
    assert cloud.served == "2"  # the version of the last deployment that succeeded, with these settings


def test_a_rollback_of_the_first_deployment_leaves_nothing(cloud: Cloud) -> None:
    with pytest.raises(DeploymentError):
        cloud.deploy(tools=[SIGNED], fail=True)
    assert cloud.harnesses == []


def test_two_harnesses_of_a_stack_have_their_own_settings(account: Account, tmp_path: Path) -> None:
    """One is replaced under its settings, the other leaves; the memory of the first is to be kept."""
    control = account.client("bedrock-agentcore-control")

    def deploy(name: str, *, two: bool) -> None:
        app = cdk.App(outdir=str(tmp_path))
        stack = cdk.Stack(app, "Agents")
        Harness(stack, "One", harness_name=name, tools=[SIGNED], memory=Memory.managed(retain=True))
        if two:
            Harness(stack, "Two", harness_name="other", tools=[ELSEWHERE], memory=Memory.disabled())
        app.synth()
        account.deploy(tmp_path)

    def regions() -> dict[str, str]:
        found = [control.get_harness(harnessId=one["harnessId"]) for one in control.list_harnesses()["harnesses"]]
        return {
            one["harness"]["harnessName"]: one["harness"]["tools"][0]["config"]["remoteMcp"]["outboundAuth"]["awsIam"][
                "region"
            ]
            for one in found
        }

    deploy("first", two=True)
    assert regions() == {"first": "eu-west-1", "other": "us-west-2"}
    deploy("second", two=False)
    assert regions() == {"second": "eu-west-1"}
    account.destroy("Agents")
    assert control.list_harnesses()["harnesses"] == []
    kept = sorted(memory["id"].rpartition("-")[0] for memory in control.list_memories()["memories"])
    assert kept == ["first", "second"]
