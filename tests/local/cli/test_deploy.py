"""`deploy`, `diff` and `destroy`: what reaches the CDK CLI, in which environment, and what becomes of its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_cli import assembly, deploy
from agentcore_cli.errors import FAILED, INTERRUPTED, MISUSED

from .conftest import Run, document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.fake_service import Wire

CLI = f"""#!{sys.executable}
import json, os, sys, time
from pathlib import Path
here = Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps({{"words": sys.argv[1:], "environment": dict(os.environ)}}) + "\\n")
plan = json.loads((here / "plan").read_text())
print("words of the CDK CLI")
if "--outputs-file" in sys.argv and plan["outputs"]:
    Path(sys.argv[sys.argv.index("--outputs-file") + 1]).write_text(json.dumps(plan["outputs"]))
if sys.argv[1] == "deploy" and plan["stacks"]:
    stack = {{"type": "aws:cloudformation:stack"}}
    artifacts = {{str(n): {{**stack, "environment": place}} for n, place in enumerate(plan["stacks"])}}
    Path("cdk.out").mkdir(exist_ok=True)
    Path("cdk.out/manifest.json").write_text(json.dumps({{"artifacts": artifacts}}))
time.sleep(plan["seconds"])
if plan["signal"]:
    os.kill(os.getpid(), plan["signal"])
codes = plan["codes"]
(here / "plan").write_text(json.dumps({{**plan, "codes": codes[1:]}}))
sys.exit(codes[0] if codes else 0)
"""


@dataclass
class Cdk:
    """A CDK CLI that writes down how it was called."""

    folder: Path

    def plan(self, *, codes: Sequence[int] = (), **more: Any) -> None:
        plan = {"codes": list(codes), "outputs": {}, "stacks": [], "seconds": 0, "signal": 0, **more}
        (self.folder / "plan").write_text(json.dumps(plan))

    def calls(self) -> list[list[str]]:
        return [call["words"] for call in self._read()]

    def environment(self) -> dict[str, str]:
        return dict(self._read()[-1]["environment"])

    def _read(self) -> list[dict[str, Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def cdk(tmp_path: Path, cloud: Wire) -> Cdk:
    """The project's own CDK CLI, in an account that is bootstrapped."""
    folder = tmp_path / "node_modules" / ".bin"
    folder.mkdir(parents=True)
    (folder / "cdk").write_text(CLI)
    (folder / "cdk").chmod(0o755)
    cloud.stacks["CDKToolkit"] = ("CREATE_COMPLETE", {})
    found = Cdk(folder)
    found.plan()
    return found


def test_every_argument_reaches_the_cdk_cli_in_order(cdk: Cdk, run: Run) -> None:
    given = ["Research", "-c", "stage=dev", "--exclusively", "-vv", "--concurrency=4", "-e", "Coding"]

    assert run("deploy", *given).exit_code == 0

    assert cdk.calls() == [["deploy", *given, "--require-approval", "never"]]


def test_what_stands_behind_two_hyphens_is_not_ours(cdk: Cdk, run: Run) -> None:
    result = run("deploy", "--all", "--", "--json", "--region", "x")

    assert cdk.calls()[0] == [
        "deploy",
        "--all",
        "--json",
        "--region",
        "x",
        "--require-approval",
        "never",
    ]
    assert result.stdout == ""


def test_the_users_own_choices_are_kept(cdk: Cdk, run: Run, tmp_path: Path) -> None:
    given = ["--require-approval=broadening", "--outputs-file", str(tmp_path / "mine.json")]

    run("deploy", *given)

    assert cdk.calls() == [["deploy", *given]]


