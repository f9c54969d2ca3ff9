"""What callers must be allowed to do."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "Callers"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html",
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-agentcore.html",
)
OWN = "bedrock-agentcore:"


@pytest.fixture
def user(account: Account) -> Callable[..., Any]:
    """Makes the client of an IAM user who may do some actions on some resources."""

    def make(*actions: str, on: list[str] | str = "*", service: str = "bedrock-agentcore") -> Any:
        iam, name = account.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": [OWN + action for action in actions], "Resource": on}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            service,
            endpoint_url=account.cloud.endpoint_url,
            region_name=account.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    return make


@pytest.fixture
def quiet(agent: Callable[..., Agent]) -> Agent:
    """A harness without a memory."""
    return agent(script="fine", memory={"disabled": {}})


@behaviour("InvokeHarness takes `InvokeHarness` and `InvokeAgentRuntime` on the harness")
def test_invoking(quiet: Agent, user: Callable[..., Any]) -> None:
    for held, missing in (("InvokeHarness", "InvokeAgentRuntime"), ("InvokeAgentRuntime", "InvokeHarness")):
        quiet.runtime = user(held, on=quiet.arn)
        code, message = error_of(quiet.say)
        assert (code, f"perform: {OWN}{missing} on" in message) == ("AccessDeniedException", True)
    quiet.runtime = user("InvokeHarness", "InvokeAgentRuntime", on=quiet.arn)
    assert quiet.say().text == "fine"


@behaviour("Through a named endpoint it takes both actions on the endpoint's ARN as well")
def test_a_named_endpoint(quiet: Agent, user: Callable[..., Any], control: Any) -> None:
    control.create_harness_endpoint(harnessId=quiet.id, endpointName="PROD")
    both, endpoint = ("InvokeHarness", "InvokeAgentRuntime"), f"{quiet.arn}/harness-endpoint/PROD"
    quiet.runtime = user(*both, on=quiet.arn)
    assert endpoint in error_of(quiet.say, qualifier="PROD")[1]
    quiet.runtime = user(*both, on=[quiet.arn, endpoint])
    assert quiet.say(qualifier="PROD").text == "fine"


@behaviour(
    "CreateHarness takes `CreateHarness`, `CreateAgentRuntime`, `iam:PassRole`, and `CreateMemory` if it is managed"
)
def test_creating(user: Callable[..., Any], role_arn: str, account: Account) -> None:
    client = user("CreateHarness", "CreateAgentRuntime", service="bedrock-agentcore-control")
    code, message = error_of(client.create_harness, harnessName="a", executionRoleArn=role_arn)
    assert (code, "iam:PassRole" in message or "CreateMemory" in message) == ("AccessDeniedException", True)


@behaviour("Updating and deleting take the same of `Update…` and `Delete…`, on the harness")
def test_changing(quiet: Agent, user: Callable[..., Any]) -> None:
    client = user("UpdateHarness", "DeleteHarness", on=quiet.arn, service="bedrock-agentcore-control")
    assert "UpdateAgentRuntime" in error_of(client.update_harness, harnessId=quiet.id, maxIterations=2)[1]
    assert "DeleteAgentRuntime" in error_of(client.delete_harness, harnessId=quiet.id)[1]


@behaviour("Listing harnesses, endpoints and versions knows no resource: it takes `*`")
def test_listing(quiet: Agent, user: Callable[..., Any]) -> None:
    narrow = user("ListHarnesses", "GetHarness", on=quiet.arn, service="bedrock-agentcore-control")
    assert narrow.get_harness(harnessId=quiet.id)
    assert error_of(narrow.list_harnesses)[0] == "AccessDeniedException"
    assert user("ListHarnesses", service="bedrock-agentcore-control").list_harnesses()["harnesses"]


@behaviour("An endpoint is read, changed and deleted with both ARNs, the harness' and its own")
def test_endpoints(quiet: Agent, user: Callable[..., Any], control: Any) -> None:
    control.create_harness_endpoint(harnessId=quiet.id, endpointName="PROD")
    named = {"harnessId": quiet.id, "endpointName": "PROD"}
    narrow = user("GetHarnessEndpoint", on=quiet.arn, service="bedrock-agentcore-control")
    assert error_of(narrow.get_harness_endpoint, **named)[0] == "AccessDeniedException"
    wide = user("GetHarnessEndpoint", on=[quiet.arn, f"{quiet.arn}/*"], service="bedrock-agentcore-control")
    assert wide.get_harness_endpoint(**named)


@behaviour(
    "Whoever may invoke may replace model, prompt and tools: no IAM condition restricts overrides",
)
def test_overrides_are_trusted(quiet: Agent, user: Callable[..., Any]) -> None:
    quiet.runtime = user("InvokeHarness", "InvokeAgentRuntime", on=quiet.arn)
    assert quiet.say(systemPrompt=[{"text": "Anything."}], allowedTools=["*"]).text == "fine"
