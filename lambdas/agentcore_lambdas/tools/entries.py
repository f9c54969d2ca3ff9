"""Which functions a Lambda function serves as tools, written in one environment variable.

`refunds` stands for the marked functions of that module, `refunds:refund` for one function, `refunds:refund=give_back`
for one under another name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from agentcore_lambdas.tools.definition import ToolDefinition, define
from agentcore_lambdas.tools.errors import Problem, ToolDefinitionError
from agentcore_lambdas.tools.marks import marked_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

VARIABLE = "AGENTCORE_TOOLS"
"""The environment variable."""

_ENTRY = re.compile(r"([\w.]+)(?::(\w+)(?:=([\w-]+))?)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the variable says about one module or function.

    Attributes:
        module: As it is imported in Lambda.
        function: None for all that the module marks.
        name: What the model calls the function, where that is not its own name.
    """

    module: str
    function: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        function = "" if self.function is None else f":{self.function}"
        return f"{self.module}{function}{'' if self.name is None else f'={self.name}'}"


def written(entries: Iterable[Entry]) -> str:
    """Returns the variable's value."""
    return ",".join(str(entry) for entry in entries)


def read(text: str) -> list[Entry]:
    """Reads the variable's value.

    Raises:
        ValueError: It is none.
    """
    entries = []
    for part in text.split(","):
        match = _ENTRY.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{VARIABLE} must list modules and functions as module:function; received {part!r}")
        entries.append(Entry(*match.groups()))
    return entries


def load(entries: Iterable[Entry]) -> dict[str, ToolDefinition]:
    """Imports the modules and derives the tools, by name.

    Raises:
        ImportError: A module cannot be imported.
        ToolDefinitionError: A function cannot be a tool, or two have the same name.
    """
    tools: dict[str, ToolDefinition] = {}
    for entry in entries:
        module = import_module(entry.module)
        for definition in _defined(module, entry):
            other = tools.setdefault(definition.name, definition)
            if other is not definition:
                raise ToolDefinitionError(definition.name, [same_name(other, definition)])
    return tools


def _defined(module: ModuleType, entry: Entry) -> list[ToolDefinition]:
    if entry.function is not None:
        return [define(getattr(module, entry.function), name=entry.name)]
    return [define(function) for function in marked_in(module)]


def same_name(one: ToolDefinition, other: ToolDefinition) -> Problem:
    """Two functions with one name."""
    places = " and ".join(f"{each.function.__module__}.{each.function.__qualname__}" for each in (one, other))
    return Problem("name", "must be another one for each function", places, "rename one: @tool(name=…)")
