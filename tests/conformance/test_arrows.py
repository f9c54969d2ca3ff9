"""The arrows of ARCHITECTURE.md: which package may import which, read from the import statements themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each part must never import, at any depth of the file. The reason stands beside it.
FORBIDDEN: dict[str, tuple[str, set[str]]] = {
    "constructs/agentcore_constructs": (
        "users synthesize without the AWS SDK, the local cloud or a workflow",
        {"boto3", "botocore", "agentcore_stepfunctions", "agentcore_local", "agentcore_cli"},
    ),
    "constructs/agentcore_constructs/config": (
        "configuration is pure data: no jsii process, no CDK",
        {"aws_cdk", "constructs", "jsii"},
    ),
    "lambdas/agentcore_lambdas": (
        "it runs inside AWS Lambda",
        {"aws_cdk", "constructs", "jsii", "agentcore_constructs", "agentcore_stepfunctions", "agentcore_local"},
    ),
    "stepfunctions/agentcore_stepfunctions": (
        "workflow states are CDK code; nothing runs at synth",
        {"boto3", "botocore", "agentcore_local", "agentcore_cli"},
    ),
    "local/agentcore_local": (
        "the local cloud serves any stack, also one that is not written with our constructs",
        {"aws_cdk", "constructs", "jsii", "agentcore_constructs", "agentcore_stepfunctions", "agentcore_cli"},
    ),
    "cli/agentcore_cli": (
        "the command starts in milliseconds and works without the CDK installed",
        {"aws_cdk", "constructs", "jsii", "agentcore_constructs", "agentcore_stepfunctions", "ministack", "strands"},
    ),
}


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("place", FORBIDDEN)
def test_arrows_point_one_way(place: str) -> None:
    reason, forbidden = FORBIDDEN[place]
    files = sorted((ROOT / place).rglob("*.py"))
    assert files, f"{place} holds no Python file"
    broken = {str(f.relative_to(ROOT)): sorted(bad) for f in files if (bad := _imports(f) & forbidden)}
    assert not broken, f"{reason}: {broken}"


def test_constructs_folder_has_no_init() -> None:
    """With one, `import constructs` would find this folder instead of the package aws-cdk-lib needs."""
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_only_the_seams_touch_private_names_of_ministack() -> None:
    """Private names change without notice: one package knows them, and checks them at start."""
    elsewhere = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "local").rglob("*.py")
        if file.parent.name != "seams" and "ministack" in _imports(file)
    ]
    assert not elsewhere
