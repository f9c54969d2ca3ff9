"""The base of all configuration models, and what can be read from a model's fields.

A node is a frozen pydantic model shaped like one structure of the API. Factories make *drafts* (`model_construct`): no
value is checked until a whole `HarnessConfig` is validated, so that all faults are reported together.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from .errors import ABSENT, Fault
from .primitives import ApiOnly, Companion, Entries, Items, Json, Scalar

T = TypeVar("T", bound="Node")


class Node(BaseModel):
    """One structure of the API."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        revalidate_instances="always",
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    expects: ClassVar[str] = "an object"
    """What belongs here, for the message about a value that is something else."""

    refused: ClassVar[Mapping[str, str]] = {}
    """API names that exist but must not be written here, each with the reason and what to do."""

    @classmethod
    def draft(cls, **values: Any) -> Self:
        """Makes a node whose values nobody has checked yet.

        Args:
            **values: Attributes, of any type; what the API requires and is not given becomes `ABSENT`.

        Raises:
            TypeError: When there is no such attribute.
        """
        unknown = values.keys() - cls.model_fields.keys()
        if unknown:
            message = f"{cls.__name__} has no field {', '.join(sorted(unknown))}"
            raise TypeError(message)
        for field in fields(cls):
            if field.required:
                values.setdefault(field.name, ABSENT)
        return cast("Self", cls.model_construct(**values))

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Shows what is set, without what may be secret."""
        for field in fields(type(self)):
            value = self.__dict__.get(field.name)
            if value is not None:
                yield field.name, "…" if field.shape.secret else value

    def rules(self, path: str) -> Iterator[Fault]:  # noqa: ARG002  (a node may have no rules)
        """Yields the faults that concern several fields, or a field's meaning.

        It also runs on drafts whose fields have faults of their own, so it trusts no field to have the right type.

        Args:
            path: Where this node is; starts the path of every fault.
        """
        yield from ()


class OneOf(Node):
    """A union of the API: exactly one member must be set."""

    def rules(self, path: str) -> Iterator[Fault]:
        """Yields a fault unless exactly one member is set."""
        members = [field.api for field in fields(type(self)) if not field.companion]
        given = [
            field.api for field in fields(type(self)) if not field.companion and self.__dict__[field.name] is not None
        ]
        if len(given) != 1:
            single = len(members) == 1
            yield Fault(
                path,
                f"must have the member {members[0]}" if single else f"must have exactly one of {', '.join(members)}",
                " and ".join(given) or "none of them",
                f"add {members[0]}" if single else f"{'keep' if given else 'add'} the one that is meant",
            )


class Empty(Node):
    """A structure without members: being there is what it says."""

    expects: ClassVar[str] = "an empty object {}"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field's type says.

    Attributes:
        kind: "scalar", "json", "node", "list" or "map".
        limit: The limit on the value itself: a `Scalar`, `Items` or `Entries`.
        node: The model, for kind "node".
        item: The shape of a list's items or of a map's values.
        key: The shape of a map's keys.
    """

    kind: str
    limit: Scalar | Items | Entries | None = None
    node: type[Node] | None = None
    item: Shape | None = None
    key: Shape | None = None

    @property
    def secret(self) -> bool:
        """Whether a value may hold what must not be shown."""
        own = isinstance(self.limit, Json) or getattr(self.limit, "sensitive", False)
        return own or (self.item is not None and self.item.secret)


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of one field of a node.

    Attributes:
        name: Python attribute.
        api: Name in the API; also what messages say.
        cfn: Name in CloudFormation and Step Functions.
        l1: Name in the dicts that aws-cdk-lib's L1 takes.
        required: Whether the API requires it within its structure.
        shape: Its type.
        api_only: What CloudFormation cannot say about it, if anything.
        companion: Why it is kept although it is no part of the API, if it is none.
    """

    name: str
    api: str
    cfn: str
    l1: str
    required: bool
    shape: Shape
    api_only: ApiOnly | None
    companion: Companion | None


# What to_camel gets wrong: the API writes a run of capitals, and Python has a word of its own for "lambda".
_API_NAMES = {"custom_jwt_authorizer": "customJWTAuthorizer", "lambda_": "lambda"}
# jsii writes runs of capitals in its own way.
_L1_NAMES = {"customJWTAuthorizer": "customJwtAuthorizer"}


@cache
def fields(node: type[Node]) -> tuple[Field, ...]:
    """Returns the fields of a node in the order of the model."""
    found = []
    for name, info in node.model_fields.items():
        shape, markers = _described(info.annotation, list(info.metadata))
        api = _API_NAMES.get(name) or to_camel(name)
        found.append(
            Field(
                name=name,
                api=api,
                cfn=api[0].upper() + api[1:],
                l1=_L1_NAMES.get(api, api),
                required=info.is_required(),
                shape=shape,
                api_only=next((marker for marker in markers if isinstance(marker, ApiOnly)), None),
                companion=next((marker for marker in markers if isinstance(marker, Companion)), None),
            )
        )
    return tuple(found)


def _described(annotation: Any, markers: list[Any]) -> tuple[Shape, list[Any]]:
    """Reads a type annotation; returns its shape and all markers found around it."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            markers.extend(more)
        elif origin in {Union, types.UnionType}:
            (annotation,) = (member for member in get_args(annotation) if member is not type(None))
        else:
            break
    limit = next((marker for marker in markers if isinstance(marker, (Scalar, Items, Entries))), None)
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return Shape("node", node=annotation), markers
    if isinstance(limit, Json):
        return Shape("json", limit), markers
    if origin is tuple:
        return Shape("list", limit, item=_described(get_args(annotation)[0], [])[0]), markers
    if origin is dict:
        key, value = get_args(annotation)
        return Shape("map", limit, item=_described(value, [])[0], key=_described(key, [])[0]), markers
    return Shape("scalar", limit), markers


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yields every node of a tree with its path, parents first. Values of a wrong type are passed over."""
    yield path, node
    for field in fields(type(node)):
        if field.shape.kind in _HOLDERS and not field.companion:
            value = node.__dict__[field.name]
            if value is not None:
                yield from _walk_value(value, joined(path, field.api))


_HOLDERS = frozenset({"node", "list", "map"})


def _walk_value(value: Any, path: str) -> Iterator[tuple[str, Node]]:
    if isinstance(value, Node):
        yield from walk(value, path)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if isinstance(item, Node):
                yield from walk(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, Node):
                yield from walk(item, keyed(path, key))


def joined(path: str, name: str) -> str:
    """Appends a field name to a path."""
    return f"{path}.{name}" if path else name


def keyed(path: str, key: object) -> str:
    """Appends a map key to a path, quoted when it does not look like a name."""
    text = key if isinstance(key, str) else repr(key)
    return joined(path, text) if text.isidentifier() else f'{path}["{text}"]'


def members(values: object, kind: type[T]) -> Iterator[tuple[int, T]]:
    """Yields the items of a list field that are nodes of a kind, with their positions; nothing for any other value."""
    if isinstance(values, (list, tuple)):
        for index, item in enumerate(values):
            if isinstance(item, kind):
                yield index, item
