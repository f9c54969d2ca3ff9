"""A local cloud that keeps state comes back with it after it was killed: idle, in conversation, in a deployment."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks

from agentcore_local import clients, deploy, seams, state
from agentcore_local.process import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACCOUNT, REGION = "111122223333", "us-east-1"
PATIENCE = 20.0


class Cloud:
    """A local cloud in a process of its own, and an account of it."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "agentcore_local",
            "--port",
            "0",
            "--state-dir",
            str(folder / "state"),
            *options,
        ]
        environment = {**os.environ, "AGENTCORE_LOCAL_SCRIPT": str(folder / "script.yaml")}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.endpoint = json.loads(self.process.stdout.readline())["endpoint"]
        self.control = self.client("bedrock-agentcore-control")
        self.stacks = self.client("cloudformation")

    def client(self, service: str) -> Any:
        return clients.client(service, endpoint=self.endpoint, account=ACCOUNT, region=REGION)

    @property
    def account(self) -> Any:
        """As much of an account as a direct deployment takes."""
        cloud = SimpleNamespace(endpoint_url=self.endpoint)
        return SimpleNamespace(client=self.client, account_id=ACCOUNT, region=REGION, cloud=cloud)

    def deploy(self, folder: Path, template: stacks.Template) -> None:
        deploy.deploy(self.account, stacks.assembly(folder, template), None)

    def say(self, text: str, session: str) -> str:
        (harness,) = self.control.list_harnesses()["harnesses"]
        events = self.client("bedrock-agentcore").invoke_harness(
            harnessArn=harness["arn"],
            runtimeSessionId=session,
            messages=[{"role": "user", "content": [{"text": text}]}],
        )["stream"]
        return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    (tmp_path / "script.yaml").write_text('[{turns: [{text: "Well."}]}]')
    begun: list[Cloud] = []

    def start(*options: str) -> Cloud:
        begun.append(Cloud(tmp_path, *options))
        return begun[-1]

    yield start
    for cloud in begun:
        with contextlib.suppress(ProcessLookupError):
            cloud.kill()


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def current(folder: Path) -> str:
    return (folder / "state" / "current").read_text()


