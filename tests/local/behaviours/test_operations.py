"""The control plane's operations: what an update keeps, replaces and clears; lists; deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support.behaviours import behaviour, error_of

from agentcore_local.harness.store import STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "Operations of the control plane"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-versioning.html",
    "https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_UpdateHarness.html",
)
AUTHORIZER = {
    "customJWTAuthorizer": {
        "discoveryUrl": "https://example.com/.well-known/openid-configuration",
        "allowedAudience": ["a"],
    }
}
VPC = {
    "networkMode": "VPC",
    "networkModeConfig": {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": ["sg-0123456789abcdef0"]},
}


@behaviour("CreateHarness takes a name and an execution role; all else has a default")
def test_what_is_required(control: Any, role_arn: str) -> None:
    assert control.create_harness(harnessName="a", executionRoleArn=role_arn)["harness"]["harnessVersion"] == "1"
    assert error_of(control.create_harness, harnessName="b")[0] == "ValidationException"


@behaviour(
    "Create, update and delete are asynchronous: `CREATING`, then `READY`",
    status="approximated",
    note="The next read says `READY`; on AWS it takes from one to eleven minutes, and an operation can fail then.",
)
def test_asynchronous(agent: Callable[..., Agent]) -> None:
    made = agent()
    assert (made.created["status"], made.read()["status"]) == ("CREATING", "READY")
    assert (made.update(maxIterations=2)["status"], made.read()["status"]) == ("UPDATING", "READY")


@behaviour("While an operation is in progress, another one is refused with `ConflictException`")
def test_busy(agent: Callable[..., Agent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STORE, "settle_seconds", 60.0)
    code, message = error_of(agent().update, maxIterations=2)
    assert (code, "is CREATING" in message) == ("ConflictException", True)


@behaviour("Only a harness that is `READY` can be invoked")
def test_only_ready(agent: Callable[..., Agent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STORE, "settle_seconds", 60.0)
    code, message = error_of(agent(script="never").say)
    assert "CREATING" in message, (code, message)


@behaviour("A field that an update leaves out stays")
def test_omitted_is_kept(agent: Callable[..., Agent]) -> None:
    made = agent(systemPrompt=[{"text": "Be kind."}], maxTokens=500)
    assert made.update(maxIterations=3)["systemPrompt"] == [{"text": "Be kind."}]
    assert made.read()["maxTokens"] == 500


@behaviour("A list or map that is given replaces the whole one: tools, skills, allowed tools, hooks, variables, mounts")
def test_lists_are_replaced(agent: Callable[..., Agent], inline: Callable[..., Any]) -> None:
    made = agent(tools=[inline("one"), inline("two")], environmentVariables={"A": "1", "B": "2"})
    made.update(tools=[inline("three")], environmentVariables={"C": "3"}, allowedTools=["shell"])
    found = made.read()
    assert [tool["name"] for tool in found["tools"]] == ["three"]
    assert (found["environmentVariables"], found["allowedTools"]) == ({"C": "3"}, ["shell"])


@behaviour("`hooks: []` removes the hooks")
def test_hooks_are_removed(agent: Callable[..., Agent]) -> None:
    topic = {"sns": {"arn": "arn:aws:sns:us-east-1:111122223333:t"}}
    made = agent(hooks=[{"beforeInvocation": {"name": "told", "target": topic}}])
    assert len(made.read()["hooks"]) == 1
    made.update(hooks=[])
    assert not made.read().get("hooks")


@behaviour(
    "`environmentArtifact` and `authorizerConfiguration` are wrapped in `optionalValue`; without it they are cleared"
)
def test_wrapped_members(agent: Callable[..., Agent]) -> None:
    made = agent()
    assert made.update(authorizerConfiguration={"optionalValue": AUTHORIZER})["authorizerConfiguration"] == AUTHORIZER
    assert "authorizerConfiguration" not in made.update(authorizerConfiguration={})


@behaviour(
    "`memory: {}` in an update clears the memory",
    status="approximated",
    note="Here that switches memory off. What the service makes of it is not documented.",
)
def test_memory_is_cleared(agent: Callable[..., Agent]) -> None:
    assert agent().update(memory={})["memory"] == {"disabled": {}}


@behaviour("An update without `environment` leaves the harness in its VPC; only `PUBLIC` said in words takes it out")
def test_leaving_a_vpc(agent: Callable[..., Agent]) -> None:
    made = agent(environment={"agentCoreRuntimeEnvironment": {"networkConfiguration": VPC}})

    def network(found: dict[str, Any]) -> str:
        return str(found["environment"]["agentCoreRuntimeEnvironment"]["networkConfiguration"]["networkMode"])

    assert network(made.update(maxIterations=2)) == "VPC"
    public = {"agentCoreRuntimeEnvironment": {"networkConfiguration": {"networkMode": "PUBLIC"}}}
    assert network(made.update(environment=public)) == "PUBLIC"


@behaviour("GetHarness reads any version; the answer is nested under `harness`")
def test_any_version(agent: Callable[..., Agent]) -> None:
    made = agent(maxIterations=1)
    made.update(maxIterations=2)
    assert [made.read(harnessVersion=version)["maxIterations"] for version in ("1", "2")] == [1, 2]
    assert error_of(made.read, harnessVersion="3")[0] == "ResourceNotFoundException"


@behaviour("Lists come in pages, and their items have `arn`")
def test_lists(agent: Callable[..., Agent], control: Any) -> None:
    arns = [agent(f"h{number}", memory={"disabled": {}}).arn for number in range(3)]
    pages = list(control.get_paginator("list_harnesses").paginate(PaginationConfig={"PageSize": 2}))
    assert [[found["arn"] for found in page["harnesses"]] for page in pages] == [arns[:2], arns[2:]]


@behaviour("A deleted harness is not found any more, and its name is free")
def test_deletion(agent: Callable[..., Agent], control: Any) -> None:
    made = agent("gone")
    assert control.delete_harness(harnessId=made.id)["harness"]["status"] == "DELETING"
    assert error_of(made.read)[0] == "ResourceNotFoundException"
    assert error_of(made.say)[0] == "ResourceNotFoundException"
    assert agent("gone").id != made.id


@behaviour("Tags can be read, added and removed on harnesses and endpoints")
def test_tags(agent: Callable[..., Agent], control: Any) -> None:
    made = agent(tags={"team": "a"})
    endpoint = control.create_harness_endpoint(harnessId=made.id, endpointName="PROD", tags={"a": "b"})["endpoint"]
    control.tag_resource(resourceArn=made.arn, tags={"cost": "1"})
    control.untag_resource(resourceArn=made.arn, tagKeys=["team"])
    assert control.list_tags_for_resource(resourceArn=made.arn)["tags"] == {"cost": "1"}
    assert control.list_tags_for_resource(resourceArn=endpoint["arn"])["tags"] == {"a": "b"}


@behaviour(
    "Operations of the control plane that nobody serves here, such as ListEvaluators",
    status="refused",
    note="`NotEmulatedException`, HTTP 501, with the name of the operation.",
)
def test_other_operations(control: Any) -> None:
    with pytest.raises(ClientError) as caught:
        control.list_evaluators()
    assert caught.value.response["Error"]["Code"] == "NotEmulatedException"
    assert "not emulated by the local cloud yet" in str(caught.value)
