"""The custom resource of pinned skills: a real Git server, S3 as moto has it, and faults at every call."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import botocore_stubber
from support.git_server import GitServer, Repository, git_server

from agentcore_lambdas.custom_resources import Failed, Outcome, Request, framework
from agentcore_lambdas.custom_resources.git_skill import GitSkillProperties, PinnedGitSkill, handler
from agentcore_lambdas.custom_resources.main import CustomResourceFailedError
from agentcore_lambdas.custom_resources.main import handler as lambda_handler
from agentcore_lambdas.skills import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUCKET, PREFIX = "skills-of-a-stack", "git/0123456789"
SKILL = "---\nname: excel\ndescription: Reads workbooks.\n---\n"
TOKEN = "glpat-t0ps3cret-0123456789"
PROVIDER = "arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default/apikeycredentialprovider/git"
SECRET = "bedrock-agentcore-identity!default/apikey/git"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running


@pytest.fixture
def repository(server: GitServer, request: pytest.FixtureRequest) -> Repository:
    return server.repository(f"{request.node.name.partition('[')[0]}-{len(server.backend.repos)}")


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    """moto, and the clients of the handler: making them takes longer than a test."""
    names = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    framework.client.cache_clear()
    with pytest.MonkeyPatch.context() as patched, mock_aws() as mocked:
        for name, value in names.items():
            patched.setenv(name, value)
        yield mocked
    framework.client.cache_clear()


@pytest.fixture
def s3(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client that the handler uses; waiting is skipped."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    for mocked in get_backend("s3"), get_backend("secretsmanager"):
        for regions in mocked.values():
            for one in regions.values():
                one.reset()
    client = framework.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def wanted(server: GitServer, repository: Repository, ref: str = "main", **others: str) -> GitSkillProperties:
    given = {"url": repository.url, "revision": ref, "bucket": BUCKET, "prefix": PREFIX, "path": "excel", **others}
    return GitSkillProperties(ca_certificates=server.ca_certificates, **given)


def request(properties: GitSkillProperties, physical_id: str | None = None) -> Request[GitSkillProperties]:
    return Request(properties, physical_id, "request-1", "arn:aws:cloudformation:us-east-1:1:stack/s/1", "Skill")


def create(properties: GitSkillProperties) -> Outcome:
    return handler().create(request(properties))


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []) if ".pins" not in item["Key"]]


class TestLifecycle:
    def test_a_commit_is_written_under_its_hash(self, server: GitServer, repository: Repository, s3: Any) -> None:
        commit = repository.commit({"excel/SKILL.md": SKILL, "excel/scripts/read.py": "print()", "README.md": ""})
        outcome = create(wanted(server, repository, commit))
        below = f"{PREFIX}/{commit}/tree/excel"
        assert outcome == Outcome(
            f"s3://{BUCKET}/{PREFIX}", {"Commit": commit, "Key": f"{below}/", "Uri": f"s3://{BUCKET}/{below}/"}
        )
        assert keys(s3) == [f"{below}/SKILL.md", f"{below}/scripts/read.py"]
        assert s3.get_object(Bucket=BUCKET, Key=f"{below}/SKILL.md")["Body"].read().decode() == SKILL

    def test_a_whole_repository_keeps_its_name(self, server: GitServer, repository: Repository, s3: Any) -> None:
        commit = repository.commit({"SKILL.md": SKILL})
        name = repository.url.rsplit("/", 1)[-1].removesuffix(".git")
        assert create(wanted(server, repository, path="")).data["Key"] == f"{PREFIX}/{commit}/root/{name}/"

    def test_an_update_keeps_what_earlier_versions_read(
        self, server: GitServer, repository: Repository, s3: Any
    ) -> None:
        first = repository.commit({"excel/SKILL.md": SKILL})
        made = create(wanted(server, repository, first))
        second = repository.commit({"excel/SKILL.md": SKILL + "2", "excel-2/SKILL.md": ""})
        changed = handler().update(
            request(wanted(server, repository, second), made.physical_id), wanted(server, repository)
        )
        assert (changed.physical_id, changed.data["Commit"]) == (made.physical_id, second)
        assert keys(s3) == sorted(f"{PREFIX}/{commit}/tree/excel/SKILL.md" for commit in (first, second))

    def test_two_paths_of_one_commit_stay_apart(self, server: GitServer, repository: Repository, s3: Any) -> None:
        repository.commit({"a/excel/SKILL.md": "a", "b/excel/SKILL.md": "b"})
        found = [create(wanted(server, repository, path=path)).data["Key"] for path in ("a/excel", "b/excel")]
        assert [s3.get_object(Bucket=BUCKET, Key=f"{key}SKILL.md")["Body"].read() for key in found] == [b"a", b"b"]

    def test_deletion_takes_all_commits_and_leaves_the_rest(
        self, server: GitServer, repository: Repository, s3: Any
    ) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}4/other", Body=b"")
        for number in range(3):
            create(wanted(server, repository, repository.commit({"excel/SKILL.md": f"{SKILL}{number}"})))
        gone = request(wanted(server, repository), f"s3://{BUCKET}/{PREFIX}")
        assert handler().delete(gone).physical_id == f"s3://{BUCKET}/{PREFIX}"
        assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [f"{PREFIX}4/other"]
        handler().delete(gone)

    def test_another_bucket_replaces_the_resource(self, server: GitServer, repository: Repository, s3: Any) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        s3.create_bucket(Bucket="another-bucket")
        made = create(wanted(server, repository))
        moved = wanted(server, repository, bucket="another-bucket")
        assert (
            handler().update(request(moved, made.physical_id), wanted(server, repository)).physical_id
            != made.physical_id
        )

    def test_deleting_from_a_bucket_that_is_gone(self, server: GitServer, repository: Repository, s3: Any) -> None:
        handler().delete(request(wanted(server, repository, bucket="gone-bucket"), "s3://gone-bucket/x"))


class TestResolvedOnce:
    def test_a_repeated_request_gives_the_same_commit_although_the_branch_moved(
        self, server: GitServer, repository: Repository, s3: Any
    ) -> None:
        first = repository.commit({"excel/SKILL.md": SKILL})
        outcome = create(wanted(server, repository))
        repository.commit({"excel/SKILL.md": "moved"})
        assert create(wanted(server, repository)) == outcome
        assert outcome.data["Commit"] == first

    def test_a_rollback_needs_no_server(self, server: GitServer, repository: Repository, s3: Any) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        repository.tag("v1", repository.commit({"excel/SKILL.md": SKILL + "1"}))
        before, after = wanted(server, repository), wanted(server, repository, "v1")
        made = create(before)
        handler().update(request(after, made.physical_id), before)
        repository.commit({"excel/SKILL.md": "moved"})
        server.requests.clear()
        assert handler().update(request(before, made.physical_id), after) == made
        assert server.requests == []

    def test_refresh_resolves_anew(self, server: GitServer, repository: Repository, s3: Any) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        create(wanted(server, repository))
        second = repository.commit({"excel/SKILL.md": "moved"})
        assert create(wanted(server, repository, refresh="2026-11-21")).data["Commit"] == second

    def test_of_two_requests_at_once_both_answer_with_the_first_note(
        self, server: GitServer, repository: Repository, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        properties, real = wanted(server, repository), s3.put_object
        winner: list[Outcome] = []

        def overtaken(**arguments: Any) -> Any:
            if arguments["Key"] == properties.pin and not winner:
                monkeypatch.setattr(s3, "put_object", real)
                repository.commit({"excel/SKILL.md": "moved"})
                winner.append(create(properties))
            return real(**arguments)

        monkeypatch.setattr(s3, "put_object", overtaken)
        outcome = create(properties)
        assert [outcome] == winner

    def test_of_two_requests_at_once_one_that_fails_leaves_what_the_other_has_made(
        self, server: GitServer, repository: Repository, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = repository.commit({"excel/SKILL.md": SKILL})
        properties, real = wanted(server, repository), s3.put_object
        winner: list[Outcome] = []

        def overtaken_and_cut_off(**arguments: Any) -> Any:
            if not winner:
                monkeypatch.setattr(s3, "put_object", real)
                winner.append(create(properties))
            raise EndpointConnectionError(endpoint_url="https://s3")

        monkeypatch.setattr(s3, "put_object", overtaken_and_cut_off)
        assert create(properties) == winner[0]
        assert keys(s3) == [f"{PREFIX}/{commit}/tree/excel/SKILL.md"]


class TestCredential:
    @pytest.fixture
    def private(self, server: GitServer) -> Repository:
        repository = server.repository(f"private-{len(server.backend.repos)}", token=TOKEN)
        repository.commit({"excel/SKILL.md": SKILL})
        return repository

    @pytest.fixture
    def provider(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Stores a secret behind a credential provider, whose operation moto does not have."""

        def store(secret: str, **answer: Any) -> None:
            arn = boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=secret)["ARN"]
            control = framework.client("bedrock-agentcore-control")
            said = {"name": "git", "credentialProviderArn": PROVIDER, "apiKeySecretArn": {"secretArn": arn}, **answer}
            monkeypatch.setattr(control, "get_api_key_credential_provider", lambda name: said)

        return store

    @pytest.mark.parametrize(
        ("secret", "json_key"),
        [
            (json.dumps({"token": TOKEN, "more": "x"}), "token"),
            (json.dumps({"api_key_value": TOKEN}), None),
            (TOKEN, None),
            ("123", None),
        ],
    )
    def test_the_token_is_read_as_the_provider_stores_it(
        self, server: GitServer, private: Repository, provider: Callable[..., None], secret: str, json_key: str | None
    ) -> None:
        provider(secret, **({"apiKeySecretJsonKey": json_key} if json_key else {}))
        if secret == "123":
            server.tokens[private.url.rsplit("/", 1)[-1].removesuffix(".git")] = "123"
        assert create(wanted(server, private, credential_provider=PROVIDER, username="robot"))
        assert server.requests[-1][2] == "robot"

    def test_a_secret_without_the_key(
        self, server: GitServer, private: Repository, provider: Callable[..., None]
    ) -> None:
        provider(json.dumps({"other": TOKEN}), apiKeySecretJsonKey="token")
        with pytest.raises(Failed, match="the secret of the API-key credential provider 'git' holds no key") as caught:
            create(wanted(server, private, credential_provider=PROVIDER))
        assert TOKEN not in str(caught.value)

    def test_a_provider_that_is_not_there(
        self, server: GitServer, private: Repository, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(name: str) -> None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": name}}, "Get")

        monkeypatch.setattr(framework.client("bedrock-agentcore-control"), "get_api_key_credential_provider", missing)
        with pytest.raises(Failed, match="there is no API-key credential provider 'git'; create it before the skill"):
            create(wanted(server, private, credential_provider=PROVIDER))

    @pytest.mark.parametrize("token", [TOKEN, "wr0ng-t0ken"])
    def test_no_secret_reaches_a_log_or_an_error(
        self,
        server: GitServer,
        private: Repository,
        provider: Callable[..., None],
        token: str,
        *,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        provider(json.dumps({"api_key_value": token}))
        caplog.set_level(logging.DEBUG)
        given = wanted(server, private, credential_provider=PROVIDER).model_dump(by_alias=True)
        event = {
            "RequestType": "Create",
            "RequestId": "1",
            "StackId": "arn:aws:cloudformation:us-east-1:1:stack/s/1",
            "LogicalResourceId": "Skill",
            "ResourceProperties": {"Kind": "PinnedGitSkill", "ServiceToken": "arn", **given},
        }
        try:
            said = json.dumps(lambda_handler(event, None))
        except CustomResourceFailedError as error:
            said = repr(error)
            assert "refuses the credential" in said
        # botocore logs responses when a program asks it to; ours never does.
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("botocore")]
        printed = capsys.readouterr()
        assert not [text for text in (said, *ours, printed.out, printed.err) if token in text]


OPERATIONS = ("ListObjectsV2", "PutObject", "GetObject", "DeleteObjects")


class TestFaults:
    """What goes wrong on the way to S3, at each call."""

    @pytest.fixture
    def everything(self, server: GitServer, repository: Repository) -> Callable[[], None]:
        """Calls each operation at least once."""
        repository.commit({"excel/SKILL.md": SKILL, "excel/b": ""})

        def run() -> None:
            made = create(wanted(server, repository))
            assert create(wanted(server, repository)) == made
            handler().delete(request(wanted(server, repository), made.physical_id))

        return run

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_throttling(self, operation: str, s3: Any, everything: Callable[[], None]) -> None:
        seen = []

        def slow_down(request: Any, **_: Any) -> AWSResponse | None:
            seen.append(request.method)
            if len(seen) > 2:
                return None
            body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            return AWSResponse(request.url, 503, {}, _Raw(body))

        s3.meta.events.register_first(f"before-send.s3.{operation}", slow_down)
        try:
            everything()
        finally:
            s3.meta.events.unregister(f"before-send.s3.{operation}", slow_down)
        assert len(seen) > 2
        assert keys(s3) == []

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_timeout_after_it_was_done(self, operation: str, s3: Any, everything: Callable[[], None]) -> None:
        seen = []

        def late(request: Any, event_name: str, **others: Any) -> None:
            seen.append(request.method)
            if len(seen) == 1:
                botocore_stubber(event_name, request, **others)
                raise ReadTimeoutError(endpoint_url=request.url)

        s3.meta.events.register_first(f"before-send.s3.{operation}", late)
        try:
            everything()
        finally:
            s3.meta.events.unregister(f"before-send.s3.{operation}", late)
        assert len(seen) > 1
        assert keys(s3) == []

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_refusal_is_told(self, operation: str, s3: Any, everything: Callable[[], None]) -> None:
        def refused(request: Any, **_: Any) -> AWSResponse:
            body = b"<Error><Code>AccessDenied</Code><Message>Not authorized to do that.</Message></Error>"
            return AWSResponse(request.url, 403, {}, _Raw(body))

        s3.meta.events.register_first(f"before-send.s3.{operation}", refused)
        try:
            with pytest.raises(ClientError) as caught:
                everything()
        finally:
            s3.meta.events.unregister(f"before-send.s3.{operation}", refused)
        assert framework.sentence(caught.value) == (f"{operation} failed with AccessDenied: Not authorized to do that.")

    def test_a_creation_that_fails_takes_back_what_it_wrote(
        self, server: GitServer, repository: Repository, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.commit({"excel/SKILL.md": SKILL, "excel/zeros": b"\0" * 4096})
        with pytest.raises(Failed, match="the skill is larger than 0 MiB"):
            PinnedGitSkill(Limits(skill_bytes=4096)).create(request(wanted(server, repository)))
        assert keys(s3) == []

    def test_the_git_server_says_no(self, server: GitServer, repository: Repository, s3: Any) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        with pytest.raises(Failed, match=r"has no tag and no branch 'v9'; check the name"):
            create(wanted(server, repository, "v9"))

    def test_objects_that_resist(
        self, server: GitServer, repository: Repository, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.commit({"excel/SKILL.md": SKILL})
        create(wanted(server, repository))
        monkeypatch.setattr(s3, "delete_objects", lambda **_: {"Errors": [{"Key": "k", "Code": "InternalError"}]})
        with pytest.raises(Failed, match=r"1 of the objects could not be deleted \(InternalError\); delete again"):
            handler().delete(request(wanted(server, repository), "s3://x/y"))


# Operation → the service, and what botocore calls it in its events.
CREDENTIAL_CALLS = {
    "GetApiKeyCredentialProvider": ("bedrock-agentcore-control", "bedrock-agentcore-control"),
    "GetSecretValue": ("secretsmanager", "secrets-manager"),
}
REFUSALS = {
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "failing": (500, "InternalServerException", "Try again"),
    "denied": (403, "AccessDeniedException", "not authorized to do that"),
}


class Token:
    """A token in a secret behind a credential provider, whose operation moto does not have.

    Attributes:
        faults: Operation → what goes wrong in its next calls. `lost` is done, and the answer does not arrive.
        calls: Operations, in order.
    """

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = {}
        self.calls: list[str] = []
        self._secret = boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=TOKEN)["ARN"]

    def answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.calls.append(operation)
        fault = self.faults[operation].pop(0) if self.faults.get(operation) else None
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault is not None:
            status, code, message = REFUSALS[fault]
            return self._said(request, status, {"__type": code, "message": message}, **{"x-amzn-ErrorType": code})
        if operation == "GetSecretValue":
            return None  # moto's
        arn = {"secretArn": self._secret}
        return self._said(request, 200, {"name": "git", "credentialProviderArn": PROVIDER, "apiKeySecretArn": arn})

    def _said(self, request: Any, status: int, body: Any, **headers: str) -> AWSResponse:
        told = {"Content-Type": "application/json", **headers}
        return AWSResponse(request.url, status, told, _Raw(json.dumps(body).encode()))


class TestFaultsOfTheCredential:
    """What goes wrong on the way to the token, at each call."""

    @pytest.fixture
    def token(self, s3: Any) -> Iterator[Token]:
        made = Token()
        # It is asked whoever has answered, and does not know the operation.
        framework.client("bedrock-agentcore-control").meta.events.unregister("before-send", botocore_stubber)
        emitters = {
            f"before-send.{event}.{operation}": framework.client(service).meta.events
            for operation, (service, event) in CREDENTIAL_CALLS.items()
        }
        for name, events in emitters.items():
            events.register_first(name, made.answer)
        yield made
        for name, events in emitters.items():
            events.unregister(name, made.answer)

    @pytest.fixture
    def private(self, server: GitServer) -> GitSkillProperties:
        repository = server.repository(f"guarded-{len(server.backend.repos)}", token=TOKEN)
        repository.commit({"excel/SKILL.md": SKILL})
        return wanted(server, repository, credential_provider=PROVIDER)

    @pytest.mark.parametrize("operation", CREDENTIAL_CALLS)
    @pytest.mark.parametrize("fault", ["throttled", "lost", "failing"])
    def test_what_passes(self, private: GitSkillProperties, token: Token, operation: str, fault: str) -> None:
        token.faults = {operation: [fault, fault]}
        assert create(private).data["Commit"]
        assert token.calls.count(operation) == 3

    @pytest.mark.parametrize("operation", CREDENTIAL_CALLS)
    def test_a_refusal_is_told(self, private: GitSkillProperties, token: Token, operation: str, s3: Any) -> None:
        token.faults = {operation: ["denied"]}
        with pytest.raises(ClientError) as caught:
            create(private)
        said = framework.sentence(caught.value)
        assert said == f"{operation} failed with AccessDeniedException: not authorized to do that"
        assert keys(s3) == []

    def test_a_secret_that_is_gone(self, private: GitSkillProperties, token: Token) -> None:
        boto3.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
        with pytest.raises(Failed, match="secret of the API-key credential provider 'git' is gone; store the token"):
            create(private)
        assert token.calls == list(CREDENTIAL_CALLS)

    def test_nothing_is_asked_for_a_skill_that_is_there(
        self, private: GitSkillProperties, token: Token, s3: Any
    ) -> None:
        made = create(private)
        token.calls.clear()
        assert create(private) == made
        handler().delete(request(private, made.physical_id))
        assert token.calls == []
        assert keys(s3) == []


class _Raw:
    """The body of an answer that was never sent."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.body
