"""InvokeHarness is answered ahead of ministack for an account's own requests, and with the same answer as behind it."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from agentcore_local import seams
from agentcore_local.harness import front
from agentcore_local.toolchain import SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud

BEHIND = {"X-Forwarded-Proto": "http"}
"""A header that has ministack dispatch the request."""
QUESTION = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}
ARN = "arn:aws:bedrock-agentcore:us-east-1:{account}:harness/{id}"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def post(
    account: Account, arn: str, content: Any = QUESTION, *, extra: dict[str, str] | None = None, qualifier: str = ""
) -> Answer:
    """An InvokeHarness request of the account, with headers of one's own."""
    query = {"qualifier": qualifier} if qualifier else {}
    url = f"{account.cloud.endpoint_url}{front.PATH}?{urlencode({'harnessArn': arn, **query})}"
    body = json.dumps(content).encode()
    headers = {"X-Amzn-Bedrock-AgentCore-Runtime-Session-Id": str(uuid.uuid4()), **(extra or {})}
    request = AWSRequest("POST", url, headers, body)
    SigV4Auth(Credentials(account.account_id, SECRET_ACCESS_KEY), "bedrock-agentcore", account.region).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", account.cloud.port)
    path = url.removeprefix(account.cloud.endpoint_url)
    connection.request("POST", path, body, {name: str(value) for name, value in request.headers.items()})
    response = connection.getresponse()
    found = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    connection.close()
    return found


def events(answer: Answer) -> list[tuple[str, dict[str, Any]]]:
    """What a stream says, without how long it took."""
    buffer: Any = EventStreamBuffer()
    buffer.add_data(answer.body)
    found = [(message.headers[":event-type"], json.loads(message.payload)) for message in buffer]
    return [(name, {key: value for key, value in payload.items() if key != "metrics"}) for name, payload in found]


@pytest.fixture
def arn(create: Callable[..., dict[str, Any]]) -> str:
    return str(create(memory={"disabled": {}})["arn"])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether requests were answered ahead of ministack."""
    outcomes: list[bool] = []
    original = front.serve

    async def serve(*arguments: Any) -> bool:
        outcomes.append(await original(*arguments))
        return outcomes[-1]

    monkeypatch.setattr(front, "serve", serve)
    return outcomes


class TestTheSameAnswer:
    def test_to_an_invocation(self, local_cloud: LocalCloud, account: Account, arn: str, served: list[bool]) -> None:
        local_cloud.script(arn, [{"turns": [{"text": "half of a pair: \ud83d, and \u00fc"}]}])
        ahead, behind = post(account, arn), post(account, arn, extra=BEHIND)
        assert served == [True, False]
        assert ahead.status == behind.status == 200
        assert events(ahead) == events(behind) != []
        for name in ("content-type", "transfer-encoding", "access-control-allow-origin"):
            assert ahead.headers[name] == behind.headers[name]
        assert uuid.UUID(ahead.headers["x-amzn-requestid"])

    def test_to_what_the_shapes_refuse(self, account: Account, arn: str) -> None:
        wrong = {"messages": [{"role": "nobody", "content": []}]}
        ahead, behind = post(account, arn, wrong), post(account, arn, wrong, extra=BEHIND)
        assert ahead.status == behind.status == 400
        assert ahead.body == behind.body
        assert ahead.headers["x-amzn-errortype"] == behind.headers["x-amzn-errortype"] == "ValidationException"

    def test_to_what_is_not_there(self, account: Account, arn: str) -> None:
        # all ten random characters: one of them alone may already be the one put in its place
        for name, at in ((f"{arn[:-10]}0123456789", ""), (arn, "nowhere")):
            ahead, behind = post(account, name, qualifier=at), post(account, name, extra=BEHIND, qualifier=at)
            assert ahead.status == behind.status == 404
            assert ahead.body == behind.body

    def test_to_another_account_s_harness(self, local_cloud: LocalCloud, arn: str) -> None:
        other = local_cloud.account()
        ahead, behind = post(other, arn), post(other, arn, extra=BEHIND)
        assert ahead.status == behind.status == 403
        assert ahead.body == behind.body
        assert b"is not authorized to perform: bedrock-agentcore:InvokeHarness on resource: " in ahead.body

    def test_a_body_that_is_not_json(self, account: Account, arn: str) -> None:
        ahead, behind = post(account, arn, "text"), post(account, arn, "text", extra=BEHIND)
        assert ahead.status == behind.status == 400
        assert ahead.body == behind.body


class TestWhatIsLeftToMinistack:
    @pytest.mark.parametrize(
        "extra",
        [{"Content-Encoding": "gzip"}, BEHIND, {"Host": "x.execute-api.localhost"}],
        ids=lambda one: next(iter(one)),
    )
    def test_headers_that_may_mean_something_there(
        self, account: Account, arn: str, served: list[bool], extra: dict[str, str]
    ) -> None:
        post(account, arn, extra=extra)
        assert served == [False]

    def test_users_and_roles(self, account: Account, arn: str, served: list[bool]) -> None:
        """Whose permissions have to be found."""
        role = account.client("iam").create_role(
            RoleName="caller",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [_anybody(account)]}),
        )["Role"]["Arn"]
        keys = account.client("sts").assume_role(RoleArn=role, RoleSessionName="caller")["Credentials"]
        client = account.session().client(
            "bedrock-agentcore",
            endpoint_url=account.cloud.endpoint_url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        served.clear()
        with pytest.raises(client.exceptions.AccessDeniedException, match="is not authorized to perform"):
            client.invoke_harness(harnessArn=arn, runtimeSessionId=str(uuid.uuid4()), **QUESTION)
        assert served == [False]

    def test_everything_while_calls_are_recorded(
        self, account: Account, arn: str, served: list[bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded = importlib.import_module("ministack.app")._loaded_modules
        monkeypatch.setitem(loaded, "cloudtrail", SimpleNamespace(_recording_enabled=False))
        assert not seams.must_see_requests()
        monkeypatch.setitem(loaded, "cloudtrail", SimpleNamespace(_recording_enabled=True))
        assert seams.must_see_requests()
        post(account, arn)
        assert served == [False]

    def test_other_paths_and_methods(self) -> None:
        for scope in ({"path": front.PATH, "method": "GET"}, {"path": "/harnesses", "method": "POST"}):
            assert asyncio.run(front.serve(scope, _never, _never)) is False


def test_a_caller_who_hangs_up_within_the_request_gets_nothing() -> None:
    signed = b"AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/bedrock-agentcore/aws4_request, Signed"
    headers = [(b"host", b"127.0.0.1:4570"), (b"authorization", signed), (b"content-length", b"10")]
    scope = {"path": front.PATH, "method": "POST", "headers": headers, "query_string": b""}
    parts = iter([{"type": "http.request", "body": b"12345", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(parts)

    assert asyncio.run(front.serve(scope, receive, _never)) is True


async def _never(*_: Any) -> Any:
    raise AssertionError


def _anybody(account: Account) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{account.account_id}:root"}
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
