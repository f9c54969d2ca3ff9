"""Settings applied to a harness: what is sent, what is left alone, and every call that may fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from agentcore_lambdas.custom_resources import Failed, Outcome, Request, harness_settings, harnesses
from agentcore_lambdas.custom_resources.harness_settings import HarnessSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

HARNESS = "agent-0123456789"
TOKEN = "b6b1d9a0-0000-4000-8000-000000000001"
AUTH = {"awsIam": {"service": "execute-api"}}
REMOVALS = [
    {"remove": ["tools", "*", "config", "remoteMcp", "outboundAuth"], "where": []},
    {
        "remove": ["authorizerConfiguration"],
        "where": ["customJWTAuthorizer", "discoveryUrl"],
        "values": [],
        "beyond": r".+/openid-configuration",
    },
]
AUTHORIZER = {
    "customJWTAuthorizer": {
        "discoveryUrl": "https://idp.example.com/.well-known/oauth-authorization-server",
        "allowedClients": ["web"],
    }
}


def tool(auth: Any = None) -> dict[str, Any]:
    remote = {"url": "https://mcp.example.com", **({"outboundAuth": auth} if auth else {})}
    return {"type": "remote_mcp", "name": "docs", "config": {"remoteMcp": remote}}


def live(version: int = 1, status: str = "READY", **members: Any) -> dict[str, Any]:
    role = "arn:aws:iam::111122223333:role/agent"
    told = {
        "harnessId": HARNESS, "harnessName": "agent", "arn": f"arn:aws:bedrock-agentcore:us-east-1:111122223333:"
        f"harness/{HARNESS}", "status": status, "harnessVersion": str(version), "executionRoleArn": role,
        "createdAt": 0, "updatedAt": 0, "model": {"bedrockModelConfig": {"modelId": "m"}}, "systemPrompt": [],
        "tools": [], "skills": [], "allowedTools": [], "truncation": {"strategy": "sliding_window"},
        "environment": {"agentCoreRuntimeEnvironment": _runtime()},
    }  # fmt: skip
    return {"harness": {**told, **members}}


def _runtime() -> dict[str, Any]:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/harness_agent-0123456789"
    return {
        "agentRuntimeArn": arn,
        "agentRuntimeName": "harness_agent",
        "agentRuntimeId": "harness_agent-0123456789",
        "lifecycleConfiguration": {},
        "networkConfiguration": {"networkMode": "PUBLIC"},
    }


class Service:
    """The control plane and CloudFormation, answering what a test queues, in that order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        clients = {name: boto3.client(name, **keys) for name in ("bedrock-agentcore-control", "cloudformation")}
        self.control = Stubber(clients["bedrock-agentcore-control"])
        self.stacks = Stubber(clients["cloudformation"])
        for module in (harnesses, harness_settings):
            monkeypatch.setattr(module, "client", clients.__getitem__)
        monkeypatch.setattr(harnesses.time, "sleep", lambda seconds: None)

    def is_there(self, *found: dict[str, Any]) -> None:
        for one in found:
            self.control.add_response("get_harness", one, {"harnessId": HARNESS})

    def is_gone(self) -> None:
        self.control.add_client_error("get_harness", "ResourceNotFoundException")

    def is_updated(self, version: int, **members: Any) -> None:
        expected = {"harnessId": HARNESS, "clientToken": TOKEN, **members}
        self.control.add_response("update_harness", live(version, "UPDATING"), expected)

    def stack_is(self, status: str) -> None:
        stack = {"StackName": "Agents", "CreationTime": 0, "StackStatus": status}
        self.stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "arn:stack"})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(monkeypatch)
    with made.control, made.stacks:
        yield made
        made.control.assert_no_pending_responses()
        made.stacks.assert_no_pending_responses()


def properties(version: int = 1, harness_id: str = HARNESS, **settings: Any) -> HarnessSettings:
    return HarnessSettings(
        harness_id=harness_id,
        harness_version=str(version),
        settings=json.dumps(settings),
        removals=json.dumps(REMOVALS),
    )


def request(given: HarnessSettings, physical_id: str | None = HARNESS) -> Request[HarnessSettings]:
    return Request(given, physical_id, TOKEN, "arn:stack", "Settings")


WANTED = properties(tools=[tool(AUTH)])
handler = harness_settings.handler()


def test_creation_sends_the_field_whole_and_waits_for_the_version(service: Service) -> None:
    service.is_there(live())
    service.is_updated(2, tools=[tool(AUTH)])
    made = handler.create(request(WANTED, None))
    assert made == Outcome(HARNESS, done=False, state={"Version": 2})
    service.is_there(live(1), live(2, "UPDATING"), live(2))
    assert [handler.poll(request(WANTED), made.state) for _ in range(3)] == [
        Outcome(HARNESS, done=False),
        Outcome(HARNESS, done=False),
        Outcome(HARNESS, {"Version": "2"}),
    ]


def test_a_structure_is_wrapped_where_the_api_wants_it(service: Service) -> None:
    service.is_there(live())
    service.is_updated(2, authorizerConfiguration={"optionalValue": AUTHORIZER})
    handler.create(request(properties(authorizerConfiguration=AUTHORIZER), None))


def test_a_harness_in_between_is_waited_for(service: Service) -> None:
    service.is_there(live(1, "CREATING"), live(1, "UPDATING"), live(1))
    service.is_updated(2, tools=ANY)
    handler.create(request(WANTED, None))


