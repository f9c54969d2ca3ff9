"""``allowedTools``: which tools the model gets to see.

The documented forms: ``*``; the name of a built-in tool, or a glob; ``@builtin`` and ``@builtin/<name>``; ``@<tool>``
and ``@<tool>/<its own tools>``; globs everywhere. Sources disagree whether an inline function's name needs its @: both
forms are taken. The bare name of a gateway's tool blocks it, as was observed. Sources disagree on an empty list too: it
hides everything but inline functions, as one project observed.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY = "*"


def is_allowed(name: str, kind: str, patterns: Sequence[str], *, source: str | None = None) -> bool:
    """Whether one of `patterns` lets the model see a tool.

    Args:
        name: The tool's name; within its gateway or MCP server, where it has one.
        kind: ``builtin``, or its ``HarnessToolType``.
        patterns: The entries of ``allowedTools``.
        source: The tool of the harness that is the gateway or the MCP server; the tool itself unless given.
    """
    if not patterns:
        return kind == "inline_function"
    origin = "builtin" if kind == "builtin" else source or name
    return any(_matches(name, kind, origin, pattern) for pattern in patterns)


def may_offer(source: str, patterns: Sequence[str]) -> bool:
    """Whether any tool of a gateway or an MCP server can be allowed; if not, it need not be asked."""
    return any(
        pattern == ANY or (pattern.startswith("@") and fnmatchcase(source, pattern[1:].partition("/")[0]))
        for pattern in patterns
    )


def _matches(name: str, kind: str, source: str, pattern: str) -> bool:
    if pattern == ANY:
        return True
    wanted, slash, tool = pattern.removeprefix("@").partition("/")
    if not pattern.startswith("@"):
        return kind in {"builtin", "inline_function"} and not slash and fnmatchcase(name, wanted)
    # @* and @*/x stand for every source of tools, and the built-in ones are one.
    return fnmatchcase(source, wanted) and (not slash or fnmatchcase(name, tool))
