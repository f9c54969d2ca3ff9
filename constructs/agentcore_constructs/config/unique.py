"""Rules on names: each tool and each hook has its own, and what is allowed must exist."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .errors import Fault, received
from .hooks import HarnessHook
from .node import fields, members
from .tokens import is_token
from .tools import HarnessTool

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILTIN_TOOLS = ("shell", "file_operations")
"""The tools every harness has."""


def same_name_faults(tools: Any, hooks: Any) -> Iterator[Fault]:
    """Yields a fault for each tool and each hook that has the name of an earlier one."""
    yield from _repeated("tools", "tool", [(f"tools[{i}]", tool.name) for i, tool in members(tools, HarnessTool)])
    named = []
    for index, hook in members(hooks, HarnessHook):
        event = next((field for field in fields(HarnessHook) if hook.__dict__[field.name] is hook.event), None)
        if hook.event is not None and event is not None:
            named.append((f"hooks[{index}].{event.api}", hook.event.name))
    yield from _repeated("hooks", "hook", named)


def _repeated(_: str, noun: str, named: list[tuple[str, Any]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for path, name in named:
        if not isinstance(name, str) or is_token(name):
            continue
        if name in first:
            yield Fault(
                f"{path}.name",
                f"must be unique among the {noun}s",
                f"{received(name)}, the name of {first[name]} too",
                "choose another name",
            )
        first.setdefault(name, path)


def allowed_tools_faults(allowed: Any, tools: Any) -> Iterator[Fault]:
    """Yields a fault for each `@name` in allowed tools that no tool has.

    Nothing can be said while a name is inferred by the service or known only at deployment.
    """
    if not isinstance(allowed, (list, tuple)):
        return
    names: list[str] = ["builtin"]
    for _, tool in members(tools, HarnessTool):
        if not isinstance(tool.name, str) or is_token(tool.name):
            return
        names.append(tool.name)
    for index, entry in enumerate(allowed):
        if not isinstance(entry, str) or not entry.startswith("@") or is_token(entry):
            continue
        wanted = entry[1:].split("/", 1)[0]
        if not any(fnmatchcase(name, wanted) for name in names):
            known = ", ".join(f"@{name}" for name in names)
            yield Fault(
                f"allowedTools[{index}]",
                "must name a tool of this harness after '@'",
                received(entry),
                f"write one of {known}, or add the tool",
            )