def test_killed_while_idle_in_conversation_and_in_a_deployment(start: Callable[..., Cloud], tmp_path: Path) -> None:
    cloud = start()
    before = current(tmp_path)
    cloud.deploy(tmp_path / "1", stacks.template(Harness=stacks.harness(), Endpoint=stacks.endpoint()))
    # Once the stack is deployed it takes no longer than DELAY, and what writing takes.
    until(lambda: current(tmp_path) != before)
    (harness,) = cloud.control.list_harnesses()["harnesses"]
    session = str(uuid.uuid4())
    cloud.say("hello", session)
    cloud.kill()  # at once: the conversation is not in a snapshot yet

    cloud = start()
    assert cloud.stacks.describe_stacks(StackName="Stack")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    (again,) = cloud.control.list_harnesses()["harnesses"]
    assert again == harness
    memory = cloud.control.get_harness(harnessId=again["harnessId"])["harness"]["memory"]["managedMemoryConfiguration"]
    said = cloud.client("bedrock-agentcore").list_events(
        memoryId=memory["arn"].rsplit("/", 1)[-1], sessionId=session, actorId="default"
    )["events"]
    assert len(said) == 2
    # An answer of the control plane is on disk before it is given.
    cloud.control.create_harness_endpoint(harnessId=again["harnessId"], endpointName="STAGING")
    cloud.kill()

    cloud = start()
    endpoints = cloud.control.list_harness_endpoints(harnessId=again["harnessId"])["endpoints"]
    assert sorted(one["endpointName"] for one in endpoints) == ["DEFAULT", "PROD", "STAGING"]
    # A deployment that waits for a custom resource: what it has done is forgotten as a whole.
    slow = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "300"}}
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    changed = stacks.harness(SystemPrompt=[{"Text": "another"}])
    template = stacks.template(Harness=changed, Endpoint=stacks.endpoint(), Slow=slow, Handle=handle)
    cloud.stacks.update_stack(
        StackName="Stack", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    until(lambda: len(cloud.control.list_harness_versions(harnessId=again["harnessId"])["harnessVersions"]) == 2)
    cloud.kill()

    cloud = start()
    assert cloud.stacks.describe_stacks(StackName="Stack")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert len(cloud.control.list_harness_versions(harnessId=again["harnessId"])["harnessVersions"]) == 1
    cloud.deploy(tmp_path / "2", stacks.template(Harness=changed, Endpoint=stacks.endpoint()))
    assert cloud.say("hello", session)
    assert len(list((tmp_path / "state" / "snapshots").iterdir())) <= 2


def served(folder: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """What becomes of a local cloud that must not start, and may write files of at most so many bytes."""
    command = [sys.executable, "-m", "agentcore_local", "--port", "0", "--state-dir", str(folder)]
    if limit is not None:
        command = ["prlimit", f"--fsize={limit}", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class TestFolder:
    def test_it_belongs_to_one_local_cloud(self, start: Callable[..., Cloud], tmp_path: Path) -> None:
        cloud = start()
        other = served(tmp_path / "state")
        assert (other.returncode, other.stderr) == (
            1,
            (
                f"agentcore_local: the folder {tmp_path / 'state'} keeps the state of another local cloud, which runs "
                f"(process {cloud.process.pid}); stop that one or choose another folder\n"
            ),
        )
        cloud.kill()
        start()  # the claim of one that was killed is nobody's

    def test_it_must_be_one_that_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        done = served(tmp_path / "file")
        assert done.returncode == 1
        where = f"state cannot be kept in {tmp_path / 'file'} (Not a directory)"
        assert done.stderr == f"agentcore_local: {where}; choose a folder that can be written\n"

    @pytest.mark.skipif(shutil.which("prlimit") is None, reason="limits what a process may write")
    def test_without_room_in_it_there_is_no_start(self, tmp_path: Path) -> None:
        done = served(tmp_path / "state", limit=50)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            1,
            (
                f"agentcore_local: state cannot be kept in {tmp_path / 'state'} (File too large); make room or choose "
                "another one"
            ),
        )

    @pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits what a process may write")
    def test_what_cannot_be_kept_is_not_answered_as_done(self, start: Callable[..., Cloud], tmp_path: Path) -> None:
        cloud = start()
        role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(stacks.trust()))
        resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE, (50, 50))
        with pytest.raises(ClientError) as caught:
            cloud.control.create_harness(harnessName="h", executionRoleArn=role["Role"]["Arn"])
        assert caught.value.response["Error"]["Message"] == (
            f"this was done, but cannot be written to the state folder {tmp_path / 'state'} (File too large), so a "
            "restart would forget it; make room there"
        )

    @pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits what a process may write")
    def test_a_last_state_that_cannot_be_written_is_said(
        self, start: Callable[..., Cloud], tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        cloud = start()
        resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE, (30_000, 30_000))
        for number in range(10):
            cloud.client("ssm").put_parameter(Name=f"/lost/{number}", Value="x" * 4000, Type="String")
        cloud.process.send_signal(signal.SIGTERM)
        assert cloud.process.wait(60) == 1
        last = capfd.readouterr().err.splitlines()[-1]
        assert last.startswith(
            f"agentcore_local: the last state could not be written to {tmp_path / 'state'} (File too"
        )
        cloud = start()
        assert len(cloud.client("ssm").describe_parameters()["Parameters"]) < 10  # as it was when there was room


