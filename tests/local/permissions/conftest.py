"""An agent deployed from a stack of our constructs, and what happens when its role loses a statement."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from agentcore_constructs import Harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud

NAME = "research"


def document_of(policy: Any) -> dict[str, Any]:
    """A policy document, which boto3 returns parsed and older services as text."""
    parsed: dict[str, Any] = json.loads(policy) if isinstance(policy, str) else policy
    return parsed


def strip(template: Path, sid: str) -> None:
    """Take a statement out of a synthesized template."""
    content = json.loads(template.read_text())
    for resource in content["Resources"].values():
        document = resource["Properties"].get("PolicyDocument")
        if document:
            document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != sid]
    template.write_text(json.dumps(content))


class Agent:
    """A deployed harness, invoked in a session of its own each time."""

    def __init__(self, account: Account, arn: str) -> None:
        self.account = account
        self.arn = arn
        found = account.client("bedrock-agentcore-control").get_harness(harnessId=arn.rsplit("/", 1)[-1])["harness"]
        self.role_name = found["executionRoleArn"].rsplit("/", 1)[-1]
        self.runtime_id = found["environment"]["agentCoreRuntimeEnvironment"]["agentRuntimeId"]
        self.memory_arn = found["memory"].get("managedMemoryConfiguration", {}).get("arn")

    def say(self, prompt: str = "hello", *, client: Any = None, **request: Any) -> list[dict[str, Any]]:
        """The events of one invocation."""
        whole = {
            "harnessArn": self.arn,
            "runtimeSessionId": f"session-{uuid.uuid4()}",
            "messages": [{"role": "user", "content": [{"text": prompt}]}],
            **request,
        }
        return list((client or self.account.client("bedrock-agentcore")).invoke_harness(**whole)["stream"])

    def log_events(self) -> int:
        """How much the agent has logged."""
        logs = self.account.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/bedrock-agentcore/runtimes/{self.runtime_id}")
        return sum(
            len(logs.filter_log_events(logGroupName=group["logGroupName"])["events"]) for group in groups["logGroups"]
        )

    def lose(self, sid: str) -> None:
        """Take a statement out of the role's policies, wherever it is; all of them that one row makes."""
        iam = self.account.client("iam")
        lost = 0
        for attached in iam.list_attached_role_policies(RoleName=self.role_name)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = document_of(
                iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            )
            if left := self._without(document, sid):
                lost += 1
                iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(left), SetAsDefault=True)
        for name in iam.list_role_policies(RoleName=self.role_name)["PolicyNames"]:
            found = iam.get_role_policy(RoleName=self.role_name, PolicyName=name)["PolicyDocument"]
            if left := self._without(document_of(found), sid):
                lost += 1
                iam.put_role_policy(RoleName=self.role_name, PolicyName=name, PolicyDocument=json.dumps(left))
        assert lost, f"no policy of the role has a statement {sid}"

    def _without(self, document: dict[str, Any], sid: str) -> dict[str, Any] | None:
        kept = [one for one in document["Statement"] if one.get("Sid", "").rstrip("0123456789") != sid]
        if len(kept) == len(document["Statement"]):
            return None
        nothing = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        return {**document, "Statement": kept or [nothing]}


@pytest.fixture
def deployed(account: Account, tmp_path: Path) -> Callable[..., Agent]:
    """Deploys a stack with a harness, whose arguments the given function makes (and what they need)."""

    def deploy(build: Callable[[cdk.Stack], dict[str, Any]], *, without: str | None = None) -> Agent:
        app = cdk.App(outdir=str(tmp_path / "cdk.out"))
        environment = cdk.Environment(account=account.account_id, region=account.region)
        stack = cdk.Stack(app, "Agents", env=environment)
        harness = Harness(stack, "Agent", harness_name=NAME, **build(stack))
        cdk.CfnOutput(stack, "Arn", value=harness.harness_arn)
        folder = app.synth().directory
        if without is not None:
            strip(Path(folder) / "Agents.template.json", without)
        done = account.deploy(folder)["Agents"]
        return Agent(account, done.outputs["Arn"])

    return deploy


@pytest.fixture
def script(local_cloud: LocalCloud) -> Callable[[Agent, Any], None]:
    """Decides what the model of a deployed harness says."""
    return lambda agent, turns: local_cloud.script(agent.arn, turns)
