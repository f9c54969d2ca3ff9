"""What the documents claim about the tree: links resolve, maps are complete, every dependency is accounted for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#([^)\s]+))?\)")


def _files() -> list[str]:
    """Every file git knows or would take in."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def _anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page get on code hosts."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        linked = (page.parent / target).resolve()
        assert linked.exists(), f"{page.name} links to {target}, which does not exist"
        assert not anchor or anchor in _anchors(linked), f"{page.name} links to {target}#{anchor}: no such heading"


def test_generated_pages_are_current() -> None:
    """The map of the house, the field coverage and the IAM reference are written from the code: `make docs`."""
    checked = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, f"run `make docs`; {checked.stdout}{checked.stderr}"


def test_the_map_of_the_house_names_nothing_that_is_gone() -> None:
    described = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = {Path(file).name for file in _files()}
    gone = [name for name in re.findall(r"`([\w-]+\.(?:py|json|toml|lock|md|yaml))`", described) if name not in names]
    assert not gone, f"ARCHITECTURE.md mentions {gone}, which the tree does not hold"


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(need for extra in project["project"]["optional-dependencies"].values() for need in extra),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[<>=;\[ ]", need)[0] for need in needs} - {"agentcore-harness-cdk"}
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = sorted(name for name in names if f"| `{name}` |" not in contributing)
    assert not missing, f"CONTRIBUTING.md does not say what {missing} are for"


# Dependencies whose import has another name, and those that are run instead of imported.
IMPORTED_AS = {
    "aws-cdk-lib": "aws_cdk",
    "cfn-lint": "cfnlint",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "strands-agents": "strands",
}
RUN = {
    "boto3-stubs",
    "build",
    "hatchling",
    "httptools",
    "ministack",
    "mypy",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "uv",
    "wsproto",
}


def test_every_dependency_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = [
        *project["project"]["dependencies"],
        *(need for extra in project["project"]["optional-dependencies"].values() for need in extra),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[<>=;\[ ]", need)[0] for need in needs} - {"agentcore-harness-cdk"} - RUN
    code = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in _files() if file.endswith(".py"))
    unused = [
        name
        for name in sorted(names)
        if not name.startswith("types-")
        and not re.search(rf"^\s*(import|from) {IMPORTED_AS.get(name, name.replace('-', '_'))}\b", code, re.MULTILINE)
    ]
    assert not unused, f"nothing imports {unused}: take them out of pyproject.toml"


def test_no_registry_address_stands_in_the_tree() -> None:
    """Locks that name a registry break for everybody behind another one."""
    hosts = re.compile(r"(files\.pythonhosted|pypi\.org/(simple|packages)|registry\.npmjs|registry\.yarnpkg)", re.ASCII)
    locks = ["requirements.lock", "package-lock.json", "package.json", "pyproject.toml", "Makefile", ".npmrc"]
    assert not [name for name in locks if hosts.search((ROOT / name).read_text(encoding="utf-8"))]
