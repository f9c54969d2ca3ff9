"""The command as a user runs it: a detached local cloud, another process for every command, the real CDK CLI."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from agentcore_cli import process

if TYPE_CHECKING:
    from collections.abc import Iterator

# One server for all of them.

ROOT = Path(__file__).parents[3]
APP = """
import aws_cdk as cdk
from agentcore_constructs import Harness, Tool

app = cdk.App()
stack = cdk.Stack(app, "Support")
agent = Harness(
    stack,
    "Agent",
    harness_name="deployed",
    system_prompt="You help customers.",
    tools=[Tool.inline("refund", description="Refund an order.", input_schema={"type": "object", "properties": {}})],
)
cdk.CfnOutput(stack, "Arn", value=agent.harness_arn)
app.synth()
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "bedrock-agentcore.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
REFUND = {
    "type": "inline_function",
    "name": "refund",
    "config": {"inlineFunction": {"description": "Refund an order.", "inputSchema": {"type": "object"}}},
}


@dataclass(frozen=True)
class Project:
    """A folder with a `cdk.json` and a home directory that must stay empty."""

    folder: Path
    home: Path

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AGENTCORE_", "CDK_"))
        }
        # Loading the rules of the CDK's validation takes three seconds in each process; tests/conformance validates.
        return {**kept, "HOME": str(self.home), "CDK_VALIDATION": "false"}

    def run(self, *words: str, stdin: str | None = None, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """One command line in a process of its own, without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "agentcore_cli", *words],
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def document(self, *words: str, expect: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def client(self, service: str) -> Any:
        """A boto3 client with what `local env` says and nothing else."""
        variables = self.document("local", "env")
        session: Any = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        return session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"], config=Config(proxies={}))

    def create_harness(self, name: str, **more: Any) -> str:
        """A harness that is ready; its ARN."""
        iam, control = self.client("iam"), self.client("bedrock-agentcore-control")
        role = iam.create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        iam.put_role_policy(RoleName=f"{name}-role", PolicyName="all", PolicyDocument=json.dumps(ANYTHING))
        made = control.create_harness(harnessName=name, executionRoleArn=role["Arn"], **more)["harness"]
        while made["status"] == "CREATING":
            made = control.get_harness(harnessId=made["harnessId"])["harness"]
        assert made["status"] == "READY"
        return str(made["arn"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose local cloud runs."""
    found = new_project(tmp_path_factory.mktemp("project"))
    found.run("local", "up", "--detach", "--port", "0")
    yield found
    found.run("local", "down", "--force")


def new_project(folder: Path) -> Project:
    (folder / "cdk.json").write_text(json.dumps({"app": f"{shlex.quote(sys.executable)} app.py"}))
    (folder / "app.py").write_text(APP)
    (folder / "home").mkdir()
    return Project(folder, folder / "home")


@pytest.fixture(scope="module")
def arn(project: Project) -> str:
    return project.create_harness("support", systemPrompt=[{"text": "You help."}], tools=[REFUND])


def test_status_says_where_it_runs(project: Project) -> None:
    status = project.document("local", "status")

    assert status["running"] is True
    assert process.is_local_cloud(status["pid"])
    assert process.probe(status["endpoint"]) is not None


def test_the_variables_point_a_shell_at_it(project: Project) -> None:
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    ours = f"{shlex.quote(sys.executable)} -m agentcore_cli local env --account 111122223333"
    script = f'eval "$({ours})" && {shlex.quote(sys.executable)} -c "{code}"'

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "111122223333\n"


def test_a_harness_answers_by_name_and_by_arn(project: Project, arn: str) -> None:
    by_name = project.run("invoke", "support", "hello there")
    by_arn = project.document("invoke", arn, "hello there", "--model", "some.other-model")

    assert by_name.stdout.strip()
    assert "end_turn · " in by_name.stderr
    assert by_arn["stopReason"] == "end_turn"
    assert by_arn["harnessArn"] == arn


def test_a_session_goes_on_where_it_was(project: Project, arn: str) -> None:
    def tokens_of_the_first_model_call(*words: str) -> int:
        events = [json.loads(line) for line in project.run("invoke", "support", *words, "--events").stdout.splitlines()]
        return next(int(event["metadata"]["usage"]["inputTokens"]) for event in events if "metadata" in event)

    first = project.document("invoke", "support", "my name is Ann")

    fresh = tokens_of_the_first_model_call("what is my name?")
    continued = tokens_of_the_first_model_call("what is my name?", "--session", first["sessionId"])

    assert continued > fresh


def test_an_inline_function_is_answered_with_the_command_it_printed(project: Project, arn: str) -> None:
    asked = project.run("invoke", "support", "please refund order 12")
    printed = shlex.split(asked.stderr.splitlines()[-1].removeprefix("Answer it: "))

    answered = project.run(*printed[1:-1], "20 EUR refunded")

    assert printed[0] == "agentcore-harness"
    assert "tool_use · " in asked.stderr
    assert "end_turn · " in answered.stderr
    assert "20 EUR refunded" in answered.stdout + answered.stderr


def test_a_stale_answer_is_refused_in_words(project: Project, arn: str) -> None:
    session = project.document("invoke", "support", "hello")["sessionId"]

    refused = project.run("invoke", "support", "x", "--session", session, "--answer", "nothing", expect=1)

    assert refused.stderr.splitlines()[-1].startswith("agentcore-harness: InvokeHarness on local cloud")
    assert "alidationException: " in refused.stderr


def test_an_endpoint_that_is_not_there_is_refused_in_words(project: Project, arn: str) -> None:
    refused = project.run("invoke", "support", "x", "--endpoint", "NOWHERE", expect=1)

    assert "failed with ResourceNotFoundException: " in refused.stderr


def test_a_chat_keeps_its_history_over_a_switch_of_the_model(project: Project, arn: str) -> None:
    def events(*words: str, stdin: str | None = None) -> list[dict[str, Any]]:
        return [json.loads(line) for line in project.run(*words, "--events", stdin=stdin).stdout.splitlines()]

    def tokens_of_the_first_model_call(shown: list[dict[str, Any]]) -> int:
        return next(int(event["metadata"]["usage"]["inputTokens"]) for event in shown if "metadata" in event)

    typed = "my name is Ann\n/model some.other-model\nwhat is my name?\n"
    shown = events("chat", "support", stdin=typed)
    second = max(index for index, event in enumerate(shown) if "invocation" in event)
    fresh = events("invoke", "support", "what is my name?", "--model", "some.other-model")

    assert shown[0]["invocation"]["sessionId"] == shown[second]["invocation"]["sessionId"]
    deltas = [event["contentBlockDelta"]["delta"] for event in shown[second:] if "contentBlockDelta" in event]
    assert "in place of some.other-model" in "".join(delta.get("text", "") for delta in deltas)
    assert tokens_of_the_first_model_call(shown[second:]) > tokens_of_the_first_model_call(fresh)


def test_a_chat_goes_on_where_a_chat_has_ended(project: Project, arn: str) -> None:
    session = f"{uuid.uuid4()}"
    project.run("chat", "support", "--session", session, stdin="hello\nhello again\n")
    project.run("chat", "support", "--session", session, stdin="and again\n")

    (found,) = [row for row in project.document("sessions", "support")["sessions"] if row["sessionId"] == session]
    assert found["turns"] == 3


def test_a_chat_answers_inline_functions(project: Project, arn: str) -> None:
    done = project.run("chat", "support", stdin="please refund order 12\n20 EUR refunded\nthank you\n")

    assert "→ refund " in done.stderr
    assert "20 EUR refunded" in done.stdout
    assert done.stderr.count("end_turn · ") == 2


def test_a_chat_tells_the_agent_that_a_function_failed(project: Project, arn: str) -> None:
    done = project.run("chat", "support", stdin="please refund order 12\n/error no such order\n")

    assert "← error: no such order" in done.stderr


def test_a_session_that_waits_says_so_everywhere(project: Project, arn: str) -> None:
    left = project.run("chat", "support", stdin="please refund order 13\n")
    printed = shlex.split(left.stderr.splitlines()[-1].removeprefix("Answer it: "))
    session = printed[printed.index("--session") + 1]

    waiting = next(row for row in project.document("sessions")["sessions"] if row["sessionId"] == session)
    refused = project.run("chat", "support", "--session", session, stdin="hello\n", expect=1)
    answered = project.run(*printed[1:-1], "done")

    assert waiting["waitsFor"]["name"] == "refund"
    assert "this session waits for the result of the inline function 'refund'" in refused.stderr
    assert "end_turn · " in answered.stderr


def test_harnesses_are_listed_and_described(project: Project, arn: str) -> None:
    control = project.client("bedrock-agentcore-control")
    harness_id = arn.rpartition("/")[2]
    control.create_harness_endpoint(harnessId=harness_id, endpointName="PROD", targetVersion="1")
    control.update_harness(harnessId=harness_id, maxIterations=10)

    row = next(line for line in project.run("list").stdout.splitlines() if line.startswith("support "))
    described = project.run("describe", "support").stdout

    assert row.split()[:3] == ["support", "READY", "2"]
    assert "DEFAULT=2, PROD=1" in row
    assert "global.anthropic.claude-sonnet-4-6" in row
    assert f"arn            {arn}\n" in described
    assert "limits         maxIterations 10, timeoutSeconds 3600\n" in described
    assert "tools          refund (inline_function)\n" in described
    assert project.document("describe", arn)["endpoints"][1]["endpointName"] == "PROD"


def test_more_harnesses_than_a_page_holds_are_listed(project: Project) -> None:
    client = project.client("iam")
    role = client.create_role(RoleName="many", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    control = project.client("bedrock-agentcore-control")
    names = [f"many{number:03}" for number in range(105)]
    for name in names:
        control.create_harness(harnessName=name, executionRoleArn=role, memory={"disabled": {}})

    listed = [harness["harnessName"] for harness in project.document("list")["harnesses"]]
    assert [name for name in listed if name.startswith("many")] == names


def test_logs_tell_what_happened_and_not_what_was_said(project: Project, arn: str) -> None:
    session = project.document("invoke", "support", "please refund my secret order")["sessionId"]

    shown = project.run("logs", "support", "--session", session).stdout.splitlines()
    records = [
        json.loads(json.loads(line)["message"])
        for line in project.run("logs", "support", "--session", session, "--json").stdout.splitlines()
    ]

    assert [record["event"] for record in records] == ["invocation_started", "tool_called", "invocation_ended"]
    assert records[-1]["stopReason"] == "tool_use"
    assert "tool=refund" in shown[1]
    assert session[:8] in shown[0]
    assert "secret" not in "".join(shown)


def test_logs_of_an_endpoint_that_never_worked(project: Project, arn: str) -> None:
    refused = project.run("logs", "support", "--endpoint", "NOWHERE", expect=1)

    assert "the service makes it when the endpoint first works" in refused.stderr


def test_logs_are_followed(project: Project, arn: str) -> None:
    before = project.document("invoke", "support", "hello")["sessionId"]
    command = subprocess.Popen(
        [sys.executable, "-m", "agentcore_cli", "logs", "support", "--follow", "--since", "1h", "--json"],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    records = (json.loads(json.loads(line)["message"]) for line in command.stdout)
    next(record for record in records if record["sessionId"] == before)  # from now on it follows

    session = project.document("invoke", "support", "hello")["sessionId"]
    first = next(record for record in records if record["sessionId"] == session)
    command.send_signal(signal.SIGINT)

    assert command.wait(20) == 0
    assert first["event"] == "invocation_started"
    command.stdout.close()


def test_names_are_completed(project: Project, arn: str) -> None:
    asked = {
        "_AGENTCORE_HARNESS_COMPLETE": "complete_bash",
        "COMP_WORDS": "agentcore-harness\nchat\nsup",
        "COMP_CWORD": "2",
    }

    done = subprocess.run(
        [sys.executable, "-m", "agentcore_cli"],
        cwd=project.folder,
        env=project.environment() | asked,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("support\n", "")


@pytest.mark.cli
def test_an_app_is_deployed_compared_invoked_and_destroyed(project: Project) -> None:
    (project.folder / "node_modules").symlink_to(ROOT / "node_modules")

    deployed = project.document("deploy", "--progress", "events")
    arn = deployed["outputs"]["Support"]["Arn"]
    answered = project.document("invoke", "Support.Arn", "hello")
    (project.folder / "app.py").write_text(APP.replace("You help customers.", "You help everybody."))
    changed = project.run("diff", "--fail", expect=1)
    project.run("destroy")
    gone = project.run("invoke", "deployed", "hello", expect=1)

    assert answered["harnessArn"] == arn
    assert "You help everybody." in changed.stdout + changed.stderr
    assert "`cdk diff --fail` ended with exit code 1" in changed.stderr
    assert "No harness is named 'deployed'" in gone.stderr
    assert not list(project.home.glob(".aws/**")), "the user's AWS settings were touched"
    assert not list(project.home.glob(".cdk/**")), "the user's CDK settings were touched"


def test_reset_leaves_nothing(project: Project) -> None:
    project.create_harness("shortlived")

    project.run("local", "reset")

    refused = project.run("invoke", "shortlived", "hello", expect=1)
    assert "there is none at all: deploy one with `agentcore-harness deploy`" in refused.stderr


def test_state_survives_a_restart_when_it_is_kept(tmp_path: Path) -> None:
    mine = new_project(tmp_path)
    mine.run("local", "up", "--detach", "--port", "0", "--state-dir", "kept")
    mine.create_harness("keeper", systemPrompt=[{"text": "You stay."}])
    mine.run("local", "down")

    mine.run("local", "up", "--detach", "--port", "0", "--state-dir", "kept")
    try:
        assert mine.document("invoke", "keeper", "hello")["stopReason"] == "end_turn"
    finally:
        mine.run("local", "down")


SCRIPT = """
- when: {prompt: weather}
  turns: [It rains.]
- turns: [Ask me about the weather.]
"""


def test_a_script_decides_what_agents_say_also_after_a_reset(tmp_path: Path) -> None:
    mine = new_project(tmp_path)
    (tmp_path / "talk.yaml").write_text(SCRIPT)
    mine.run("local", "up", "--detach", "--port", "0", "--script", "talk.yaml")
    try:
        mine.create_harness("frog")
        before = mine.run("invoke", "frog", "what is the weather?").stdout
        mine.run("local", "reset")
        mine.create_harness("frog")
        after = mine.run("invoke", "frog", "hello").stdout
    finally:
        mine.run("local", "down")

    assert (before, after) == ("It rains.\n", "Ask me about the weather.\n")


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--script", "talk.yaml", "rules[0].turns must be a list of at least one turn."),
        ("--script", "none.yaml", "cannot be read: [Errno 2] No such file or directory"),
        ("--fixtures", "none.yaml", "the fixtures {folder}/none.yaml cannot be read: No such file or directory"),
        ("--model", "gpt", "A model choice must be scripted, real or a URL; received 'gpt'."),
    ],
)
def test_a_script_or_model_that_cannot_be_used_is_said_at_once(
    tmp_path: Path, option: str, value: str, says: str
) -> None:
    mine = new_project(tmp_path)
    (tmp_path / "talk.yaml").write_text("- {turns: []}")

    refused = mine.run("local", "up", "--detach", "--port", "0", option, value, expect=1)

    assert "The local cloud ended while starting (exit code 1): agentcore_local: " in refused.stderr
    assert says.format(folder=tmp_path) in refused.stderr


def test_a_killed_local_cloud_is_noticed_and_replaced(tmp_path: Path) -> None:
    mine = new_project(tmp_path)
    pid = mine.document("local", "up", "--detach", "--port", "0")["pid"]

    os.kill(pid, signal.SIGKILL)
    while process.is_alive(pid):
        pass

    assert mine.document("local", "status", expect=1)["presence"] == "stale"
    assert f"process {pid} has ended" in mine.run("invoke", "support", "hello", expect=1).stderr
    assert mine.document("local", "up", "--detach", "--port", "0")["started"] is True
    assert mine.document("local", "down")["stopped"] is True


@pytest.mark.skipif(
    shutil.which("agentcore-harness", path=str(Path(sys.executable).parent)) is None, reason="not installed"
)
def test_the_script_is_installed() -> None:
    command = Path(sys.executable).with_name("agentcore-harness")

    assert subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "agentcore-harness "
    )
