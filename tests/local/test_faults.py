"""What goes wrong ends in the documented error, and a later run works."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from support import stacks, wire
from support.stacks import get_att

from agentcore_local import agents, clients
from agentcore_local.agents.scripts import ModelFailure, Turn
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcore_local import Account

ACCOUNT = "111122223333"


class Talk:
    """One session of a harness of its own."""

    def __init__(self, account: Account) -> None:
        self.cloud = account.cloud
        self.arn = wire.created(account)
        self.session = str(uuid.uuid4())
        self._client = account.client("bedrock-agentcore")

    def script(self, turn: Turn | str) -> None:
        self.cloud.script(self.arn, lambda _call: turn)

    def stream(self, **limits: Any) -> Any:
        messages = [{"role": "user", "content": [{"text": "hello"}]}]
        request = {"harnessArn": self.arn, "runtimeSessionId": self.session, "messages": messages, **limits}
        return self._client.invoke_harness(**request)["stream"]

    def fails(self, **limits: Any) -> tuple[str, str, str]:
        """What was said before the error, its name, its message."""
        said = []
        with pytest.raises(EventStreamError) as caught:
            said.extend(self.stream(**limits))
        error = caught.value.response["Error"]
        return text(said), error["Code"], error["Message"]

    def works(self) -> bool:
        self.script("Here again.")
        return text(list(self.stream())) == "Here again."


@pytest.fixture
def talk(account: Account) -> Talk:
    return Talk(account)


def text(events: list[dict[str, Any]]) -> str:
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)


class TestModelProvider:
    @pytest.mark.parametrize(
        ("failure", "said", "reason"),
        [
            (ModelFailure("throttling"), "", "throttled"),
            (ModelFailure("access_denied"), "", "AccessDeniedException"),
            (ModelFailure("validation"), "", "ValidationException"),
            (ModelFailure("server"), "", "InternalServerException"),
            (ModelFailure("drop"), "", "The connection to the model provider was lost"),
            (ModelFailure("drop", after_tokens=2), "one two", "The connection to the model provider was lost"),
            (ModelFailure("server", after_tokens=1), "one", "InternalServerException"),
        ],
        ids=["throttles", "denies", "refuses", "fails", "drops at once", "drops mid-stream", "fails mid-stream"],
    )
    def test_fails(self, talk: Talk, failure: ModelFailure, said: str, reason: str) -> None:
        talk.script(Turn(text="one two three", error=failure))
        heard, code, message = talk.fails()
        assert (heard, code) == (said, "runtimeClientError")
        assert reason in message
        assert talk.works()

    def test_finds_the_context_too_large(self, talk: Talk) -> None:
        talk.script(Turn(text="x", error=ModelFailure("context_overflow")))
        stops = [event["messageStop"]["stopReason"] for event in talk.stream() if "messageStop" in event]
        assert stops == ["model_context_window_exceeded"]
        assert talk.works()

    @pytest.mark.parametrize("tokens", [0, 2], ids=["before a word", "mid-stream"])
    def test_hangs_until_the_harness_gives_up(self, talk: Talk, tokens: int) -> None:
        talk.script(Turn(text="one two three", error=ModelFailure("hang", after_tokens=tokens)))
        events = list(talk.stream(timeoutSeconds=1))
        assert [event["messageStop"]["stopReason"] for event in events if "messageStop" in event] == [
            "timeout_exceeded"
        ]
        assert text(events) == ("one two" if tokens else "")
        assert talk.works()


class TestClient:
    @pytest.mark.parametrize("tokens", [0, 1], ids=["before the first event", "mid-stream"])
    def test_hangs_up(self, talk: Talk, account: Account, tokens: int) -> None:
        """The loop stops with it, though the model would never have said more, and the session is free again."""
        talk.script(Turn(text="one two", error=ModelFailure("hang", after_tokens=tokens), token_delay=0.01))

        def busy() -> bool:
            return any(one.busy for one in agents.sessions if one.key.session_id == talk.session)

        async def ask_and_go() -> None:
            reader, writer = await wire.opened(account, talk.arn, talk.session, "hello")
            if tokens:
                await reader.readuntil(b"one")
            await until(busy)
            writer.close()
            await until(lambda: not busy())

        asyncio.run(ask_and_go())
        assert talk.works()


async def until(condition: Any) -> None:
    end = asyncio.get_running_loop().time() + 10
    while not condition():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.02)


# --- CloudFormation -----------------------------------------------------------------------------------------------

ANSWER = """
import json, time, urllib.request
def handler(event, context):
    if event["RequestType"] != "Delete":
        {before}
    body = {{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}}
    body.update(Status="SUCCESS", PhysicalResourceId="thing")
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT"))
"""


def custom(before: str = "pass", **properties: Any) -> stacks.Template:
    """A bucket, and then a custom resource whose function does something before it answers."""
    function = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": get_att("Role", "Arn"),
        "Code": {"ZipFile": ANSWER.format(before=before)},
        "Timeout": 60,
    }
    thing = {"ServiceToken": get_att("Function", "Arn"), "Code": before, **properties}
    template = stacks.template(
        Function={"Type": "AWS::Lambda::Function", "Properties": function},
        Queue={"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "beside"}},
        Thing={"Type": "Custom::Thing", "DependsOn": "Queue", "Properties": thing},
    )
    template["Resources"]["Role"] = stacks.role("lambda.amazonaws.com")
    return template


class TestCustomResource:
    @pytest.mark.parametrize(
        ("before", "reason"),
        [("raise RuntimeError('broken')", "broken"), ("import os; os._exit(3)", ""), ("time.sleep(30)", "")],
        ids=["raises", "kills its process", "takes longer than ServiceTimeout"],
    )
    def test_fails_fast_rolls_back_and_a_later_run_works(
        self, deploy: Any, account: Account, before: str, reason: str
    ) -> None:
        with pytest.raises(DeploymentError) as caught:
            deploy(custom(before, ServiceTimeout="2"))
        assert "Thing" in str(caught.value)
        assert reason in str(caught.value)
        assert not account.client("sqs").list_queues(QueueNamePrefix="beside").get("QueueUrls")
        account.destroy("Stack")
        assert deploy(custom()).changed

    def test_an_update_that_fails_goes_back_to_what_was(self, deploy: Any, account: Account) -> None:
        deploy(custom())
        with pytest.raises(DeploymentError):
            deploy(custom("raise RuntimeError('broken')", ServiceTimeout="2"))
        stack = account.client("cloudformation").describe_stacks(StackName="Stack")["Stacks"][0]
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert deploy(custom("time.sleep(0)")).changed


# --- the process --------------------------------------------------------------------------------------------------


@contextmanager
def process(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m agentcore_local` that keeps its state in a folder; the process and its endpoint."""
    command = [sys.executable, "-m", "agentcore_local", "--port", "0", "--state-dir", str(state)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ), cwd=state.parent)
    try:
        assert started.stdout is not None
        yield started, json.loads(started.stdout.readline())["endpoint"]
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
        started.communicate(timeout=30)


