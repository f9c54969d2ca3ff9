"""Skills: fetched into the session's directory, listed in the prompt, read in full with a tool."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EventStreamError
from support.behaviours import behaviour

from agentcore_local.agents.scripts import ModelCall, ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account, LocalCloud

TOPIC = "Skills of a harness"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html",)
SKILL = "---\nname: {name}\ndescription: Reads <{name}>.\nallowed-tools: shell\n---\nOpen {name} with care.\n"
REPOSITORY = "https://git.example.com/team/skills.git"


@pytest.fixture
def bucket(account: Account) -> Callable[..., Any]:
    """Puts objects into the bucket of the account's skills."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name_of(account))

    def put(**objects: str) -> Any:
        for key, text in objects.items():
            s3.put_object(Bucket=name_of(account), Key=key.replace("__", "/").replace("_md", ".md"), Body=text.encode())
        return s3

    return put


def name_of(account: Account) -> str:
    """Names of buckets are unique over all accounts."""
    return f"agent-skills-{account.account_id}"


class Talk:
    """Invokes a harness in one session and keeps what the model was shown."""

    def __init__(self, cloud: LocalCloud, account: Account, arn: str) -> None:
        self.account, self.arn = account, arn
        self.session = f"session-{uuid.uuid4()}"
        self.calls: list[ModelCall] = []
        self.turns: list[Turn | str] = ["ok"]
        cloud.script(arn, self._script)

    def _script(self, call: ModelCall) -> Turn | str:
        self.calls.append(call)
        return self.turns[min(call.turn, len(self.turns)) - 1]

    def say(self, *turns: Turn | str, **request: Any) -> list[dict[str, Any]]:
        self.turns = list(turns) or ["ok"]
        whole = {
            "harnessArn": self.arn,
            "runtimeSessionId": self.session,
            "messages": [{"role": "user", "content": [{"text": "hello"}]}],
            **request,
        }
        return list(self.account.client("bedrock-agentcore").invoke_harness(**whole)["stream"])

    def shell(self, command: str) -> str:
        """What a command of the agent prints."""
        return self.results(Turn(tool_calls=[ToolCall("shell", {"command": command})]))[0]

    def results(self, turn: Turn) -> list[str]:
        events = self.say(turn, "done")
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        return ["".join(part["text"] for part in delta["toolResult"]) for delta in deltas if "toolResult" in delta]

    @property
    def prompt(self) -> str:
        return self.calls[-1].system_prompt

    def error(self, **request: Any) -> str:
        with pytest.raises(EventStreamError) as caught:
            self.say(**request)
        assert caught.value.response["Error"]["Code"] == "runtimeClientError"
        return str(caught.value.response["Error"]["Message"])


@pytest.fixture
def talk(local_cloud: LocalCloud, account: Account, create: Callable[..., Any]) -> Callable[..., Talk]:
    """Makes a harness with skills; `s3://` stands for the account's bucket of skills."""

    def make(*skills: Any, **others: Any) -> Talk:
        found = [in_s3(account, skill[3:]) if isinstance(skill, str) else skill for skill in skills]
        return Talk(local_cloud, account, create(skills=found, **others)["arn"])

    return make


def in_s3(account: Account, path: str) -> dict[str, Any]:
    return {"s3": {"uri": f"s3://{name_of(account)}/{path}"}}


@behaviour(
    "A skill in S3 is all below its prefix; the model sees its description, and reads on when it needs it",
    status="approximated",
    note="In `.agents/skills`, read with a tool `skills`; how the service does it is not documented.",
)
def test_a_skill_in_s3(bucket: Callable[..., Any], talk: Callable[..., Talk]) -> None:
    bucket(v1__excel__SKILL_md=SKILL.format(name="excel"), v1__excel__scripts__read="print(1)", v1__excel_2__x="")
    agent = talk("s3:v1/excel/")
    agent.say()
    assert agent.prompt.endswith(
        "<available_skills>\n<skill>\n<name>excel</name>\n<description>Reads &lt;excel&gt;.</description>\n"
        "<location>/workspace/.agents/skills/s3/excel/SKILL.md</location>\n</skill>\n</available_skills>"
    )
    assert "skills" in agent.calls[-1].tools
    assert agent.shell("cd .agents/skills/s3 && find . -type f | sort") == "./excel/SKILL.md\n./excel/scripts/read\n"
    (read,) = agent.results(Turn(tool_calls=[ToolCall("skills", {"skill_name": "excel"})]))
    assert read == (
        "Open excel with care.\n\n---\nAllowed tools: shell\nLocation: /workspace/.agents/skills/s3/excel/SKILL.md\n\n"
        "Available resources:\n  scripts/read"
    )
    (missing,) = agent.results(Turn(tool_calls=[ToolCall("skills", {"skill_name": "word"})]))
    assert missing == "Skill 'word' not found. Available skills: excel"


