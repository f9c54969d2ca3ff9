"""The cloud assembly of app.py, synthesized as a user's `cdk synth` does: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STACKS = ("ResearchAgent", "AnalyticsAgent", "CodingAgent")
WORKFLOW = "CheckedBrief"


def synthesize(folder: Path) -> str:
    """Synthesizes app.py into a folder; returns what it printed.

    Every finding of cdk-nag and of aws-cdk-lib's own checks is an error there, so an exit code of 0 means none is left.
    """
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env={**os.environ, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def template(folder: Path, stack: str) -> dict[str, Any]:
    """One synthesized template."""
    found: dict[str, Any] = json.loads((folder / f"{stack}.template.json").read_text(encoding="utf-8"))
    return found
