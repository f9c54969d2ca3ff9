"""`make demo`: the reference agents of app.py, deployed by the real CDK CLI to a local cloud, invoked through boto3.

Everything happens in this folder and on 127.0.0.1: no AWS account, no Docker, nothing of ~/.aws or ~/.cdk is touched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.rule import Rule

from agentcore_local import Account, LocalCloud, toolchain

ROOT = Path(__file__).resolve().parents[1]
MIRROR = Path(__file__).with_name("mirror")
SCRIPTS = Path(__file__).with_name("demo_scripts.yaml")
OPUS = {"bedrockModelConfig": {"modelId": "global.anthropic.claude-opus-4-6-v1"}}
CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "ResearchAgent": [
        {"prompt": "Write a brief on how agents keep memory between sessions, and save it as brief.md."},
        {"prompt": "What did I ask you for a moment ago?"},
    ],
    "AnalyticsAgent": [{"prompt": "How many days lie between 2026-01-01 and 2026-11-21? Compute it, do not guess."}],
    "CodingAgent": [
        {"prompt": "Design a function that slugifies a title. Write the design to /mnt/workspace/DESIGN.md."},
        {"prompt": "Now implement it in /mnt/workspace/slug.py and run it once.", "model": OPUS},
    ],
}

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Runs the demo; returns the exit code of the first step that failed, else 0."""
    started = time.monotonic()
    # A folder stands in for the repository of a skill, so that the demonstration needs no network.
    os.environ.setdefault("AGENTCORE_GIT_MIRRORS", f"https://github.com/anthropics/skills={MIRROR}")
    with LocalCloud() as cloud:
        account = cloud.account()
        for harness, script in yaml.safe_load(SCRIPTS.read_text(encoding="utf-8")).items():
            cloud.script(harness, script)
        console.print(f"[bold]Local cloud[/] on {cloud.endpoint_url} after {time.monotonic() - started:.1f} s")
        for command in (["bootstrap"], ["deploy", "--all", "--require-approval", "never"]):
            console.print(Rule(f"cdk {' '.join(command)}", align="left"))
            console.file.flush()  # the CDK CLI writes to the same terminal
            code = subprocess.run(
                [*toolchain.cdk_command(), *command], cwd=ROOT, env=account.environment, check=False
            ).returncode
            if code:
                return code
        for stack, turns in CONVERSATIONS.items():
            converse(account, stack, turns)
    console.print(f"\n[bold]Done[/] in {time.monotonic() - started:.0f} s: deployed, invoked, remembered, cleaned up.")
    return 0


def converse(account: Account, stack: str, turns: list[dict[str, Any]]) -> None:
    """Holds one conversation with the agent of a stack through its PROD endpoint, printing each stream as it comes."""
    (described,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    (arn,) = [o["OutputValue"] for o in described["Outputs"] if o["OutputValue"].count(":harness/")]
    session = f"demo-{uuid.uuid4()}"
    console.print(Rule(stack, align="left"))
    for turn in turns:
        console.print(f"\n[cyan]you[/]    {turn['prompt']}")
        response = account.client("bedrock-agentcore").invoke_harness(
            harnessArn=arn,
            qualifier="PROD",
            runtimeSessionId=session,
            messages=[{"role": "user", "content": [{"text": turn["prompt"]}]}],
            **({"model": turn["model"]} if "model" in turn else {}),
        )
        for event in response["stream"]:
            show(event)


def show(event: dict[str, Any]) -> None:
    """Prints one event of the stream: text as it arrives, tool calls, hooks, and what the turn cost."""
    match event:
        case {"messageStart": {"role": "assistant"}}:
            console.print("[green]agent[/]  ", end="")
        case {"contentBlockStart": {"start": {"toolUse": {"name": name}}}}:
            console.print(f"\n[yellow]tool[/]   {name} ", end="")
        case {"contentBlockDelta": {"delta": {"text": text}}}:
            console.print(text, end="", markup=False)
        case {"contentBlockDelta": {"delta": {"toolUse": {"input": fragment}}}}:
            console.print(fragment, end="", style="dim", markup=False)
        case {"contentBlockDelta": {"delta": {"toolResult": blocks}}}:
            for block in blocks:
                console.print(f"\n[yellow]result[/] {str(block.get('text', block))[:300]}", end="", markup=True)
        case {"hookEvent": {"name": name, "type": kind}}:
            console.print(f"\n[magenta]hook[/]   {name} on {kind}", end="")
        case {"messageStop": {"stopReason": reason}}:
            console.print(f"\n[dim]stop   {reason}[/]")
        case {"metadata": {"usage": usage, "metrics": metrics}}:
            tokens = f"{usage['inputTokens']} in, {usage['outputTokens']} out"
            console.print(f"[dim]usage  {tokens}, {metrics['latencyMs']} ms[/]")


if __name__ == "__main__":
    sys.exit(main())
