"""What a Python function is as a tool: its name, its description, and the schema of its arguments.

All of it is read from the function: the signature, the type hints and the docstring. One pydantic model is derived; the
schema that the model is told comes from it, and the input that comes back is validated with it.
"""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from agentcore_lambdas.tools.context import ToolContext
from agentcore_lambdas.tools.docstrings import Docstring, parse
from agentcore_lambdas.tools.errors import Problem, ToolDefinitionError
from agentcore_lambdas.tools.marks import mark_of
from agentcore_lambdas.tools.schemas import RecursiveTypeError, Schema, for_gateway, inlined

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NAME_PATTERN = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Names of tools: botocore's `HarnessToolName`."""

DESCRIPTION_LIMIT = 4096
"""Characters of a description: botocore's `HarnessInlineFunctionDescription`."""

_QUOTED = re.compile(r"`([^`]+)`")
_SHOWN_FAULTS = 10
_MESSAGE_LIMIT = 300


class _SchemaGenerator(GenerateJsonSchema):
    # A default that is no JSON is the function's own business: it is used where the argument is left out.
    ignored_warning_kinds = frozenset({"skipped-choice", "non-serializable-default"})  # type: ignore[assignment]  # a set there


@dataclass(frozen=True)
class _Argument:
    """One argument of the function that the model gives.

    Attributes:
        name: Its name, in the function and in the schema.
        positional: Whether the function takes it by position alone.
        absent_as_none: Whether it may be None and has no default: then leaving it out means None.
    """

    name: str
    positional: bool
    absent_as_none: bool


class InputError(ValueError):
    """The model's input does not fit; the message is a sentence for the model."""


@dataclass(frozen=True)
class ToolDefinition:
    """A function as a tool; made by `define`.

    Attributes:
        function: The function.
        name: 1–64 of letters, digits, '_' and '-'.
        description: When and how to use it, at most 4096 characters.
        approval: Whether a person has to agree before it runs.
        input_schema: JSON schema of its arguments, without references.
        model: The pydantic model that the schema comes from and that validates the input.
    """

    function: Callable[..., Any]
    name: str
    description: str
    approval: bool
    input_schema: Schema
    model: type[BaseModel]
    _arguments: tuple[_Argument, ...]
    _context: str | None

    @cached_property
    def gateway_schema(self) -> Schema:
        """The schema in the form that a gateway's Lambda target takes.

        Raises:
            ToolDefinitionError: An argument has no such form.
        """
        schema, problems = for_gateway(self.input_schema)
        if problems:
            raise ToolDefinitionError(self.name, problems)
        return schema

    def bind(self, given: Any, context: ToolContext | None = None) -> tuple[list[Any], dict[str, Any]]:
        """Validates an input and returns what to call the function with.

        Args:
            given: What the model gave: a JSON object.
            context: Handed to a parameter of type `ToolContext`, if there is one.

        Raises:
            InputError: The input does not fit; with a sentence for the model.
        """
        try:
            # As JSON: what JSON has no type for, such as dates, comes as text even where a type is strict.
            checked = self.model.model_validate_json(json.dumps(given))
        except ValidationError as error:
            raise InputError(_sentence(self.name, error)) from None
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for index, argument in enumerate(self._arguments):
            field = _field(index)
            if argument.positional:
                # One that was left out holds the place of those after it, with the function's own default.
                positional.append(getattr(checked, field))
            elif field in checked.model_fields_set or argument.absent_as_none:
                named[argument.name] = getattr(checked, field)
        if self._context is not None:
            named[self._context] = context
        return positional, named


