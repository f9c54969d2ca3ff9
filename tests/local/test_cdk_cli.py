"""The real CDK CLI against the local cloud: bootstrap, deploy, invoke, diff, update, a failing update, destroy.

One app, synthesized once per variant by the CLI itself; deployments that need no new synthesis use its output.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import cdk_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

pytestmark = pytest.mark.cli

APP = """
import os

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk import custom_resources as cr

app = cdk.App(context={"@aws-cdk/core:validateAgainstDefaultRules": True})
stack = cdk.Stack(app, "Agent")
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com"))
role.add_to_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
harness = agentcore.CfnHarness(
    stack,
    "Harness",
    harness_name="helper",
    execution_role_arn=role.role_arn,
    model={"bedrockModelConfig": {"modelId": "test-model"}},
    system_prompt=[{"text": os.environ.get("PROMPT", "one")}],
)
harness.node.add_dependency(role)
pinned = agentcore.CfnHarnessEndpoint(
    stack, "Pinned", harness_id=harness.attr_harness_id, endpoint_name="PINNED", target_version="1"
)
endpoint = agentcore.CfnHarnessEndpoint(
    stack, "Endpoint", harness_id=harness.attr_harness_id, endpoint_name="PROD", target_version=harness.attr_version
)
function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_12,
    handler="index.on_event",
    code=lambda_.Code.from_asset("handler"),
)
provider = cr.Provider(stack, "Provider", on_event_handler=function)
properties = {"Version": harness.attr_version, "Fail": os.environ.get("FAIL", "no")}
thing = cdk.CustomResource(stack, "Thing", service_token=provider.service_token, properties=properties)
thing.node.add_dependency(endpoint)
bucket = s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
deployment.BucketDeployment(
    stack, "Files", sources=[deployment.Source.data("hello.txt", "hi")], destination_bucket=bucket
)
cdk.CfnOutput(stack, "Arn", value=harness.attr_arn)
cdk.CfnOutput(stack, "Greeting", value=thing.get_att_string("Greeting"))
app.synth()
"""
HANDLER = """
def on_event(event, context):
    properties = event["ResourceProperties"]
    if properties["Fail"] == "yes":
        raise RuntimeError("told to fail")
    return {"PhysicalResourceId": "thing", "Data": {"Greeting": "version " + properties["Version"]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A CDK app of its own, outside this repository."""
    folder = tmp_path / "project"
    (folder / "handler").mkdir(parents=True)
    (folder / "handler" / "index.py").write_text(HANDLER)
    (folder / "app.py").write_text(APP)
    return folder


@pytest.fixture
def cdk(account: Account, project: Path) -> Callable[..., str]:
    """Runs the CDK CLI in the project; returns what it printed."""
    return partial(cdk_cli.run, account, folder=project)


def prompts(account: Account) -> list[str]:
    """The prompt of every version of the only harness, oldest first."""
    control = account.client("bedrock-agentcore-control")
    (found,) = control.list_harnesses()["harnesses"]
    shapes = []
    for version in reversed(control.list_harness_versions(harnessId=found["harnessId"])["harnessVersions"]):
        wanted = {"harnessId": found["harnessId"], "harnessVersion": version["harnessVersion"]}
        shapes.append(control.get_harness(**wanted)["harness"])
    return [shape["systemPrompt"][0]["text"] for shape in shapes]


def test_bootstrap_deploy_diff_update_fail_destroy(
    cdk: Callable[..., str], account: Account, say: Callable[..., str]
) -> None:
    app = ("--app", f"{sys.executable} app.py")
    built = ("--app", "cdk.out")
    never = ("--require-approval", "never")
    s3: Any = account.client("s3")

    assert "bootstrapped" in cdk("bootstrap", f"aws://{account.account_id}/{account.region}")

    printed = cdk("deploy", *app, *never)
    assert "Agent.Greeting = version 1" in printed
    assert "no longer supported" not in printed
    assert "end-of-life" not in printed
    assert prompts(account) == ["one"]
    arn = next(line.split(" = ")[1] for line in printed.splitlines() if line.startswith("Agent.Arn"))
    account.cloud.script(arn, lambda call: f"{call.harness_name} {call.system_prompt}")
    assert [say(arn), say(arn, qualifier="PROD"), say(arn, qualifier="PINNED")] == ["helper one"] * 3
    bucket = next(found["Name"] for found in s3.list_buckets()["Buckets"] if found["Name"].startswith("agent-bucket"))
    assert s3.get_object(Bucket=bucket, Key="hello.txt")["Body"].read() == b"hi"

    assert "There were no differences" in cdk("diff", *built)
    assert "(no changes)" in cdk("deploy", *built, *never)
    assert prompts(account) == ["one"]

    assert "Agent.Greeting = version 2" in cdk("deploy", *app, *never, PROMPT="two")
    assert [say(arn), say(arn, qualifier="PROD")] == ["helper two"] * 2
    assert say(arn, qualifier="PINNED") == "helper one"

    printed = cdk("deploy", *app, *never, expect=1, PROMPT="three", FAIL="yes")
    assert "told to fail" in printed
    assert prompts(account) == ["one", "two", "three", "two"]
    assert [say(arn), say(arn, qualifier="PROD"), say(arn, qualifier="PINNED")] == [
        "helper two",
        "helper two",
        "helper one",
    ]

    cdk("destroy", *built, "--force")
    assert account.client("bedrock-agentcore-control").list_harnesses()["harnesses"] == []
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == [
        f"cdk-hnb659fds-assets-{account.account_id}-{account.region}"
    ]
    home = Path(account.environment["HOME"])
    assert (home / ".cdk").is_dir()
    assert not (home / ".aws").exists()
