"""Synthesizes N agents with the constructs: python benchmarks/synth_constructs.py N OUTDIR."""

from __future__ import annotations

import json
import sys
import time

import aws_cdk as cdk

from agentcore_constructs import Harness, Memory, Model, Tool, Version

PER_STACK = 50  # a stack holds at most 500 resources


def build(app: cdk.App, count: int) -> None:
    """One agent per turn: Bedrock model, browser, code interpreter, managed memory, PROD endpoint."""
    for index in range(count):
        if index % PER_STACK == 0:
            stack = cdk.Stack(app, f"Agents{index // PER_STACK}")
        agent = Harness(
            stack,
            f"Agent{index}",
            harness_name=f"agent_{index}",
            model=Model.bedrock("anthropic.claude-sonnet-4-5-20250929-v1:0", temperature=0.2, max_tokens=4096),
            system_prompt="You answer questions about our data. Inspect before you compute.",
            tools=[Tool.browser(), Tool.code_interpreter()],
            memory=Memory.managed(strategies=["SEMANTIC", "SUMMARIZATION"], expiry=cdk.Duration.days(30)),
            max_iterations=30,
            timeout=cdk.Duration.minutes(10),
        )
        agent.add_endpoint("PROD", version=Version.latest())


if __name__ == "__main__":
    started = time.perf_counter()
    application = cdk.App(outdir=sys.argv[2])
    build(application, int(sys.argv[1]))
    application.synth()
    print(json.dumps({"seconds": time.perf_counter() - started}))
