"""What was decided about a role is forgotten when IAM changes, in whichever way, and kept when it is only read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks

from agentcore_local import iam, seams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account

ACTION, RESOURCE = "bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/m"


def document(effect: str) -> str:
    statement = {"Effect": effect, "Action": ACTION, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(account: Account) -> str:
    created = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(stacks.trust()))
    return str(created["Role"]["Arn"])


@pytest.fixture
def allowed(account: Account, role: str) -> Callable[[], bool]:
    def ask() -> bool:
        place = iam.Place(account.account_id, account.region)
        return iam.denial(role, ACTION, RESOURCE, place=place) is None

    return ask


def test_a_decision_is_made_once(
    account: Account, allowed: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("Allow"))
    assert allowed()
    monkeypatch.setattr(seams, "role_documents", None)
    monkeypatch.setattr(seams, "decide", None)
    account.client("iam").list_roles()
    account.client("iam").get_role(RoleName="r")
    assert allowed()


def test_inline_policies(account: Account, allowed: Callable[[], bool]) -> None:
    client = account.client("iam")
    assert not allowed()
    client.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("Allow"))
    assert allowed()
    client.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("Deny"))
    assert not allowed()
    client.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("Allow"))
    assert allowed()
    client.delete_role_policy(RoleName="r", PolicyName="p")
    assert not allowed()


def test_managed_policies_and_boundaries(account: Account, allowed: Callable[[], bool]) -> None:
    client = account.client("iam")
    arn = client.create_policy(PolicyName="p", PolicyDocument=document("Allow"))["Policy"]["Arn"]
    client.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert allowed()
    client.create_policy_version(PolicyArn=arn, PolicyDocument=document("Deny"), SetAsDefault=True)
    assert not allowed()
    client.create_policy_version(PolicyArn=arn, PolicyDocument=document("Allow"), SetAsDefault=True)
    assert allowed()
    narrow = client.create_policy(PolicyName="n", PolicyDocument=document("Deny"))["Policy"]["Arn"]
    client.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=narrow)
    assert not allowed()
    client.delete_role_permissions_boundary(RoleName="r")
    assert allowed()
    client.detach_role_policy(RoleName="r", PolicyArn=arn)
    assert not allowed()


def test_a_role_that_is_gone(account: Account, allowed: Callable[[], bool]) -> None:
    client = account.client("iam")
    client.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document("Allow"))
    assert allowed()
    client.delete_role_policy(RoleName="r", PolicyName="p")
    client.delete_role(RoleName="r")
    assert not allowed()


def test_trust(account: Account, role: str) -> None:
    def trusted() -> bool:
        about = {"account": account.account_id, "region": account.region, "source_arn": "arn:aws:x"}
        return iam.role_trusts(role, stacks.SERVICE, **about) is None

    assert trusted()
    other = json.dumps(stacks.trust("lambda.amazonaws.com"))
    account.client("iam").update_assume_role_policy(RoleName="r", PolicyDocument=other)
    assert not trusted()


def test_stacks(account: Account, allowed: Callable[[], bool], tmp_path: Path) -> None:
    def deploy(number: int, effect: str | None) -> None:
        resources: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}}
        if effect:
            properties = {"PolicyName": "p", "Roles": ["r"], "PolicyDocument": json.loads(document(effect))}
            resources["Policy"] = {"Type": "AWS::IAM::Policy", "Properties": properties}
        account.deploy(stacks.assembly(tmp_path / str(number), stacks.template(**resources), "S"))

    deploy(1, "Allow")
    assert allowed()
    deploy(2, "Deny")
    assert not allowed()
    deploy(3, "Allow")
    assert allowed()
    deploy(4, None)
    assert not allowed()
