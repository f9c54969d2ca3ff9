"""JSON schemas as the service takes them, made from those that pydantic derives.

Two forms: the one of inline functions is JSON schema as a whole document, without references; the one of AgentCore
Gateway has five keywords (botocore's `SchemaDefinition`: type, properties, required, items, description), and what it
cannot say is told to the model in the description. The function validates its input with the whole schema either way.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from agentcore_lambdas.tools.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

_MAPS = ("properties", "patternProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else")
_REFERENCE = "#/$defs/"
_NULL = {"type": "null"}
_GATEWAY_TYPES = frozenset({"string", "number", "object", "array", "boolean", "integer"})


class RecursiveTypeError(ValueError):
    """A type contains itself; the message is its name."""


def inlined(schema: Schema) -> Schema:
    """Returns a schema of pydantic's without references, titles and OpenAPI's discriminators.

    A property that may be null and need not be given is described by what it is otherwise: a model leaves it out.
    Nowhere does the schema hold null itself, which CloudFormation drops, or a number that JSON cannot write.

    Raises:
        RecursiveTypeError: A type contains itself.
    """
    definitions = schema.get("$defs", {})
    result: Schema = _inlined({key: value for key, value in schema.items() if key != "$defs"}, definitions, ())
    return result


def _inlined(schema: Any, definitions: Mapping[str, Schema], inside: tuple[str, ...]) -> Any:
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REFERENCE)
        if name in inside:
            raise RecursiveTypeError(name)
        around = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined({**definitions[name], **around}, definitions, (*inside, name))
    result: Schema = {}
    for key, value in _without_null(schema).items():
        if key in {"title", "discriminator"} and isinstance(value, (str, dict)):
            continue
        if key in _MAPS:
            required = schema.get("required", ())
            result[key] = {
                name: _inlined(member if name in required else _present(member), definitions, inside)
                for name, member in value.items()
            }
        elif key in _LISTS:
            result[key] = [_inlined(member, definitions, inside) for member in value]
        elif key in _SINGLE:
            result[key] = _inlined(value, definitions, inside)
        else:
            result[key] = value
    return result


def _without_null(schema: Schema) -> Schema:
    """Says null as a type instead of as a value; leaves out defaults that have no form, since they bind nobody."""
    result = dict(schema)
    if "default" in result:
        try:
            result["default"] = _written(result["default"])
        except ValueError:
            del result["default"]
    if "const" in result and result["const"] is None:
        del result["const"]
        result["type"] = "null"
    if None in result.get("enum", ()):
        rest = [value for value in result.pop("enum") if value is not None]
        result.pop("type", None)
        kind = _kind_of(rest)
        given = {"enum": rest} if kind is None else {"enum": rest, "type": kind}
        result["anyOf"] = [given, _NULL] if rest else [_NULL]
    return result


def _written(default: Any) -> Any:
    """Returns a default as a template can carry it; a member that is null says as much as one that is not there.

    Raises:
        ValueError: It has no such form.
    """
    if isinstance(default, dict):
        return {key: _written(value) for key, value in default.items() if value is not None}
    if isinstance(default, list):
        return [_written(value) for value in default]
    if default is None or (isinstance(default, float) and not math.isfinite(default)):
        raise ValueError
    return default


def _present(schema: Schema) -> Schema:
    """What an optional property is when it is given: `anyOf` of one type and null becomes that type."""
    schema = _without_null(schema)
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    if "anyOf" not in schema or len(choices) == len(schema["anyOf"]):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest}


# ---- AgentCore Gateway -----------------------------------------------------------------------------------------------


def for_gateway(schema: Schema, path: str = "parameters") -> tuple[Schema, list[Problem]]:
    """Returns a schema, free of references, in the form of a gateway's Lambda target.

    Args:
        schema: What `inlined` gave.
        path: Where it stands, for problems.

    Returns:
        The schema, and every part of it that has no such form.
    """
    problems: list[Problem] = []
    return _reduced(schema, path, problems), problems


def _reduced(schema: Schema, path: str, problems: list[Problem]) -> Schema:
    schema = _merged(schema)
    kind = schema.get("type") or _kind_of(schema.get("enum", [schema["const"]] if "const" in schema else []))
    if kind not in _GATEWAY_TYPES:
        problems.append(_no_form(schema, path))
        return {"type": "string"}
    result: Schema = {"type": kind}
    notes = _notes(schema)
    if described := schema.get("description", "").strip():
        notes.insert(0, described if described[-1] in ".!?:;" or not notes else f"{described}.")
    if kind == "object":
        properties = schema.get("properties", {})
        if properties:
            result["properties"] = {
                name: _reduced(member, f"{path}.{name}", problems) for name, member in properties.items()
            }
        if schema.get("required"):
            result["required"] = list(schema["required"])
    elif kind == "array":
        if "prefixItems" in schema:
            problems.append(_no_form(schema, path, "a list whose items have a type each"))
        elif schema.get("items"):
            result["items"] = _reduced(schema["items"], f"{path}[]", problems)
        else:
            fix = "say what the list holds: list[str]"
            problems.append(Problem(path, "must be a list of one type for a gateway", "a list of anything", fix))
    if notes:
        result["description"] = " ".join(notes)
    return result


def _merged(schema: Schema) -> Schema:
    """Reads through what is a choice in form only: of one, of a type and null, of whole and other numbers."""
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not choices:
        return schema
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "allOf"}}
    others = [choice for choice in choices if choice != _NULL]
    if len(others) == 1:
        return {**_merged(others[0]), **rest}
    if {choice.get("type") for choice in others} == {"integer", "number"}:
        return {"type": "number", **rest}
    return schema


def _kind_of(values: list[Any]) -> str | None:
    """The one type of several values."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    kinds = {names.get(type(value)) for value in values}
    return kinds.pop() if len(kinds) == 1 else None


def _no_form(schema: Schema, path: str, what: str = "") -> Problem:
    if not what:
        choices = schema.get("anyOf") or schema.get("oneOf")
        any_type = "values of several types" if "enum" in schema else "a value of any type"
        what = f"a choice of {len(choices)} types" if choices else any_type
    return Problem(
        path,
        "must be of one type for a gateway, whose schemas know string, number, integer, boolean, array and object",
        what,
        "give it one type, or use the function as an inline tool",
    )


_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "minItems": "number of items at least {}",
    "maxItems": "number of items at most {}",
}


def _notes(schema: Schema) -> list[str]:
    """Sentences for what the schemas of gateways have no keyword for."""
    notes = []
    if (values := schema.get("enum", [schema["const"]] if "const" in schema else None)) is not None:
        notes.append(f"One of: {', '.join(_json(value) for value in values)}.")
    if limits := [text.format(_json(schema[key])) for key, text in _LIMITS.items() if key in schema]:
        notes.append(f"{limits[0][0].upper()}{', '.join(limits)[1:]}.")
    if "format" in schema:
        notes.append(f"Format: {schema['format']}.")
    if "pattern" in schema:
        notes.append(f"Pattern: {schema['pattern']}")
    if schema.get("uniqueItems"):
        notes.append("Without repetitions.")
    if isinstance(values_schema := schema.get("additionalProperties"), dict) and values_schema.get("type"):
        notes.append(f"Any keys, each with a value of type {values_schema['type']}.")
    if "default" in schema:
        notes.append(f"{_json(schema['default'])} unless given.")
    return notes


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
