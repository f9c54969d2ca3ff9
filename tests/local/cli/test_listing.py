"""`agentcore-harness list` and `describe` over the wire, and what they make of the service's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.fake_service import ARN, Refusal, Wire

from agentcore_cli import overview
from agentcore_cli.errors import FAILED, MISUSED, OK

from .conftest import Run, document

if TYPE_CHECKING:
    from collections.abc import Mapping

HARNESS: Mapping[str, Any] = {
    "harnessId": "research-0123456789",
    "harnessName": "research",
    "arn": ARN,
    "status": "READY",
    "harnessVersion": "3",
    "executionRoleArn": "arn:aws:iam::000000000000:role/r",
    "createdAt": 0,
    "updatedAt": 60,
    "model": {"bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}},
    "environment": {
        "agentCoreRuntimeEnvironment": {
            "agentRuntimeArn": "arn:aws:bedrock-agentcore:us-east-1:000000000000:runtime/harness_research-aB3dE5gH7j",
            "agentRuntimeName": "harness_research",
            "agentRuntimeId": "harness_research-aB3dE5gH7j",
            "networkConfiguration": {"networkMode": "PUBLIC"},
        }
    },
}
RICH = {
    **HARNESS,
    "tools": [{"type": "remote_mcp", "name": "docs"}, {"type": "agentcore_browser"}],
    "allowedTools": ["shell", "@docs/*"],
    "skills": [
        {"path": "/opt/skill"},
        {"s3": {"uri": "s3://bucket/skill"}},
        {"git": {"url": "https://git.example/x", "path": "skills/a"}},
        {"awsSkills": {"paths": ["core-skills/*", "other/*"]}},
    ],
    "memory": {"managedMemoryConfiguration": {"arn": "arn:aws:bedrock-agentcore:us-east-1:000000000000:memory/m-1"}},
    "truncation": {"strategy": "sliding_window"},
    "hooks": [{"beforeToolCall": {"name": "guard", "target": {"lambda": {"arn": "arn:aws:lambda:::function:f"}}}}],
    "maxIterations": 75,
    "timeoutSeconds": 3600,
    "environmentVariables": {"TOKEN": "s3cret", "MODE": "dev"},
    "authorizerConfiguration": {"customJWTAuthorizer": {"discoveryUrl": "https://x.example/.well-known/openid"}},
    "failureReason": "once it failed",
}


def endpoint(name: str, live: str | None, target: str, status: str = "READY") -> dict[str, Any]:
    shape = {
        "harnessId": "research-0123456789",
        "harnessName": "research",
        "endpointName": name,
        "arn": f"{ARN}/harness-endpoint/{name}",
        "status": status,
        "createdAt": 0,
        "updatedAt": 0,
        "targetVersion": target,
    }
    return shape if live is None else {**shape, "liveVersion": live}


ENDPOINTS = [endpoint("DEFAULT", "3", "3"), endpoint("PROD", "2", "3", "UPDATING")]


def version(number: int) -> dict[str, Any]:
    return {
        "harnessId": "research-0123456789",
        "harnessName": "research",
        "arn": ARN,
        "harnessVersion": str(number),
        "status": "READY",
        "createdAt": 0,
        "updatedAt": number,
    }


@pytest.fixture(autouse=True)
def service(cloud: Wire) -> None:
    cloud.answers = {
        r"GET /harnesses/[^/]+": {"harness": HARNESS},
        r"GET /harnesses/[^/]+/endpoints": {"endpoints": ENDPOINTS},
        r"GET /harnesses/[^/]+/versions": {"harnessVersions": [version(number) for number in (1, 2, 3)]},
    }


def test_a_harness_is_a_line(cloud: Wire, run: Run) -> None:
    result = run("list")

    assert result.exit_code == OK
    assert result.stdout.splitlines() == [
        "NAME      STATUS  VERSION  MODEL                               ENDPOINTS                       UPDATED",
        (
            "research  READY   1        global.anthropic.claude-sonnet-4-6  DEFAULT=3, PROD=2→3 (UPDATING)"
            "  1970-01-01 00:00:00Z"
        ),
    ]
    assert result.stderr == f"local cloud {cloud.endpoint}, account 000000000000, us-east-1\n"


def test_all_pages_are_listed_by_name(cloud: Wire, run: Run) -> None:
    cloud.harnesses = [["b", "d"], ["c"], ["a"]]

    assert [line.split()[0] for line in run("list").stdout.splitlines()] == ["NAME", "a", "b", "c", "d"]


def test_all_pages_of_endpoints_are_shown(cloud: Wire, run: Run) -> None:
    pages = [{"endpoints": ENDPOINTS[:1], "nextToken": "1"}, {"endpoints": ENDPOINTS[1:]}]
    cloud.answers[r"GET /harnesses/[^/]+/endpoints"] = lambda _body: pages.pop(0)

    assert "DEFAULT=3, PROD=2→3" in run("list").stdout


def test_the_list_as_json(cloud: Wire, run: Run) -> None:
    found = document(run("list", "--json", "--region", "eu-west-1"))

    assert found["target"]["region"] == "eu-west-1"
    (harness,) = found["harnesses"]
    assert harness["harnessName"] == "research"
    assert harness["arn"] == ARN
    assert harness["model"] == HARNESS["model"]
    assert [one["endpointName"] for one in harness["endpoints"]] == ["DEFAULT", "PROD"]
    assert harness["updatedAt"] == "1970-01-01T00:00:00+00:00"


def test_no_harness_is_no_failure(cloud: Wire, run: Run) -> None:
    cloud.harnesses = [[]]
    plain, as_json = run("list"), run("list", "--json")

    assert (plain.exit_code, plain.stdout) == (OK, "")
    assert plain.stderr.endswith(
        "There is no harness; deploy one with `agentcore-harness deploy`, or check account and Region.\n"
    )
    assert document(as_json)["harnesses"] == []


def test_who_may_only_list_still_gets_the_list(cloud: Wire, run: Run) -> None:
    cloud.harnesses = [["a", "b"]]
    cloud.answers = {r"GET /harnesses/.+": Refusal(403, "AccessDeniedException", "Not you.")}

    result = run("list")

    assert result.exit_code == OK
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        [name, "READY", "1", "-", "-", "1970-01-01", "00:00:00Z"] for name in ("a", "b")
    ]
    assert result.stderr.splitlines()[1:] == [
        (
            f"Not everything is shown: GetHarness on local cloud {cloud.endpoint}, account 000000000000, us-east-1 "
            "failed with AccessDeniedException: Not you; the caller needs bedrock-agentcore:GetHarness."
        )
    ]


def test_any_other_refusal_ends_the_list(cloud: Wire, run: Run) -> None:
    cloud.answers = {r"GET /harnesses/.+": Refusal(400, "ValidationException")}

    result = run("list", "--json")

    assert result.exit_code == FAILED
    assert document(result)["error"]["code"] == "ValidationException"


def test_a_list_that_is_refused_names_the_permission(cloud: Wire, run: Run) -> None:
    cloud.answers = {r"GET /harnesses": Refusal(403, "AccessDeniedException", "Not you.")}

    assert run("list").stderr.endswith("Not you; the caller needs bedrock-agentcore:ListHarnesses.\n")


def test_a_harness_is_described(cloud: Wire, run: Run) -> None:
    result = run("describe", "research")

    assert result.exit_code == OK
    assert result.stdout.splitlines() == [
        "name        research",
        f"arn         {ARN}",
        "status      READY",
        "version     3",
        "created     1970-01-01 00:00:00Z",
        "updated     1970-01-01 00:01:00Z",
        "model       global.anthropic.claude-sonnet-4-6",
        "role        arn:aws:iam::000000000000:role/r",
        "network     PUBLIC",
        "endpoints   DEFAULT=3",
        "            PROD=2→3 (UPDATING)",
        "versions    3  1970-01-01 00:00:03Z",
        "            2  1970-01-01 00:00:02Z",
        "            1  1970-01-01 00:00:01Z",
        "log groups  /aws/bedrock-agentcore/runtimes/harness_research-aB3dE5gH7j-DEFAULT",
        "            /aws/bedrock-agentcore/runtimes/harness_research-aB3dE5gH7j-PROD",
    ]


def test_a_description_as_json_is_the_services_own(cloud: Wire, run: Run) -> None:
    cloud.answers[r"GET /harnesses/[^/]+"] = {"harness": RICH}

    found = document(run("describe", ARN, "--json"))

    assert set(found) == {"target", "harness", "endpoints", "versions"}
    assert found["harness"]["environmentVariables"] == {"TOKEN": "s3cret", "MODE": "dev"}
    assert len(found["versions"]) == 3


def test_everything_that_is_set_is_described_and_no_value_of_a_variable() -> None:
    rows = dict(overview.described(RICH, ENDPOINTS, [version(number) for number in range(1, 14)]))

    assert rows["status"] == "READY · once it failed"
    assert rows["tools"] == "docs (remote_mcp)\n(agentcore_browser)"
    assert rows["allowed tools"] == "shell, @docs/*"
    assert rows["skills"].splitlines() == [
        "/opt/skill",
        "s3: s3://bucket/skill",
        "git: https://git.example/x skills/a",
        "awsSkills: core-skills/*, other/*",
    ]
    assert rows["memory"] == "managed arn:aws:bedrock-agentcore:us-east-1:000000000000:memory/m-1"
    assert rows["truncation"] == "sliding_window"
    assert rows["hooks"] == "guard (beforeToolCall → lambda arn:aws:lambda:::function:f)"
    assert rows["limits"] == "maxIterations 75, timeoutSeconds 3600"
    assert rows["variables"] == "MODE, TOKEN"
    assert rows["authorizer"] == "customJWTAuthorizer"
    assert rows["versions"].splitlines()[0].startswith("13  ")
    assert rows["versions"].splitlines()[-1] == "and 3 more"
    assert "s3cret" not in str(rows)


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ({"disabled": {}}, "disabled"),
        ({"agentCoreMemoryConfiguration": {"arn": "arn:m"}}, "existing arn:m"),
    ],
)
def test_memories_in_words(memory: dict[str, Any], says: str) -> None:
    assert dict(overview.described({**HARNESS, "memory": memory}, [], []))["memory"] == says


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (None, ""),
        ({"bedrockModelConfig": {"modelId": "m"}}, "m"),
        ({"openAiModelConfig": {"modelId": "gpt"}}, "gpt (openAi)"),
        ({"liteLlmModelConfig": {"modelId": "x/y"}}, "x/y (liteLlm)"),
        ({"SDK_UNKNOWN_MEMBER": {"name": "newModelConfig"}}, "? (SDK_UNKNOWN_MEMBER)"),
    ],
)
def test_models_in_words(model: dict[str, Any] | None, says: str) -> None:
    assert overview.model_id(model) == says


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (endpoint("PROD", "2", "2"), "PROD=2"),
        (endpoint("PROD", "2", "3", "UPDATING"), "PROD=2→3 (UPDATING)"),
        (endpoint("PROD", None, "3", "CREATING"), "PROD=?→3 (CREATING)"),
        (endpoint("PROD", "2", "3", "UPDATE_FAILED"), "PROD=2→3 (UPDATE_FAILED)"),
    ],
)
def test_endpoints_in_words(shape: dict[str, Any], says: str) -> None:
    assert overview.endpoint_version(shape) == says


def test_what_can_be_no_harness_is_refused(cloud: Wire, run: Run) -> None:
    result = run("describe", "a-b")

    assert (result.exit_code, cloud.requests) == (MISUSED, [])
    assert result.stderr.startswith("agentcore-harness: HARNESS must be a harness name")


def test_an_unknown_harness_is_answered_with_those_there_are(run: Run) -> None:
    assert "did you mean research? There are: research." in run("describe", "reserch").stderr
