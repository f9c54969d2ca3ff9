"""Where an agent lives, all at once: image, VPC, file systems, memory, skills; deployed, changed, rolled back, gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from support.git_server import GitServer, git_server

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    Environment,
    FileSystem,
    Harness,
    HarnessImage,
    Memory,
    Model,
    Skill,
)
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcore_local import Account, LocalCloud

SKILL = "---\nname: {0}\ndescription: {1}\n---\nDo it.\n"
SESSION = "a-session-of-the-test-0123456789-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running


class Life:
    """One agent with everything, and how it is seen from outside."""

    def __init__(self, account: Account, cloud: LocalCloud, server: GitServer, folder: Path) -> None:
        self.account, self.cloud, self.server, self.folder = account, cloud, server, folder
        self.repository = server.repository("living")
        self.source, self.brief = folder / "image", folder / "brief"
        for directory in (self.source, self.brief):
            directory.mkdir()
        (self.brief / "SKILL.md").write_text(SKILL.format("brief", "Writes briefs."))
        self.outputs: dict[str, str] = {}
        self.deployments = 0

    def deploy(self, dockerfile: str, ref: str) -> None:
        (self.source / "Dockerfile").write_text(dockerfile)
        self.deployments += 1
        app = cdk.App(outdir=str(self.folder / f"out{self.deployments}"))
        environment = cdk.Environment(account=self.account.account_id, region=self.account.region)
        stack = cdk.Stack(app, "Living", env=environment)
        key = kms.Key(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY)
        subnets = ec2.SubnetConfiguration(name="agents", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0, subnet_configuration=[subnets])
        pinned = Skill.git(
            self.repository.url, ref=ref, path="report", ca_certificates=self.server.ca_certificates, refresh=ref
        )
        agent = Harness(
            stack,
            "Agent",
            harness_name="living",
            model=Model.bedrock("amazon.nova-pro-v1:0"),
            image=HarnessImage.from_codebuild(self.source, encryption_key=key),
            environment=Environment.vpc(vpc),
            filesystems=[FileSystem.efs(mount_path="/mnt/notes", encryption_key=key)],
            memory=Memory.managed(encryption_key=key, retain=True),
            skills=[Skill.from_directory(self.brief), pinned],
        )
        AgentCoreVpcEndpoints(stack, "Endpoints", vpc=vpc, for_harness=agent)
        cdk.CfnOutput(stack, "Arn", value=agent.harness_arn)
        cdk.CfnOutput(stack, "Memory", value=agent.managed_memory_arn)
        self.outputs = dict(self.account.deploy(app.synth().directory)["Living"].outputs)

    def image(self) -> str:
        control = self.account.client("bedrock-agentcore-control")
        found = control.get_harness(harnessId=self.outputs["Arn"].rpartition("/")[2])["harness"]
        return str(found["environmentArtifact"]["containerConfiguration"]["containerUri"])

    def prompt(self) -> str:
        """The system prompt that the model is shown."""
        seen: list[str] = []
        self.cloud.script(self.outputs["Arn"], lambda call: seen.append(call.system_prompt) or "ok")
        request: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "My name is Ann."}]}]}
        runtime = self.account.client("bedrock-agentcore")
        stream = runtime.invoke_harness(harnessArn=self.outputs["Arn"], runtimeSessionId=SESSION, **request)["stream"]
        assert [event for event in stream if "messageStop" in event]
        return seen[-1]


def test_it_is_deployed_changed_rolled_back_and_leaves_what_is_retained(
    account: Account, local_cloud: LocalCloud, server: GitServer, tmp_path: Path
) -> None:
    life = Life(account, local_cloud, server, tmp_path)
    life.repository.commit({"report/SKILL.md": SKILL.format("report", "First.")})
    life.deploy("FROM python\nUSER 1000\n", "main")
    first, memory = life.image(), life.outputs["Memory"]
    assert "@sha256:" in first
    shown = life.prompt()
    assert "Writes briefs." in shown
    assert "First." in shown

    # Another image and another commit are a new version; a build that fails takes neither.
    commit = life.repository.commit({"report/SKILL.md": SKILL.format("report", "Second.")})
    life.deploy("FROM python\nENV A=1\nUSER 1000\n", commit)
    second = life.image()
    assert second != first
    assert life.outputs["Memory"] == memory
    life.repository.commit({"report/SKILL.md": SKILL.format("report", "Third.")})
    with pytest.raises(DeploymentError, match=r"(?s)failed in its phase BUILD.*exit code: 3"):
        life.deploy("FROM python\nRUN exit 3\nUSER 1000\n", "main")
    assert life.image() == second

    account.destroy("Living")
    assert account.client("bedrock-agentcore-control").list_harnesses()["harnesses"] == []
    assert account.client("codebuild").list_projects()["projects"] == []
    assert account.client("ecr").describe_repositories()["repositories"] == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("logs").describe_log_groups(logGroupNamePrefix="Living")["logGroups"] == []
    buckets = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if not name.startswith("cdk-")] == []
    # Retained: the memory with what was said, and the files.
    kept = [one["arn"] for one in account.client("bedrock-agentcore-control").list_memories()["memories"]]
    assert kept == [memory]
    events = account.client("bedrock-agentcore").list_events(memoryId=memory, actorId="default", sessionId=SESSION)
    assert len(events["events"]) == 2
    assert len(account.client("efs").describe_file_systems()["FileSystems"]) == 1
