"""`make demo`: the reference agents of app.py, deployed by the real CDK CLI to a local cloud, invoked through boto3.

Everything happens in this folder and on 127.0.0.1: no AWS account, no Docker, nothing of ~/.aws or ~/.cdk is touched.
What the agents say is a script, what the web says are fixtures, and a folder stands in for a repository; tools, hooks,
gateways, functions and the workflow really run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from agentcore_lambdas.tools import results
from agentcore_local import Account, LocalCloud, toolchain

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "demo_scripts.yaml"
FIXTURES = HERE / "demo_fixtures.yaml"
MIRRORS = f"https://github.com/anthropics/skills={HERE / 'mirror'}"
OPUS = {"bedrockModelConfig": {"modelId": "global.anthropic.claude-opus-4-6-v1"}}
CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "ResearchAgent": [
        {"prompt": "Write a brief on how agents keep memory between sessions, and publish it."},
        {"prompt": "What did I ask you for a moment ago?"},
    ],
    "AnalyticsAgent": [
        {"prompt": "How many days of this fiscal year had passed by 2026-11-21? Compute it, do not guess."}
    ],
    "CodingAgent": [
        {"prompt": "Design a function that slugifies a title. Write the design to /mnt/workspace/DESIGN.md."},
        {"prompt": "Now implement it in /mnt/workspace/slug.py and run it once.", "model": OPUS},
    ],
}

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Runs the demo; returns the exit code of the first step that failed, else 0."""
    started = time.monotonic()
    os.environ["AGENTCORE_GIT_MIRRORS"] = MIRRORS
    with LocalCloud() as cloud:
        account = cloud.account()
        cloud.fixtures(FIXTURES)
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
        succeeded = work(account, "CheckedBrief", {"topic": "how agents keep memory between sessions"})
    console.print(f"\n[bold]Done[/] in {time.monotonic() - started:.0f} s: deployed, invoked, remembered, cleaned up.")
    return 0 if succeeded else 1


def outputs_of(account: Account, stack: str) -> dict[str, str]:
    """Returns the outputs of a stack."""
    (described,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def converse(account: Account, stack: str, turns: list[dict[str, Any]]) -> None:
    """Holds one conversation with the agent of a stack through its PROD endpoint, printing each stream as it comes."""
    outputs = outputs_of(account, stack)
    (arn,) = {value for value in outputs.values() if value.count(":harness/")}
    session = f"demo-{uuid.uuid4()}"
    console.print(Rule(stack, align="left"))
    for turn in turns:
        console.print(f"\n[cyan]you[/]    {turn['prompt']}")
        content = [{"text": turn["prompt"]}]
        while content:
            response = account.client("bedrock-agentcore").invoke_harness(
                harnessArn=arn,
                qualifier="PROD",
                runtimeSessionId=session,
                messages=[{"role": "user", "content": content}],
                **({"model": turn["model"]} if "model" in turn else {}),
            )
            call = shown(response["stream"])
            content = [] if call is None else [answer(account, outputs["PublishBrief"], call)]


def answer(account: Account, function: str, call: dict[str, Any]) -> dict[str, Any]:
    """Runs the function of an inline tool, as the harness asks its caller to, and returns the result."""
    console.print(f"[cyan]you[/]    run {call['name']} in Lambda")
    response = account.client("lambda").invoke(FunctionName=function, Payload=call["input"])
    told = results.read(response["Payload"].read(), response.get("FunctionError"))
    content = [{"text": told.value if isinstance(told.value, str) else json.dumps(told.value, ensure_ascii=False)}]
    return {"toolResult": {"toolUseId": call["toolUseId"], "content": content, "status": told.status}}


def shown(stream: Any) -> dict[str, Any] | None:
    """Prints a stream; returns the inline call that the agent waits for, if it does."""
    call: dict[str, Any] | None = None
    last: dict[str, Any] = {}
    for event in stream:
        show(event)
        last = event
        match event:
            case {"contentBlockStart": {"start": {"toolUse": tool}}}:
                call = {**tool, "input": ""}
            case {"contentBlockDelta": {"delta": {"toolUse": {"input": fragment}}}} if call is not None:
                call["input"] += fragment
            case {"messageStop": {"stopReason": reason}} if reason != "tool_use":
                call = None
    if "hookEvent" in last:
        console.print()  # a hook's line is open, since a result may follow it
    return call


def work(account: Account, stack: str, given: dict[str, str]) -> bool:
    """Runs the workflow of a stack to its end, printing what it gives; False when it fails."""
    console.print(Rule(stack, align="left"))
    client = account.client("stepfunctions")
    arn = outputs_of(account, stack)["WorkflowArn"]
    execution = client.start_execution(stateMachineArn=arn, name="demo", input=json.dumps(given))["executionArn"]
    while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.1)
    console.print_json(found.get("output") or json.dumps({"error": found.get("error"), "cause": found.get("cause")}))
    return bool(found["status"] == "SUCCEEDED")


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
                console.print(f"\n[yellow]result[/] {escape(str(block.get('text', block))[:300])}", end="")
        case {"hookEvent": {"name": name, "type": kind, **told}}:
            decision = f": {told['decision']}" if "decision" in told else ""  # topics and buses decide nothing
            console.print(f"\n[magenta]hook[/]   {name} on {kind}{decision}", end="")
        case {"messageStop": {"stopReason": reason}}:
            console.print(f"\n[dim]stop   {reason}[/]")
        case {"metadata": {"usage": usage, "metrics": metrics}}:
            tokens = f"{usage['inputTokens']} in, {usage['outputTokens']} out"
            console.print(f"[dim]usage  {tokens}, {metrics['latencyMs']} ms[/]")


if __name__ == "__main__":
    sys.exit(main())
