"""`agentcore-harness sessions`: the local cloud's own, and those a memory on AWS has kept."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.fake_service import ARN, Refusal, Wire

from agentcore_cli.errors import FAILED, MISUSED, OK

from .conftest import Run, document

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = "arn:aws:bedrock-agentcore:us-east-1:000000000000:memory/harness_research-aB3dE5gH7j"


def session(identifier: str, *, minutes: int, **members: Any) -> dict[str, Any]:
    """A row as the local cloud tells it."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes, seconds=1)
    return {
        "harnessArn": ARN,
        "sessionId": identifier,
        "actorId": "default",
        "version": "1",
        "turns": 2,
        "usage": {"inputTokens": 1400, "outputTokens": 6, "totalTokens": 1406},
        "lastUsedAt": moment.isoformat(),
        "working": False,
        "waitsFor": None,
        **members,
    }


@pytest.fixture(autouse=True)
def local_sessions(cloud: Wire) -> None:
    cloud.harnesses = [["research", "coding"]]
    cloud.answers = {
        "GET /_agentcore/sessions": {
            "sessions": [
                session("old", minutes=90),
                session("waiting", minutes=3, waitsFor={"toolUseId": "t1", "name": "refund"}, actorId="ann"),
                session("busy", minutes=0, working=True, turns=0, harnessArn=ARN.replace("research", "coding")),
            ]
        }
    }


def test_sessions_are_listed_newest_first(cloud: Wire, run: Run) -> None:
    result = run("sessions")

    assert result.exit_code == OK
    assert [re.split(r"\s{2,}", line) for line in result.stdout.splitlines()] == [
        ["SESSION", "HARNESS", "ACTOR", "TURNS", "TOKENS", "LAST USE", "STATE"],
        ["busy", "coding", "default", "0", "1,400 in + 6 out", "1 s ago", "working"],
        ["waiting", "research", "ann", "2", "1,400 in + 6 out", "3 min ago", "waits for refund"],
        ["old", "research", "default", "2", "1,400 in + 6 out", "1 h ago", "idle"],
    ]
    assert result.stderr == f"local cloud {cloud.endpoint}, account 000000000000, us-east-1\n"


def test_account_and_region_are_those_of_the_target(cloud: Wire, run: Run) -> None:
    run("sessions", "--account", "111122223333", "--region", "eu-west-1")

    assert parse_qs(urlsplit(cloud.requests[-1][1]).query) == {"account": ["111122223333"], "region": ["eu-west-1"]}


def test_one_harness_or_one_actor(run: Run) -> None:
    def ids(*words: str) -> list[str]:
        return [row["sessionId"] for row in document(run("sessions", *words, "--json"))["sessions"]]

    assert ids("research") == ["waiting", "old"]
    assert ids("coding") == ["busy"]
    assert ids("research", "--actor", "ann") == ["waiting"]
    assert ids("--actor", "nobody") == []


def test_no_session_is_no_failure(cloud: Wire, run: Run) -> None:
    cloud.answers = {"GET /_agentcore/sessions": {"sessions": []}}

    assert run("sessions").stderr.endswith("There is no session.\n")
    assert run("sessions", "research").stderr.endswith("There is no session of research.\n")
    assert run("sessions").exit_code == OK


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Refusal(404, "NoSuchBucket"), "cannot be read (HTTP 404); it may be of another version: restart it with"),
        ({"other": 1}, "cannot be read (KeyError: 'sessions')."),
    ],
)
def test_a_local_cloud_that_does_not_know_sessions(cloud: Wire, run: Run, answer: Any, says: str) -> None:
    cloud.answers = {"GET /_agentcore/sessions": answer}

    result = run("sessions", "--json")

    assert result.exit_code == FAILED
    assert says in result.stderr
    assert document(result)["error"]["code"] == "SessionsUnreadable"


def test_what_can_be_no_harness_is_refused(run: Run) -> None:
    assert run("sessions", "a-b").exit_code == MISUSED


