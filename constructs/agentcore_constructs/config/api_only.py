"""Finds what the API takes and CloudFormation cannot say, so that nothing is dropped unsaid.

What UpdateHarness can set after the deployment is taken out here and set by a custom resource; what no template can
carry at all is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import Fault, received
from .node import Node, OneOf, Shape, fields, joined, keyed, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .node import Field

_MUST = "must be something CloudFormation can say"
_GREATEST_WHOLE = 2**53

T = TypeVar("T", bound=Node)


@dataclass(frozen=True)
class Removal:
    """Which part of a configuration in the API's shape leaves with an API-only value.

    Attributes:
        remove: Names from the root to what is removed; `*` stands for every item of a list.
        where: Names from there to the value that makes it API-only; none when it is that value.
        values: The values that are API-only; none means every value.
        beyond: Pattern of the values that are not.
    """

    remove: tuple[str, ...]
    where: tuple[str, ...]
    values: tuple[str, ...]
    beyond: str | None


def api_only_faults(root: Node) -> Iterator[Fault]:
    """Yields a fault for each value that would have to be left out of a template.

    Args:
        root: A validated configuration.
    """
    for path, field, value in _given(root):
        if field.shape.kind == "json":
            yield from _json_faults(value, path)
        if field.api_only is not None and field.api_only.applies_to(value):
            shown = received(value, sensitive=not field.api_only.values)
            yield Fault(path, _MUST, shown, field.api_only.fix)


def template_faults(root: Node) -> Iterator[Fault]:
    """Yields a fault for each value that no template can carry, whatever is done after the deployment.

    Args:
        root: A validated configuration.
    """
    for path, field, value in _given(root):
        if field.shape.kind == "json":
            yield from _json_faults(value, path)


def _given(root: Node) -> Iterator[tuple[str, Field, Any]]:
    for path, node in walk(root):
        for field in fields(type(node)):
            if (value := node.__dict__[field.name]) is not None:
                yield joined(path, field.api), field, value


def without_api_only(root: T) -> tuple[T, frozenset[str]]:
    """Takes out what CloudFormation cannot say.

    What cannot do without it goes too: a structure without a required field, a union without a member.

    Args:
        root: A validated configuration.

    Returns:
        The rest, and the API names of the fields of the root that something was taken out of.
    """
    changes = {}
    for field in fields(type(root)):
        value = root.__dict__[field.name]
        kept = _kept(value, field.shape)
        if kept is not value:
            changes[field.name] = kept
    changed = frozenset(field.api for field in fields(type(root)) if field.name in changes)
    return (root.model_copy(update=changes) if changes else root), changed


def _kept(value: Any, shape: Shape) -> Any:
    """Returns what CloudFormation can say of a value: itself where nothing is missing, None where nothing is left."""
    if isinstance(value, Node):
        return _kept_node(value)
    if isinstance(value, tuple) and shape.item is not None and shape.item.kind == "node":
        items = [_kept(item, shape.item) for item in value]
        if all(kept is item for kept, item in zip(items, value, strict=True)):
            return value
        return tuple(item for item in items if item is not None) or None
    return value


def _kept_node(node: T) -> T | None:
    changes = {}
    for field in fields(type(node)):
        value = node.__dict__[field.name]
        if value is None:
            continue
        kept = None if field.api_only is not None and field.api_only.applies_to(value) else _kept(value, field.shape)
        if kept is None and field.required:
            return None
        if kept is not value:
            changes[field.name] = kept
    if not changes:
        return node
    rest = node.model_copy(update=changes)
    left = any(rest.__dict__[field.name] is not None for field in fields(type(node)) if not field.companion)
    return rest if left or not isinstance(node, OneOf) else None


def removals(root: type[Node]) -> tuple[Removal, ...]:
    """Returns what leaves a configuration with each API-only value there can be; `without_api_only` in other words.

    Args:
        root: The model to look through.
    """
    return tuple(_removals(root, (), ()))


def _removals(model: type[Node], path: tuple[str, ...], removable: tuple[str, ...]) -> Iterator[Removal]:
    """Yields the removals below a model; `removable` is the nearest place around it that may be left out."""
    single = issubclass(model, OneOf)
    for field in fields(model):
        here = (*path, field.api)
        own = removable if field.required or single else here
        if field.api_only is not None:
            rule = field.api_only
            yield Removal(own, here[len(own) :], rule.values, rule.beyond)
        shape = field.shape
        if shape.kind == "list" and shape.item is not None and shape.item.node is not None:
            yield from _removals(shape.item.node, (*here, "*"), (*here, "*"))
        elif shape.node is not None:
            yield from _removals(shape.node, here, own)


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
