"""The fixtures, in a project of somebody else's."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local import LocalCloud

TESTS = """
def test_first(account):
    account.client("s3").create_bucket(Bucket="mine-first")
    assert len(account.account_id) == 12

def test_second(account, local_cloud):
    assert account.client("s3").list_buckets()["Buckets"] == []
    assert account.cloud is local_cloud
    assert local_cloud.health()["status"] == "ok"
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_cloud_per_session_and_an_account_per_test(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_cloud_per_worker(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    done = run(tmp_path, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_the_extra_only_the_tests_that_ask_for_it_fail_and_say_why(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS + "\ndef test_other():\n    pass\n")
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['ministack'] = None\nsys.modules['boto3'] = None\n")
    done = run(tmp_path)
    assert "1 passed, 2 errors" in done.stdout
    assert "install agentcore-harness-cdk[local]" in done.stdout


def test_loading_it_imports_nothing_heavy() -> None:
    script = (
        "import sys, agentcore_local.pytest_plugin; "
        "print([name for name in ('boto3', 'botocore', 'ministack', 'strands', 'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_accounts_differ_when_the_tests_are_seeded(local_cloud: LocalCloud) -> None:
    """hypothesis and pytest-randomly seed `random` before every test."""
    ids = set()
    for _ in range(3):
        random.seed(0)
        ids.add(local_cloud.account().account_id)
    assert len(ids) == 3
