"""The command as a whole: help, version, speed, and how it fails."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from agentcore_cli import process
from agentcore_cli.errors import FAILED, MISUSED
from agentcore_cli.main import app

from .conftest import Run, document

if TYPE_CHECKING:
    from support.fake_service import Wire

# Not pydantic: Typer itself loads it for its help pages where it is installed.
HEAVY = ("boto3", "botocore", "ministack", "aws_cdk", "jsii", "strands", "agentcore_local", "agentcore_constructs")


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom agentcore_cli.main import app\n"
        "try: app(['invoke', '--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert seen.stderr == "[]\n"
    assert "Send a prompt to a harness" in seen.stdout


def test_no_module_of_the_command_loads_anything_heavy() -> None:
    script = (
        "import importlib, pkgutil, sys, agentcore_cli\n"
        "names = [m.name for m in pkgutil.iter_modules(agentcore_cli.__path__) if m.name != '__main__']\n"
        "for name in names: importlib.import_module('agentcore_cli.' + name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("words", [(), ("local",), ("--help",), ("-h",), ("local", "-h"), ("deploy", "--help")])
def test_help_is_no_failure(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code == 0
    assert "Usage: agentcore-harness" in result.stdout


def test_version(run: Run) -> None:
    assert run("--version").stdout == "agentcore-harness 0.1.0\n"


@pytest.mark.parametrize(
    ("words", "says", "help_of"),
    [
        (("bogus",), "No such command 'bogus'.", "agentcore-harness"),
        (("local", "sttus"), "No such command 'sttus'. Did you mean 'status'?", "agentcore-harness local"),
        (("invoke", "x"), "Missing argument 'PROMPT'.", "agentcore-harness invoke"),
        (("local", "up", "--prot", "1"), "No such option: --prot", "agentcore-harness local up"),
    ],
)
def test_a_mistyped_line_is_a_sentence_and_where_to_read(
    run: Run, words: tuple[str, ...], says: str, help_of: str
) -> None:
    result = run(*words)

    first, last = result.stderr.splitlines()
    assert result.exit_code == MISUSED
    assert first.startswith(f"agentcore-harness: {says}")
    assert last == f"Help: {help_of} --help"


def test_a_mistyped_line_with_json_is_a_document_too(run: Run) -> None:
    result = run("local", "status", "--json", "extra")

    assert document(result)["error"]["code"] == "UsageError"
    assert result.stderr.startswith("agentcore-harness: Got unexpected extra argument")


def test_every_option_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")

    def options(command: Any) -> set[str]:
        own = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
        return own.union(*(options(child) for child in getattr(command, "commands", {}).values()))

    found = options(get_command(app)) - {"--help", "--version"}
    assert "--state-dir" in found
    assert [
        name for name in sorted(found) if f"`{name}" not in page and f"[{name}" not in page and f" {name} " not in page
    ] == []


def test_what_nobody_expected_is_a_sentence_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(process, "observe", broken)
    plain = run("local", "status")
    monkeypatch.setenv("AGENTCORE_DEBUG", "1")
    debugged = run("local", "status")
    monkeypatch.setenv("AGENTCORE_DEBUG", "0")
    flagged = run("--debug", "local", "status")

    assert plain.exit_code == debugged.exit_code == flagged.exit_code == FAILED
    assert plain.stderr == (
        "agentcore-harness: Something unexpected happened (ZeroDivisionError: odd); "
        "set AGENTCORE_DEBUG=1 to see where, and please report it.\n"
    )
    assert "Traceback" in debugged.stderr
    assert "Traceback" in flagged.stderr


def test_a_reader_that_leaves_early_is_no_failure_of_ours(cloud: Wire) -> None:
    command = f"{sys.executable} -m agentcore_cli local env | head -n 1"

    seen = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert seen.stdout.startswith("export AWS_ENDPOINT_URL=")
    assert "Traceback" not in seen.stderr


@pytest.mark.parametrize(
    ("environment", "colours"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_only_on_a_terminal_that_wants_them(environment: dict[str, str], colours: bool) -> None:
    assert ("\x1b[" in on_a_terminal(["invoke", "x", "hi"], environment)) is colours


def test_no_terminal_no_colours(run: Run) -> None:
    assert "\x1b[" not in run("invoke", "x", "hi").stderr


def on_a_terminal(words: list[str], environment: dict[str, str]) -> str:
    """Standard error of the command on a pseudo terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", **environment}
    subprocess.run(
        [sys.executable, "-m", "agentcore_cli", *words], stdout=subprocess.PIPE, stderr=theirs, env=env, check=False
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    return written.decode()


def test_json_is_indented_for_people_and_one_line_for_pipes(cloud: Wire, run: Run) -> None:
    assert len(run("local", "reset", "--json").stdout.splitlines()) == 1
    assert json.loads(run("local", "status", "--json").stdout)["running"] is True