def test_the_environment_means_the_local_cloud_and_keeps_what_is_the_apps(
    cdk: Cdk, run: Run, cloud: Wire, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("STAGE", "dev")

    run("deploy", "--account", "111122223333", "--region", "eu-west-1")

    found = cdk.environment()
    assert found["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert (found["AWS_ACCESS_KEY_ID"], found["CDK_DEFAULT_ACCOUNT"]) == ("111122223333", "111122223333")
    assert (found["AWS_REGION"], found["CDK_DEFAULT_REGION"]) == ("eu-west-1", "eu-west-1")
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert found["CDK_HOME"] == str(folder / "cdk")
    assert found["STAGE"] == "dev"
    assert "mine" not in found.values()


@pytest.mark.parametrize("code", [1, 2, 77])
def test_the_exit_code_is_that_of_the_cdk_cli(cdk: Cdk, run: Run, cloud: Wire, code: int) -> None:
    cdk.plan(codes=[code])

    result = run("diff", "Research")

    assert result.exit_code == code
    assert result.stderr.endswith(
        f"agentcore-harness: `cdk diff Research` ended with exit code {code} on "
        f"local cloud {cloud.endpoint}, account 000000000000, us-east-1.\n"
    )


def test_a_signal_becomes_an_exit_code(cdk: Cdk, run: Run) -> None:
    cdk.plan(signal=signal.SIGKILL)

    assert run("diff").exit_code == 128 + signal.SIGKILL


def test_a_new_account_is_bootstrapped_first_and_only_once(cdk: Cdk, run: Run, cloud: Wire) -> None:
    del cloud.stacks["CDKToolkit"]

    result = run("deploy")
    cloud.stacks["CDKToolkit"] = ("CREATE_COMPLETE", {})
    run("deploy")

    assert [call[0] for call in cdk.calls()] == ["bootstrap", "deploy", "deploy"]
    assert cdk.calls()[0] == ["bootstrap", "aws://000000000000/us-east-1"]
    assert "Bootstrapping aws://000000000000/us-east-1 on the local cloud …" in result.stderr
    assert "words of the CDK CLI" not in result.stderr


def test_a_bootstrap_stack_that_failed_is_no_bootstrap(cdk: Cdk, run: Run, cloud: Wire) -> None:
    cloud.stacks["CDKToolkit"] = ("ROLLBACK_COMPLETE", {})

    run("deploy")

    assert cdk.calls()[0][0] == "bootstrap"


def test_another_toolkit_stack_is_the_one_that_counts(cdk: Cdk, run: Run) -> None:
    run("deploy", "--toolkit-stack-name", "MyToolkit")

    assert cdk.calls()[0] == ["bootstrap", "aws://000000000000/us-east-1", "--toolkit-stack-name", "MyToolkit"]


def test_a_bootstrap_that_fails_shows_why_and_nothing_is_deployed(cdk: Cdk, run: Run, cloud: Wire) -> None:
    del cloud.stacks["CDKToolkit"]
    cdk.plan(codes=[3])

    result = run("deploy", "--json")

    assert result.exit_code == FAILED
    assert "words of the CDK CLI" in result.stderr
    assert document(result)["error"] == {
        "code": "BootstrapFailed",
        "message": "Bootstrapping aws://000000000000/us-east-1 failed (exit code 3); the CDK CLI says why above.",
    }
    assert len(cdk.calls()) == 1


def test_a_region_that_only_a_stack_names_is_bootstrapped_and_deployed_again(cdk: Cdk, run: Run, cloud: Wire) -> None:
    """The fake answers for every Region alike, so the toolkit vanishes between the two questions."""
    cdk.plan(codes=[1], stacks=["aws://unknown-account/unknown-region", "aws://000000000000/eu-west-1"])
    asked = deploy._is_bootstrapped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            deploy,
            "_is_bootstrapped",
            lambda target, region, toolkit: region == "us-east-1" and asked(target, region, toolkit),
        )
        result = run("deploy", "--all")

    assert [call[:2] for call in cdk.calls()] == [
        ["deploy", "--all"],
        ["bootstrap", "aws://000000000000/eu-west-1"],
        ["deploy", "--all"],
    ]
    assert result.exit_code == 0


def test_a_failed_deployment_is_not_repeated(cdk: Cdk, run: Run) -> None:
    cdk.plan(codes=[1], stacks=["aws://unknown-account/unknown-region"])

    assert run("deploy").exit_code == 1
    assert len(cdk.calls()) == 1


def test_an_old_assembly_is_not_asked(cdk: Cdk, run: Run, tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    manifest = tmp_path / "cdk.out" / "manifest.json"
    manifest.write_text('{"artifacts": {"a": {"type": "aws:cloudformation:stack", "environment": "aws://1/x"}}}')
    os.utime(manifest, (time.time() - 60, time.time() - 60))
    cdk.plan(codes=[1])

    assert "--account" not in run("deploy").stderr


def test_stacks_of_another_account_are_pointed_out(cdk: Cdk, run: Run) -> None:
    cdk.plan(codes=[1], stacks=["aws://444455556666/us-east-1"])

    assert (
        "Stacks of this app go to account 444455556666; deploy those with --account 444455556666."
        in run("deploy").stderr
    )


def test_json_holds_the_outputs_and_the_cdk_cli_speaks_on_stderr(cdk: Cdk, run: Run, cloud: Wire, capfd: Any) -> None:
    cdk.plan(outputs={"Research": {"Arn": "a"}})

    result = run("deploy", "--json")

    assert document(result) == {
        "target": {"kind": "local", "endpoint": cloud.endpoint, "account": "000000000000", "region": "us-east-1"},
        "exitCode": 0,
        "outputs": {"Research": {"Arn": "a"}},
    }
    assert capfd.readouterr().err == "words of the CDK CLI\n"


def test_json_of_a_failed_deployment_has_its_exit_code(cdk: Cdk, run: Run) -> None:
    cdk.plan(codes=[5])

    result = run("deploy", "--json")

    assert (result.exit_code, document(result)["exitCode"], document(result)["outputs"]) == (5, 5, {})


def test_destroy_does_not_ask(cdk: Cdk, run: Run) -> None:
    run("destroy", "Research", "--json")
    run("destroy", "--all", "-f")

    assert cdk.calls() == [["destroy", "Research", "--force"], ["destroy", "--all", "-f"]]


@pytest.mark.parametrize("verb", ["deploy", "diff", "destroy"])
def test_aws_is_the_business_of_the_cdk_cli_itself(
    cdk: Cdk, run: Run, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_flag = run(verb, "--aws")
    monkeypatch.setenv("AGENTCORE_TARGET", "aws")
    by_environment = run(verb)

    assert by_flag.exit_code == by_environment.exit_code == MISUSED
    assert (
        by_flag.stderr
        == by_environment.stderr
        == (
            "agentcore-harness: This command works on the local cloud only; "
            "deploy to AWS with the CDK CLI itself: cdk deploy.\n"
        )
    )
    assert cdk.calls() == []


def test_a_profile_contradicts_the_local_cloud(cdk: Cdk, run: Run) -> None:
    result = run("deploy", "--profile", "prod")

    assert result.stderr == (
        "agentcore-harness: --profile names AWS credentials, and this command uses the local cloud; "
        "choose an account with --account.\n"
    )


def test_without_a_cdk_cli_there_is_a_sentence(cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    result = run("deploy")

    assert result.exit_code == FAILED
    assert result.stderr.splitlines()[-1].startswith("agentcore-harness: The CDK CLI cannot be used: no CDK CLI: ")


def test_without_a_local_cloud_there_is_a_sentence(run: Run) -> None:
    result = run("deploy")

    assert result.exit_code == FAILED
    assert "No local cloud is running for this project" in result.stderr
    assert "--aws" not in result.stderr


def test_ctrl_c_waits_for_the_cdk_cli(cdk: Cdk, tmp_path: Path) -> None:
    cdk.plan(seconds=30)
    command = subprocess.Popen(
        [sys.executable, "-m", "agentcore_cli", "deploy"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not cdk.calls():
        time.sleep(0.05)

    os.killpg(command.pid, signal.SIGINT)  # what a terminal does
    _, err = command.communicate(timeout=20)

    assert command.returncode == INTERRUPTED
    assert err.endswith("agentcore-harness: Interrupted.\n")


@pytest.mark.parametrize(
    ("words", "value"),
    [(["-o", "x"], "x"), (["--output=x"], "x"), (["--output", "y", "-o", "x"], "x"), (["--output"], None), ([], None)],
)
def test_an_option_among_the_arguments(words: list[str], value: str | None) -> None:
    assert assembly.option(words, "--output", "-o") == value


def test_where_the_assembly_is(tmp_path: Path) -> None:
    assert assembly.folder(tmp_path, []) == tmp_path / "cdk.out"
    (tmp_path / "cdk.json").write_text('{"output": "build/cdk"}')
    assert assembly.folder(tmp_path, []) == tmp_path / "build/cdk"
    assert assembly.folder(tmp_path, ["-o", "mine"]) == tmp_path / "mine"
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "manifest.json").write_text("{}")
    assert assembly.folder(tmp_path, ["--app", "made", "-o", "mine"]) == tmp_path / "made"


def test_stacks_of_stages_count_too(tmp_path: Path) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    stack = {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1"}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Prod": stage, "Tree": {"type": "cdk:tree"}}}))
    (tmp_path / "assembly-Prod").mkdir()
    (tmp_path / "assembly-Prod" / "manifest.json").write_text(json.dumps({"artifacts": {"Stack": stack}}))

    assert assembly.environments(tmp_path, account="a", region="r") == {("111122223333", "eu-west-1")}
    assert assembly.environments(tmp_path / "none", account="a", region="r") == set()
