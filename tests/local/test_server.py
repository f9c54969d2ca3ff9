"""The process: start, health, reset, stop; one cloud per process; what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EventStreamError
from support import stacks

from agentcore_local import LocalCloud, LocalCloudError
from agentcore_local.faults import RequestRefused, StreamFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account

ROOT = Path(__file__).parents[2]


def fetch(url: str, *, method: str = "GET", data: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an unsigned request."""
    request = urllib.request.Request(url, method=method, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@contextlib.contextmanager
def process(temporary: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`python -m agentcore_local` on a free port, with a temporary folder of its own."""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    started = subprocess.Popen(
        [sys.executable, "-m", "agentcore_local", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=temporary,
    )
    try:
        assert started.stdout is not None
        yield started, json.loads(started.stdout.readline())
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def children(pid: int) -> list[int]:
    """The processes a process has started and that still run."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = {
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    }
    assert path.exists()
    return sorted(found)


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestForeground:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_runs_until_it_is_told_to_stop(self, tmp_path: Path, number: signal.Signals) -> None:
        with process(tmp_path) as (started, ready):
            assert ready == {"endpoint": f"http://127.0.0.1:{ready['port']}", "port": ready["port"], "pid": started.pid}
            status, health = fetch(ready["endpoint"] + "/health")
            assert (status, health["status"], health["pid"]) == (200, "ok", started.pid)
            assert health["endpoint"] == ready["endpoint"]
            started.send_signal(number)
            assert started.wait(20) == 0
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    def test_stopping_ends_lambda_workers_and_removes_their_files(self, tmp_path: Path) -> None:
        with process(tmp_path) as (started, ready):
            invoke_a_function(ready["endpoint"])
            workers = children(started.pid)
            assert workers
            assert list(tmp_path.glob("agentcore-local-*/ministack-lambda-*"))
            started.terminate()
            assert started.wait(20) == 0
        assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    def test_what_a_killed_one_leaves_is_gone_when_the_next_has_started(self, tmp_path: Path) -> None:
        with process(tmp_path) as (started, ready):
            invoke_a_function(ready["endpoint"])
            workers = children(started.pid)
            started.kill()
            started.wait()
        assert list(tmp_path.iterdir())
        with process(tmp_path) as (started, _):
            assert [folder.name.split("-")[2] for folder in tmp_path.iterdir()] == [str(started.pid)]
            started.terminate()
            assert started.wait(20) == 0
        assert list(tmp_path.iterdir()) == []
        # Workers read from a pipe that the killed process held: they end with it.
        deadline = time.monotonic() + 10
        while any(runs(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [worker for worker in workers if runs(worker)]

    def test_a_port_that_is_taken_is_refused_with_a_sentence(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            command = [sys.executable, "-m", "agentcore_local", "--port", port]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
        assert "Traceback" not in done.stderr

    def test_writes_nothing_outside_its_temporary_folder(self, tmp_path: Path) -> None:
        home, temporary = tmp_path / "home", tmp_path / "tmp"
        home.mkdir()
        temporary.mkdir()
        os_environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary)}
        script = (
            "from agentcore_local import LocalCloud\nwith LocalCloud() as c: c.account().client('s3').list_buckets()"
        )
        subprocess.run([sys.executable, "-c", script], env=os_environment, check=True)
        assert (list(home.iterdir()), list(temporary.iterdir())) == ([], [])

    def test_starts_again_in_the_same_process_empty_and_on_the_same_port(self, tmp_path: Path) -> None:
        script = """
from agentcore_local import LocalCloud, LocalCloudError
import os
before = dict(os.environ)
cloud = LocalCloud().start()
port, account = cloud.port, cloud.account()
account.client("s3").create_bucket(Bucket="kept-bucket")
cloud.stop(); cloud.stop()
assert dict(os.environ) == before
with LocalCloud() as again:
    assert again.port == port
    assert again.account(account.account_id).client("s3").list_buckets()["Buckets"] == []
try:
    LocalCloud(port=1).start()
except LocalCloudError as error:
    assert "can only use that one again" in str(error)
else:
    raise AssertionError
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    def test_leaves_the_loggers_of_its_process_as_they_are(self, tmp_path: Path) -> None:
        # Powertools reads LOG_LEVEL: a function that is tested beside the cloud must log what it logs elsewhere.
        script = """
import logging, os
from agentcore_local import LocalCloud
with LocalCloud() as cloud:
    cloud.account().client("s3").list_buckets()
    assert "LOG_LEVEL" not in os.environ
    assert (logging.root.level, logging.root.handlers) == (logging.WARNING, [])
"""
        environment = {name: value for name, value in os.environ.items() if name != "LOG_LEVEL"}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def invoke_a_function(endpoint: str) -> None:
    """Create a Lambda function in an account and invoke it, so that a worker runs."""
    session = boto3.Session("111122223333", "secret", region_name="us-east-1")
    role = session.client("iam", endpoint_url=endpoint).create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps(stacks.trust("lambda.amazonaws.com"))
    )["Role"]["Arn"]
    functions: Any = session.client("lambda", endpoint_url=endpoint)
    code = stacks.zipped({"index.py": "def handler(event, context): return event"})
    functions.create_function(
        FunctionName="f", Role=role, Runtime="python3.12", Handler="index.handler", Code={"ZipFile": code}
    )
    answer = functions.invoke(FunctionName="f", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}


class TestRefusals:
    def test_one_per_process(self, local_cloud: LocalCloud) -> None:
        with pytest.raises(LocalCloudError, match="runs in this process already"):
            LocalCloud().start()

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com"])
    def test_only_loopback(self, host: str) -> None:
        with pytest.raises(LocalCloudError, match=r"listens on 127\.0\.0\.1"):
            LocalCloud(host=host)

    @pytest.mark.parametrize("account_id", ["1", "abcdefghijkl", "1234567890123"])
    def test_account_ids_have_12_digits(self, local_cloud: LocalCloud, account_id: str) -> None:
        with pytest.raises(LocalCloudError, match="12 digits"):
            local_cloud.account(account_id)

    def test_other_operations_say_that_they_are_not_emulated(self, account: Account) -> None:
        control = account.client("bedrock-agentcore-control")
        with pytest.raises(
            ClientError, match=r"NotEmulatedException.*ListEvaluators is not emulated by the local cloud yet"
        ):
            control.list_evaluators()


class TestWebPages:
    """A page of somebody else's in the user's browser must not reach what can run code here."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost.evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
        ids=lambda headers: next(iter(headers.values())),
    )
    def test_of_other_sites_are_refused(self, local_cloud: LocalCloud, headers: dict[str, str]) -> None:
        status, body = fetch(f"{local_cloud.endpoint_url}/reset", method="POST", data=b"", **headers)
        assert (status, "answers no web page" in body["message"]) == (403, True)

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8080", "http://app.localhost"])
    def test_of_this_machine_are_served(self, local_cloud: LocalCloud, origin: str) -> None:
        assert fetch(f"{local_cloud.endpoint_url}/health", Origin=origin)[0] == 200


class TestAccounts:
    def test_ids_are_fresh_and_have_12_digits(self, local_cloud: LocalCloud) -> None:
        ids = {local_cloud.account().account_id for _ in range(50)}
        assert len(ids) == 50
        assert {len(account_id) for account_id in ids} == {12}

    def test_the_access_key_is_the_account(self, account: Account) -> None:
        identity = account.client("sts").get_caller_identity()
        assert identity["Account"] == account.account_id

    def test_regions_are_apart(self, account: Account) -> None:
        account.client("sns").create_topic(Name="here")
        elsewhere = account.cloud.account(account.account_id, region="eu-west-1")
        assert elsewhere.client("sns").list_topics()["Topics"] == []

    def test_sessions_read_no_configuration(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tmp_path / "config"
        config.write_text("[default]\nregion = mars-1\nendpoint_url = http://192.0.2.1\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
        assert account.client("sts").get_caller_identity()["Account"] == account.account_id


class TestInvoke:
    def test_events_arrive_one_by_one(
        self, account: Account, create: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard = [threading.Event() for _ in range(3)]

        async def waiting_to_be_heard(_invocation: Any) -> Any:
            yield [("messageStart", {"role": "assistant"})]
            for before, text in enumerate("ab"):
                assert await asyncio.to_thread(heard[before].wait, 20), "nobody has heard the event before"
                yield [("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})]

        monkeypatch.setattr("agentcore_local.agents.invoke_in_batches", waiting_to_be_heard)
        for event, _ in zip(heard, stream(account, create()["arn"]), strict=True):
            event.set()

    def test_a_client_that_goes_away_ends_the_work(
        self, account: Account, create: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = []

        async def endless(_invocation: Any) -> Any:
            try:
                while True:
                    yield [("messageStart", {"role": "assistant"})]
                    await asyncio.sleep(0.02)
            finally:
                ended.append(True)

        monkeypatch.setattr("agentcore_local.agents.invoke_in_batches", endless)
        answer = stream(account, create()["arn"])
        next(iter(answer))
        answer.close()
        deadline = time.monotonic() + 5
        while not ended and time.monotonic() < deadline:
            time.sleep(0.02)
        assert ended

    def test_errors_before_the_first_event_are_http_errors(
        self, account: Account, create: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refusing(_invocation: Any) -> Any:
            raise RequestRefused("ThrottlingException", "too many", 429)
            yield

        monkeypatch.setattr("agentcore_local.agents.invoke_in_batches", refusing)
        with pytest.raises(ClientError, match=r"ThrottlingException.*too many"):
            list(stream(account, create()["arn"]))

    def test_later_errors_end_the_stream(
        self, account: Account, create: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def failing(_invocation: Any) -> Any:
            yield [("messageStart", {"role": "assistant"})]
            raise StreamFailed("runtimeClientError", "the model went away")

        async def crashing(_invocation: Any) -> Any:
            yield [("messageStart", {"role": "assistant"})]
            raise ZeroDivisionError

        arn = create()["arn"]
        monkeypatch.setattr("agentcore_local.agents.invoke_in_batches", failing)
        with pytest.raises(EventStreamError, match=r"runtimeClientError.*the model went away"):
            list(stream(account, arn))
        monkeypatch.setattr("agentcore_local.agents.invoke_in_batches", crashing)
        with pytest.raises(EventStreamError, match="internalServerException"):
            list(stream(account, arn))

    @pytest.mark.parametrize(
        ("arn", "qualifier", "code"),
        [("helper-0123456789", "DEFAULT", "ResourceNotFoundException"), ("", "BETA", "ResourceNotFoundException")],
    )
    def test_an_address_nobody_is_at(
        self, account: Account, create: Callable[..., dict[str, Any]], arn: str, qualifier: str, code: str
    ) -> None:
        existing = create("other")["arn"]
        wanted = existing if not arn else f"{existing.rsplit('/', 1)[0]}/{arn}"
        with pytest.raises(ClientError, match=code):
            stream(account, wanted, qualifier=qualifier)

    def test_a_harness_for_jwt_refuses_sigv4(self, account: Account, create: Callable[..., dict[str, Any]]) -> None:
        issuer = "https://issuer.example/.well-known/openid-configuration"
        jwt = {"customJWTAuthorizer": {"discoveryUrl": issuer, "allowedClients": ["c"]}}
        with pytest.raises(ClientError, match=r"AccessDeniedException.*Authorization method mismatch"):
            stream(account, create(authorizerConfiguration=jwt)["arn"])

    def test_the_runtime_behind_a_harness_refuses_direct_calls(
        self, account: Account, create: Callable[..., dict[str, Any]]
    ) -> None:
        runtime = create()["environment"]["agentCoreRuntimeEnvironment"]["agentRuntimeArn"]
        with pytest.raises(ClientError, match="managed by a harness"):
            account.client("bedrock-agentcore").invoke_agent_runtime(agentRuntimeArn=runtime, payload=b"{}")


def stream(account: Account, arn: str, **members: Any) -> Any:
    """The event stream of an invocation."""
    said = [{"role": "user", "content": [{"text": "hi"}]}]
    request = {"harnessArn": arn, "runtimeSessionId": "s" * 33, "messages": said, **members}
    return account.client("bedrock-agentcore").invoke_harness(**request)["stream"]


def test_reset_forgets_every_account(tmp_path: Path) -> None:
    with process(tmp_path) as (_, ready):
        queues = boto3.Session("111122223333", "x", region_name="us-east-1").client(
            "sqs", endpoint_url=ready["endpoint"]
        )
        queues.create_queue(QueueName="q")
        assert fetch(ready["endpoint"] + "/reset", method="POST") == (200, {"status": "reset"})
        assert queues.list_queues().get("QueueUrls", []) == []


def test_state_is_kept_between_runs(tmp_path: Path) -> None:
    script = """
import json, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from agentcore_local import LocalCloud
from support import stacks
state, step = Path(sys.argv[1]), sys.argv[2]
with LocalCloud(state_dir=state) as cloud:
    account = cloud.account("111122223333")
    control = account.client("bedrock-agentcore-control")
    if step == "write":
        gateway = {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": "d", "LogType": "TRACES"}}
        template = stacks.template(Harness=stacks.harness(), Endpoint=stacks.endpoint(), Gateway=gateway)
        account.deploy(stacks.assembly(state / "out", template))
        account.client("s3").create_bucket(Bucket="kept-bucket")
        account.client("s3").put_object(Bucket="kept-bucket", Key="k", Body=b"v")
    else:
        (harness,) = control.list_harnesses()["harnesses"]
        found = control.list_harness_endpoints(harnessId=harness["harnessId"])["endpoints"]
        assert [endpoint["endpointName"] for endpoint in found] == ["DEFAULT", "PROD"], found
        assert account.client("s3").get_object(Bucket="kept-bucket", Key="k")["Body"].read() == b"v"
        account.destroy("Stack")
        assert control.list_harnesses()["harnesses"] == []
        assert control.list_memories()["memories"] == []
        cloud.reset()
        assert not (state / "agentcore_local.json").exists()
"""
    for step in ("write", "read"):
        command = [sys.executable, "-c", script, str(tmp_path / "state"), step, str(ROOT / "tests")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