@behaviour("Skills are fetched when a session starts, once")
def test_a_session_keeps_what_it_fetched_and_a_new_one_fetches_anew(
    account: Account, bucket: Callable[..., Any], talk: Callable[..., Talk]
) -> None:
    s3 = bucket(excel__SKILL_md=SKILL.format(name="excel"))
    agent = talk("s3:excel")
    agent.say()
    s3.put_object(Bucket=name_of(account), Key="excel/SKILL.md", Body=SKILL.format(name="word").encode())
    agent.say()
    assert "<name>excel</name>" in agent.prompt
    agent.session = f"session-{uuid.uuid4()}"
    agent.say()
    assert "<name>word</name>" in agent.prompt


@behaviour(
    "Skills of a call",
    status="approximated",
    note="They replace the harness' own, as the API reference says; the guide says they are added.",
)
def test_a_call_may_bring_others(bucket: Callable[..., Any], talk: Callable[..., Talk]) -> None:
    bucket(a__SKILL_md=SKILL.format(name="a"), b__SKILL_md=SKILL.format(name="b"))
    agent = talk("s3:a/")
    agent.say()
    agent.say(skills=[in_s3(agent.account, "b/")])
    assert ("<name>b</name>" in agent.prompt, "<name>a</name>" in agent.prompt) == (True, False)
    agent.say()
    assert "<name>a</name>" in agent.prompt


def test_a_directory_of_several_skills(bucket: Callable[..., Any], talk: Callable[..., Talk]) -> None:
    bucket(all__a__SKILL_md=SKILL.format(name="a"), all__b__SKILL_md=SKILL.format(name="b"), all__b__assets__x="")
    agent = talk("s3:all")
    agent.say()
    assert agent.prompt.index("<name>a</name>") < agent.prompt.index("<name>b</name>")
    assert "/workspace/.agents/skills/s3/all/b/SKILL.md" in agent.prompt


@pytest.mark.parametrize(
    ("content", "reason"), [("no front matter", "its SKILL.md cannot be read"), (None, "there is no SKILL.md")]
)
def test_what_is_no_skill_is_left_out(
    bucket: Callable[..., Any],
    talk: Callable[..., Talk],
    caplog: pytest.LogCaptureFixture,
    content: str | None,
    reason: str,
) -> None:
    bucket(**({"x__SKILL_md": content} if content else {"x__README": ""}))
    agent = talk("s3:x")
    agent.say()
    agent.say()
    assert "No skills are currently available." in agent.prompt
    assert len([record for record in caplog.records if reason in record.getMessage()]) == 1


@behaviour("A fetch that fails is a failed invocation")
def test_a_bucket_that_is_not_there_fails_the_invocation(talk: Callable[..., Talk]) -> None:
    agent = talk({"s3": {"uri": "s3://gone-bucket/x"}})
    assert agent.error().startswith("A skill could not be fetched: NoSuchBucket: ")


@behaviour("S3 is read with the execution role")
def test_every_file_is_read_with_the_role(
    account: Account, bucket: Callable[..., Any], talk: Callable[..., Talk], role_arn: str
) -> None:
    bucket(excel__SKILL_md=SKILL.format(name="excel"), excel__secret="x")
    denied = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name_of(account)}/excel/secret"}
    account.client("iam").put_role_policy(
        RoleName="agent", PolicyName="No", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    )
    error = talk("s3:excel").error()
    assert error.startswith("A skill could not be fetched: AccessDeniedException: ")
    assert f"s3:GetObject on resource: arn:aws:s3:::{name_of(account)}/excel/secret" in error


