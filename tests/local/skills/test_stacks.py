"""Skills out of folders and commits, from the stack to the agent: deployed, used, updated, rolled back, destroyed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_s3 as s3
from support.git_server import GitServer, git_server

from agentcore_constructs import Harness, Skill
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentcore_local import Account, LocalCloud
    from agentcore_local.agents.scripts import ModelCall

SKILL = "---\nname: excel\ndescription: {}\n---\nOpen it.\n"
TOKEN = "glpat-t0ps3cret-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running


class Stack:
    """A stack that is deployed again and again, and its agent."""

    def __init__(self, cloud: LocalCloud, account: Account, tmp_path: Path) -> None:
        self.cloud, self.account, self.folder = cloud, account, tmp_path
        self.deployments = 0
        self.arn = ""
        self.outputs: dict[str, str] = {}

    def deploy(self, build: Callable[[cdk.Stack], dict[str, Any]]) -> None:
        self.deployments += 1
        app = cdk.App(outdir=str(self.folder / f"cdk.out.{self.deployments}"))
        stack = cdk.Stack(
            app, "Agents", env=cdk.Environment(account=self.account.account_id, region=self.account.region)
        )
        harness = Harness(stack, "Agent", **build(stack))
        cdk.CfnOutput(stack, "Arn", value=harness.harness_arn)
        folder = app.synth().directory
        self.outputs = self.account.deploy(folder)["Agents"].outputs
        self.arn = self.outputs["Arn"]

    def prompt(self, qualifier: str = "DEFAULT") -> str:
        """The system prompt that the model is shown in a new session."""
        seen: list[str] = []

        def script(call: ModelCall) -> str:
            seen.append(call.system_prompt)
            return "ok"

        self.cloud.script(self.arn, script)
        stream = self.account.client("bedrock-agentcore").invoke_harness(
            harnessArn=self.arn,
            qualifier=qualifier,
            runtimeSessionId=f"session-{uuid.uuid4()}",
            messages=[{"role": "user", "content": [{"text": "hello"}]}],
        )["stream"]
        assert [event for event in stream if "messageStop" in event]
        return seen[-1]

    def objects(self) -> list[str]:
        client = self.account.client("s3")
        names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"] if "agentcoreskills" in bucket["Name"]]
        return [item["Key"] for name in names for item in client.list_objects_v2(Bucket=name).get("Contents", [])]

    def files(self) -> list[str]:
        """What there is beside notes, without the skill's own prefix."""
        return sorted(key.split("/", 2)[2] for key in self.objects() if "/.pins/" not in key)

    def logged(self) -> str:
        logs = self.account.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        return "".join(
            event["message"] for group in groups for event in logs.filter_log_events(logGroupName=group)["events"]
        )

    def destroy(self) -> None:
        self.account.destroy("Agents")
        buckets = self.account.client("s3").list_buckets()["Buckets"]
        assert not [bucket["Name"] for bucket in buckets if "agentcoreskills" in bucket["Name"]]


@pytest.fixture
def stack(local_cloud: LocalCloud, account: Account, tmp_path: Path) -> Stack:
    return Stack(local_cloud, account, tmp_path)


def test_a_folder(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "excel"
    folder.mkdir()

    def build(scope: cdk.Stack) -> dict[str, Any]:
        return {"skills": [Skill.from_directory(folder)]}

    def write(description: str) -> None:
        folder.joinpath("SKILL.md").write_text(SKILL.format(description))

    write("First.")
    folder.joinpath("notes.md").write_text("n")
    stack.deploy(build)
    assert "<description>First.</description>" in stack.prompt()
    assert "/workspace/.agents/skills/s3/excel/SKILL.md" in stack.prompt()
    first = stack.files()
    assert [path.split("/", 1)[1] for path in first] == ["excel/SKILL.md", "excel/notes.md"]
    control = stack.account.client("bedrock-agentcore-control")
    harness_id = stack.arn.rsplit("/", 1)[-1]
    control.create_harness_endpoint(harnessId=harness_id, endpointName="OLD", targetVersion="1")

    write("Second.")
    folder.joinpath("notes.md").unlink()
    stack.deploy(build)
    assert "Second." in stack.prompt()
    # A version of the harness that is pinned still has its version of the skill, and may read it.
    assert "First." in stack.prompt("OLD")
    assert set(first) < set(stack.files())
    control.delete_harness_endpoint(harnessId=harness_id, endpointName="OLD")
    stack.destroy()


def test_a_commit_and_its_rollback(stack: Stack, server: GitServer) -> None:
    repository = server.repository("public")
    first = repository.commit({"skills/excel/SKILL.md": SKILL.format("First.")})

    def build(ref: str) -> Callable[[cdk.Stack], dict[str, Any]]:
        return lambda _: {
            "skills": [Skill.git(repository.url, ref=ref, path="skills/excel", ca_certificates=server.ca_certificates)]
        }

    stack.deploy(build("main"))
    assert "First." in stack.prompt()
    assert stack.files() == [f"{first}/tree/skills/excel/SKILL.md"]

    second = repository.commit({"skills/excel/SKILL.md": SKILL.format("Second.")})
    assert "First." in stack.prompt()  # pinned: a new session gets what was deployed
    stack.deploy(build(second))
    assert "Second." in stack.prompt()
    assert stack.files() == sorted(f"{commit}/tree/skills/excel/SKILL.md" for commit in (first, second))

    with pytest.raises(DeploymentError, match=r"has no tag and no branch 'gone'; check the name"):
        stack.deploy(build("gone"))
    assert "Second." in stack.prompt()
    stack.destroy()


def test_a_private_repository(stack: Stack, server: GitServer) -> None:
    repository = server.repository("private", token=TOKEN)
    commit = repository.commit({"SKILL.md": SKILL.format("Private.")})

    def build(scope: cdk.Stack) -> dict[str, Any]:
        stored = agentcore.CfnApiKeyCredentialProvider(scope, "Token", name="git", api_key=TOKEN)
        bucket = s3.Bucket(scope, "Bucket", removal_policy=cdk.RemovalPolicy.DESTROY, auto_delete_objects=True)
        skill = Skill.git(
            repository.url, ref=commit, credential=stored, bucket=bucket, ca_certificates=server.ca_certificates
        )
        return {"skills": [skill]}

    stack.deploy(build)
    assert "Private." in stack.prompt()
    assert server.requests[-1][2] == "oauth2"
    said = stack.logged()
    assert "custom resource handled" in said
    assert TOKEN not in said
    stack.destroy()
    assert stack.account.client("secretsmanager").list_secrets()["SecretList"] == []


def test_the_environment_may_name_the_authorities(
    stack: Stack, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = server.repository("environment")
    repository.commit({"excel/SKILL.md": SKILL.format("Trusted.")})
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    stack.deploy(
        lambda _: {
            "skills": [
                Skill.git(repository.url, ref="main", path="excel"),
                Skill.git(repository.url, path="excel"),
            ]
        }
    )
    assert "/workspace/.agents/skills/git/excel/SKILL.md" in stack.prompt()
    stack.destroy()
