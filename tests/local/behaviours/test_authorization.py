"""Inbound authorization, and what the agent logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "Inbound authorization and logs"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/inbound-jwt-authorizer.html",
)
DISCOVERY = "https://example.com/.well-known/openid-configuration"


def jwt(**members: Any) -> dict[str, Any]:
    return {"customJWTAuthorizer": {"discoveryUrl": DISCOVERY, **members}}


def claim(kind: str, operator: str) -> dict[str, Any]:
    value = {"matchValueStringList": ["a"]} if operator == "CONTAINS_ANY" else {"matchValueString": "a"}
    match = {"claimMatchValue": value, "claimMatchOperator": operator}
    return {
        "inboundTokenClaimName": "group",
        "inboundTokenClaimValueType": kind,
        "authorizingClaimMatchValue": match,
    }


@behaviour("A harness with a JWT authorizer takes tokens only: a request signed with SigV4 is refused")
def test_one_method(agent: Callable[..., Agent]) -> None:
    made = agent(script="never", authorizerConfiguration=jwt(allowedAudience=["a"]))
    code, message = error_of(made.say)
    assert code == "AccessDeniedException", message


@behaviour("The discovery URL ends in one of the two well-known paths")
def test_discovery(create: Callable[..., Any]) -> None:
    wrong = {"customJWTAuthorizer": {"discoveryUrl": "https://example.com/openid", "allowedAudience": ["a"]}}
    assert error_of(create, authorizerConfiguration=wrong)[0] == "ValidationException"
    create("fits", authorizerConfiguration=jwt(allowedAudience=["a"]))


@behaviour("A claim of type STRING is compared with EQUALS, one of STRING_ARRAY with CONTAINS or CONTAINS_ANY")
def test_claims(create: Callable[..., Any]) -> None:
    right = [claim("STRING", "EQUALS"), claim("STRING_ARRAY", "CONTAINS"), claim("STRING_ARRAY", "CONTAINS_ANY")]
    create("fits", authorizerConfiguration=jwt(customClaims=right))
    for number, wrong in enumerate((claim("STRING", "CONTAINS"), claim("STRING_ARRAY", "EQUALS"))):
        members = {"authorizerConfiguration": jwt(customClaims=[wrong])}
        assert error_of(create, name=f"h{number}", **members)[0] == "ValidationException"


@behaviour(
    "Each endpoint has a log group, `/aws/bedrock-agentcore/runtimes/<runtime id>-<endpoint>`, made by the service"
)
def test_log_groups(agent: Callable[..., Agent], account: Account, control: Any) -> None:
    made = agent(script="fine")
    control.create_harness_endpoint(harnessId=made.id, endpointName="PROD")
    for qualifier in ("DEFAULT", "PROD"):
        made.say(qualifier=qualifier)
    runtime = made.created["environment"]["agentCoreRuntimeEnvironment"]["agentRuntimeId"]
    groups = account.client("logs").describe_log_groups()["logGroups"]
    assert sorted(group["logGroupName"] for group in groups) == [
        f"/aws/bedrock-agentcore/runtimes/{runtime}-{name}" for name in ("DEFAULT", "PROD")
    ]
    assert not any("retentionInDays" in group for group in groups)


@behaviour(
    "What the agent does is in its log group",
    status="approximated",
    note="One JSON record per event, of this local cloud's own shape; there are no traces, spans or metrics.",
)
def test_log_records(agent: Callable[..., Agent], account: Account) -> None:
    agent(script="fine").say()
    logs = account.client("logs")
    (group,) = logs.describe_log_groups()["logGroups"]
    records = [
        json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    ]
    assert [record["event"] for record in records] == ["invocation_started", "invocation_ended"]
