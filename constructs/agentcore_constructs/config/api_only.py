"""Finds what the API takes and CloudFormation cannot say, so that nothing is dropped unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Fault, received
from .node import Node, fields, joined, keyed, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_MUST = "must be something CloudFormation can say"
_GREATEST_WHOLE = 2**53


def api_only_faults(root: Node) -> Iterator[Fault]:
    """Yields a fault for each value that would have to be left out of a template.

    Args:
        root: A validated configuration.
    """
    for path, node in walk(root):
        for field in fields(type(node)):
            value = node.__dict__[field.name]
            where = joined(path, field.api)
            if field.shape.kind == "json" and value is not None:
                yield from _json_faults(value, where)
            if field.api_only is not None and value is not None and field.api_only.applies_to(value):
                shown = received(value, sensitive=not field.api_only.values)
                yield Fault(where, _MUST, shown, field.api_only.fix)


def _json_faults(value: Any, path: str) -> Iterator[Fault]:
    """Yields a fault for each place where a template would not carry a JSON value as it is."""
    if value is None:
        # The CDK would drop it.
        yield Fault(path, _MUST, "null", "leave it out: CloudFormation templates have no null")
    elif isinstance(value, int) and abs(value) > _GREATEST_WHOLE:
        fix = "write it as a string: templates are written in JavaScript, which rounds whole numbers beyond 2^53"
        yield Fault(path, _MUST, received(value), fix)
    elif isinstance(value, dict):
        if (function := _function(value)) is not None:
            fix = (
                "rename the key, or add another one: CloudFormation takes an object with this key alone for a function"
            )
            yield Fault(keyed(path, function), _MUST, f"the only key {function!r}", fix)
        for key, item in value.items():
            yield from _json_faults(item, keyed(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_faults(item, f"{path}[{index}]")


def _function(value: dict[str, Any]) -> str | None:
    """Returns the name of the CloudFormation function that an object would be taken for, if any."""
    only = next(iter(value)) if len(value) == 1 else ""
    return only if only == "Ref" or only.startswith("Fn::") else None