def define(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    approval: bool | None = None,
) -> ToolDefinition:
    """Derives a tool from a function.

    Args:
        function: With type hints for all parameters, and a docstring in Google's style.
        name: That of the decorator, or of the function, unless given.
        description: That of the decorator, or the docstring up to its first section, unless given.
        approval: Whether a person has to agree; what the decorator says unless given.

    Raises:
        ToolDefinitionError: The function cannot be a tool; with every reason why.
    """
    if not inspect.isroutine(function):
        problem = Problem("", "must be a function", f"an object of class {type(function).__name__}", "pass a function")
        raise ToolDefinitionError(str(getattr(function, "__name__", type(function).__name__)), [problem])
    mark = mark_of(function)
    docstring = parse(inspect.getdoc(function))
    named = name or (mark and mark.name) or function.__name__
    described = description or (mark and mark.description) or docstring.text
    problems = [*_naming(named), *_describing(described)]
    if inspect.isasyncgenfunction(inspect.unwrap(function)):
        fix = "collect what it yields in a list, and return that"
        problems.append(Problem("", "must return one result", "an asynchronous generator", fix))
    reading = _Reading(function, docstring)
    problems += reading.problems
    if problems:
        raise ToolDefinitionError(function.__qualname__, problems)
    schema = _schema(function, reading.model)
    return ToolDefinition(
        function=function,
        name=named,
        description=described,
        approval=bool(mark and mark.approval) if approval is None else approval,
        input_schema=schema,
        model=reading.model,
        _arguments=tuple(reading.arguments),
        _context=reading.context,
    )


def _naming(name: str) -> Iterator[Problem]:
    if NAME_PATTERN.fullmatch(name) is None:
        fix = "give it a name that fits: @tool(name=…)"
        yield Problem("name", "must be 1–64 letters, digits, '_' and '-'", f"{name[:80]!r}", fix)


def _describing(description: str) -> Iterator[Problem]:
    if not description.strip():
        fix = "write a docstring: the model reads it to decide when to call the tool"
        yield Problem("description", "must say when to use the tool", "no docstring", fix)
    elif len(description) > DESCRIPTION_LIMIT:
        fix = "shorten the docstring, or give a description: @tool(description=…)"
        must = f"must be at most {DESCRIPTION_LIMIT} characters"
        yield Problem("description", must, f"{len(description)} characters", fix)


class _Reading:
    """Reads the parameters of a function.

    Attributes:
        model: The pydantic model of the arguments.
        arguments: What the model of the agent gives.
        context: The parameter that takes the `ToolContext`, if there is one.
        problems: Why the parameters cannot be those of a tool.
    """

    model: type[BaseModel]

    def __init__(self, function: Callable[..., Any], docstring: Docstring) -> None:
        self.arguments: list[_Argument] = []
        self.context: str | None = None
        self.problems: list[Problem] = []
        self._documented = docstring.arguments
        self._fields: dict[str, Any] = {}
        parameters = inspect.signature(function).parameters
        hints = self._hints(function)
        for parameter in parameters.values():
            self._read(parameter, hints)
        for name in docstring.arguments.keys() - parameters.keys():
            fix = f"the docstring describes an argument '{name}': rename it, or remove it there"
            self.problems.append(Problem(f"parameters.{name}", "must be a parameter", "none of that name", fix))
        if not self.problems:
            self._make(function)

    def _hints(self, function: Callable[..., Any]) -> dict[str, Any]:
        try:
            return typing.get_type_hints(inspect.unwrap(function), include_extras=True)
        except NameError as error:
            fix = "import the type at the top of the module, not under TYPE_CHECKING and not within a function"
            self.problems.append(Problem("", "must have type hints of known names", str(error), fix))
        except (AttributeError, SyntaxError, TypeError) as error:
            fix = "correct the hint; a type checker finds which one it is"
            self.problems.append(Problem("", "must have type hints that name types", str(error), fix))
        return {}

    def _read(self, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> None:
        path = f"parameters.{parameter.name}"
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            fix = "name the arguments one by one, or take one of type list or dict"
            self.problems.append(Problem(path, "must be a single argument", f"*{parameter.name}", fix))
            return
        if parameter.name not in hints:
            if not self.problems:
                fix = "add one: the model learns from it what to pass"
                self.problems.append(Problem(path, "must have a type hint", "none", fix))
            return
        hint = hints[parameter.name]
        if hint == ToolContext or hint == ToolContext | None:
            self.context = parameter.name
            return
        required = parameter.default is parameter.empty
        absent_as_none = required and _takes_none(hint)
        field: Any = FieldInfo.from_annotation(hint)
        extra: dict[str, Any] = {"alias": parameter.name}
        if field.description is None and self._documented.get(parameter.name):
            extra["description"] = self._documented[parameter.name]
        if not required or absent_as_none:
            extra["default"] = None if absent_as_none else parameter.default
        self._fields[_field(len(self.arguments))] = (Annotated[hint, Field(**_without_default(extra))], _default(extra))
        self.arguments.append(
            _Argument(parameter.name, parameter.kind is parameter.POSITIONAL_ONLY, absent_as_none=absent_as_none)
        )

    def _make(self, function: Callable[..., Any]) -> None:
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=False, hide_input_in_errors=True)
        try:
            self.model = create_model(function.__name__, __config__=config, **self._fields)
        except (PydanticSchemaGenerationError, PydanticUserError) as error:
            reason = str(error).splitlines()[0]
            fix = "use types that JSON can carry: numbers, text, lists, dates, enums, pydantic models"
            self.problems.append(Problem("parameters", "must be of types pydantic knows", reason, fix))


