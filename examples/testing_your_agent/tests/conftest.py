"""The agent, deployed to a fresh account of the local cloud for every test.

`local_cloud` and `account` come from the pytest plugin of agentcore-harness-cdk.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conversation import Conversation

import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud
    from agentcore_local.deploy import Deployment


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, synthesized once: that takes seconds, a deployment tenths of one."""
    return Path(app.build(outdir=str(tmp_path_factory.mktemp("cdk.out"))).synth().directory)


@pytest.fixture
def deployment(account: Account, assembly: Path) -> Deployment:
    """The deployed stack."""
    return account.deploy(assembly)["SupportAgent"]


@pytest.fixture
def harness_arn(deployment: Deployment) -> str:
    """ARN of the deployed agent."""
    return next(value for value in deployment.outputs.values() if ":harness/" in value)


@pytest.fixture
def talk(account: Account, harness_arn: str) -> Callable[[], Conversation]:
    """Starts a conversation; each call is another session."""
    return lambda: Conversation(account, harness_arn)


@pytest.fixture
def model_says(local_cloud: LocalCloud, harness_arn: str) -> Callable[..., None]:
    """Decides what the model of this agent answers; other tests' agents have scripts of their own."""
    return functools.partial(local_cloud.script, harness_arn)
