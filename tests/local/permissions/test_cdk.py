"""`cdk deploy` with permissions: a user who may only assume the bootstrap's roles, and a stack role without rights."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support import cdk_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account

pytestmark = pytest.mark.cli
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
APP = """
import aws_cdk as cdk
from agentcore_constructs import Harness, Memory

app = cdk.App()
Harness(cdk.Stack(app, "Agent"), "Harness", harness_name="helper", memory=Memory.disabled())
app.synth()
"""


@pytest.fixture
def cdk(account: Account, tmp_path: Path) -> Callable[..., str]:
    """Runs the CDK CLI in a project of its own; returns what it printed."""
    (tmp_path / "app.py").write_text(APP)
    return partial(cdk_cli.run, account, folder=tmp_path)


def test_the_bootstrap_roles_deploy(cdk: Callable[..., str], account: Account) -> None:
    iam = account.client("iam")
    cdk("bootstrap", f"aws://{account.account_id}/{account.region}")
    iam.create_user(UserName="developer")
    roles = f"arn:aws:iam::{account.account_id}:role/cdk-*"
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="developer", PolicyName="Cdk", PolicyDocument=document)
    key = iam.create_access_key(UserName="developer")["AccessKey"]
    developer = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    role = f"cdk-hnb659fds-cfn-exec-role-{account.account_id}-{account.region}"

    iam.detach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    printed = cdk("deploy", "--app", f"{sys.executable} app.py", "--require-approval", "never", expect=1, **developer)
    assert f"assumed-role/{role}/" in printed
    assert "not authorized to perform: bedrock-agentcore:CreateHarness" in printed

    iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    cdk("deploy", "--app", "cdk.out", "--require-approval", "never", **developer)
    assert account.client("bedrock-agentcore-control").list_harnesses()["harnesses"][0]["status"] == "READY"
