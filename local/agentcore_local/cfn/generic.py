"""Types that nothing emulates: checked against their schema, recorded, given attributes. Nothing runs behind them.

That is enough for a stack to deploy, update, be replaced, roll back and go, and for its template to be refused where
CloudFormation would refuse it. The APIs of these services do not know the resources.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

from . import properties, schemas
from .fabricate import Fabricator

if TYPE_CHECKING:
    from collections.abc import Iterator

# `Ref` returns the primary identifier; these return something else (CloudFormation's documentation of each type).
_REF = {"AWS::EC2::EIP": "PublicIp"}
# Changing what these do is what they are for: recording them would pretend.
_NOT_RECORDED = ("AWS::CloudFormation::",)
# A name is unique in the account and Region, although the identifier is generated.
_UNIQUE_NAMES = "AWS::BedrockAgentCore::"
_RENEWED = ("VersionId", "UpdatedAt", "LastUpdatedAt", "LastUpdatedTime")
Created = tuple[str, dict[str, Any]]


@dataclass
class Record:
    """A recorded resource."""

    account: str
    region: str
    type: str
    physical_id: str
    properties: dict[str, Any] = field(repr=False)
    attributes: dict[str, Any] = field(repr=False)


class Records:
    """The recorded resources of all accounts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str, str, str], Record] = {}

    def find(self, resource_type: str, physical_id: str) -> Record | None:
        """One resource of the account and Region that act now."""
        return self._records.get((*seams.current_scope(), resource_type, physical_id))

    def of_type(self, resource_type: str) -> list[Record]:
        """The resources of a type in the account and Region that act now."""
        scope = seams.current_scope()
        with self._lock:
            return [record for key, record in self._records.items() if key[:3] == (*scope, resource_type)]

    def put(self, record: Record) -> None:
        """Add or replace."""
        with self._lock:
            self._records[(record.account, record.region, record.type, record.physical_id)] = record

    def drop(self, resource_type: str, physical_id: str) -> None:
        """Remove; one that is gone is fine."""
        with self._lock:
            self._records.pop((*seams.current_scope(), resource_type, physical_id), None)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()

    def dump(self) -> list[dict[str, Any]]:
        """Everything as JSON data."""
        with self._lock:
            return [asdict(record) for record in self._records.values()]

    def load(self, records: list[dict[str, Any]]) -> None:
        """Add what `dump` returned."""
        for record in records:
            self.put(Record(**record))


RECORDS = Records()


def types(served: set[str]) -> Iterator[str]:
    """The types of the schemas that are neither served by somebody else nor refused on purpose."""
    for resource_type in schemas.index():
        if resource_type not in served and not resource_type.startswith(_NOT_RECORDED):
            yield resource_type


def handler(resource_type: str) -> dict[str, Any]:
    """The handler of a recorded type."""

    def create(logical_id: str, props: dict[str, Any], _stack_name: str) -> Created:
        properties.check(resource_type, logical_id, props)
        return _create(resource_type, logical_id, props)

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
    ) -> Created:
        properties.check(resource_type, logical_id or physical_id, new)
        if _nested_create_only(resource_type, old) != _nested_create_only(resource_type, new):
            # A physical id of its own makes CloudFormation delete the predecessor when the update is over.
            return create(logical_id or physical_id, new, stack_name)
        return _update(resource_type, physical_id, logical_id or physical_id, new)

    def delete(physical_id: str, _props: dict[str, Any]) -> None:
        RECORDS.drop(resource_type, physical_id)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _create(resource_type: str, logical_id: str, props: dict[str, Any]) -> Created:
    account, region = seams.current_scope()
    attributes = Fabricator(resource_type, logical_id, props, account, region).attributes()
    physical_id = _physical_id(resource_type, logical_id, props, attributes)
    taken = RECORDS.find(resource_type, physical_id) or _same_name(resource_type, props)
    if taken is not None:
        raise ValueError(
            f"Resource of type '{resource_type}' with identifier '{taken.physical_id}' already exists. "
            "(HandlerErrorCode: AlreadyExists)"
        )
    RECORDS.put(Record(account, region, resource_type, physical_id, props, attributes))
    return physical_id, with_properties(attributes, props)


def _update(resource_type: str, physical_id: str, logical_id: str, props: dict[str, Any]) -> Created:
    account, region = seams.current_scope()
    known = RECORDS.find(resource_type, physical_id)
    kept = {name: value for name, value in known.attributes.items() if name not in _RENEWED} if known else {}
    attributes = Fabricator(resource_type, logical_id, props, account, region).attributes(kept)
    RECORDS.put(Record(account, region, resource_type, physical_id, props, attributes))
    return physical_id, with_properties(attributes, props)


def with_properties(attributes: dict[str, Any], props: dict[str, Any]) -> dict[str, Any]:
    """Attributes, and the given top-level properties: `Fn::GetAtt` returns those as well."""
    given = {name: value for name, value in props.items() if not isinstance(value, dict)}
    return {**given, **attributes}


def _physical_id(resource_type: str, logical_id: str, props: dict[str, Any], attributes: dict[str, Any]) -> str:
    if resource_type in _REF:
        return str(attributes[_REF[resource_type]])
    parts = [path[-1] for path in schemas.pointers(schemas.load(resource_type), "primaryIdentifier")]
    values = [attributes.get(part, props.get(part)) for part in parts]
    if None in values:
        # An optional name that the service would generate.
        scope = seams.current_scope()
        maker = Fabricator(resource_type, logical_id, props, *scope)
        values = [maker._text("Id", None) if value is None else value for value in values]  # noqa: SLF001
    return "|".join(str(value) for value in values)


def _same_name(resource_type: str, props: dict[str, Any]) -> Record | None:
    if not resource_type.startswith(_UNIQUE_NAMES):
        return None
    create_only = schemas.top_level(schemas.load(resource_type), "createOnlyProperties")
    names = [name for name in create_only if name.endswith("Name") and name in props]
    if not names:
        return None
    return next(
        (
            record
            for record in RECORDS.of_type(resource_type)
            if all(record.properties.get(name) == props[name] for name in create_only if name.endswith(("Name", "Id")))
        ),
        None,
    )


def _nested_create_only(resource_type: str, props: dict[str, Any]) -> list[Any]:
    return [
        _at(props, path)
        for path in schemas.pointers(schemas.load(resource_type), "createOnlyProperties")
        if len(path) > 1 and "*" not in path
    ]


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node


class ReplacingProperties(dict[str, tuple[str, ...]]):
    """Type → the properties whose change replaces it; recorded types read theirs from the schema when asked."""

    def __init__(self, known: dict[str, tuple[str, ...]], recorded: set[str]) -> None:
        super().__init__(known)
        self._recorded = recorded

    def get(self, resource_type: str, default: Any = None) -> Any:
        """The properties of a type, or the default when nothing is known of it."""
        if resource_type in self or resource_type not in self._recorded:
            return super().get(resource_type, default)
        self[resource_type] = schemas.top_level(schemas.load(resource_type), "createOnlyProperties")
        return self[resource_type]
