"""What the shells offer at the Tab key: quickly, silently, from the local cloud only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import record
from .test_main import HEAVY

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_service import Wire

ARN = "arn:aws:bedrock-agentcore:us-east-1:000000000000:harness"
KNOWN = {
    "harnesses": [
        {"name": "research", "arn": f"{ARN}/research-0123456789", "endpoints": ["DEFAULT", "PROD"]},
        {"name": "coding", "arn": f"{ARN}/coding-0123456789", "endpoints": ["BETA", "DEFAULT"]},
    ]
}


@pytest.fixture(autouse=True)
def harnesses(cloud: Wire) -> None:
    cloud.answers = {"GET /_agentcore/harnesses": KNOWN}


def complete(line: str, shell: str = "bash", **environment: str) -> subprocess.CompletedProcess[str]:
    """What a shell gets when Tab is pressed at the end of a line."""
    words = line.split(" ")
    asked = {
        "_AGENTCORE_HARNESS_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    return subprocess.run(
        [sys.executable, "-m", "agentcore_cli"],
        env={**os.environ, **asked, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def offered(line: str, **environment: str) -> list[str]:
    done = complete(line, **environment)
    assert done.stderr == ""
    return done.stdout.split()


def test_commands() -> None:
    assert {"list", "describe", "invoke", "chat", "sessions", "logs", "deploy", "local"} <= set(
        offered("agentcore-harness ")
    )
    assert offered("agentcore-harness local u") == ["up"]


@pytest.mark.parametrize("command", ["invoke", "chat", "describe", "sessions", "logs"])
def test_names_of_harnesses(command: str) -> None:
    assert offered(f"agentcore-harness {command} ") == ["research", "coding"]
    assert offered(f"agentcore-harness {command} re") == ["research"]


@pytest.mark.parametrize("reference", ["research", "research-0123456789", f"{ARN}/research-0123456789"])
def test_endpoints_of_the_harness(reference: str) -> None:
    assert offered(f"agentcore-harness chat {reference} --endpoint ") == ["DEFAULT", "PROD"]
    assert offered(f"agentcore-harness logs {reference} --endpoint P") == ["PROD"]


def test_endpoints_before_a_harness_is_named_are_those_of_all() -> None:
    assert offered("agentcore-harness chat --endpoint ") == ["BETA", "DEFAULT", "PROD"]


def test_other_options_and_arguments_are_left_to_the_shell() -> None:
    assert "--endpoint" in offered("agentcore-harness chat research --e")
    assert offered("agentcore-harness invoke research ") == []


@pytest.mark.parametrize(
    ("shell", "shows"),
    [
        ("bash", "research\ncoding"),
        ("zsh", '"research":"DEFAULT, PROD"'),
        ("fish", "research\tDEFAULT, PROD"),
        ("powershell", "research:::DEFAULT, PROD"),
        ("pwsh", "research:::DEFAULT, PROD"),
    ],
)
def test_every_shell_is_answered_in_its_own_way(shell: str, shows: str) -> None:
    assert shows in complete("agentcore-harness chat ", shell).stdout


def test_account_and_region_of_the_line_count(cloud: Wire) -> None:
    offered("agentcore-harness chat --account 111122223333 --region eu-west-1 ")

    assert cloud.requests[-1][1] == "/_agentcore/harnesses?account=111122223333&region=eu-west-1"


def test_the_shells_own_local_cloud_counts(cloud: Wire, folder: Path) -> None:
    (folder / "local.json").unlink()

    found = offered(
        "agentcore-harness chat ",
        AWS_ENDPOINT_URL=cloud.endpoint,
        AWS_ACCESS_KEY_ID="111122223333",
        AWS_REGION="eu-west-1",
    )

    assert found == ["research", "coding"]
    assert cloud.requests[-1][1] == "/_agentcore/harnesses?account=111122223333&region=eu-west-1"


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        ("agentcore-harness chat --aws ", {}),
        ("agentcore-harness chat ", {"AGENTCORE_TARGET": "aws"}),
    ],
)
def test_nobody_is_asked_where_aws_is_meant(cloud: Wire, line: str, environment: dict[str, str]) -> None:
    assert offered(line, **environment) == []
    assert cloud.requests == []


def test_without_a_local_cloud_nothing_is_offered(folder: Path) -> None:
    (folder / "local.json").unlink()

    assert offered("agentcore-harness chat ") == []


def test_a_local_cloud_that_has_crashed_offers_nothing(gone: int) -> None:
    assert offered("agentcore-harness chat ") == []


@pytest.mark.parametrize("content", ["{", '{"endpoint": "https://elsewhere.example", "pid": 1, "startedAt": ""}'])
def test_a_record_that_cannot_be_used_offers_nothing(folder: Path, content: str) -> None:
    (folder / "local.json").write_text(content)

    assert offered("agentcore-harness chat ") == []


@pytest.mark.parametrize("answer", [{}, {"harnesses": 7}, {"harnesses": [{"name": "x"}]}, ["x"]])
def test_an_answer_that_cannot_be_read_offers_nothing(cloud: Wire, answer: Any) -> None:
    cloud.answers = {"GET /_agentcore/harnesses": answer}

    assert offered("agentcore-harness chat ") == []
    assert offered("agentcore-harness chat --endpoint ") == []


def test_wrong_options_offer_nothing() -> None:
    assert offered("agentcore-harness chat --account 12 ") == []


def test_a_local_cloud_that_does_not_answer_is_not_waited_for(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        record(folder, f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert offered("agentcore-harness chat ") == []  # within the limit of `complete`; that socket answers never


def test_nothing_heavy_is_loaded() -> None:
    script = (
        "import sys\nfrom agentcore_cli.main import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    asked = {
        "_AGENTCORE_HARNESS_COMPLETE": "complete_bash",
        "COMP_WORDS": "agentcore-harness\nchat\n",
        "COMP_CWORD": "2",
    }

    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )

    assert (done.stdout.split(), done.stderr) == (["research", "coding"], "[]\n")


@pytest.mark.parametrize(
    ("shell", "shows"),
    [
        ("bash", "complete -o default -F _agentcore_harness_completion agentcore-harness"),
        ("zsh", "#compdef agentcore-harness"),
        ("fish", "complete --command agentcore-harness"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName agentcore-harness"),
    ],
)
def test_the_script_of_every_shell_is_shown(shell: str, shows: str) -> None:
    # With detection off, the option takes the shell's name.
    env = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "agentcore_cli", "--show-completion", shell],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert shows in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_what_is_installed_works_in_bash(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "agentcore-harness"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m agentcore_cli "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    detect = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    subprocess.run([command, "--install-completion", "bash"], env=environment | detect, check=True, capture_output=True)
    script = (
        "source ~/.bashrc; COMP_WORDS=(agentcore-harness chat re); COMP_CWORD=2; "
        '_agentcore_harness_completion agentcore-harness; echo "${COMPREPLY[@]}"'
    )

    done = subprocess.run(["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("research\n", "")