# --- AWS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_aws(cloud: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wire:
    """A stand-in for AWS: normal credentials, and only the two services lead to it."""
    (tmp_path / "config").write_text(
        "[default]\nregion = us-east-1\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", cloud.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL", cloud.endpoint)
    actors = [{"actorSummaries": [{"actorId": "ann"}], "nextToken": "1"}, {"actorSummaries": [{"actorId": "bob"}]}]
    cloud.answers = {
        r"GET /harnesses/research-.+": {"harness": harness({"managedMemoryConfiguration": {"arn": MEMORY}})},
        r"GET /harnesses/coding-.+": {"harness": harness({"disabled": {}})},
        r"POST /memories/[^/]+/actors": lambda _body: actors.pop(0),
        r"POST /memories/[^/]+/actor/ann/sessions": {"sessionSummaries": [kept("ann", "a1", 1), kept("ann", "a2", 3)]},
        r"POST /memories/[^/]+/actor/bob/sessions": {"sessionSummaries": [kept("bob", "b1", 2)]},
    }
    return cloud


def harness(memory: dict[str, Any]) -> dict[str, Any]:
    return {
        "harnessId": "research-0123456789",
        "harnessName": "research",
        "arn": ARN,
        "status": "READY",
        "executionRoleArn": "arn:aws:iam::000000000000:role/r",
        "createdAt": 0,
        "updatedAt": 0,
        "memory": memory,
    }


def kept(actor: str, identifier: str, created: int) -> dict[str, Any]:
    return {"sessionId": identifier, "actorId": actor, "createdAt": created}


def test_on_aws_the_memory_lists_them(on_aws: Wire, run: Run) -> None:
    result = run("sessions", "research", "--aws")

    assert result.exit_code == OK
    assert [re.split(r"\s{2,}", line) for line in result.stdout.splitlines()] == [
        ["SESSION", "HARNESS", "ACTOR", "BEGAN"],
        ["a2", "research", "ann", "1970-01-01 00:00:03Z"],
        ["b1", "research", "bob", "1970-01-01 00:00:02Z"],
        ["a1", "research", "ann", "1970-01-01 00:00:01Z"],
    ]
    assert result.stderr == "AWS\n"


def test_on_aws_as_json(on_aws: Wire, run: Run) -> None:
    first = document(run("sessions", "research", "--aws", "--json"))["sessions"][0]

    assert first == {
        "harnessArn": ARN,
        "memoryArn": MEMORY,
        "sessionId": "a2",
        "actorId": "ann",
        "createdAt": "1970-01-01T00:00:03+00:00",
    }


def test_on_aws_a_named_actor_is_asked_for_alone(on_aws: Wire, run: Run) -> None:
    found = document(run("sessions", "research", "--aws", "--actor", "bob", "--json"))["sessions"]

    assert [row["sessionId"] for row in found] == ["b1"]
    assert not [path for _, path, *_ in on_aws.requests if path.endswith("/actors")]


def test_on_aws_an_existing_memory_is_asked_too(on_aws: Wire, run: Run) -> None:
    on_aws.answers[r"GET /harnesses/research-.+"] = {
        "harness": harness({"agentCoreMemoryConfiguration": {"arn": MEMORY}})
    }

    assert len(document(run("sessions", "research", "--aws", "--json"))["sessions"]) == 3


def test_on_aws_a_harness_without_a_memory_has_no_list(on_aws: Wire, run: Run) -> None:
    result = run("sessions", "coding", "--aws")

    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        FAILED,
        (
            "agentcore-harness: The harness coding has no memory, and AWS lists no sessions but those a memory has "
            "kept; give it a memory, or look into its logs with `agentcore-harness logs`."
        ),
    )


def test_on_aws_all_that_have_a_memory_are_listed(on_aws: Wire, run: Run) -> None:
    result = run("sessions", "--aws")

    assert result.exit_code == OK
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr.splitlines()[-1] == "Without a memory, so without a list of sessions: coding."


def test_on_aws_a_refusal_names_the_permission(on_aws: Wire, run: Run) -> None:
    on_aws.answers[r"POST /memories/[^/]+/actors"] = Refusal(403, "AccessDeniedException", "Not you.")

    assert "Not you; the caller needs bedrock-agentcore:ListActors." in run("sessions", "research", "--aws").stderr
