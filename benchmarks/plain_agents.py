"""Synthesizes the two agents that are invoked for the benchmarks: python benchmarks/plain_agents.py OUTDIR."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from agentcore_constructs import Harness, Memory

AGENTS = ("NoMemory", "ManagedMemory")


def main(folder: str) -> None:
    """One stack, `Plain`: agents that differ in their memory only, and the ARN of each as an output."""
    app = cdk.App(outdir=folder)
    stack = cdk.Stack(app, "Plain")
    for name, memory in zip(AGENTS, (Memory.disabled(), Memory.managed()), strict=True):
        agent = Harness(stack, name, system_prompt="You answer questions.", memory=memory)
        cdk.CfnOutput(stack, f"{name}Arn", value=agent.harness_arn)
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1])
