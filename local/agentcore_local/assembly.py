"""Reads a cloud assembly, what `cdk synth` writes: its stacks, those of its stages too, in the order to make them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_STACK = "aws:cloudformation:stack"
_STAGE = "cdk:cloud-assembly"
_ASSETS = "cdk:asset-manifest"
_ENVIRONMENT = re.compile(r"aws://(?P<account>[^/]+)/(?P<region>.+)")


@dataclass(frozen=True)
class Stack:
    """A stack as it was synthesized.

    Attributes:
        folder: Of the assembly it is in.
        artifact_id: Its name in the assembly's manifest.
        name: Its name in CloudFormation.
        path: Its path in the construct tree, such as `Prod/Support`.
        account: The account it is for; None where it is open.
        region: The Region it is for; None where it is open.
        properties: What the manifest says of it: `templateFile`, `parameters`, `tags` …
        needs: Artifact ids of the stacks that come before it.
        asset_manifests: Paths of the manifests of its assets.
    """

    folder: Path
    artifact_id: str
    name: str
    path: str
    account: str | None
    region: str | None
    properties: dict[str, Any]
    needs: tuple[str, ...]
    asset_manifests: tuple[Path, ...]


class NoSuchStackError(LookupError):
    """A stack was asked for that the assembly does not have; the message names both."""


def stacks(assembly: Path, names: Sequence[str] | None = None) -> list[Stack]:
    """The stacks of an assembly, each after those it depends on.

    Args:
        assembly: The folder with `manifest.json`.
        names: Names, artifact ids or paths of those wanted; they bring what they depend on. All when None.

    Raises:
        NoSuchStackError: One of the names is nobody's.
    """
    known = list(_read(assembly))
    if names is None:
        return known
    wanted = {name: [one for one in known if name in (one.name, one.artifact_id, one.path)] for name in names}
    unknown = [name for name, found in wanted.items() if not found]
    if unknown:
        there = ", ".join(sorted(one.name for one in known))
        raise NoSuchStackError(f"no stack {', '.join(unknown)} in the assembly; it has {there}")
    chosen = {(one.folder, one.artifact_id) for found in wanted.values() for one in found}
    for one in reversed(known):
        if (one.folder, one.artifact_id) in chosen:
            chosen |= {(one.folder, other) for other in one.needs}
    return [one for one in known if (one.folder, one.artifact_id) in chosen]


def _read(folder: Path) -> Iterator[Stack]:
    artifacts: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["artifacts"]
    seen: set[str] = set()

    def visit(artifact_id: str) -> Iterator[Stack]:
        if artifact_id in seen or artifact_id not in artifacts:
            return
        seen.add(artifact_id)
        artifact = artifacts[artifact_id]
        for needed in artifact.get("dependencies", []):
            yield from visit(needed)
        if artifact["type"] == _STACK:
            yield _stack(folder, artifact_id, artifacts)
        elif artifact["type"] == _STAGE:
            yield from _read(folder / artifact["properties"]["directoryName"])

    for artifact_id in artifacts:
        yield from visit(artifact_id)


def _stack(folder: Path, artifact_id: str, artifacts: dict[str, Any]) -> Stack:
    artifact = artifacts[artifact_id]
    properties = artifact["properties"]
    needed = {name: artifacts[name] for name in artifact.get("dependencies", []) if name in artifacts}
    found = _ENVIRONMENT.fullmatch(artifact.get("environment", ""))
    account, region = found.groups() if found else (None, None)
    name = properties.get("stackName", artifact_id)
    return Stack(
        folder=folder,
        artifact_id=artifact_id,
        name=name,
        path=artifact.get("displayName", name).split(" ")[0],
        account=None if account == "unknown-account" else account,
        region=None if region == "unknown-region" else region,
        properties=properties,
        needs=tuple(name for name, other in needed.items() if other["type"] == _STACK),
        asset_manifests=tuple(
            folder / other["properties"]["file"] for other in needed.values() if other["type"] == _ASSETS
        ),
    )
