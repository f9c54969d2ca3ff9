"""Finds what the API takes and CloudFormation cannot say, so that nothing is dropped unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Fault, received
from .node import Node, fields, joined, keyed, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_MUST = "must be something CloudFormation can say"


def api_only_faults(root: Node) -> Iterator[Fault]:
    """Yields a fault for each value that would have to be left out of a template.

    Args:
        root: A validated configuration.
    """
    for path, node in walk(root):
        for field in fields(type(node)):
            value = node.__dict__[field.name]
            where = joined(path, field.api)
            if field.shape.kind == "json":
                yield from _nulls(value, where)
            if field.api_only is not None and value is not None and field.api_only.applies_to(value):
                shown = received(value, sensitive=not field.api_only.values)
                yield Fault(where, _MUST, shown, field.api_only.fix)


def _nulls(value: Any, path: str) -> Iterator[Fault]:
    """Yields a fault for each null inside a JSON value: a template cannot carry it, and the CDK would drop it."""
    if isinstance(value, dict):
        items = [(keyed(path, key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return
    for where, item in items:
        if item is None:
            yield Fault(where, _MUST, "null", "leave it out: CloudFormation templates have no null")
        yield from _nulls(item, where)
