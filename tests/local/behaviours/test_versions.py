"""Versions and endpoints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support import stacks
from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "Versions and endpoints"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-versioning.html",)


def say_prompt(call: Any) -> str:
    return str(call.system_prompt)


@behaviour("Version 1 comes with the harness; every update is a new, complete and immutable version")
def test_versions(agent: Callable[..., Agent], control: Any) -> None:
    made = agent(maxIterations=1, maxTokens=9)
    assert made.update(maxIterations=2)["harnessVersion"] == "2"
    listed = control.list_harness_versions(harnessId=made.id)["harnessVersions"]
    assert [found["harnessVersion"] for found in listed] == ["2", "1"]
    first, second = made.read(harnessVersion="1"), made.read(harnessVersion="2")
    assert (first["maxIterations"], second["maxIterations"]) == (1, 2)
    assert first["maxTokens"] == second["maxTokens"] == 9


@behaviour("`DEFAULT` serves the newest version by itself; a named endpoint stays on its version until it is moved")
def test_endpoints(agent: Callable[..., Agent], control: Any) -> None:
    made = agent(systemPrompt=[{"text": "one"}], script=say_prompt)
    control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")
    made.update(systemPrompt=[{"text": "two"}])
    assert [made.say(qualifier=name).text for name in ("DEFAULT", "PROD")] == ["two", "one"]
    control.update_harness_endpoint(harnessId=made.id, endpointName="PROD", targetVersion="2")
    assert made.say(qualifier="PROD").text == "two"


@behaviour("An endpoint made without `targetVersion` gets the version that is the newest at that moment")
def test_no_target(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    made.update(maxIterations=2)
    endpoint = control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")["endpoint"]
    assert endpoint["targetVersion"] == "2"


@behaviour(
    "`targetVersion` is what is wanted, `liveVersion` what serves; they differ while an endpoint moves",
    status="approximated",
    note="Endpoints move at once: the two are equal at the next read.",
)
def test_target_and_live(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")
    made.update(maxIterations=2)
    moved = control.update_harness_endpoint(harnessId=made.id, endpointName="PROD", targetVersion="2")["endpoint"]
    assert (moved["status"], moved["targetVersion"]) == ("UPDATING", "2")
    found = control.get_harness_endpoint(harnessId=made.id, endpointName="PROD")["endpoint"]
    assert (found["targetVersion"], found["liveVersion"]) == ("2", "2")


@behaviour("An endpoint nobody made is `ResourceNotFoundException`, when it is invoked and when it is read")
def test_unknown_endpoint(agent: Callable[..., Agent], control: Any) -> None:
    made = agent(script="never")
    assert error_of(made.say, qualifier="GONE")[0] == "ResourceNotFoundException"
    assert error_of(control.get_harness_endpoint, harnessId=made.id, endpointName="GONE")[0] == (
        "ResourceNotFoundException"
    )


@behaviour("Files in session storage are wiped when the version changes")
def test_session_storage_is_wiped(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    storage = [{"sessionStorage": {"mountPath": "/mnt/data"}}]
    environment = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": storage}}
    made = agent(environment=environment, script=shell("ls /mnt/data | wc -l; touch /mnt/data/kept"))
    assert [made.say().text.strip(), made.say().text.strip()] == ["0", "1"]
    made.update(maxIterations=9)
    assert made.say().text.strip() == "0"


@behaviour("An old version keeps the role it was made with: when that role is gone, only that version fails")
def test_the_role_of_a_version(agent: Callable[..., Agent], account: Account, control: Any) -> None:
    iam = account.client("iam")
    made = agent(script="fine", memory={"disabled": {}})
    control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")
    other = iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(stacks.trust()))["Role"]["Arn"]
    iam.put_role_policy(RoleName="other", PolicyName="all", PolicyDocument=json.dumps(stacks.ANYTHING))
    made.update(executionRoleArn=other)
    iam.delete_role_policy(RoleName="agent", PolicyName="Anything")
    iam.delete_role(RoleName="agent")
    assert made.say().text == "fine"
    code, message = error_of(made.say, qualifier="PROD")
    assert "role/agent" in message, (code, message)
