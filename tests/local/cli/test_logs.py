"""`agentcore-harness logs` over the wire."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.fake_service import ARN, Refusal, Wire

from agentcore_cli import loggroups, logs
from agentcore_cli.errors import FAILED, MISUSED, OK

from .conftest import Run, document

if TYPE_CHECKING:
    from pathlib import Path

RUNTIME = {"agentRuntimeId": "harness_research-aB3dE5gH7j", "agentRuntimeArn": "a", "agentRuntimeName": "n"}
GROUP = "/aws/bedrock-agentcore/runtimes/harness_research-aB3dE5gH7j"
FILTER = "POST / FilterLogEvents"
MISSING = Refusal(400, "ResourceNotFoundException", "The specified log group does not exist.")


def harness(status: str = "READY", runtime: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "harness": {
            "harnessId": "research-0123456789",
            "harnessName": "research",
            "arn": ARN,
            "status": status,
            "executionRoleArn": "arn:aws:iam::000000000000:role/r",
            "createdAt": 0,
            "updatedAt": 0,
            "environment": {"agentCoreRuntimeEnvironment": RUNTIME if runtime is None else runtime},
        }
    }


def event(number: int) -> dict[str, Any]:
    return {
        "logStreamName": "s",
        "timestamp": 1000 * number,
        "message": f"message {number}",
        "ingestionTime": 1000 * number,
        "eventId": str(number),
    }


@pytest.fixture(autouse=True)
def service(cloud: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    cloud.answers = {r"GET /harnesses/[^/]+": harness(), FILTER: {"events": [event(1), event(2)]}}


def asked(cloud: Wire) -> list[dict[str, Any]]:
    """The FilterLogEvents requests."""
    return [json.loads(body) for *_, body, headers in cloud.requests if "FilterLogEvents" in str(headers)]


def test_events_are_lines_with_their_time(cloud: Wire, run: Run) -> None:
    result = run("logs", "research")

    assert (result.exit_code, result.stdout) == (
        OK,
        "1970-01-01 00:00:01.000  message 1\n1970-01-01 00:00:02.000  message 2\n",
    )
    assert result.stderr == f"local cloud {cloud.endpoint}, account 000000000000, us-east-1 · {GROUP}-DEFAULT\n"


def test_the_request_says_group_beginning_and_session(cloud: Wire, run: Run) -> None:
    before = time.time() - 600
    run("logs", "research", "--endpoint", "PROD", "--session", "s" * 33, "--since", "10m")

    (request,) = asked(cloud)
    assert request["logGroupName"] == f"{GROUP}-PROD"
    assert request["filterPattern"] == f'"{"s" * 33}"'
    assert abs(request["startTime"] / 1000 - before) < 10


def test_an_hour_is_the_default_and_nothing_is_filtered(cloud: Wire, run: Run) -> None:
    run("logs", "research")

    (request,) = asked(cloud)
    assert abs(request["startTime"] / 1000 - (time.time() - 3600)) < 10
    assert "filterPattern" not in request


def test_an_endpoint_in_the_arn_is_the_one(cloud: Wire, run: Run) -> None:
    run("logs", f"{ARN}/harness-endpoint/PROD")

    assert asked(cloud)[0]["logGroupName"] == f"{GROUP}-PROD"


def test_all_pages_are_read(cloud: Wire, run: Run) -> None:
    pages = [{"events": [event(1)], "nextToken": "1"}, {"events": [], "nextToken": "2"}, {"events": [event(2)]}]
    cloud.answers[FILTER] = lambda _body: pages.pop(0)

    assert len(run("logs", "research").stdout.splitlines()) == 2
    assert [request.get("nextToken") for request in asked(cloud)] == [None, "1", "2"]


def test_a_full_answer_without_a_token_is_asked_on(cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loggroups, "MOST_AT_ONCE", 2)
    everything = [event(number) for number in range(1, 6)]

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        return {"events": [one for one in everything if one["timestamp"] >= body["startTime"]][:2]}

    cloud.answers[FILTER] = answer

    shown = run("logs", "research", "--since", "1970-01-01T00:00Z").stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in shown] == ["1", "2", "3", "4", "5"]


def test_json_is_a_line_for_each_event(run: Run) -> None:
    assert [json.loads(line) for line in run("logs", "research", "--json").stdout.splitlines()] == [event(1), event(2)]


def test_no_events_is_no_failure(cloud: Wire, run: Run) -> None:
    cloud.answers[FILTER] = {"events": []}
    plain, as_json = run("logs", "research", "--since", "2026-11-21T08:00"), run("logs", "research", "--json")

    assert (plain.exit_code, plain.stdout) == (OK, "")
    assert plain.stderr.endswith("Nothing was logged since 2026-11-21 08:00:00.000; --since goes back further.\n")
    assert (as_json.exit_code, as_json.stdout) == (OK, "")


def test_a_group_that_is_not_there_is_a_sentence(cloud: Wire, run: Run) -> None:
    cloud.answers[FILTER] = MISSING

    result = run("logs", "research", "--endpoint", "PROD", "--json")

    assert result.exit_code == FAILED
    assert result.stderr.splitlines()[-1] == (
        f"agentcore-harness: There is no log group {GROUP}-PROD on local cloud {cloud.endpoint}, account 000000000000, "
        "us-east-1: the service makes it when the endpoint first works; check --endpoint, or wait for it with --follow."
    )
    assert document(result)["error"]["code"] == "LogGroupNotFound"


def test_a_refusal_names_the_permission(cloud: Wire, run: Run) -> None:
    cloud.answers[FILTER] = Refusal(400, "AccessDeniedException", "Not you.")

    assert run("logs", "research").stderr.endswith("Not you; the caller needs logs:FilterLogEvents on the log group.\n")


def test_a_harness_without_a_runtime_logs_nowhere(cloud: Wire, run: Run) -> None:
    cloud.answers[r"GET /harnesses/[^/]+"] = harness("CREATING", {})

    assert run("logs", "research").stderr.endswith(
        "The harness research has no runtime yet (its status is CREATING), so it logs nowhere; "
        "wait until it is READY.\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a-b",), "HARNESS must be a harness name"),
        (("research", "--endpoint", "a-b"), "--endpoint must be letters, digits and underscores"),
        (("research", "--session", "short"), "--session must have 33-100"),
        (("research", "--since", "soon"), "--since must be an age"),
        ((f"{ARN}/harness-endpoint/PROD", "--endpoint", "BETA"), "--endpoint BETA contradicts the endpoint PROD"),
    ],
)
def test_what_cannot_be_right_is_refused(cloud: Wire, run: Run, words: tuple[str, ...], says: str) -> None:
    result = run("logs", *words)

    assert (result.exit_code, says in result.stderr) == (MISUSED, True)
    assert asked(cloud) == []


def test_follow_goes_on_with_what_comes_until_ctrl_c(cloud: Wire) -> None:
    answers: list[Any] = [MISSING, {"events": [event(1)]}, {"events": [event(1), event(2)]}]
    cloud.answers[FILTER] = lambda _body: answers.pop(0) if len(answers) > 1 else answers[0]
    words = [sys.executable, "-m", "agentcore_cli", "logs", "research", "--follow", "--json"]
    command = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert command.stdout is not None

    shown = [json.loads(command.stdout.readline())["message"] for _ in range(2)]
    seen = len(asked(cloud))
    while len(asked(cloud)) < seen + 2:
        time.sleep(0.05)
    command.send_signal(signal.SIGINT)
    rest, err = command.communicate(timeout=20)

    assert (shown, rest) == (["message 1", "message 2"], "")
    assert command.returncode == OK
    assert err.splitlines()[1:] == ["Nothing has been logged yet; waiting."]


def test_follow_ends_with_a_refusal(cloud: Wire, run: Run) -> None:
    cloud.answers[FILTER] = Refusal(400, "AccessDeniedException", "Not you.")

    assert run("logs", "research", "--follow").exit_code == FAILED


def test_aws_is_asked_less_often() -> None:
    assert logs._POLL_SECONDS["aws"] > logs._POLL_SECONDS["local"]


def test_on_aws_it_is_the_same(cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[default]\nregion = us-east-1\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL", cloud.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", cloud.endpoint)

    result = run("logs", "research", "--aws")

    assert (result.exit_code, len(result.stdout.splitlines())) == (OK, 2)
    assert result.stderr == f"AWS · {GROUP}-DEFAULT\n"
