"""What happens when the stack changes, well and badly."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App
from botocore.exceptions import ClientError
from support_agent.stack import SupportAgent

from agentcore_constructs import HarnessConfigError, Memory
from agentcore_local.deploy import DeploymentError


def changed(folder: Path, **options) -> Path:
    """The app with another agent in it."""
    app = App(outdir=str(folder))
    SupportAgent(app, "SupportAgent", **options)
    return Path(app.synth().directory)


@pytest.fixture
def harness(account, harness_arn):
    """The agent as the API shows it, at the moment of each call."""
    control = account.client("bedrock-agentcore-control")
    return lambda: control.get_harness(harnessId=harness_arn.rsplit("/", 1)[-1])["harness"]


def test_an_update_makes_a_version_and_the_endpoint_follows(account, harness, talk, model_says, tmp_path):
    model_says(lambda call: call.system_prompt)

    account.deploy(changed(tmp_path, prompt="You are new."))

    assert harness()["harnessVersion"] == "2"
    assert talk().say("Who are you?").text == "You are new."


def test_deploying_the_same_again_changes_nothing(account, assembly, deployment, harness):
    assert deployment.changed

    assert not account.deploy(assembly)["SupportAgent"].changed
    assert harness()["harnessVersion"] == "1"


def test_what_cannot_be_valid_does_not_synthesize(tmp_path):
    with pytest.raises(HarnessConfigError, match="eventExpiryDuration: must be a whole number of days, 3–365"):
        changed(tmp_path, memory=Memory.managed(expiry=1))


def test_a_failed_update_rolls_back_and_the_agent_goes_on(account, harness, talk, model_says, tmp_path):
    model_says(lambda call: call.system_prompt)
    prompt = talk().say("Who are you?").text
    # The ARN is well-formed; only the account can tell that there is no such memory.
    gone = f"arn:aws:bedrock-agentcore:{account.region}:{account.account_id}:memory/gone-0123456789"

    with pytest.raises(DeploymentError, match=r"UPDATE_ROLLBACK_COMPLETE.*memory/gone-0123456789' was not found"):
        account.deploy(changed(tmp_path, prompt="You are broken.", memory=Memory.existing(gone)))

    assert harness()["systemPrompt"] == [{"text": prompt}]
    assert harness()["status"] == "READY"
    assert talk().say("Who are you?").text == prompt


def test_a_bad_call_of_the_api_is_refused_and_changes_nothing(account, harness):
    control = account.client("bedrock-agentcore-control")
    before = harness()

    with pytest.raises(ClientError) as refusal:
        control.update_harness(harnessId=before["harnessId"], allowedTools=["no/such/form"])

    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert [field["name"] for field in refusal.value.response["fieldList"]] == ["allowedTools.1.member"]
    assert harness() == before
