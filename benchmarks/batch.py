"""Times HarnessBatch on the local cloud: items per second, and CPU for each, as files grow; the model is scripted."""

from __future__ import annotations

import json
import os
import tempfile
import time
from typing import Any

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from agentcore_constructs import Harness, Memory
from agentcore_local import LocalCloud
from agentcore_stepfunctions import HarnessBatch, jsonata

COUNTS = (100, 400, 1600)
WARM_UP = 10


def synthesized(folder: str) -> str:
    """An app with one batch."""
    app = cdk.App(outdir=folder)
    stack = cdk.Stack(app, "Bench")
    bucket = s3.Bucket(stack, "Bucket")
    agent = Harness(stack, "Agent", memory=Memory.disabled())
    made = HarnessBatch(stack, "Batch", harness=agent, prompt=jsonata("$states.input.item.say"), source=bucket)
    cdk.CfnOutput(stack, "Files", value=bucket.bucket_name)
    cdk.CfnOutput(stack, "Machine", value=made.state_machine.state_machine_arn)
    app.synth()
    return folder


def run(account: Any, outputs: dict[str, str], count: int) -> tuple[float, float]:
    """One batch: seconds, and CPU seconds of the local cloud, which runs in this process."""
    body = "".join(json.dumps({"say": f"item {number}"}) + "\n" for number in range(count))
    account.client("s3").put_object(Bucket=outputs["Files"], Key=f"{count}.jsonl", Body=body.encode())
    client = account.client("stepfunctions")
    started, cpu = time.perf_counter(), time.process_time()
    arn = client.start_execution(
        stateMachineArn=outputs["Machine"], input=json.dumps({"key": f"{count}.jsonl"})
    )["executionArn"]  # fmt: skip
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.05)
    if json.loads(found.get("output") or "{}").get("succeeded") != count:
        raise SystemExit(f"the batch did not end well: {found}")
    return time.perf_counter() - started, time.process_time() - cpu


def main() -> None:
    """Prints one JSON object with all figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud:
        account = cloud.account()
        outputs = account.deploy(synthesized(folder))["Bench"].outputs
        cloud.script(None, lambda call: call.prompt)
        run(account, outputs, WARM_UP)
        for count in COUNTS:
            seconds, cpu = run(account, outputs, count)
            figures[f"per_second_{count}"] = count / seconds
            figures[f"cpu_ms_{count}"] = 1000 * cpu / count
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
