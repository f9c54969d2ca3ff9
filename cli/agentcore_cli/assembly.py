"""What a cloud assembly (`cdk.out`) says about where its stacks go. Only reads files."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ENVIRONMENT = re.compile(r"aws://(?P<account>[^/]+)/(?P<region>[^/]+)")


def option(arguments: Sequence[str], *names: str) -> str | None:
    """The value of an option of the CDK CLI (`--output x`, `--output=x`, `-o x`); the last one counts."""
    found: str | None = None
    for position, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            following = arguments[position + 1] if position + 1 < len(arguments) else None
            found = value if equals else following
    return found


def folder(project: Path, arguments: Sequence[str]) -> Path:
    """Where the CDK CLI leaves the assembly: the `--app` that is one, `--output`, `output` of cdk.json, `cdk.out`."""
    app = option(arguments, "--app", "-a")
    if app and (project / app / "manifest.json").is_file():
        return project / app
    configured: Any = None
    with contextlib.suppress(OSError, ValueError, AttributeError):  # the CDK CLI reports a broken cdk.json far better
        configured = json.loads((project / "cdk.json").read_text(encoding="utf-8")).get("output")
    return project / str(option(arguments, "--output", "-o") or configured or "cdk.out")


def environments(assembly: Path, *, account: str, region: str) -> set[tuple[str, str]]:
    """Account and Region of every stack, stages included; what a stack leaves open is `account` and `region`."""
    found: set[tuple[str, str]] = set()
    for artifact in _artifacts(assembly):
        match = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
        if artifact.get("type") == "aws:cloudformation:stack" and match:
            found.add(
                (
                    account if match["account"] == "unknown-account" else match["account"],
                    region if match["region"] == "unknown-region" else match["region"],
                )
            )
    return found


def _artifacts(assembly: Path) -> Iterator[dict[str, Any]]:
    try:
        manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for artifact in manifest.get("artifacts", {}).values():
        yield artifact
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from _artifacts(assembly / artifact["properties"]["directoryName"])
