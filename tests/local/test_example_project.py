"""`examples/testing_your_agent` is a project of its own: copied somewhere else, its tests run and pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "examples" / "testing_your_agent"


def test_its_tests_pass_where_it_was_copied_to(tmp_path: Path) -> None:
    copy = shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    # What runs this test must not run that one: our options, our workers.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    expected = sum(
        len(re.findall(r"^def test_", test.read_text(), re.MULTILINE)) for test in PROJECT.rglob("test_*.py")
    )
    assert f"{expected} passed" in done.stdout


def test_it_imports_nothing_of_this_repository_but_the_package() -> None:
    """A path or a helper of ours would not be there for whoever copies it."""
    for file in PROJECT.rglob("*.py"):
        assert not re.search(r"^(from|import) (support|examples)\b|\.\./", file.read_text(), re.MULTILINE), file


def test_it_needs_no_more_than_its_own_project_file_says() -> None:
    imports = {
        found
        for file in PROJECT.rglob("*.py")
        for found in re.findall(r"^ *(?:from|import) (\w+)", file.read_text(), re.MULTILINE)
    }
    own = {path.stem for path in PROJECT.rglob("*.py")} | {path.name for path in PROJECT.iterdir() if path.is_dir()}
    # agentcore-harness-cdk[local] brings the CDK and botocore.
    installed = {"agentcore_constructs", "agentcore_local", "aws_cdk", "constructs", "botocore", "pytest"}
    assert imports - own - sys.stdlib_module_names <= installed
