"""Rules on names: each tool and each hook has its own, and what is allowed must exist."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from .allowed_tools import ALL, SEPARATOR, derived
from .allowed_tools import entry as qualified
from .errors import Fault, Refused, received
from .hooks import HarnessHook
from .node import fields, members
from .tokens import is_token
from .tools import HarnessTool

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILTIN_TOOLS = ("shell", "file_operations")
"""The tools every harness has."""


_GLOB = frozenset("*?[")


def same_name_faults(tools: Any, hooks: Any) -> Iterator[Fault]:
    """Yields a fault for each tool and each hook that has the name of an earlier one."""
    yield from _repeated("tool", [(f"tools[{i}]", tool.name) for i, tool in members(tools, HarnessTool)])
    named = []
    for index, hook in members(hooks, HarnessHook):
        event = next((field for field in fields(HarnessHook) if hook.__dict__[field.name] is hook.event), None)
        if hook.event is not None and event is not None:
            named.append((f"hooks[{index}].{event.api}", hook.event.name))
    yield from _repeated("hook", named)


def _repeated(noun: str, named: list[tuple[str, Any]]) -> Iterator[Fault]:
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


def narrowed_tools_faults(allowed: Any, tools: Any) -> Iterator[Fault]:
    """Yields a fault for each tool that says which of its own tools are allowed where that cannot be."""
    for index, tool in members(tools, HarnessTool):
        if tool.allowed is None:
            continue
        path = f"tools[{index}].allowed"
        if allowed is not None:
            fix = "say it in allowed_tools, with gateway_tool(…, of=<the tool>), or in the tools alone"
            yield Fault(path, "must not be given beside allowedTools of the harness", "both", fix)
        elif not isinstance(tool.allowed, (list, tuple)):
            yield Fault(path, "must be a list of tools", received(tool.allowed), "put the names into a list")
        else:
            for entry in derived([tool]) or ():
                if isinstance(entry, Refused):
                    yield Fault(path, entry.must, entry.received, entry.fix)


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


class UnmatchedTool(NamedTuple):
    """An entry of allowed tools that no tool answers to.

    Attributes:
        entry: As it was written.
        nearest: What was probably meant, if anything is near.
        known: What the tools of this harness are allowed by.
        disputed: Whether some source says that it works all the same.
    """

    entry: str
    nearest: str | None
    known: tuple[str, ...]
    disputed: bool = False


def unmatched_allowed_tools(allowed: Any, tools: Any) -> Iterator[UnmatchedTool]:
    """Yields each entry without `@` that is the name of no built-in and no inline tool.

    Such an entry allows nothing, and the service does not say so. It is no fault either: sources conflict about the
    bare names of a gateway's tools (`<target>___<tool>`), which are disputed; of harnesses without a gateway they pass,
    as globs do. Nothing can be said while a name is inferred by the service or known only at deployment.
    """
    if not isinstance(allowed, (list, tuple)) or is_token(allowed):
        return
    bare, sources, gateways = list(BUILTIN_TOOLS), ["builtin"], []
    for _, tool in members(tools, HarnessTool):
        if not isinstance(tool.name, str) or is_token(tool.name):
            return
        (bare if tool.type == "inline_function" else sources).append(tool.name)
        if tool.type == "agentcore_gateway":
            gateways.append(tool.name)
    forms = {**{f"@{name}": name for name in sources}, **{name: name for name in bare}}
    for entry in allowed:
        if not isinstance(entry, str) or entry.startswith("@") or is_token(entry):
            continue
        if entry in bare or _GLOB & set(entry):
            continue
        if SEPARATOR not in entry:
            yield UnmatchedTool(entry, _nearest(entry, forms), tuple(forms))
        elif gateways:
            source = gateways[0] if len(gateways) == 1 else ALL
            yield UnmatchedTool(entry, qualified(source, entry), tuple(forms), disputed=True)


def _nearest(entry: str, forms: dict[str, str]) -> str | None:
    name, slash, tool = entry.partition("/")
    similar = difflib.get_close_matches(name.lower(), [known.lower() for known in forms.values()], n=1)
    form = next((form for form, known in forms.items() if similar and known.lower() == similar[0]), None)
    return f"{form}{slash}{tool}" if form is not None and form.startswith("@") else form
