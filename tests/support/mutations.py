"""Valid CreateHarness requests with one field broken: what the shapes of botocore forbid, and what the rules forbid.

A mutation knows which field it broke. `in_models` and `on_the_wire` write that field as the two sides do, who count and
quote differently.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

from . import paths
from .shapes import CREATE_HARNESS, NO_CONFIGURATION, Drawn, Walk, limits_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Key(str):
    """The key of a map, where the key itself is what is broken."""

    __slots__ = ()


Place = tuple[paths.Step, ...]


@dataclass(frozen=True)
class Broken:
    """A request with one fault.

    Attributes:
        how: What was done to it.
        place: The field that has to be named.
        request: The request.
    """

    how: str
    place: Place
    request: dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One way to break a value.

    Attributes:
        how: The kind of fault.
        at: The value that is replaced.
        made: Pairs of what replaces it, and the place of the field that has to be named then.
    """

    how: str
    at: Place
    made: Drawn


@st.composite
def broken(draw: Any, walk: Walk, role_arn: str, how: str) -> Broken:
    """Requests with one fault of a kind."""
    request = draw(
        walk.whole(role_arn).filter(lambda one: any(way.how == how for way in ways(walk, CREATE_HARNESS, one)))
    )
    way = draw(st.sampled_from([way for way in ways(walk, CREATE_HARNESS, request) if way.how == how]))
    value, place = draw(way.made)
    if not way.at:
        return Broken(how, place, value)
    return Broken(how, place, paths.replaced(request, way.at, value))


def ways(walk: Walk, shape: Shape, value: Any, place: Place = ()) -> Iterator[Way]:
    """Every way to break a value, or anything inside it, by breaking one limit of botocore's."""
    if getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if place:
        yield Way("type", place, st.sampled_from(_WRONG_TYPES[kind]).map(lambda wrong: (wrong, place)))
    if isinstance(shape, StructureShape):
        yield from _structure(walk, shape, value, place)
    elif isinstance(shape, ListShape):
        yield from _list(walk, shape, value, place)
    elif isinstance(shape, MapShape):
        yield from _map(walk, shape, value, place)
    elif kind == "string":
        yield from _each(_texts(shape, value), place)
    elif kind in {"integer", "float"}:
        yield from _each(_numbers(shape), place)


_WRONG_TYPES: dict[str, list[Any]] = {
    "string": [1, 0, 1.5, True, [], ["a"], {}, {"a": "b"}],
    "integer": ["1", "", 1.5, True, False, [1], {}],
    "float": ["1", "", True, False, [1.0], {}],
    "boolean": ["true", 0, 1, [], {}],
    "list": ["a", "", 1, True, {}, {"0": "a"}],
    "map": ["a", 1, True, [], ["a"], [["a", "b"]]],
    "structure": ["a", "", 1, True, [], [{}]],
}


def _each(faults: Iterator[tuple[str, Any]], place: Place) -> Iterator[Way]:
    for how, value in faults:
        yield Way(how, place, st.just((value, place)))


# Structures


def _structure(walk: Walk, shape: StructureShape, value: dict[str, Any], place: Place) -> Iterator[Way]:
    unknown = _unknown_keys(shape).filter(lambda key: key not in shape.members and key not in value)
    yield Way("unknown key", place, unknown.map(lambda key: ({**value, key: 1}, (*place, key))))
    for name in shape.required_members:
        # Name and role are the construct's to give; the local cloud alone requires them.
        if place or name not in {"harnessName", "executionRoleArn"}:
            rest = {key: one for key, one in value.items() if key != name}
            yield Way("missing", place, st.just((rest, (*place, name))))
    if shape.is_tagged_union:
        others = {name: drawn for name, drawn in walk.members(shape, None).items() if name not in value}
        yield Way("no member", place, st.just(({}, place)))
        for name, drawn in others.items():
            two = drawn.map(lambda other, name=name: ({**value, name: other}, place))
            yield Way("two members", place, two)
    for name, member in shape.members.items():
        if name in value and f"{shape.name}.{name}" not in NO_CONFIGURATION:
            yield from ways(walk, member, value[name], (*place, name))


