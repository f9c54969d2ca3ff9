"""Fixtures for tests of the local cloud."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from botocore.config import Config
from support import stacks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account
    from agentcore_local.deploy import Deployment


class Deploy(Protocol):
    """Deploys a template as the stack `Stack` (or another one)."""

    def __call__(self, template: stacks.Template, name: str = "Stack") -> Deployment: ...


@pytest.fixture
def control(account: Account) -> Any:
    """A client of the control plane that checks nothing itself, so that the local cloud has to."""
    return account.client("bedrock-agentcore-control", config=Config(parameter_validation=False))


@pytest.fixture
def role_arn(account: Account) -> str:
    """A role the service may assume, and that may do everything."""
    iam = account.client("iam")
    created = iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps(stacks.trust()))
    iam.put_role_policy(RoleName="agent", PolicyName="Anything", PolicyDocument=json.dumps(stacks.ANYTHING))
    arn: str = created["Role"]["Arn"]
    return arn


@pytest.fixture
def create(control: Any, role_arn: str) -> Callable[..., dict[str, Any]]:
    """Creates a harness over the API; keyword arguments add to or replace the request."""

    def create(name: str = "helper", **members: Any) -> dict[str, Any]:
        harness: dict[str, Any] = control.create_harness(
            **{"harnessName": name, "executionRoleArn": role_arn, **members}
        )["harness"]
        return harness

    return create


@pytest.fixture
def deploy(account: Account, tmp_path: Path) -> Deploy:
    """Deploys a template directly."""

    def deploy(template: stacks.Template, name: str = "Stack") -> Deployment:
        return account.deploy(stacks.assembly(tmp_path / name, template, name))[name]

    return deploy


@pytest.fixture
def say(account: Account) -> Callable[..., str]:
    """Invokes a harness and returns the text of its last message."""

    def say(arn: str, prompt: str = "hello", **members: Any) -> str:
        request = {
            "harnessArn": arn,
            "runtimeSessionId": uuid.uuid4().hex + "-session",
            "messages": [{"role": "user", "content": [{"text": prompt}]}],
            **members,
        }
        parts: list[str] = []
        for event in account.client("bedrock-agentcore").invoke_harness(**request)["stream"]:
            if "messageStart" in event:
                parts = []
            parts.append(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""))
        return "".join(parts)

    return say
