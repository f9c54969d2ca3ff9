"""Tools of a Lambda target: from dicts in the shape of MCP to the CDK's structures, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import is_token
from agentcore_constructs.config.errors import ABSENT, Fault, received
from agentcore_constructs.config.node import joined, keyed

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the models of Amazon Bedrock take for a tool (Converse, `ToolSpecification.name`)."""

_TYPES = ("string", "number", "integer", "boolean", "object", "array")
_KEYS = ("type", "description", "properties", "required", "items")
# JSON schema knows more than a gateway's SchemaDefinition; what to write instead.
_INSTEAD = {
    "enum": "list the values in the description; the function checks them",
    "const": "write the value in the description; the function checks it",
    "anyOf": "choose one type; an optional argument is one that is not in required",
    "oneOf": "choose one type; an optional argument is one that is not in required",
    "allOf": "write one object with all properties",
    "$ref": "write the schema that it refers to in its place",
    "$defs": "write each definition where it is used",
    "default": "write the default in the description, and leave the argument out of required",
    "additionalProperties": "remove it; name the properties, or take JSON text in a string",
    "format": "write the format in the description",
    "title": "remove it",
}
_ELSE = "write it in the description; the function checks it"
_TOOL_KEYS = ("name", "description", "inputSchema", "outputSchema")


class Checked(NamedTuple):
    """The tools of a Lambda target.

    Attributes:
        schema: As the CDK takes them.
        names: Their names, as far as they are known.
    """

    schema: agentcore.ToolSchema
    names: tuple[str, ...]


def checked(given: Any, path: str, report: Callable[[Fault], None]) -> Checked | None:
    """Turns what a user gave for the tools of a Lambda target into the CDK's structures.

    Args:
        given: Dicts (`name`, `description`, `inputSchema`, `outputSchema`), the path of a JSON file with such a list,
            or a `ToolSchema` of the CDK, which is taken as it is.
        path: Where it stands, for messages.
        report: Told each fault.

    Returns:
        None when there is a fault.
    """
    if isinstance(given, agentcore.ToolSchema):
        return Checked(given, ())
    tools = _read(given) if isinstance(given, (str, Path)) else given
    if isinstance(tools, Fault):
        report(Fault(path, tools.must, tools.received, tools.fix))
        return None
    if isinstance(tools, Mapping) or not isinstance(tools, Sequence) or not tools:
        fix = "pass [{'name': …, 'description': …, 'inputSchema': {…}}], or the ToolFunction alone"
        report(Fault(path, "must be a list of at least one tool", received(tools), fix))
        return None
    faults = [fault for index, tool in enumerate(tools) for fault in _tool_faults(tool, f"{path}[{index}]")]
    faults += _repeated(tools, path)
    for fault in faults:
        report(fault)
    if faults:
        return None
    made = agentcore.ToolSchema.from_inline([_definition(tool) for tool in tools])
    return Checked(made, tuple(tool["name"] for tool in tools))


def _read(path: str | Path) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        return Fault("", "must be a file that can be read", f"{path}: {error.strerror}", "correct the path")
    except ValueError as error:
        return Fault("", "must be JSON", f"{path}: {error}", "correct the file")


def _repeated(tools: Sequence[Any], path: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name") if isinstance(tool, Mapping) else None
        if not isinstance(name, str) or is_token(name):
            continue
        if name in seen:
            yield Fault(f"{path}[{index}].name", "must be unique within the target", received(name), "rename one")
        seen.add(name)


def _tool_faults(tool: Any, path: str) -> Iterator[Fault]:
    if not isinstance(tool, Mapping):
        fix = "pass {'name': …, 'description': …, 'inputSchema': {…}}"
        yield Fault(path, "must be a tool", received(tool), fix)
        return
    for key in tool:
        if key not in _TOOL_KEYS:
            yield Fault(
                keyed(path, key), "must be a field of a tool", "the key", f"write one of {', '.join(_TOOL_KEYS)}"
            )
    name = tool.get("name", ABSENT)
    if not isinstance(name, str) or not (is_token(name) or _NAME.fullmatch(name)):
        must = "must be 1–64 letters, digits, '_' and '-', which is what models take"
        yield Fault(joined(path, "name"), must, received(name), "choose a name that fits")
    description = tool.get("description", ABSENT)
    if not isinstance(description, str) or not description:
        fix = "describe when the model should call the tool"
        yield Fault(joined(path, "description"), "must be a text", received(description), fix)
    schema = tool.get("inputSchema", ABSENT)
    yield from _schema_faults(schema, joined(path, "inputSchema"))
    if isinstance(schema, Mapping) and schema.get("type", "object") != "object":
        fix = "write {'type': 'object', 'properties': {…}}"
        yield Fault(joined(path, "inputSchema.type"), "must be 'object'", received(schema["type"]), fix)
    if "outputSchema" in tool:
        yield from _schema_faults(tool["outputSchema"], joined(path, "outputSchema"))


def _schema_faults(schema: Any, path: str) -> Iterator[Fault]:
    if not isinstance(schema, Mapping):
        yield Fault(path, "must be a JSON schema", received(schema), "pass {'type': …}")
        return
    for key in schema:
        if key not in _KEYS:
            must = f"must be written with {', '.join(_KEYS)}: a gateway's schemas have nothing else"
            yield Fault(keyed(path, key), must, f"the key {key!r}", _INSTEAD.get(key, _ELSE))
    kind = schema.get("type", ABSENT)
    if kind not in _TYPES:
        yield Fault(joined(path, "type"), f"must be one of {', '.join(_TYPES)}", received(kind), "write a type")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        fix = "pass {'<name>': {'type': …}}"
        yield Fault(joined(path, "properties"), "must be an object", received(properties), fix)
        properties = {}
    for name, inner in properties.items():
        yield from _schema_faults(inner, keyed(joined(path, "properties"), name))
    required = schema.get("required", ())
    if isinstance(required, str) or not isinstance(required, Sequence):
        yield Fault(joined(path, "required"), "must be a list of names", received(required), "pass a list")
        required = ()
    for name in required:
        if name not in properties:
            yield Fault(joined(path, "required"), "must name properties of the object", received(name), "correct it")
    if "items" in schema:
        yield from _schema_faults(schema["items"], joined(path, "items"))
    elif kind == "array":
        yield Fault(joined(path, "items"), "must say what the array holds", "nothing", "add {'type': …}")


def _definition(tool: Mapping[str, Any]) -> agentcore.ToolDefinition:
    output = tool.get("outputSchema")
    return agentcore.ToolDefinition(
        name=tool["name"],
        description=tool["description"],
        input_schema=_schema(tool["inputSchema"]),
        output_schema=None if output is None else _schema(output),
    )


def _schema(schema: Mapping[str, Any]) -> agentcore.SchemaDefinition:
    properties, items = schema.get("properties"), schema.get("items")
    return agentcore.SchemaDefinition(
        type=getattr(agentcore.SchemaDefinitionType, schema["type"].upper()),
        description=schema.get("description"),
        properties=None if properties is None else {name: _schema(inner) for name, inner in properties.items()},
        required=schema.get("required"),
        items=None if items is None else _schema(items),
    )
