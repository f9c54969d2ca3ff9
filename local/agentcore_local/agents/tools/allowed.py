"""``allowedTools``: which tools the model gets to see.

The documented forms: ``*``; the name of a built-in tool, or a glob; ``@builtin`` and ``@builtin/<name>``; ``@<tool>``
and ``@<tool>/<its own tools>``; globs everywhere. Sources disagree whether an inline function's name needs its @: both
forms are taken. They disagree on an empty list too: it hides everything but inline functions, as one project observed.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_allowed(name: str, kind: str, patterns: Sequence[str]) -> bool:
    """Whether one of `patterns` lets the model see a tool.

    Args:
        name: The tool's name.
        kind: ``builtin``, or its ``HarnessToolType``.
        patterns: The entries of ``allowedTools``.
    """
    if not patterns:
        return kind == "inline_function"
    return any(_matches(name, kind, pattern) for pattern in patterns)


def _matches(name: str, kind: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    source, slash, tool = pattern.removeprefix("@").partition("/")
    if not pattern.startswith("@"):
        return kind in {"builtin", "inline_function"} and not slash and fnmatchcase(name, source)
    if kind == "builtin":
        # @* and @*/x stand for every source of tools, and the built-in ones are one.
        return fnmatchcase("builtin", source) and (not slash or fnmatchcase(name, tool))
    # Which tools a gateway or an MCP server offers is not known here: a pattern for one of them shows the whole.
    return fnmatchcase(name, source)
