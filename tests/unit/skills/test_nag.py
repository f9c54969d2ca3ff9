"""cdk-nag's AwsSolutions pack finds nothing in a stack of skills, whoever made the resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from support import synth
from support.capabilities_skills import skills_copied

from agentcore_constructs import Harness

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_found(tmp_path: Path) -> None:
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    skills_copied(stack)
    harness = stack.node.find_child("Agent")
    assert isinstance(harness, Harness)
    harness.acknowledge_wildcards()
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # a finding is an error
