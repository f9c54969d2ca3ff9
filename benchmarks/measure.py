"""Fair measuring: each run in a process of its own, the two sides in turn, medians of pairwise ratios."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Pair:
    """One comparison.

    Attributes:
        ours: Seconds of each run of ours.
        theirs: Seconds of the run of the other side beside it.
    """

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the ratios run by run; a machine that changes speed between runs does not move it."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest ratio seen."""
        ratios = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        return min(ratios), max(ratios)


def in_turn(ours: Sequence[str], theirs: Sequence[str], *, runs: int) -> Pair:
    """Runs two scripts A B A B …, after one warm-up of each, reading the seconds each prints as JSON."""
    seconds(ours)
    seconds(theirs)
    samples = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    return Pair(tuple(a for a, _ in samples), tuple(b for _, b in samples))


def seconds(script: Sequence[str]) -> float:
    """Runs one script in a fresh Python and returns the `seconds` of the last line it prints."""
    return float(report(script)["seconds"])


def report(script: Sequence[str]) -> dict[str, float]:
    """Runs one script in a fresh Python and returns the JSON object of the last line it prints."""
    done = subprocess.run(
        [sys.executable, *script],
        cwd=ROOT,
        env={**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(script)} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
