"""Batches deployed once per module by the real CDK CLI, with files put in and read out over S3."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from support import cdk_cli, synth
from support.shop import orders

from agentcore_constructs import Harness, InlineTool, Memory
from agentcore_stepfunctions import HarnessBatch, SessionId, jsonata, text

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
PROMPT = text("Say ", jsonata("$states.input.item.say"))


@dataclass
class Batches:
    """Runs executions and reads their files."""

    cloud: LocalCloud
    account: Account
    outputs: dict[str, str]

    @property
    def bucket(self) -> str:
        return self.outputs["Bucket"]

    def put(self, key: str, *lines: Any) -> str:
        body = b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
        self.account.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return key

    def read(self, key: str) -> list[dict[str, Any]]:
        body = self.account.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    def start(self, batch: str, given: Any, **options: Any) -> str:
        client = self.account.client("stepfunctions")
        arn = self.outputs[f"{batch}Arn"]
        started = client.start_execution(stateMachineArn=arn, input=json.dumps(given), **options)
        return str(started["executionArn"])

    def wait(self, arn: str) -> dict[str, Any]:
        client = self.account.client("stepfunctions")
        end = time.monotonic() + 120
        while (found := client.describe_execution(executionArn=arn))["status"] not in ENDED:
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return {**found, "output": json.loads(found.get("output") or "null")}

    def run(self, batch: str, given: Any, **options: Any) -> dict[str, Any]:
        return self.wait(self.start(batch, given, **options))

    def files(self, summary: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Results and failures of an execution."""
        return self.read(summary["results"]["key"]), self.read(summary["failures"]["key"])

    def summary(self, execution: dict[str, Any]) -> dict[str, Any]:
        """The summary of an execution that failed; its output says it of one that did not."""
        listed = self.account.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="batches/")["Contents"]
        name = execution["executionArn"].rpartition(":")[2]
        (key,) = (one["Key"] for one in listed if one["Key"].startswith(f"batches/{name}-") and "summary" in one["Key"])
        body = self.account.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found


@pytest.fixture(scope="module")
def batches(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Batches:
    account = local_cloud.account()
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Workflows", env=cdk_cli.environment(account))
    bucket = s3.Bucket(stack, "Bucket")
    cdk.CfnOutput(stack, "BucketName", value=bucket.bucket_name, export_name=None)
    agent = Harness(stack, "Agent", harness_name="sayer", memory=Memory.disabled())
    cashier = Harness(
        stack,
        "Cashier",
        harness_name="cashier",
        memory=Memory.disabled(),
        tools=[InlineTool.from_function(orders.status)],
    )
    made = {
        "Tolerant": HarnessBatch(
            stack, "Tolerant", harness=agent, prompt=PROMPT, source=bucket, source_prefix="in/",
            tolerated_failure_percentage=50,
        ),
        "Strict": HarnessBatch(
            stack, "Strict", harness=agent, prompt=PROMPT, source=bucket, source_prefix="in/",
            tolerated_failures=0, concurrency=1,
        ),
        "Retrying": HarnessBatch(
            stack, "Retrying", harness=agent, prompt=PROMPT, source=bucket, max_item_size=cdk.Size.kibibytes(1),
            max_attempts=2, session_id=SessionId.fresh(),
        ),
        "Cashing": HarnessBatch(stack, "Cashing", harness=cashier, prompt=PROMPT, source=bucket),
    }  # fmt: skip
    for name, one in made.items():
        cdk.CfnOutput(stack, f"{name}Arn", value=one.state_machine.state_machine_arn)
    app.synth()
    outputs = cdk_cli.deploy(account, app.outdir, "Workflows")
    return Batches(local_cloud, account, {**outputs, "Bucket": outputs["BucketName"]})
