"""The CloudFormation schemas that cfn-lint ships: which types exist, what they take, what they return.

cfn-lint is not imported (that takes over a second): only its data folder is read, one schema at a time, when needed.
`providers/us-east-1.json` maps a type to the hash under which `resources/` holds its schema.
"""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_PROVIDER = "us-east-1"


class SchemasMissingError(RuntimeError):
    """cfn-lint is not installed, or its data is not where it was."""


@cache
def _folder() -> Path:
    found = importlib.util.find_spec("cfnlint")
    folder = Path(found.origin).parent / "data" / "schemas" if found and found.origin else None
    if folder is None or not (folder / "providers" / f"{_PROVIDER}.json").is_file():
        raise SchemasMissingError(
            "the CloudFormation schemas were not found: the local cloud reads them from cfn-lint's data folder; "
            "install agentcore-harness-cdk[local]"
        )
    return folder


@cache
def index() -> dict[str, str]:
    """Resource type → the name of its schema file."""
    content: dict[str, str] = json.loads((_folder() / "providers" / f"{_PROVIDER}.json").read_bytes())
    return content


@cache
def load(resource_type: str) -> dict[str, Any]:
    """The schema of a type.

    Raises:
        KeyError: There is no such type.
    """
    content = json.loads((_folder() / "resources" / f"{index()[resource_type]}.json").read_bytes())
    schema: dict[str, Any] = _portable(content)
    return schema


def _portable(node: Any) -> Any:
    """Drop regular expressions that Python cannot compile (another dialect); they are then not checked."""
    if isinstance(node, list):
        return [_portable(item) for item in node]
    if not isinstance(node, dict):
        return node
    portable = {}
    for key, value in node.items():
        if key == "pattern" and isinstance(value, str) and not _compiles(value):
            continue
        if key == "patternProperties" and isinstance(value, dict):
            portable[key] = {name if _compiles(name) else ".*": _portable(item) for name, item in value.items()}
        else:
            portable[key] = _portable(value)
    return portable


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def pointers(schema: dict[str, Any], keyword: str) -> list[tuple[str, ...]]:
    """The property paths a keyword such as `readOnlyProperties` lists, without the leading `/properties`."""
    return [tuple(pointer.split("/")[2:]) for pointer in schema.get(keyword) or []]


def top_level(schema: dict[str, Any], keyword: str) -> tuple[str, ...]:
    """The paths of a keyword that name a property of the resource itself."""
    return tuple(path[0] for path in pointers(schema, keyword) if len(path) == 1)


def resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A sub-schema with its `$ref` followed."""
    while "$ref" in node:
        target: Any = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node
