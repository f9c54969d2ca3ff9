"""Checks a draft as a whole: pydantic on every field, then the rules of every node, all faults in one error."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from .deferred import Deferred
from .errors import ABSENT, Fault, HarnessConfigError, Refused, received
from .node import Node, OneOf, Shape, fields, joined, keyed, walk
from .primitives import FAULT

T = TypeVar("T", bound=Node)


def validated(draft: T, earlier: list[Fault] | None = None, subject: str | None = None) -> T:
    """Returns the checked, frozen form of a draft.

    Args:
        draft: What was made by factories, or read from a dict.
        earlier: Faults found while the draft was made.
        subject: What is configured, for the heading of the error.

    Raises:
        HarnessConfigError: With every fault there is.
    """
    faults = list(earlier or ())
    node = draft
    try:
        node = type(draft).model_validate(draft)
    except ValidationError as error:
        faults.extend(_faults(error, type(draft)))
    faulty = {fault.path for fault in faults}
    for path, one in walk(node):
        # A union whose member was misspelt or null needs no second sentence to say that it has no member.
        if not (isinstance(one, OneOf) and any(known.startswith(f"{path}.") for known in faulty)):
            faults.extend(fault for fault in one.rules(path) if fault.path not in faulty)
    if faults:
        raise HarnessConfigError(faults, subject)
    return node


def _faults(error: ValidationError, root: type[Node]) -> list[Fault]:
    return [_fault(detail, root) for detail in error.errors(include_url=False)]


def _fault(detail: Any, root: type[Node]) -> Fault:
    path, node = _located(detail["loc"], root)
    given = detail["input"]
    if detail["type"] == FAULT:
        context = detail["ctx"]
        return Fault(path, context["must"], context["received"], context["fix"])
    if isinstance(given, Refused):
        return Fault(path, given.must, given.received, given.fix)
    if isinstance(given, Deferred) and not isinstance(given, Node):
        fix = "pass it to a Harness"
        return Fault(path, "must be taken by a harness, which makes the constructs it needs", "it alone", fix)
    if node is not None and given is ABSENT:
        return Fault(path, f"must be given and be {node.expects}", "nothing", "add it")
    if node is not None:
        return Fault(path, f"must be {node.expects}", received(given, sensitive=True), "pass one")
    return Fault(path, "must be a value of the API's type", received(given, sensitive=True), "correct the value")


def _located(loc: tuple[int | str, ...], root: type[Node]) -> tuple[str, type[Node] | None]:
    """Turns pydantic's location (of Python names) into a path of API names, and finds the model expected there."""
    path = ""
    shape: Shape | None = Shape("node", node=root)
    for step in loc:
        if step == "[key]":
            shape = None
        elif shape is not None and shape.kind == "map":
            path, shape = keyed(path, step), shape.item
        elif isinstance(step, int):
            path, shape = f"{path}[{step}]", shape.item if shape else None
        else:
            owner = shape.node if shape else None
            field = next((one for one in fields(owner) if one.name == step), None) if owner else None
            path, shape = joined(path, field.api if field else step), field.shape if field else None
    return path, shape.node if shape else None