def test_somebody_elses_update_is_waited_out(service: Service) -> None:
    service.is_there(live())
    service.control.add_client_error("update_harness", "ConflictException")
    service.is_there(live(2, "UPDATING"), live(2))
    service.is_updated(3, tools=ANY)
    assert handler.create(request(WANTED, None)).state == {"Version": 3}


def test_a_request_delivered_again_has_the_same_token(service: Service) -> None:
    """The service answers the second with the version of the first; `is_updated` expects the token of the request."""
    for _ in range(2):
        service.is_there(live())
        service.is_updated(2, tools=ANY)
        assert handler.create(request(WANTED, None)).state == {"Version": 2}


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "InternalServerException"])
def test_what_the_service_refuses_is_told(service: Service, code: str) -> None:
    service.is_there(live())
    service.control.add_client_error("update_harness", code, "not like this")
    with pytest.raises(Exception, match="not like this") as caught:
        handler.create(request(WANTED, None))
    assert code in str(caught.value)


def test_an_update_that_the_service_gives_up_is_told(service: Service) -> None:
    service.is_there(live(2, "UPDATE_FAILED", failureReason="no route to the tool"))
    with pytest.raises(Failed, match=f"the harness {HARNESS} is UPDATE_FAILED: no route to the tool"):
        handler.poll(request(WANTED), {"Version": 2})


def test_a_harness_that_never_becomes_ready_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 10_000, 200))
    monkeypatch.setattr(harnesses.time, "monotonic", lambda: next(moments))
    service.is_there(*[live(1, "UPDATING")] * 3)
    with pytest.raises(Failed, match=f"the harness {HARNESS} is still UPDATING after 480 seconds"):
        handler.create(request(WANTED, None))


@pytest.mark.parametrize("act", ["create", "update"])
def test_a_harness_that_is_gone_is_told(service: Service, act: str) -> None:
    service.is_gone()
    changed = {"create": (), "update": (properties(2, tools=[tool(AUTH)]),)}[act]
    with pytest.raises(Failed, match=f"there is no harness {HARNESS}"):
        getattr(handler, act)(request(WANTED), *changed)


def test_a_change_of_the_harness_that_kept_the_settings_makes_no_version(service: Service) -> None:
    kept = tool(AUTH)
    kept["config"]["remoteMcp"]["headers"] = {}  # as the service fills in
    service.is_there(live(5, tools=[kept]))
    updated = handler.update(request(properties(5, tools=[tool(AUTH)])), WANTED)
    assert updated == Outcome(HARNESS, done=False, state={"Version": 5})


def test_a_change_of_the_harness_that_lost_them_is_mended(service: Service) -> None:
    service.is_there(live(5, tools=[tool()]), live(5, tools=[tool()]))
    service.is_updated(6, tools=[tool(AUTH)])
    assert handler.update(request(properties(5, tools=[tool(AUTH)])), WANTED).state == {"Version": 6}


def test_other_settings_are_sent_even_if_the_harness_has_more(service: Service) -> None:
    """A key that is gone would else be taken for one that the service has filled in."""
    had = properties(tools=[tool({"awsIam": {"service": "execute-api", "region": "eu-west-1"}})])
    found = live(2, tools=[tool({"awsIam": {"service": "execute-api", "region": "eu-west-1"}})])
    service.is_there(found, found)
    service.is_updated(3, tools=[tool(AUTH)])
    handler.update(request(WANTED), had)


def test_a_field_that_left_the_settings_is_taken_back(service: Service) -> None:
    had = properties(tools=[tool(AUTH)], authorizerConfiguration=AUTHORIZER)
    found = live(2, tools=[tool(AUTH)], authorizerConfiguration=AUTHORIZER)
    service.is_there(found, found)
    service.is_updated(3, tools=[tool(AUTH)], authorizerConfiguration={})
    handler.update(request(WANTED), had)


def test_a_replaced_harness_gets_the_settings_and_the_old_one_is_left(service: Service) -> None:
    old = properties(harness_id="agent-9999999999", tools=[tool(AUTH)])
    service.is_there(live())
    service.is_updated(2, tools=[tool(AUTH)])
    assert handler.update(request(WANTED, "agent-9999999999"), old).physical_id == HARNESS


def test_deletion_takes_out_what_cloudformation_cannot_say_and_keeps_the_rest(service: Service) -> None:
    newer = [tool(AUTH), {"type": "agentcore_browser", "name": "browser"}]
    service.stack_is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    service.is_there(live(4, tools=newer), live(4, tools=newer))
    service.is_updated(5, tools=[tool(), newer[1]])
    assert handler.delete(request(WANTED)) == Outcome(HARNESS, done=False, state={"Version": 5})


@pytest.mark.parametrize("found", [live(3, tools=[tool()]), live(3, "DELETING"), None])
def test_deletion_has_nothing_to_do_where_nothing_is_left(service: Service, found: dict[str, Any] | None) -> None:
    service.stack_is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    service.is_gone() if found is None else service.is_there(found)
    assert handler.delete(request(WANTED)).done


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_deletion_leaves_a_harness_alone_that_goes_with_its_stack(service: Service, status: str) -> None:
    service.stack_is(status)
    assert handler.delete(request(WANTED)).done


def test_a_harness_deleted_meanwhile_is_no_error_of_a_deletion(service: Service) -> None:
    service.stack_is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    service.is_there(live(4, tools=[tool(AUTH)]), live(4, tools=[tool(AUTH)]))
    service.control.add_client_error("update_harness", "ResourceNotFoundException")
    assert handler.delete(request(WANTED)).done
