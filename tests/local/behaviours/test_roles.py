"""The execution role: who may assume it, and what happens when a permission is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EventStreamError
from support import stacks
from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "The execution role"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html",)
IMAGE = ("ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken")
MODEL = {"bedrockModelConfig": {"modelId": "amazon.nova-pro-v1:0"}}


def allow(account: Account, *actions: str) -> None:
    """Give the role of the harness these actions and what it takes to start a session, no others."""
    statement = {"Effect": "Allow", "Action": [*IMAGE, *actions], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_role_policy(RoleName="agent", PolicyName="Anything", PolicyDocument=document)


@behaviour("CreateHarness refuses a role that does not exist or does not trust `bedrock-agentcore.amazonaws.com`")
def test_trust(create: Callable[..., Any], account: Account) -> None:
    trust = json.dumps(stacks.trust("lambda.amazonaws.com"))
    other = account.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for arn in (other, other.replace("other", "nobody")):
        code, message = error_of(create, executionRoleArn=arn)
        assert (code, "Role validation failed" in message) == ("ValidationException", True)


@behaviour(
    "CreateHarness fails with a trust policy whose `aws:SourceArn` is `harness/*`; with `:*` and the account it works",
    note="The service presents the ARN of the runtime; observed independently by several projects.",
)
def test_source_arn(create: Callable[..., Any], account: Account) -> None:
    prefix = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:"
    roles = account.client("iam")
    arns = {}
    for name, pattern in (("narrow", "harness/*"), ("wide", "*")):
        condition = {"StringEquals": {"aws:SourceAccount": account.account_id}}
        condition["ArnLike"] = {"aws:SourceArn": prefix + pattern}
        document = json.dumps(stacks.trust(**condition))
        arns[name] = roles.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code, message = error_of(create, executionRoleArn=arns["narrow"])
    assert (code, "aws:SourceArn" in message) == ("ValidationException", True)
    assert create("fits", executionRoleArn=arns["wide"])["status"] == "CREATING"


@behaviour("Without what pulling the image takes, the session does not start: `RuntimeClientError`, HTTP 424")
def test_image(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script="never", memory={"disabled": {}}, model=MODEL)
    account.client("iam").delete_role_policy(RoleName="agent", PolicyName="Anything")
    code, message = error_of(made.say)
    assert (code, "could not be pulled" in message) == ("RuntimeClientError", True)


@behaviour("Without `bedrock:InvokeModel…` the invocation fails with a `runtimeClientError` in the stream")
def test_model(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script="never", memory={"disabled": {}}, model=MODEL)
    allow(account, "bedrock-agentcore:*")
    with pytest.raises(EventStreamError, match=r"runtimeClientError.*not authorized to perform: bedrock:InvokeModel"):
        made.say()


@behaviour("Without the workload identity's token the agent **silently** works without tools")
def test_workload_identity(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script=lambda call: str(sorted(call.tools)), memory={"disabled": {}}, model=MODEL)
    allow(account, "bedrock:*")
    assert made.say().text == "[]"


@behaviour("Without the memory's actions the invocation fails with a `runtimeClientError` that names `ListEvents`")
def test_memory(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script="never", model=MODEL)
    allow(account, "bedrock:*", "bedrock-agentcore:GetWorkloadAccessToken*")
    with pytest.raises(EventStreamError, match=r"runtimeClientError.*bedrock-agentcore:ListEvents"):
        made.say()


@behaviour(
    "Logs, traces and metrics that the role may not write are lost without an error",
    status="approximated",
    note="Logs are written to CloudWatch Logs here; of traces and metrics only the permissions are checked.",
)
def test_logs(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script="fine", memory={"disabled": {}}, model=MODEL)
    allow(account, "bedrock:*", "bedrock-agentcore:*")
    assert made.say().text == "fine"
    assert account.client("logs").describe_log_groups()["logGroups"] == []


@behaviour("A role that `additionalParams` name is assumed with the execution role, unless a statement denies it")
def test_assuming_on(agent: Callable[..., Agent], account: Account) -> None:
    other = f"arn:aws:iam::{account.account_id}:role/other"
    model = {"liteLlmModelConfig": {"modelId": "mistral/large", "additionalParams": {"aws_role_name": other}}}
    made = agent(script="fine", memory={"disabled": {}})
    assert made.say(model=model).text == "fine"
    deny = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    account.client("iam").put_role_policy(RoleName="agent", PolicyName="Deny", PolicyDocument=document)
    with pytest.raises(EventStreamError, match="sts:AssumeRole"):
        made.say(model=model)


@behaviour("A role that cannot be assumed any more is `RuntimeClientError` before the stream starts")
def test_a_role_that_is_gone(agent: Callable[..., Agent], account: Account) -> None:
    made = agent(script="never")
    document = json.dumps(stacks.trust("lambda.amazonaws.com"))
    account.client("iam").update_assume_role_policy(RoleName="agent", PolicyDocument=document)
    code, message = error_of(made.say)
    assert (code, "cannot be assumed" in message) == ("RuntimeClientError", True)
