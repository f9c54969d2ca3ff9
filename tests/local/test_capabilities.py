"""Whatever the constructs can make deploys, changes nothing the second time, and goes again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from support.capabilities import ACCOUNT, CAPABILITIES, REGION

from agentcore_local import seams
from agentcore_local.cfn import schemas
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_local import Account, LocalCloud

SNAPSHOTS = Path(__file__).parents[1] / "snapshot" / "__snapshots__" / "test_templates"
ABSENT = {
    "vpc_filesystems": "The subnet 'subnet-0123456789abcdef0' does not exist",
    "vpc_with_everything": "The subnet 'subnet-0123456789abcdef0' does not exist",
    "filesystems_shared": "The subnet 'subnet-0123456789abcdef0' does not exist",
    "endpoints": r"Version of harness \S+ '3' was not found",
    "imported_role": "there is no such role",
    "image_from_codebuild": "Secrets Manager has no secret",
    "skills_copied": "there is no API-key credential provider 'git'",
    "skills_of_their_own": "NoSuchBucket",
    "stored_keys": "secret arn:aws:secretsmanager:us-east-1:111122223333:secret:openai-AbCdEf not found",
}
"""Capabilities over something that exists elsewhere, and what an account without it says, as AWS would."""


@pytest.fixture
def named_account(local_cloud: LocalCloud) -> Iterator[Account]:
    """The account that the capabilities name."""
    account = local_cloud.account(ACCOUNT, region=REGION)
    yield account
    local_cloud.reset()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_capability(capability: str, named_account: Account, tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    CAPABILITIES[capability](cdk.Stack(app, "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION)))
    assembly = app.synth().directory

    if capability in ABSENT:
        with pytest.raises(DeploymentError, match=rf"ROLLBACK_COMPLETE(?s:.*){ABSENT[capability]}"):
            named_account.deploy(assembly)
    else:
        assert named_account.deploy(assembly)["Stack"].changed
        assert not named_account.deploy(assembly)["Stack"].changed
    named_account.destroy("Stack")


def test_every_type_of_a_template_is_served(local_cloud: LocalCloud) -> None:
    """Those of the capabilities that end above before all of their resources are made, too."""
    templates = [json.loads(path.read_text()) for path in SNAPSHOTS.glob("*.json")]
    types = {resource["Type"] for template in templates for resource in template["Resources"].values()}
    served = seams.resource_handlers()
    assert len(types) > 40
    assert sorted(name for name in types - set(served) if not name.startswith("Custom::")) == []


def test_every_type_of_agentcore_is_served(local_cloud: LocalCloud) -> None:
    types = {name for name in schemas.index() if name.startswith("AWS::BedrockAgentCore::")}
    assert len(types) >= 27
    assert types - set(seams.resource_handlers()) == set()