def _field(index: int) -> str:
    """Fields have names of their own, so that an argument may be called `schema` or `copy`."""
    return f"argument_{index}"


def _without_default(extra: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in extra.items() if key != "default"}


def _default(extra: dict[str, Any]) -> Any:
    return extra.get("default", ...)


def _takes_none(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _takes_none(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return None in get_args(hint)
    return get_origin(hint) in {Union, types.UnionType} and type(None) in get_args(hint)


def _schema(function: Callable[..., Any], model: type[BaseModel]) -> Schema:
    try:
        schema = inlined(model.model_json_schema(by_alias=True, schema_generator=_SchemaGenerator))
    except RecursiveTypeError as error:
        fix = "nest it to a fixed depth, or take the text of a JSON document"
        problem = Problem("parameters", "must be of types that do not contain themselves", f"the type {error}", fix)
        raise ToolDefinitionError(function.__qualname__, [problem]) from None
    except PydanticUserError as error:
        raise ToolDefinitionError(function.__qualname__, [_without_schema(error)]) from None
    schema.pop("description", None)  # of the model made here
    schema.setdefault("properties", {})
    return schema


def _without_schema(error: PydanticUserError) -> Problem:
    if error.code == "class-not-fully-defined":
        # "`<model>` is not fully defined; you should define `<name>`, …"
        unknown = ", ".join(_QUOTED.findall(error.message)[1:2]) or "a name"
        fix = "import it at the top of the module of the type that names it, not under TYPE_CHECKING"
        return Problem("parameters", "must be of types whose own hints are known", f"the unknown {unknown}", fix)
    reason = str(error).splitlines()[0]
    fix = "use types that JSON can carry: numbers, text, lists, dates, enums, pydantic models"
    return Problem("parameters", "must be of types that have a JSON schema", reason, fix)


def _sentence(tool: str, error: ValidationError) -> str:
    """One sentence for the model: what is wrong with its input. The input itself is not repeated."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":
        return f"The input of {tool} is no text that can be read; call it again with valid Unicode."
    told = [f"{_path(fault['loc'])}: {_lowered(fault['msg'])}" for fault in faults[:_SHOWN_FAULTS]]
    more = len(faults) - len(told)
    return f"The input of {tool} does not fit: {'; '.join(told)}{f'; and {more} more' if more else ''}."


def _path(steps: tuple[int | str, ...]) -> str:
    path = ""
    for step in steps:
        name = step if isinstance(step, int) or step.isidentifier() else json.dumps(step)
        path += f"[{step}]" if isinstance(step, int) else f".{name}" if path else str(name)
    return path[:_MESSAGE_LIMIT] or "the input"


def _lowered(message: str) -> str:
    text = " ".join(message.removeprefix("Value error, ").removesuffix(".").split())[:_MESSAGE_LIMIT]
    return text[:1].lower() + text[1:]
