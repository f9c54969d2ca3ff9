"""cdk-nag's AwsSolutions pack finds nothing on our constructs that has no reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks
from support import synth
from support.capabilities import CAPABILITIES

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    AgentMemory,
    ApiKey,
    CodeBuildImage,
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
    ToolGateway,
)
from agentcore_constructs.custom_resources.provider import AgentCoreProvider
from agentcore_constructs.skills.store import SkillStore
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
