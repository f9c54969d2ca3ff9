"""Measures the constructs, the local cloud and workflows and writes docs/benchmarks.md and its plot: `make bench`.

Every figure is a ratio against something in the same run, or stands beside one: what the same stack costs when it is
written by hand in L1, what the bare library does. Absolute seconds are those of the machine it ran on.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from measure import Pair, in_turn, report
from workflows import Workflows, measured, section

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.svg"
COUNTS = {1: 7, 10: 3, 50: 3, 200: 3}
GOALS = {1: "1.10", 50: "1.25"}
CALLERS = (1, 32, 200)
AGENTS = {
    "no_memory": "a model, no memory",
    "managed_memory": "a model, managed memory",
    "reference": "the analytics agent of `app.py`",
}


def main() -> int:
    """Runs everything; returns 1 when the two sides of the synth comparison do not make the same resources."""
    if differences := compare_templates():
        print("the hand-written app is not the same app:", *(line[:400] for line in differences[:4]), sep="\n  ")
        return 1
    synth = {
        count: in_turn(
            ["benchmarks/synth_constructs.py", str(count), tempfile.mkdtemp()],
            ["benchmarks/synth_l1.py", str(count), tempfile.mkdtemp()],
            runs=runs,
        )
        for count, runs in COUNTS.items()
    }
    ours = ["benchmarks/imports.py", "aws_cdk", "aws_cdk.aws_bedrockagentcore", "agentcore_constructs"]
    theirs = ["benchmarks/imports.py", "aws_cdk", "aws_cdk.aws_bedrockagentcore", "aws_cdk.aws_iam"]
    imports = in_turn(ours, theirs, runs=7)
    PAGE.write_text(page(synth, imports, report(["benchmarks/local_cloud.py"]), measured()), encoding="utf-8")
    plot(synth)
    print(f"written: {PAGE.relative_to(ROOT)}, {PLOT.relative_to(ROOT)}")
    return 0


def compare_templates() -> list[str]:
    """Synthesizes both sides once; returns the resources that only one of them has."""
    contents = []
    for script in ("synth_constructs.py", "synth_l1.py"):
        folder = tempfile.mkdtemp()
        report([f"benchmarks/{script}", "2", folder])
        template = json.loads((Path(folder) / "Agents0.template.json").read_text(encoding="utf-8"))
        contents.append(sorted(_without_ids(template["Resources"])))
    return [line for line in contents[0] if line not in contents[1]] + [
        line for line in contents[1] if line not in contents[0]
    ]


def _without_ids(resources: dict[str, Any]) -> list[str]:
    """Resources as text, references by type instead of logical id, so that naming does not matter."""
    types = {name: resource["Type"] for name, resource in resources.items()}

    def plain(value: Any) -> Any:
        match value:
            case {"Ref": name} if name in types:
                return {"Ref": types[name]}
            case {"Fn::GetAtt": [name, attribute]} if name in types:
                return {"Fn::GetAtt": [types[name], attribute]}
            case dict():
                return {key: plain(item) for key, item in value.items()}
            case [single]:  # IAM reads a list of one and the one alike
                return plain(single)
            case list():
                return [plain(item) for item in value]
        return value

    return [
        json.dumps({"Type": r["Type"], "Properties": plain(r["Properties"])}, sort_keys=True)
        for r in resources.values()
        if r["Type"] != "AWS::CDK::Metadata"
    ]


def page(synth: dict[int, Pair], imports: Pair, cloud: dict[str, float], workflows: Workflows) -> str:
    """docs/benchmarks.md."""
    rows = [
        f"| {count} | {median(pair.ours):.2f} s | {median(pair.theirs):.2f} s | **{pair.ratio:.2f}×** "
        f"({pair.spread[0]:.2f}–{pair.spread[1]:.2f}) | {GOALS.get(count, '–')} |"
        for count, pair in synth.items()
    ]
    columns = (
        "agent",
        f"per second with {', '.join(map(str, CALLERS[:-1]))} and {CALLERS[-1]} callers",
        "CPU for each",
        "first text",
        "whole, median and 95th percentile",
    )
    agents = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    agents += [
        f"| {words} | {per_second(cloud, agent)} | {cpu(cloud, agent)} ms | {cloud[f'{agent}_first_ms']:.1f} ms "
        f"| {cloud[f'{agent}_p50_ms']:.1f} ms, {cloud[f'{agent}_p95_ms']:.1f} ms |"
        for agent, words in AGENTS.items()
    ]
    return f"""# Benchmarks

Written by `make bench` on {platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()}.
Both sides run in turn, each run in a process of its own; ratios are medians over pairs, with the
smallest and the largest. Absolute figures are those of that machine.

## Synthesis against hand-written L1

The same resources on both sides (checked before measuring): a harness with a Bedrock model, browser, code
interpreter and managed memory, its role and policies, and an endpoint. Building and synthesizing it, imports aside.

| agents | constructs | by hand, L1 | ratio | goal |
|---|---|---|---|---|
{chr(10).join(rows)}

![Seconds to synthesize, against the number of agents](benchmarks.svg)

Importing `agentcore_constructs` with what it needs of the CDK takes **{imports.ratio:.2f}×** the import of the CDK
modules that the hand-written app needs ({median(imports.ours):.2f} s against {median(imports.theirs):.2f} s).

## The local cloud

One process, scripted model, callers in a process of their own on the same cores, validation and permissions on.
The machine's load was {cloud["load"]:.1f} at the end: CPU per call is what compares between runs.

| what | figure |
|---|---|
| start to listening | {cloud["start_seconds"]:.1f} s |
| direct deploy of the three reference agents | {cloud["deploy_seconds"]:.2f} s |
| invocation of the analytics agent with boto3 in the cloud's own process, median | {cloud["boto3_p50_ms"]:.1f} ms |
| the bare Strands loop in one thread, no HTTP | {cloud["bare_per_second"]:.0f} per second |
| memory of the process, and per session | {cloud["resident_mib"]:.0f} MiB, {cloud["session_kib"]:.0f} KiB |

Invocations, each in a session of its own. The goals: 700 per second with 32 callers, and 5 ms for one that is alone.
In each of its invocations the analytics agent reads a bucket before and after, and connects to its gateway over MCP.

{chr(10).join(agents)}

{section(workflows)}"""


def per_second(cloud: dict[str, float], agent: str) -> str:
    """Invocations per second, by number of callers."""
    return ", ".join(f"{cloud[f'{agent}_per_second_{count}']:.0f}" for count in CALLERS)


def cpu(cloud: dict[str, float], agent: str) -> str:
    """Milliseconds of the local cloud's CPU for an invocation, by number of callers."""
    return ", ".join(f"{cloud[f'{agent}_cpu_ms_{count}']:.2f}" for count in CALLERS)


def median(values: tuple[float, ...]) -> float:
    """The middle value."""
    return sorted(values)[len(values) // 2]


def plot(synth: dict[int, Pair]) -> None:
    """Seconds against agents, both sides, on logarithmic axes."""
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for label, side, style in (("constructs", "ours", "o-"), ("by hand, L1", "theirs", "s--")):
        axes.plot(list(synth), [median(getattr(pair, side)) for pair in synth.values()], style, label=label)
    axes.set(xscale="log", yscale="log", xlabel="agents in the app", ylabel="seconds to synthesize")
    axes.set_xticks(list(synth), [str(count) for count in synth])
    axes.legend()
    axes.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
