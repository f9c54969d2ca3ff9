"""Names, ids and the limits of small values."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "Names, ids and sizes"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_CreateHarness.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarness.html",
)


def rejected(create: Callable[..., Any], **members: Any) -> bool:
    code, _message = error_of(create, **members)
    return code == "ValidationException"


@behaviour("A harness name has letters, digits and underscores, starts with a letter, and at most 40 characters")
def test_harness_names(create: Callable[..., Any]) -> None:
    assert create("a" + "b" * 38 + "9")["status"] == "CREATING"
    assert all(rejected(create, name=name) for name in ("a-b", "1a", "", "a" * 41, "a b"))


@behaviour("A harness' id is its name and ten letters or digits; its ARN ends with `harness/<id>`")
def test_ids(agent: Callable[..., Agent]) -> None:
    made = agent("my_agent")
    assert re.fullmatch(r"my_agent-[a-zA-Z0-9]{10}", made.id)
    assert made.arn.endswith(f":harness/{made.id}")


@behaviour("A name can be taken once in an account and Region (`ConflictException`)")
def test_a_name_twice(create: Callable[..., Any]) -> None:
    create("twin")
    assert error_of(create, name="twin")[0] == "ConflictException"


@behaviour(
    "An endpoint name has letters, digits and underscores, and at most 48 characters",
    note="The developer guide shows names with hyphens; the API's pattern forbids them.",
)
def test_endpoint_names(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    control.create_harness_endpoint(harnessId=made.id, endpointName="p" * 48)
    for name in ("production-endpoint", "p" * 49, "1p"):
        assert error_of(control.create_harness_endpoint, harnessId=made.id, endpointName=name)[0] == (
            "ValidationException"
        )


@behaviour("`DEFAULT` is made by the service, and can be neither made, moved nor deleted by hand")
def test_default_is_reserved(agent: Callable[..., Agent], control: Any) -> None:
    named = {"harnessId": agent().id, "endpointName": "DEFAULT"}
    for call in (control.create_harness_endpoint, control.delete_harness_endpoint):
        assert error_of(call, **named)[0] == "ConflictException"
    assert error_of(control.update_harness_endpoint, **named, targetVersion="1")[0] == "ConflictException"


@behaviour("An endpoint's ARN is the harness' ARN and `/harness-endpoint/<name>`")
def test_endpoint_arns(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    endpoint = control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")["endpoint"]
    assert endpoint["arn"] == f"{made.arn}/harness-endpoint/PROD"


@behaviour("A client token has 33 to 256 characters")
def test_client_tokens(create: Callable[..., Any]) -> None:
    create("first", clientToken="t" * 33)
    assert all(rejected(create, name="second", clientToken="t" * length) for length in (32, 257))


@behaviour("A session id has 33 to 100 letters, digits, hyphens and underscores, and is required")
def test_session_ids(agent: Callable[..., Agent], account: Any) -> None:
    made = agent(script="fine")
    for session in ("s" * 33, "s" * 100):
        assert made.say(runtimeSessionId=session).text == "fine"
    made.runtime = account.client("bedrock-agentcore", config=Config(parameter_validation=False))
    for session in ("s" * 32, "s" * 101, "-" + "s" * 40, "s" * 40 + "!"):
        assert error_of(made.say, runtimeSessionId=session)[0] == "ValidationException"


@behaviour("Tool and hook names have 1 to 64 letters, digits, hyphens and underscores, and are unique")
def test_tool_and_hook_names(create: Callable[..., Any], inline: Callable[..., Any]) -> None:
    create("fits", tools=[inline("a-b_" + "c" * 60)])
    topic = {"sns": {"arn": "arn:aws:sns:us-east-1:111122223333:t"}}
    hook = {"beforeInvocation": {"name": "same", "target": topic}}
    for number, members in enumerate(
        (
            {"tools": [inline("c" * 65)]},
            {"tools": [inline("with space")]},
            {"tools": [inline("same"), inline("same")]},
            {"hooks": [hook, hook]},
        )
    ):
        assert rejected(create, name=f"h{number}", **members)


@behaviour("Environment variables: at most 50, keys of 1 to 100 and values of up to 5,000 characters")
def test_environment_variables(create: Callable[..., Any]) -> None:
    create("fits", environmentVariables={f"K{number}": "v" * 5000 for number in range(50)})
    for variables in ({f"K{number}": "v" for number in range(51)}, {"k" * 101: "v"}, {"k": "v" * 5001}):
        assert rejected(create, name="other", environmentVariables=variables)


@behaviour("A harness has at most 50 tags")
def test_tags(create: Callable[..., Any]) -> None:
    create("fits", tags={f"k{number}": "v" for number in range(50)})
    assert rejected(create, name="other", tags={f"k{number}": "v" for number in range(51)})


@behaviour("Every field that is wrong is named at once, in `fieldList`")
def test_all_faults_at_once(control: Any) -> None:
    with pytest.raises(ClientError, match="2 validation errors") as caught:
        control.create_harness(harnessName="a-b", executionRoleArn="nobody")
    assert {fault["name"] for fault in caught.value.response["fieldList"]} == {"harnessName", "executionRoleArn"}


@behaviour("A member the API does not know is refused", note="Seen with clients that do not check requests themselves.")
def test_unknown_members(control: Any, role_arn: str) -> None:
    body = f'{{"harnessName": "a", "executionRoleArn": "{role_arn}", "colour": "red"}}'
    control.meta.events.register_first(
        "before-call.bedrock-agentcore-control.CreateHarness", lambda params, **_: params.update(body=body.encode())
    )
    code, message = error_of(control.create_harness, harnessName="a", executionRoleArn=role_arn)
    assert (code, "colour" in message) == ("ValidationException", True)


@behaviour("The same client token gives the same harness, and another request with it is refused")
def test_idempotent_tokens(create: Callable[..., Any], control: Any) -> None:
    token = str(uuid.uuid4())
    first = create("once", clientToken=token)
    assert create("once", clientToken=token)["harnessId"] == first["harnessId"]
    assert len(control.list_harnesses()["harnesses"]) == 1
    with pytest.raises(ClientError, match="client token was already used") as caught:
        create("other", clientToken=token)
    assert caught.value.response["reason"] == "IdempotentParameterMismatchException"
