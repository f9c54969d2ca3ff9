"""ministack's own CloudFormation types, completed: properties checked against the schema, missing attributes filled in.

Its handlers return the attributes somebody needed so far. The others a template may ask for come from the properties
or are fabricated (`fabricate`); what a handler returned always wins. What a service answers to one of its handlers, raw
in its exceptions, becomes the sentence that CloudFormation makes of it.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

from . import properties, schemas
from .fabricate import Fabricator
from .generic import with_properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MARK = "completed_by_agentcore_local"
_RAW = re.compile(r"failed: (b(['\"]).*\2)$", re.DOTALL)
_IN_XML = re.compile(rb"<(Code|Message)>(.*?)</\1>", re.DOTALL)
# Types whose properties are not what the schema says: nothing to check them against.
_UNCHECKED = ("AWS::CloudFormation::", "AWS::CDK::", "AWS::Serverless::", "Custom::")


def native_types() -> list[str]:
    """The types with a schema that ministack serves itself and that are completed."""
    known = schemas.index()
    return [name for name in seams.resource_handlers() if name in known and not name.startswith(_UNCHECKED)]


def complete(resource_type: str) -> None:
    """Wrap the create and update of one type; doing it again changes nothing."""
    native = seams.resource_handlers()[resource_type]
    if native.get(_MARK):
        return
    with_logical_id = bool(native.get("update_with_logical_id"))
    wrapped = {**native, _MARK: True, "create": _create(resource_type, native["create"])}
    if "update" in native:
        wrapped["update"] = _update(resource_type, native["update"], with_logical_id=with_logical_id)
        # The check names the logical id, so every update is called with it.
        wrapped["update_with_logical_id"] = True
    seams.resource_handlers()[resource_type] = wrapped


def _create(resource_type: str, create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    def completed(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        properties.check(resource_type, logical_id, props)
        with _in_words():
            physical_id, attributes = create(logical_id, props, stack_name)
        return physical_id, filled(resource_type, logical_id, props, physical_id, attributes)

    return completed


def _update(resource_type: str, update: Callable[..., Any], *, with_logical_id: bool) -> Callable[..., Any]:
    @wraps(update)
    def completed(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
    ) -> Any:
        label = logical_id or physical_id
        properties.check(resource_type, label, new)
        extra = (logical_id,) if with_logical_id else ()
        with _in_words():
            updated_id, attributes = update(physical_id, old, new, stack_name, *extra)
        return updated_id, filled(resource_type, label, new, updated_id, attributes)

    return completed


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        found = _RAW.search(str(error))
        said = found and _said(ast.literal_eval(found[1]))
        if not said:
            raise
        raise ValueError(f'Resource handler returned message: "{said}"') from error


def _said(body: bytes) -> str | None:
    """Message and code of a service's answer, JSON or XML; None when it has no message."""
    try:
        parts = json.loads(body)
    except ValueError:
        parts = {name.decode(): value.decode() for name, value in _IN_XML.findall(body)}
    if not isinstance(parts, dict):
        return None
    message, code = (
        next((str(parts[name]) for name in names if parts.get(name)), None)
        for names in (("message", "Message"), ("__type", "code", "Code", "ErrorCode"))
    )
    return f"{message} ({code.rpartition('#')[2]})" if message and code else message


def filled(
    resource_type: str, logical_id: str, props: dict[str, Any], physical_id: str, attributes: dict[str, Any] | None
) -> dict[str, Any]:
    """A handler's attributes with the missing ones added."""
    returned = dict(attributes or {})
    schema = schemas.load(resource_type)
    missing = [
        name for path in schemas.pointers(schema, "readOnlyProperties") if (name := ".".join(path)) not in returned
    ]
    if not missing:
        return with_properties(returned, props)
    identifiers = [path[-1] for path in schemas.pointers(schema, "primaryIdentifier")]
    if len(identifiers) == 1:
        returned.setdefault(identifiers[0], physical_id)
    return with_properties(
        Fabricator(resource_type, logical_id, props, *seams.current_scope()).attributes(returned), props
    )
