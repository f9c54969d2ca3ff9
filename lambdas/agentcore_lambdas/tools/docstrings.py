"""Google-style docstrings: what a function does, and what each of its arguments means.

The sections are those of https://google.github.io/styleguide/pyguide.html#383-functions-and-methods and of Napoleon,
which reads the same style for Sphinx.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_ARGUMENTS = frozenset({"args", "arguments", "parameters", "params", "keyword args", "keyword arguments"})
_OTHERS = frozenset(
    {
        "attributes", "caution", "danger", "error", "example", "examples", "hint", "important", "methods", "note",
        "notes", "raise", "raises", "references", "return", "returns", "see also", "tip", "todo", "warning", "warnings",
        "warns", "yield", "yields",
    }
)  # fmt: skip
# With or without a type in brackets, and with the stars of *args.
_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says.

    Attributes:
        text: Everything before the first section: the summary, and what explains it.
        arguments: Argument → what it means.
    """

    text: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


def parse(docstring: str | None) -> Docstring:
    """Reads a docstring; what is not in Google's style is text."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    text: list[str] = []
    arguments: dict[str, str] = {}
    index = 0
    in_text = True
    while index < len(lines):
        title = _section(lines[index])
        if title is None:
            if in_text:
                text.append(lines[index].rstrip())
            index += 1
            continue
        in_text = False
        body, index = _body(lines, index + 1)
        if title in _ARGUMENTS:
            arguments.update(_arguments(body))
    return Docstring("\n".join(text).strip(), arguments)


def _section(line: str) -> str | None:
    """The lower-case title of a section's head line; None for any other line."""
    title = line.rstrip().removesuffix(":").lower()
    is_head = line.rstrip().endswith(":") and not line[:1].isspace()
    return title if is_head and title in _ARGUMENTS | _OTHERS else None


def _body(lines: list[str], start: int) -> tuple[list[str], int]:
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end][:1].isspace()):
        end += 1
    return lines[start:end], end


def _arguments(body: list[str]) -> dict[str, str]:
    """Arguments stand at the smallest indentation; what is indented further continues the one above."""
    filled = [line for line in body if line.strip()]
    if not filled:
        return {}
    margin = min(len(line) - len(line.lstrip()) for line in filled)
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in filled:
        match = _ARGUMENT.fullmatch(line.strip()) if len(line) - len(line.lstrip()) == margin else None
        if match is not None:
            current = found.setdefault(match[1], [])
            current.append(match[2])
        else:
            current.append(line.strip())
    return {name: " ".join(part for part in parts if part) for name, parts in found.items()}
