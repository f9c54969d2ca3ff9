"""What a version of a harness may do is asked once, and anew after IAM changed or where more than the role decides."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks

from agentcore_local import iam
from agentcore_local.actions import Ask
from agentcore_local.agents import permissions

if TYPE_CHECKING:
    from agentcore_local import Account

LOGS, BUCKET = Ask("logs:PutLogEvents", "*"), Ask("s3:GetObject", "arn:aws:s3:::bucket/key")


@pytest.fixture
def plan(account: Account) -> Any:
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(stacks.trust()))["Role"]
    allow(account, "Allow")
    return SimpleNamespace(
        harness={"executionRoleArn": role["Arn"]},
        harness_arn=f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:harness/h-1",
        harness_name="h",
        version="1",
        account=account.account_id,
        region=account.region,
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    original = iam.denial

    def denial(role: str, action: str, *arguments: Any, **options: Any) -> str | None:
        found.append(action)
        return original(role, action, *arguments, **options)

    monkeypatch.setattr(iam, "denial", denial)
    return found


def allow(account: Account, effect: str) -> None:
    statement = {"Effect": effect, "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document)


def test_it_is_asked_once_and_again_when_iam_has_changed(account: Account, plan: Any, asked: list[str]) -> None:
    for _ in range(3):
        assert permissions._version_denial(plan, "logs", [LOGS]) is None
    assert len(asked) == 1
    allow(account, "Deny")
    assert "explicit deny" in str(permissions._version_denial(plan, "logs", [LOGS]))
    assert "explicit deny" in str(permissions._version_denial(plan, "logs", [LOGS]))
    allow(account, "Allow")
    assert permissions._version_denial(plan, "logs", [LOGS]) is None
    assert len(asked) == 4


def test_other_versions_and_roles_are_asked_for_themselves(plan: Any, asked: list[str]) -> None:
    assert permissions._version_denial(plan, "logs", [LOGS]) is None
    plan.version = "2"
    assert permissions._version_denial(plan, "logs", [LOGS]) is None
    plan.harness = {"executionRoleArn": f"arn:aws:iam::{plan.account}:role/other"}
    assert permissions._version_denial(plan, "logs", [LOGS]) is not None
    assert len(asked) == 3


def test_where_a_resource_has_a_policy_it_is_asked_each_time(plan: Any, asked: list[str]) -> None:
    for _ in range(2):
        assert permissions._version_denial(plan, "skill", [LOGS, BUCKET]) is None
    assert len(asked) == 4
