"""CloudFormation properties (PascalCase, lenient scalars) as API requests (camelCase), along botocore's shapes."""

from __future__ import annotations

import json
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def to_api(shape: Shape, value: Any) -> Any:
    """A property value in the form its API shape takes.

    Names lose their leading capital, map keys and JSON documents stay as they are, numbers and booleans that the
    template carries as strings become numbers and booleans. Names that the shape lacks stay, so that validation
    reports them.
    """
    if value is None:
        return None
    if getattr(shape, "is_document_type", False):
        return _document(value)
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {_name(shape, key): _member(shape, key, item) for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_api(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: to_api(shape.value, item) for key, item in value.items()}
    return _scalar(shape, value)


def scalars(shape: Shape, value: Any) -> Any:
    """A request whose names are right already, with numbers and booleans that travelled as strings put right."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        known = shape.members
        return {key: scalars(known[key], item) if key in known else item for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [scalars(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: scalars(shape.value, item) for key, item in value.items()}
    return _scalar(shape, value)


def _name(shape: StructureShape, key: str) -> str:
    return key[:1].lower() + key[1:] if key[:1].lower() + key[1:] in shape.members else key


def _member(shape: StructureShape, key: str, item: Any) -> Any:
    name = _name(shape, key)
    return to_api(shape.members[name], item) if name in shape.members else item


def _document(value: Any) -> Any:
    """JSON-typed properties may be given as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _scalar(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        if kind == "boolean" and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if kind in ("integer", "long", "float", "double"):
            return _number(kind, value)
    if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _number(kind: str, value: str) -> Any:
    try:
        return int(value) if kind in ("integer", "long") else float(value)
    except ValueError:
        return value


def tag_map(tags: Any) -> dict[str, str]:
    """CloudFormation's list of tags as a map."""
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags or [] if isinstance(tag, dict) and "Key" in tag}