def _unknown_keys(shape: StructureShape) -> Drawn:
    """Any key, and those people write: another spelling, a slip, a name from elsewhere."""
    names = list(shape.members) or ["name"]
    spelled = st.sampled_from(names).flatmap(
        lambda name: st.sampled_from(
            [name[0].upper() + name[1:], _snake(name), name[:-1] + "x", name + "s", name.upper()]
        )
    )
    return spelled | st.sampled_from(["modelId", "tools", "description", "arn"]) | st.text(min_size=1, max_size=12)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


# Containers


def _list(walk: Walk, shape: ListShape, value: list[Any], place: Place) -> Iterator[Way]:
    limits = limits_of(shape)
    if limits.low:
        yield Way("too few", place, st.just((value[: int(limits.low) - 1], place)))
    if limits.high is not None and value:
        many = [copy.deepcopy(value[index % len(value)]) for index in range(int(limits.high) + 1)]
        yield Way("too many", place, st.just((many, place)))
    for index, item in enumerate(value):
        yield from ways(walk, shape.member, item, (*place, index))


def _map(walk: Walk, shape: MapShape, value: dict[str, Any], place: Place) -> Iterator[Way]:
    limits = limits_of(shape)
    if limits.low:
        yield Way("too few", place, st.just(({}, place)))
    if limits.high is not None and value:
        one = next(iter(value.values()))
        many = {f"k{index}": copy.deepcopy(one) for index in range(int(limits.high) + 1)}
        yield Way("too many", place, st.just((many, place)))
    for key, item in value.items():
        rest = {other: one for other, one in value.items() if other != key}
        for how, wrong in _texts(shape.key, key):
            yield Way(f"key {how}", place, st.just(({**rest, wrong: item}, (*place, Key(wrong)))))
        yield from ways(walk, shape.value, item, (*place, key))


# Values


def _texts(shape: Shape, value: str) -> Iterator[tuple[str, str]]:
    limits = limits_of(shape)
    if limits.enum:
        yield from (("enum", wrong) for wrong in _other_words(limits.enum))
        return
    if limits.low:
        yield "too short", value[: int(limits.low) - 1]
    if limits.high is not None:
        yield "too long", value + (value[-1:] or "x") * (int(limits.high) + 1 - len(value))
    for wrong in _near(value):
        size_fits = (limits.low or 0) <= len(wrong) <= (limits.high or len(wrong))
        if limits.patterns and size_fits and not limits.fits(wrong):
            yield "pattern", wrong


def _other_words(enum: tuple[str, ...]) -> Iterator[str]:
    for word in (enum[0].swapcase(), f"{enum[0]} ", enum[-1] + "S", "", "null"):
        if word not in enum:
            yield word


def _near(value: str) -> Iterator[str]:
    """Texts that are almost the value; some digits, letters and blanks of other scripts look like those of ASCII."""
    for odd in ("\n", " ", "\u00a0", "é", "٣", "#", "^", "/", "?", "\x00", "\U0001f600"):
        yield value + odd
        yield odd + value
        yield value[:-1] + odd
    yield value.swapcase()
    yield ""
    yield value[1:]


def _numbers(shape: Shape) -> Iterator[tuple[str, float]]:
    limits, step = limits_of(shape), 1 if shape.type_name == "integer" else 0.001
    for how, limit, direction in (("too small", limits.low, -1), ("too great", limits.high, 1)):
        if limit is not None:
            yield how, limit + direction * step
            yield how, limit + direction * 10**6


KINDS = (
    "type", "unknown key", "missing", "no member", "two members", "too few", "too many", "enum", "too short",
    "too long", "pattern", "too small", "too great", "key too short", "key too long", "key pattern",
)  # fmt: skip


# How the two sides write a place.


def in_models(place: Place) -> str:
    """As a `HarnessConfigError` writes it: `tools[0].config`."""
    return paths.spelled(place)


def on_the_wire(broken_one: Broken) -> str:
    """As the service writes it: `tools.1.member.config`, and `environmentVariables.1.key` for a key."""
    shape: Any = CREATE_HARNESS
    value: Any = broken_one.request
    text = ""
    for step in broken_one.place:
        if isinstance(shape, ListShape):
            text += f".{int(step) + 1}.member"
            shape = shape.member
        elif isinstance(shape, MapShape):
            position = list(value).index(step) + 1
            text += f".{position}.key" if isinstance(step, Key) else f".{step}.member"
            shape = shape.value
        else:
            text += f".{step}" if text else str(step)
            shape = shape.members.get(step)
        value = _inside(value, step)
    return text


def _inside(value: Any, step: paths.Step) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None
