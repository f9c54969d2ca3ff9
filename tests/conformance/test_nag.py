"""cdk-nag's AwsSolutions pack finds nothing on our constructs that has no reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from cdk_nag import AwsSolutionsChecks
from support import synth
from support.capabilities import CAPABILITIES

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    AgentMemory,
    ApiKey,
    CodeBuildImage,
    DirectorySkill,
    Environment,
    FileSystem,
    Harness,
    HarnessEndpoint,
    HarnessExecutionRole,
    Memory,
    MemoryRetention,
    OAuthClient,
    PinnedGitSkill,
    PythonFunction,
    S3FilesAccessPoint,
    S3FilesFileSystem,
    Skill,
    Target,
    ToolGateway,
)
from agentcore_constructs.custom_resources.provider import AgentCoreProvider
from agentcore_constructs.skills.store import SkillStore
from agentcore_stepfunctions import HarnessBatch, ScheduledAgent
from agentcore_stepfunctions.fragments import ApprovalDesk
from agentcore_stepfunctions.run_command import CommandRunner
from agentcore_stepfunctions.tool_loop import ToolLoop

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import IConstruct

OURS = (
    AgentCoreProvider,
    AgentCoreVpcEndpoints,
    AgentMemory,
    ApiKey,
    ApprovalDesk,
    CodeBuildImage,
    CommandRunner,
    DirectorySkill,
    Harness,
    HarnessEndpoint,
    HarnessExecutionRole,
    MemoryRetention,
    OAuthClient,
    PinnedGitSkill,
    PythonFunction,
    S3FilesAccessPoint,
    S3FilesFileSystem,
    SkillStore,
    ToolGateway,
    ToolLoop,
)


def findings(stack: cdk.Stack, tmp_path: Path) -> list[tuple[str, str]]:
    """Path and rule of every finding of the pack."""
    app = stack.node.root
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()  # type: ignore[attr-defined]
    except RuntimeError:
        pass
    else:
        return []
    report = json.loads((tmp_path / "validation-report.json").read_text())
    return [
        (construct["constructPath"], violation["ruleName"])
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "AwsSolutions"
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def of_ours(stack: cdk.Stack) -> list[IConstruct]:
    return [construct for construct in stack.node.find_all() if isinstance(construct, OURS)]


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    return cdk.Stack(app, "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_capability(capability: str, stack: cdk.Stack, tmp_path: Path) -> None:
    CAPABILITIES[capability](stack)
    ours = of_ours(stack)
    for construct in ours:
        if isinstance(construct, (Harness, HarnessExecutionRole)):
            construct.acknowledge_wildcards()

    # What a user adds to the role is in its default policy, and the user's to answer for.
    paths = tuple(f"{construct.node.path}/" for construct in ours)
    found = [one for one in findings(stack, tmp_path) if one[0].startswith(paths) and "/DefaultPolicy/" not in one[0]]
    assert found == []


def test_a_wildcard_without_its_reason_is_found(stack: cdk.Stack, tmp_path: Path) -> None:
    Harness(stack, "Agent")

    rules = {rule for path, rule in findings(stack, tmp_path) if path.startswith("Agents/Agent/Policy")}
    assert "AwsSolutions-IAM5[Resource::*]" in rules


def test_the_only_wildcard_a_grant_makes_is_the_endpoint(stack: cdk.Stack, tmp_path: Path) -> None:
    CAPABILITIES["callers"](stack)

    callers = [
        (path, rule) for path, rule in findings(stack, tmp_path) if path.startswith("Agents/") and "Agent/" not in path
    ]
    assert callers == [
        ("Agents/Any/DefaultPolicy/Resource", "AwsSolutions-IAM5[Resource::<Agent255F68E9.Arn>/harness-endpoint/*]")
    ]


def test_what_another_stack_exports_is_answered_as_it_is_imported(stack: cdk.Stack, tmp_path: Path) -> None:
    """Findings name an import by the name of the export, which is made when the app is synthesized."""
    base = cdk.Stack(stack.node.scope, "Base", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    bucket = s3.Bucket(base, "Bucket", versioned=True, enforce_ssl=True)
    vpc = ec2.Vpc(base, "Vpc", max_azs=1)
    function = lambda_.Function(
        base,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
    )
    skill = tmp_path / "excel"
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\nname: excel\ndescription: Reads workbooks.\n---\nOpen it.\n")
    agent = Harness(
        stack,
        "Agent",
        memory=Memory.disabled(),
        skills=[
            Skill.s3(bucket, "report"),
            Skill.from_directory(skill, bucket=bucket),
            Skill.git("https://git.example.com/team/skills", ref="main", bucket=bucket),
        ],
        environment=Environment.vpc(vpc),
        filesystems=[FileSystem.s3_files(bucket, "/mnt/reports", prefix="reports/")],
    )
    schema = {"name": "look", "description": "Looks.", "inputSchema": {"type": "object", "properties": {}}}
    gateway = ToolGateway(stack, "Tools", targets=[Target.lambda_(function, [schema], name="look")])
    worker = Harness(stack, "Worker", memory=Memory.disabled())
    batch = HarnessBatch(stack, "Batch", harness=worker, prompt="Go.", source=bucket, source_prefix="in/")
    daily = ScheduledAgent(
        stack,
        "Daily",
        harness=worker,
        prompt="Go.",
        bucket=bucket,
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
    )
    for construct in (agent, gateway, worker, batch, daily):
        construct.acknowledge_wildcards()

    assert [one for one in findings(stack, tmp_path) if one[0].startswith("Agents/")] == []
