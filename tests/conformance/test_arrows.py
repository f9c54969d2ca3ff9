"""The arrows of ARCHITECTURE.md: what may import what, read from the import statements themselves."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    name: ROOT / folder / name
    for folder, name in (
        ("constructs", "agentcore_constructs"),
        ("lambdas", "agentcore_lambdas"),
        ("stepfunctions", "agentcore_stepfunctions"),
        ("local", "agentcore_local"),
        ("cli", "agentcore_cli"),
    )
}

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

# Types that are known to point back, and why.
BACK = {
    ("agentcore_constructs.memory.retention", "agentcore_constructs.harness"): "it takes the harness that makes it",
}


@cache
def _imports(file: Path, *, types: bool = True) -> frozenset[str]:
    """Returns what a file imports, at any depth: `from .a import b` in the package `x` is `x.a.b`.

    Args:
        file: The file.
        types: Whether what only type checkers import counts as well.
    """
    package = file.relative_to(ROOT).parts[1:-1]
    found: set[str] = set()
    for node in _nodes(ast.parse(file.read_text(encoding="utf-8")), types=types):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else ())))
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _nodes(tree: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and not types and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node, types=types)


def _roots(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in _imports(file)}


@cache
def _arrows(*, types: bool = False) -> dict[str, set[str]]:
    """Returns the modules of all packages, and which of them each imports when it runs, or for its types as well."""
    files = {_module(file): file for folder in PACKAGES.values() for file in folder.rglob("*.py")}
    arrows = {}
    for module, file in files.items():
        # What is no module is a name out of one.
        named = {name if name in files else name.rpartition(".")[0] for name in _imports(file, types=types)}
        arrows[module] = (named & files.keys()) - {module}
    return arrows


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("place", FORBIDDEN)
def test_arrows_point_one_way(place: str) -> None:
    reason, forbidden = FORBIDDEN[place]
    files = sorted((ROOT / place).rglob("*.py"))
    assert files, f"{place} holds no Python file"
    broken = {str(f.relative_to(ROOT)): sorted(bad) for f in files if (bad := _roots(f) & forbidden)}
    assert not broken, f"{reason}: {broken}"


def test_the_configuration_imports_nothing_above_itself() -> None:
    """It says what is wanted; `harness/makers.py` knows what makes it. Not even a type points the other way."""
    config = "agentcore_constructs.config"
    broken = {
        file.name: sorted(above)
        for file in (PACKAGES["agentcore_constructs"] / "config").rglob("*.py")
        if (above := {name for name in _imports(file) if f"{name}.".startswith("agentcore_constructs.")
                      and not name.startswith(f"{config}.")})
    }  # fmt: skip
    assert not broken


@pytest.mark.parametrize("types", [False, True], ids=["running", "typed"])
@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other(package: str, types: bool) -> None:
    """Wherever the import stands: one inside a function hides a circle and does not open it."""
    arrows = {
        module: {name for name in there if not types or (module, name) not in BACK}
        for module, there in _arrows(types=types).items()
        if module.partition(".")[0] == package
    }
    assert len(arrows) > 1
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_arrows_are_read_as_python_follows_them() -> None:
    arrows = _arrows()
    harness = "agentcore_constructs.harness"
    assert "agentcore_constructs.filesystems.attach" in arrows[f"{harness}.makers"], "an import inside a function"
    assert f"{harness}.makers" in arrows[f"{harness}.host"], "a module by its name"
    assert f"{harness}.host" in arrows["agentcore_stepfunctions.harnesses"], "another package"
    assert harness not in arrows["agentcore_constructs.memory.retention"], "a type alone"


def test_constructs_folder_has_no_init() -> None:
    """With one, `import constructs` would find this folder instead of the package aws-cdk-lib needs."""
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_only_the_seams_touch_private_names_of_ministack() -> None:
    """Private names change without notice: one package knows them, and checks them at start."""
    elsewhere = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "local").rglob("*.py")
        if file.parent.name != "seams" and "ministack" in _roots(file)
    ]
    assert not elsewhere