@behaviour("A skill in Git is a directory of a repository, over HTTPS")
def test_a_skill_in_git(talk: Callable[..., Talk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skill = tmp_path / "skills" / "docx"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(SKILL.format(name="docx"))
    (skill / "run.sh").write_text("echo ran")
    (skill / "run.sh").chmod(0o755)
    monkeypatch.setenv("AGENTCORE_GIT_MIRRORS", f"https://git.example.com/team/skills={tmp_path}")
    (tmp_path / "more" / "xlsx").mkdir(parents=True)
    (tmp_path / "more" / "xlsx" / "SKILL.md").write_text(SKILL.format(name="xlsx"))
    agent = talk({"git": {"url": REPOSITORY, "path": "skills/docx"}}, {"git": {"url": REPOSITORY, "path": "more"}})
    agent.say()
    assert "/workspace/.agents/skills/git/docx/SKILL.md" in agent.prompt
    assert "/workspace/.agents/skills/git/more/xlsx/SKILL.md" in agent.prompt
    assert agent.shell(".agents/skills/git/docx/run.sh") == "ran\n"


def test_git_that_cannot_be_had_fails_the_invocation(
    talk: Callable[..., Talk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTCORE_GIT_MIRRORS", f"{REPOSITORY}={tmp_path}")
    error = talk({"git": {"url": REPOSITORY, "path": "nope"}}).error()
    assert error.startswith("A skill could not be fetched: there is no 'nope' in the repository at commit ")


@behaviour(
    "A skill in the image is read from its path",
    status="approximated",
    note="From the working directory and mounts; images are not pulled, and what is not there is left out.",
)
def test_a_path_in_the_session(talk: Callable[..., Talk], caplog: pytest.LogCaptureFixture) -> None:
    mount = {"sessionStorage": {"mountPath": "/mnt/data"}}
    environment = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": [mount]}}
    agent = talk(environment=environment)
    agent.shell("mkdir -p /mnt/data/word own && ln -s /etc/passwd own/SKILL.md")
    agent.shell(f"cat > /mnt/data/word/SKILL.md <<'END'\n{SKILL.format(name='word')}END")
    agent.say(skills=[{"path": "/mnt/data/word"}, {"path": "own"}, {"path": "/opt/skills/x"}])
    assert "<location>/mnt/data/word/SKILL.md</location>" in agent.prompt
    assert agent.prompt.count("<skill>") == 1
    said = [record.getMessage() for record in caplog.records]
    assert [text for text in said if text.endswith("/opt/skills/x is in the image, which the local cloud does not run")]


def test_what_a_command_left_in_the_way_is_not_followed(
    bucket: Callable[..., Any], talk: Callable[..., Talk], tmp_path: Path
) -> None:
    bucket(excel__SKILL_md=SKILL.format(name="excel"))
    agent = talk()
    agent.shell(f"ln -s {tmp_path} .agents")
    assert "something is in the way at /workspace/.agents/" in agent.error(skills=[in_s3(agent.account, "excel")])
    assert list(tmp_path.iterdir()) == []


@behaviour(
    "AWS' own skills are in the managed image",
    status="approximated",
    note="From a folder that `AGENTCORE_LOCAL_AWS_SKILLS` names; else left out, and the log says so.",
)
def test_the_skills_of_aws(
    talk: Callable[..., Talk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for place in ("core-skills/s3", "core-skills/iam", "other/x"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "SKILL.md").write_text(SKILL.format(name=place.rsplit("/", 1)[-1]))
    agent = talk({"awsSkills": {"paths": ["core-skills/*"]}})
    agent.say()
    assert "No skills are currently available." in agent.prompt
    assert any(
        "which the local cloud does not have; AGENTCORE_LOCAL_AWS_SKILLS names" in r.getMessage()
        for r in caplog.records
    )
    monkeypatch.setenv("AGENTCORE_LOCAL_AWS_SKILLS", str(tmp_path))
    agent.session = f"session-{uuid.uuid4()}"
    agent.say()
    assert [
        "<name>s3</name>" in agent.prompt,
        "<name>iam</name>" in agent.prompt,
        "<name>x</name>" in agent.prompt,
    ] == [
        True,
        True,
        False,
    ]


def test_a_harness_without_skills_has_no_tool_for_them(talk: Callable[..., Talk]) -> None:
    agent = talk()
    agent.say()
    assert "skills" not in agent.calls[-1].tools
    assert "available_skills" not in agent.prompt
