"""The command in an environment of its own: an empty folder, no AWS settings, no recorded local cloud."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from support import fake_service
from typer.testing import CliRunner, Result

from agentcore_cli import state
from agentcore_cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Run(Protocol):
    def __call__(self, *words: str, stdin: str | None = None) -> Result: ...


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's `.agentcore`; the working directory is the project."""
    for name in os.environ:
        if name.startswith(("AWS_", "AGENTCORE_", "CDK_")) or name == "NO_COLOR":
            monkeypatch.delenv(name)
    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".agentcore"


@pytest.fixture
def run() -> Run:
    """Run one command line in this process."""

    def command(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin, catch_exceptions=False)

    return command


@pytest.fixture
def cloud(folder: Path) -> Iterator[fake_service.Wire]:
    """A server that answers as a local cloud does, recorded as the project's own."""
    with fake_service.serve() as served:
        record(folder, served.endpoint)
        yield served


def record(folder: Path, endpoint: str, pid: int | None = None) -> None:
    state.write(folder, state.Record(endpoint, os.getpid() if pid is None else pid, "2026-11-21T00:00:00+00:00"))


@pytest.fixture
def gone(folder: Path) -> int:
    """A recorded local cloud whose process has ended; its process id."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    record(folder, "http://127.0.0.1:9", child)
    return child


def document(result: Result) -> Any:
    """The one JSON document on stdout."""
    return json.loads(result.stdout)
