"""Requests against botocore's shapes: required, types, patterns, lengths, ranges, enums, unions, unknown members.

botocore validates little of this on the client (no patterns, no enums, no unions' second member from JSON files),
and other SDKs less; the service validates all of it. Paths and wording follow the services' own
(`Value 'x' at 'tools.1.member.name' failed to satisfy constraint: …`, list positions from 1).

Everything here is pure. Values of sensitive shapes are never echoed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from .errors import FieldFault

if TYPE_CHECKING:
    from collections.abc import Callable

_ECHO_LIMIT = 200
_KNOWS_ALL = (1, 44, 5)
"""The botocore that knows every field the constructs do; ministack's own pin, which pip installs, is older."""


def validate(shape: Shape, value: Any, path: str = "") -> list[FieldFault]:
    """Every fault of a value against a shape, in document order; an empty list when it is acceptable.

    Args:
        shape: The botocore shape the value must have.
        value: The value as `json.loads` gives it (header and query values already converted).
        path: Where the value sits in the request; empty for the request itself.
    """
    if getattr(shape, "is_document_type", False):
        return []
    if isinstance(shape, StructureShape):
        return _structure(shape, value, path)
    if isinstance(shape, ListShape):
        return _list(shape, value, path)
    if isinstance(shape, MapShape):
        return _map(shape, value, path)
    return _scalar(shape, value, path)


def _fault(path: str, message: str) -> FieldFault:
    return FieldFault(path, message)


def _constraint(shape: Shape, value: Any, path: str, constraint: str) -> FieldFault:
    sensitive = shape.metadata.get("sensitive")
    text = str(value) if isinstance(value, str | int | float) else ""
    shown = f"Value '{text[:_ECHO_LIMIT]}'" if text and not sensitive else "Value"
    return _fault(path, f"{shown} at '{path}' failed to satisfy constraint: Member must {constraint}")


def _wrong_type(path: str, wanted: str, value: Any) -> FieldFault:
    got = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value))
    where = f"Value at '{path}'" if path else "The request body"
    return _fault(path, f"{where} failed to satisfy constraint: Member must be {wanted}, not {got or 'a number'}")


def _structure(shape: StructureShape, value: Any, path: str) -> list[FieldFault]:
    if not isinstance(value, dict):
        return [_wrong_type(path, "a structure", value)]
    prefix = f"{path}." if path else ""
    faults = [
        _fault(prefix + name, f"Value null at '{prefix}{name}' failed to satisfy constraint: Member must not be null")
        for name in shape.required_members
        if value.get(name) is None
    ]
    given = {name: member for name, member in value.items() if member is not None}
    known = shape.members
    unknown = [name for name in given if name not in known]
    faults += [
        _fault(prefix + name, f"'{prefix}{name}' is not a member of {shape.name}; it has {', '.join(known)}{_newer()}")
        for name in unknown
    ]
    if shape.is_tagged_union and len(given) - len(unknown) != 1:
        chosen = ", ".join(name for name in given if name in known) or "none"
        faults.append(
            _fault(
                path,
                f"Value at '{path}' failed to satisfy constraint: Member must have exactly one of "
                f"{', '.join(known)}; received {chosen}",
            )
        )
    for name, member in given.items():
        if name in known:
            faults += validate(known[name], member, prefix + name)
    return faults


def _newer() -> str:
    """What to do about a field that may be too new for the botocore that is installed."""
    if tuple(int(part) for part in botocore.__version__.split(".")[:3]) >= _KNOWS_ALL:
        return ""
    needed = ".".join(str(part) for part in _KNOWS_ALL)
    return (
        f" (this local cloud runs on botocore {botocore.__version__}, and fields came with later ones: "
        f"pip install 'botocore>={needed}' 'boto3>={needed}', and start it again)"
    )


def _list(shape: ListShape, value: Any, path: str) -> list[FieldFault]:
    if not isinstance(value, list):
        return [_wrong_type(path, "a list", value)]
    faults = _length(shape, value, path)
    for position, item in enumerate(value, start=1):
        faults += validate(shape.member, item, f"{path}.{position}.member")
    return faults


def _map(shape: MapShape, value: Any, path: str) -> list[FieldFault]:
    if not isinstance(value, dict):
        return [_wrong_type(path, "a map", value)]
    faults = _length(shape, value, path)
    sensitive = shape.metadata.get("sensitive")
    for position, (key, item) in enumerate(value.items(), start=1):
        # A key of a sensitive map (headers, environment) is named; its value never is.
        faults += validate(shape.key, key, f"{path}.{position}.key")
        item_faults = validate(shape.value, item, f"{path}.{key}.member")
        if sensitive:
            item_faults = [FieldFault(f.name, re.sub(r"^Value '.*?' at ", "Value at ", f.message)) for f in item_faults]
        faults += item_faults
    return faults


def _length(shape: Shape, value: Any, path: str) -> list[FieldFault]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        return [_constraint(shape, value, path, f"have length greater than or equal to {low}")]
    if high is not None and len(value) > high:
        return [_constraint(shape, value, path, f"have length less than or equal to {high}")]
    return []


def _scalar(shape: Shape, value: Any, path: str) -> list[FieldFault]:
    wanted, types, constraints = _SCALARS.get(shape.type_name, ("", object, None))
    # Python counts booleans as integers; JSON does not.
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        return [_wrong_type(path, wanted, value)]
    return constraints(shape, value, path) if constraints else []


def _string(shape: Shape, value: str, path: str) -> list[FieldFault]:
    faults = _length(shape, value, path)
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        faults.append(_constraint(shape, value, path, f"satisfy enum value set: [{', '.join(shape.enum)}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        faults.append(_constraint(shape, value, path, f"satisfy regular expression pattern: {pattern}"))
    return faults


def _range(shape: Shape, value: float, path: str) -> list[FieldFault]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in _BITS and not -(2 ** (bits := _BITS[shape.type_name] - 1)) <= value < 2**bits:
        return [_constraint(shape, value, path, f"be an integer of {bits + 1} bits")]
    if low is not None and value < low:
        return [_constraint(shape, value, path, f"have value greater than or equal to {low}")]
    if high is not None and value > high:
        return [_constraint(shape, value, path, f"have value less than or equal to {high}")]
    return []


# Of Smithy's types: https://smithy.io/2.0/spec/simple-types.html
_BITS = {"integer": 32, "long": 64}
_SCALARS: dict[str, tuple[str, Any, Callable[[Shape, Any, str], list[FieldFault]] | None]] = {
    "string": ("a string", str, _string),
    "character": ("a string", str, _string),
    "integer": ("an integer", int, _range),
    "long": ("an integer", int, _range),
    "float": ("a number", int | float, _range),
    "double": ("a number", int | float, _range),
    "boolean": ("a boolean", bool, None),
    "blob": ("a base64 string", str, None),
}


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        # ASCII: in the service's dialects \d, \s and \w mean ASCII; in Python they would take other scripts' as well.
        return re.compile(pattern, re.ASCII)
    except re.error:
        # A pattern in another dialect (Java's \p{…}) cannot be checked here; the service still would.
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