class TestKeeper:
    @pytest.fixture
    def services(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], str | None]]:
        """The services of a ministack that is not there."""
        found: dict[str, Callable[[], str | None]] = {"sqs": lambda: "queues"}
        monkeypatch.setattr(seams, "service_states", lambda: found)
        monkeypatch.setattr(seams, "prune_code", lambda: None)
        monkeypatch.setattr(seams, "stacks_in_progress", lambda: False)
        monkeypatch.setattr(seams, "note_events", lambda _: None)
        return found

    @pytest.fixture
    def keeper(self, tmp_path: Path, services: dict[str, Any]) -> state.Keeper:
        assert services
        return state.Keeper(tmp_path, lambda: {"ours.json": "harnesses"})

    def files(self, keeper: state.Keeper) -> dict[str, str]:
        return {path.name: path.read_text() for path in keeper.snapshot.iterdir()}

    def test_a_snapshot_is_whole(self, keeper: state.Keeper) -> None:
        keeper.save()
        assert self.files(keeper) == {"sqs.json": "queues", "ours.json": "harnesses", "events.jsonl": ""}

    def test_nothing_is_written_when_nothing_has_changed(self, keeper: state.Keeper, tmp_path: Path) -> None:
        keeper.save()
        keeper.save()
        assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["1"]

    def test_a_snapshot_that_fails_leaves_the_last_one(
        self, keeper: state.Keeper, services: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keeper.save()
        services["sqs"] = lambda: "more queues"
        monkeypatch.setattr(state.Keeper, "_write", _no_space)
        with pytest.raises(OSError, match="no space"):
            keeper.save()
        assert self.files(keeper)["sqs.json"] == "queues"
        assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["1"]

    def test_one_that_was_begun_is_no_snapshot(self, keeper: state.Keeper, tmp_path: Path) -> None:
        keeper.save()
        (tmp_path / "snapshots" / "2.new").mkdir()
        (tmp_path / "snapshots" / "2.new" / "sqs.json").write_text("half")
        assert self.files(keeper)["sqs.json"] == "queues"
        again = state.Keeper(tmp_path, dict)
        again.save()
        assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == ["2"]
        assert self.files(again)["sqs.json"] == "queues"

    @pytest.mark.parametrize("left", [None, "", "7", "one"], ids=["gone", "empty", "of no snapshot", "nonsense"])
    def test_without_a_name_the_newest_snapshot_counts(
        self, keeper: state.Keeper, services: dict[str, Any], tmp_path: Path, left: str | None
    ) -> None:
        keeper.save()
        (tmp_path / "current").unlink()
        if left is not None:
            (tmp_path / "current").write_text(left)
        assert self.files(keeper)["sqs.json"] == "queues"
        services["sqs"] = lambda: "more queues"
        state.Keeper(tmp_path, dict).save()
        assert self.files(keeper)["sqs.json"] == "more queues"
        assert (tmp_path / "current").read_text() == "2"

    def test_what_cannot_be_read_is_named(self, keeper: state.Keeper, services: dict[str, Any]) -> None:
        services["sqs"] = lambda: '{"half": '
        keeper.save()
        with pytest.raises(LocalCloudError, match=r"the state in .*/1/ours.json cannot be read \(Expecting value"):
            keeper.check()

    def test_state_of_earlier_versions_is_where_they_put_it(self, keeper: state.Keeper, tmp_path: Path) -> None:
        assert keeper.snapshot == tmp_path

    def test_a_service_that_changes_while_it_is_read_is_read_again(
        self, keeper: state.Keeper, services: dict[str, Any]
    ) -> None:
        answers: Iterator[Any] = iter([RuntimeError("dictionary changed size during iteration"), "in the end"])

        def get() -> str:
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        services["sqs"] = get
        keeper.save()
        assert self.files(keeper)["sqs.json"] == "in the end"

    def test_a_service_whose_state_cannot_be_had_keeps_its_last(
        self, keeper: state.Keeper, services: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        keeper.save()
        services["sqs"] = lambda: 1 / 0
        services["sns"] = lambda: "topics"
        keeper.save()
        assert self.files(keeper)["sqs.json"] == "queues"
        assert self.files(keeper)["sns.json"] == "topics"
        assert "service=<sqs> | its state is not kept" in caplog.text

    def test_changes_are_written_soon(self, keeper: state.Keeper, services: dict[str, Any]) -> None:
        keeper.start()
        services["sqs"] = lambda: "another queue"
        keeper.touch()
        until(lambda: self.files(keeper).get("sqs.json") == "another queue")
        services["sqs"] = lambda: "the last queue"
        keeper.stop()
        assert self.files(keeper)["sqs.json"] == "the last queue"
        assert not any(one.name == "agentcore-state" for one in threading.enumerate())

    def test_it_waits_for_deployments(
        self, keeper: state.Keeper, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keeper.start()
        deploying, asked = threading.Event(), threading.Event()
        deploying.set()

        def in_progress() -> bool:
            asked.set()
            return deploying.is_set()

        monkeypatch.setattr(seams, "stacks_in_progress", in_progress)
        services["sqs"] = lambda: "made by a stack"
        keeper.touch()
        assert asked.wait(PATIENCE)
        keeper.flush()
        assert self.files(keeper)["sqs.json"] == "queues"
        deploying.clear()
        until(lambda: self.files(keeper).get("sqs.json") == "made by a stack")
        keeper.stop()


class TestJournal:
    def test_events_are_in_it_at_once_and_in_both_while_a_snapshot_is_taken(self, tmp_path: Path) -> None:
        journal = state.Journal()
        journal.note(("1", "r"), "m", {"eventId": "0"}, deleted=False)  # nobody keeps it
        old = journal.open(_folder(tmp_path / "old"))
        journal.note(("1", "r"), "m", {"eventId": "1"}, deleted=False)
        new = journal.open(_folder(tmp_path / "new"))
        journal.note(("1", "r"), "m", {"eventId": "2"}, deleted=True)
        journal.keep_only(new)
        journal.note(("1", "r"), "m", {"eventId": "3"}, deleted=False)
        journal.keep_only(None)
        assert old.closed
        assert new.closed
        written = {
            name: [
                json.loads(line)["event"]["eventId"]
                for line in (tmp_path / name / "events.jsonl").read_text().splitlines()
            ]
            for name in ("old", "new")
        }
        assert written == {"old": ["1", "2"], "new": ["2", "3"]}

    def test_it_is_read_up_to_the_line_it_was_killed_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found: list[tuple[Any, ...]] = []
        monkeypatch.setattr(seams, "restore_event", lambda *given: found.append(("restored", *given)))
        monkeypatch.setattr(seams, "forget_event", lambda *given: found.append(("forgotten", *given)))
        monkeypatch.setattr(seams, "settle_stacks", lambda _: None)
        lines = [
            {"scope": ["1", "r"], "memory": "m", "event": {"eventId": "1"}, "deleted": False},
            {"scope": ["1", "r"], "memory": "m", "event": {"eventId": "0"}, "deleted": True},
        ]
        text = "\n".join(json.dumps(line) for line in lines)
        (tmp_path / "events.jsonl").write_text(f'{text}\n{{"scope": ["1", "r"], "mem')
        state.Keeper(tmp_path, dict).restored()
        assert found == [
            ("restored", ("1", "r"), "m", {"eventId": "1"}),
            ("forgotten", ("1", "r"), "m", {"eventId": "0"}),
        ]


@pytest.mark.usefixtures("local_cloud")
@pytest.mark.parametrize(
    ("left", "settled"),
    [
        ("CREATE_IN_PROGRESS", "ROLLBACK_FAILED"),
        ("ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"),
        ("DELETE_IN_PROGRESS", "DELETE_FAILED"),
        ("REVIEW_IN_PROGRESS", "REVIEW_IN_PROGRESS"),
        ("CREATE_COMPLETE", "CREATE_COMPLETE"),
    ],
)
def test_operations_that_were_interrupted_are_over(left: str, settled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {"StackStatus": left}
    store = SimpleNamespace(all_values=lambda: [stack])
    monkeypatch.setattr("ministack.services.cloudformation._stacks", store)
    assert seams.stacks_in_progress() is (left != settled)
    seams.settle_stacks(state.INTERRUPTED)
    assert stack["StackStatus"] == settled


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _no_space(*_: Any) -> None:
    raise OSError("no space")
