"""Snapshots as JSON, one file each, without what changes from build to build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.json import JSONSnapshotExtension

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def scrubbed(template: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of a template that the constructs decide, with the hashes of assets taken out."""

    def visit(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: visit(item) for key, item in value.items()}
        if isinstance(value, list):
            return [visit(item) for item in value]
        return _ASSET.sub("<asset>", value) if isinstance(value, str) else value

    return {key: visit(template[key]) for key in ("Resources", "Outputs") if key in template}


@pytest.fixture
def json_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)
