"""Measures what workflows add: the tool loop over a raw client, its package, and batches on the local cloud."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measure import Pair, in_turn, report

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES = ((0, 1), (4, 1), (16, 1), (4, 20))
"""Calls of a tool in a turn, and inline tools the agent has."""
_RUNS = 5
_HANDLER = "agentcore_lambdas.tool_loop.main"
_ENVIRONMENT = {"TOOL_LOOP_TABLE": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
"""What the handler asks for when it is imported."""


@dataclass(frozen=True)
class Workflows:
    """All figures.

    Attributes:
        turns: Calls and tools → CPU seconds of a turn with the loop and without.
        imports: Importing the loop's handler, against boto3 alone.
        package: `zipped_mib` and `unzipped_mib`.
        batch: Items per second and CPU per item, by number of items.
    """

    turns: dict[tuple[int, int], Pair]
    imports: Pair
    package: dict[str, float]
    batch: dict[str, float]


def measured() -> Workflows:
    """Runs everything of workflows."""
    os.environ |= _ENVIRONMENT
    turns = {
        shape: in_turn(*(["benchmarks/tool_loop.py", side, *map(str, shape)] for side in ("ours", "raw")), runs=_RUNS)
        for shape in SHAPES
    }
    imports = in_turn(["benchmarks/imports.py", _HANDLER], ["benchmarks/imports.py", "boto3"], runs=_RUNS)
    return Workflows(turns, imports, report(["benchmarks/package.py"]), report(["benchmarks/batch.py"]))


def section(found: Workflows) -> str:
    """The section of docs/benchmarks.md."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Workflows) -> Iterator[str]:
    yield "## Workflows"
    yield ""
    yield "The tool loop against a loop written by hand over a boto3 client, on the same stream from memory: CPU for"
    yield "one turn. Running tools and noting turns are calls of services and are left out on both sides."
    yield ""
    yield "| calls of a tool in the turn | inline tools | tool loop | by hand, boto3 | ratio |"
    yield "|---|---|---|---|---|"
    for (calls, tools), pair in found.turns.items():
        ours, theirs = (1000 * statistics.median(side) for side in (pair.ours, pair.theirs))
        ratio = f"**{pair.ratio:.2f}×** ({pair.spread[0]:.2f}–{pair.spread[1]:.2f})"
        yield f"| {calls} | {tools} | {ours:.1f} ms | {theirs:.1f} ms | {ratio} |"
    yield ""
    ours, theirs = statistics.median(found.imports.ours), statistics.median(found.imports.theirs)
    yield f"Importing its handler, with the clients it makes, takes **{found.imports.ratio:.2f}×** the import of boto3"
    yield f"alone ({ours:.2f} s against {theirs:.2f} s). The package of all our functions has"
    yield f"{found.package['zipped_mib']:.1f} MiB, unpacked {found.package['unzipped_mib']:.1f} MiB."
    yield ""
    yield "`HarnessBatch` on the local cloud, 25 items at once, the model scripted; its functions are not in the CPU:"
    yield ""
    yield "| items | per second | CPU for each |"
    yield "|---|---|---|"
    counts = [int(name.rpartition("_")[2]) for name in found.batch if name.startswith("per_second_")]
    for count in counts:
        yield f"| {count} | {found.batch[f'per_second_{count}']:.0f} | {found.batch[f'cpu_ms_{count}']:.1f} ms |"


def main() -> None:
    """Prints the section alone: `python benchmarks/workflows.py`."""
    print(section(measured()))


if __name__ == "__main__":
    main()