def client(service: str, endpoint: str) -> Any:
    return clients.client(service, endpoint=endpoint, account=ACCOUNT, region="us-east-1")


def create(endpoint: str, template: stacks.Template) -> str:
    """Create the stack `Stack` and wait for its end; the status it ends with."""
    formation = client("cloudformation", endpoint)
    capabilities = ["CAPABILITY_IAM"]
    formation.create_stack(StackName="Stack", TemplateBody=json.dumps(template), Capabilities=capabilities)
    return settled(formation)


def settled(formation: Any) -> str:
    """The status of the stack `Stack` once nothing is in progress."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        status: str = formation.describe_stacks(StackName="Stack")["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"the stack is still {status}")


class TestKilled:
    def test_during_the_first_deployment(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        with process(state) as (started, endpoint):
            deploying = threading.Thread(target=_quietly, args=(create, endpoint, custom("time.sleep(20)")))
            deploying.start()
            # The queue is made right before the custom resource, which then works for long.
            wait_for(lambda: client("sqs", endpoint).list_queues(), "beside")
            started.kill()
            started.wait()
            deploying.join()
        with process(state) as (_, endpoint):
            assert create(endpoint, custom()) == "CREATE_COMPLETE"

    def test_during_an_update_what_was_saved_before_is_there(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        with process(state) as (_, endpoint):
            assert create(endpoint, custom()) == "CREATE_COMPLETE"
        with process(state) as (started, endpoint):
            formation = client("cloudformation", endpoint)
            update = {"StackName": "Stack", "Capabilities": ["CAPABILITY_IAM"]}
            formation.update_stack(TemplateBody=json.dumps(custom("time.sleep(20)")), **update)
            started.kill()
            started.wait()
        with process(state) as (_, endpoint):
            formation = client("cloudformation", endpoint)
            assert settled(formation) == "CREATE_COMPLETE"
            formation.update_stack(TemplateBody=json.dumps(custom("time.sleep(0)")), **update)
            assert settled(formation) == "UPDATE_COMPLETE"


def _quietly(work: Any, *arguments: Any) -> None:
    with suppress(Exception):  # the server was killed
        work(*arguments)


def wait_for(look: Any, what: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(ClientError):  # not there yet
            if what in str(look()):
                return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not appear")
