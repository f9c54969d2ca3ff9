"""Turns dicts in the API's shape into drafts of models, and says which keys do not belong.

No value is checked here except for null: `validation` does that for drafts of any origin.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from .errors import Fault, received
from .node import Field, Node, Shape, fields, joined, keyed
from .tokens import is_token

T = TypeVar("T", bound=Node)

_SIMILAR_ENOUGH = 0.6
_SHOWN_KEY = 60


def draft_of(node: type[T], data: Mapping[Any, Any], path: str, faults: list[Fault]) -> T:
    """Makes a draft from a dict.

    Args:
        node: The model.
        data: In the API's shape.
        path: Where it is.
        faults: Unknown keys and nulls are added here.

    Returns:
        A draft in which what the API requires and the dict lacks is `ABSENT`.
    """
    known = {field.api: field for field in fields(node) if not field.companion}
    values: dict[str, Any] = {}
    for key, value in data.items():
        field = known.get(key) if isinstance(key, str) else None
        if field is None:
            faults.append(_unknown(node, key, path))
        elif value is None:
            faults.append(_null(joined(path, key), field))
            values[field.name] = None
        else:
            values[field.name] = drafted(field.shape, value, joined(path, key), faults)
    return node.draft(**values)


def drafted(shape: Shape, value: Any, path: str, faults: list[Fault]) -> Any:
    """Turns the dicts inside a value into drafts wherever the shape has a structure; the rest stays as it is."""
    if shape.kind == "node" and shape.node is not None and isinstance(value, Mapping):
        return draft_of(shape.node, value, path, faults)
    if shape.kind == "list" and shape.item is not None and isinstance(value, (list, tuple)):
        item = shape.item
        if item.kind == "scalar":
            return value
        return [drafted(item, one, f"{path}[{index}]", faults) for index, one in enumerate(value)]
    if shape.kind == "map" and shape.item is not None and isinstance(value, Mapping):
        if shape.item.kind == "scalar":
            return value
        return {key: drafted(shape.item, one, keyed(path, key), faults) for key, one in value.items()}
    return value


def _null(path: str, field: Field) -> Fault:
    node = field.shape.node
    empty = node is not None and not any(inner.required for inner in fields(node))
    fix = "write {} to choose it without settings, or remove the key" if empty else "give it a value, or remove the key"
    return Fault(path, "must have a value", "null", fix)


def _unknown(node: type[Node], key: object, path: str) -> Fault:
    if not isinstance(key, str):
        return Fault(path or "the configuration", "must have strings as keys", received(key), "quote the key")
    where = joined(path, key[:_SHOWN_KEY])
    if key in node.refused:
        reason, _, fix = node.refused[key].partition("; ")
        return Fault(where, f"must not be written here: it {reason}", "the key", fix)
    names = [field.api for field in fields(node) if not field.companion]
    nearest = _nearest(key, names)
    if nearest is not None:
        return Fault(where, "must be a field of the API", f"the key {key[:_SHOWN_KEY]!r}", f"write {nearest!r}")
    home = _home_of(key)
    if home is not None and home != joined(path, key):
        return Fault(where, "must be a field of the API", f"the key {key!r}", f"move it to {home}")
    allowed = f"its fields are {', '.join(names)}" if names else "it has no fields, write {}"
    return Fault(where, "must be a field of the API", f"the key {key[:_SHOWN_KEY]!r}", f"remove it: {allowed}")


def _nearest(key: str, names: list[str]) -> str | None:
    """Finds the name that was meant: another spelling of the same words first, then the most similar."""
    bare = _bare(key)
    for name in names:
        if _bare(name) == bare:
            return name
    similar = difflib.get_close_matches(bare, [_bare(name) for name in names], n=1, cutoff=_SIMILAR_ENOUGH)
    return next((name for name in names if similar and _bare(name) == similar[0]), None)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _homes() -> dict[str, list[str]]:
    from .harness import HarnessConfig  # noqa: PLC0415  (harness imports this module)

    homes: dict[str, list[str]] = {}
    for path, field in leaves(HarnessConfig):
        homes.setdefault(field.api, []).append(path)
    return homes


def _home_of(key: str) -> str | None:
    """Finds the only place in the whole configuration where a key belongs."""
    found = _homes().get(key, [])
    return found[0] if len(found) == 1 else None


def leaves(node: type[Node], path: str = "") -> Iterator[tuple[str, Field]]:
    """Yields every field below a node with its path; `[]` stands for an index and `{}` for a map key."""
    for field in fields(node):
        if field.companion:
            continue
        where = joined(path, field.api)
        yield where, field
        shape: Shape | None = field.shape
        while shape is not None and shape.kind in {"list", "map"}:
            where += "[]" if shape.kind == "list" else "{}"
            shape = shape.item
        if shape is not None and shape.node is not None:
            yield from leaves(shape.node, where)


def is_structure(value: object) -> bool:
    """Tells whether a value was written as a dict in the API's shape."""
    return isinstance(value, Mapping) and not is_token(value)
