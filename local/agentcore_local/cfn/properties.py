"""Resource properties against their CloudFormation schema, with the messages CloudFormation gives.

CloudFormation is lenient about scalars: templates carry numbers and booleans as strings and the other way round, so a
value is acceptable when it can be read as the type the schema wants.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from . import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SHOWN = 10


class PropertiesError(ValueError):
    """The properties of a resource do not fit its schema."""


def check(resource_type: str, logical_id: str, properties: dict[str, Any]) -> None:
    """Raise `PropertiesError` when properties do not fit the schema of their type.

    Args:
        resource_type: CloudFormation type.
        logical_id: Logical id, for the message.
        properties: The resolved properties.
    """
    schema = schemas.load(resource_type)
    declared = _without_stack_tags(properties)
    found = sorted({*_schema_faults(resource_type, declared), *_read_only(schema, declared)})
    if found:
        listed = "\n".join(found[:_MAX_SHOWN])
        raise PropertiesError(f"Properties validation failed for resource {logical_id} with message:\n{listed}")


def _without_stack_tags(properties: dict[str, Any]) -> dict[str, Any]:
    """The stack's own tags (`aws:cloudformation:…`) do not count towards the number a resource may have."""
    tags = properties.get("Tags")
    if not isinstance(tags, list):
        return properties
    kept = [tag for tag in tags if not (isinstance(tag, dict) and str(tag.get("Key")).startswith("aws:"))]
    return {**properties, "Tags": kept}


def _schema_faults(resource_type: str, properties: dict[str, Any]) -> Iterator[str]:
    for error in _validator(resource_type).iter_errors(properties):
        yield _sentence(error)


def _sentence(error: Any) -> str:
    where = "#" + "".join(f"/{part}" for part in error.absolute_path)
    keyword, value = error.validator, error.validator_value
    said = {
        "required": lambda: f"required key [{', '.join(n for n in value if n not in error.instance)}] not found",
        "additionalProperties": lambda: f"extraneous key [{', '.join(_extraneous(error))}] is not permitted",
        "oneOf": lambda: f"#: exactly one of the {len(value)} alternatives must match",
        "anyOf": lambda: f"#: no subschema matched out of the total {len(value)} subschemas",
        "enum": lambda: f"{error.instance} is not a valid enum value; it must be one of {value}",
        "type": lambda: f"expected type: {value}, found: {type(error.instance).__name__}",
    }
    sentence = said.get(keyword)
    return f"{where}: {sentence() if sentence else f'failed validation constraint for keyword [{keyword}]: {value}'}"


def _extraneous(error: Any) -> list[str]:
    patterns, known = error.schema.get("patternProperties") or {}, error.schema.get("properties") or {}
    return sorted(
        name
        for name in error.instance
        if name not in known and not any(re.search(pattern, name) for pattern in patterns)
    )


def _read_only(schema: dict[str, Any], properties: dict[str, Any]) -> Iterator[str]:
    for path in schemas.pointers(schema, "readOnlyProperties"):
        node: Any = properties
        for part in path:
            if part == "*" or not isinstance(node, dict) or part not in node:
                break
            node = node[part]
        else:
            yield f"#/{'/'.join(path)}: extraneous key [{path[-1]}] is not permitted, it is read-only"


@cache
def _validator(resource_type: str) -> Any:
    from jsonschema import Draft7Validator, validators  # noqa: PLC0415 - a tenth of a second, not always needed

    lenient = Draft7Validator.TYPE_CHECKER.redefine_many(
        {
            "string": lambda _, value: isinstance(value, str | int | float | bool),
            "integer": lambda _, value: _as_number(value) is not None and float(_as_number(value) or 0).is_integer(),
            "number": lambda _, value: _as_number(value) is not None,
            "boolean": lambda _, value: isinstance(value, bool) or str(value).lower() in ("true", "false"),
        }
    )
    keywords = {
        "minimum": _number_keyword("minimum", lambda value, limit: value >= limit),
        "maximum": _number_keyword("maximum", lambda value, limit: value <= limit),
        "multipleOf": _number_keyword("multipleOf", lambda value, of: (value / of).is_integer()),
        "minLength": _text_keyword(lambda text, limit: len(text) >= limit),
        "maxLength": _text_keyword(lambda text, limit: len(text) <= limit),
        "pattern": _text_keyword(_searches),
        "enum": _enum,
    }
    extend: Any = validators.extend
    lenient_class = extend(Draft7Validator, keywords, type_checker=lenient)
    schema = schemas.load(resource_type)
    return lenient_class({**schema, "type": "object"})


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _number_keyword(name: str, holds: Any) -> Any:
    def keyword(_validator: Any, limit: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError  # noqa: PLC0415

        number = _as_number(instance)
        if number is not None and not holds(number, limit):
            yield ValidationError(f"{instance!r} fails {name} {limit}")

    return keyword


def _text_keyword(holds: Any) -> Any:
    def keyword(_validator: Any, limit: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        from jsonschema import ValidationError  # noqa: PLC0415

        if isinstance(instance, str) and not holds(instance, limit):
            yield ValidationError(f"{instance!r} fails {limit}")

    return keyword


def _searches(text: str, pattern: str) -> bool:
    return re.search(pattern, text) is not None


def _enum(_validator: Any, values: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if instance not in values and str(instance) not in [str(value) for value in values]:
        yield ValidationError(f"{instance!r} is not one of {values}")
