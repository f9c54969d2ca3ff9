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

T = TypeVar("T", bound=Node)

_SIMILAR_ENOUGH = 0.6
_ALMOST = 0.85
_SHOWN_KEY = 60
_SHOWN_HOMES = 4


class Drafts:
    """The drafts of one configuration, made from dicts.

    Attributes:
        faults: What was found on the way: unknown keys and nulls.
    """

    def __init__(self, root: type[Node]) -> None:
        """Begins without a fault.

        Args:
            root: The model of the whole configuration, which says where a misplaced key belongs.
        """
        self.faults: list[Fault] = []
        self._root = root

    def of(self, node: type[T], data: Mapping[Any, Any], path: str = "") -> T:
        """Makes a draft from a dict.

        Args:
            node: The model.
            data: In the API's shape.
            path: Where it is.

        Returns:
            A draft in which what the API requires and the dict lacks is `ABSENT`.
        """
        known = {field.api: field for field in fields(node) if not field.companion}
        values: dict[str, Any] = {}
        for key, value in data.items():
            field = known.get(key) if isinstance(key, str) else None
            if field is None:
                self.faults.append(_unknown(node, key, path, self._root))
                # Read on under the right name, so that what is wrong further down is told at once too.
                field = _same_words(key, known)
                if field is None or field.api in data:
                    continue
            where = joined(path, field.api)
            if value is None:
                self.faults.append(_null(where, field))
                values[field.name] = None
            else:
                values[field.name] = self.within(field.shape, value, where)
        return node.draft(**values)

    def within(self, shape: Shape, value: Any, path: str) -> Any:
        """Turns the dicts inside a value into drafts wherever the shape has a structure; the rest stays as it is."""
        if shape.kind == "node" and shape.node is not None and isinstance(value, Mapping):
            return self.of(shape.node, value, path)
        if shape.kind == "list" and shape.item is not None and isinstance(value, (list, tuple)):
            item = shape.item
            if item.kind == "scalar":
                return value
            return [self.within(item, one, f"{path}[{index}]") for index, one in enumerate(value)]
        if shape.kind == "map" and shape.item is not None and isinstance(value, Mapping):
            if shape.item.kind == "scalar":
                return value
            return {key: self.within(shape.item, one, keyed(path, key)) for key, one in value.items()}
        return value


def _null(path: str, field: Field) -> Fault:
    node = field.shape.node
    empty = node is not None and not any(inner.required for inner in fields(node))
    fix = "write {} to choose it without settings, or remove the key" if empty else "give it a value, or remove the key"
    return Fault(path, "must have a value", "null", fix)


def _unknown(node: type[Node], key: object, path: str, root: type[Node]) -> Fault:
    if not isinstance(key, str):
        return Fault(path or "the configuration", "must have strings as keys", received(key), "quote the key")
    where = keyed(path, key[:_SHOWN_KEY])
    if key in node.refused:
        reason, _, fix = node.refused[key].partition("; ")
        return Fault(where, f"must not be written here: it {reason}", "the key", fix)
    names = [field.api for field in fields(node) if not field.companion]
    homes = _homes(root).get(key, ())
    # A name that belongs elsewhere was likely meant for there, unless it is almost one of the names here.
    nearest = _nearest(key, names, cutoff=_ALMOST if homes else _SIMILAR_ENOUGH)
    if nearest is not None:
        return Fault(where, "must be a field of the API", f"the key {key[:_SHOWN_KEY]!r}", f"write {nearest!r}")
    if homes and len(homes) <= _SHOWN_HOMES:
        return Fault(where, "must be a field of the API", f"the key {key!r}", f"move it to {' or '.join(homes)}")
    allowed = f"its fields are {', '.join(names)}" if names else "it has no fields, write {}"
    return Fault(where, "must be a field of the API", f"the key {key[:_SHOWN_KEY]!r}", f"remove it: {allowed}")


def _same_words(key: object, known: Mapping[str, Field]) -> Field | None:
    """Finds the field whose name has the same words in another spelling: snake_case, PascalCase, kebab-case."""
    return next((field for name, field in known.items() if isinstance(key, str) and _bare(name) == _bare(key)), None)


def _nearest(key: str, names: list[str], cutoff: float) -> str | None:
    """Finds the name that was meant: another spelling of the same words first, then the most similar."""
    bare = _bare(key)
    for name in names:
        if _bare(name) == bare:
            return name
    similar = difflib.get_close_matches(bare, [_bare(name) for name in names], n=1, cutoff=cutoff)
    return next((name for name in names if similar and _bare(name) == similar[0]), None)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _homes(root: type[Node]) -> dict[str, list[str]]:
    """Returns where in a whole configuration each name belongs."""
    homes: dict[str, list[str]] = {}
    for path, field in leaves(root):
        homes.setdefault(field.api, []).append(path)
    return homes


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
