"""Tools of targets, and what their calls come to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

SEPARATOR = "___"
"""Stands between the name of a target and that of its tool."""

GENERAL_ERROR = "An internal error occurred. Please retry later."
"""What callers are told of a target that failed, unless the gateway's exception level is DEBUG."""


@dataclass(frozen=True)
class Tool:
    """A tool as MCP lists it, without the name of its target.

    Attributes:
        name: Within its target.
        description: When to use it.
        input_schema: JSON schema of its arguments.
        output_schema: JSON schema of what it returns, if that is known.
        route: What its target needs to call it.
    """

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None
    route: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Answer:
    """What a call came to.

    Attributes:
        content: MCP content blocks.
        is_error: Whether it failed.
        structured: Structured content, where the target has some.
    """

    content: tuple[dict[str, Any], ...]
    is_error: bool = False
    structured: Any = None


class TargetFailed(Exception):  # noqa: N818 - what failed is the target, and the caller is told
    """A target could not be asked, or failed. `public` is what callers are told in any case."""

    def __init__(self, message: str, *, public: bool = False) -> None:
        super().__init__(message)
        self.public = public


def text(value: str, *, is_error: bool = False) -> Answer:
    """An answer of one text."""
    return Answer(({"type": "text", "text": value},), is_error)


def written(value: Any) -> str:
    """A JSON value as the text a model reads; a text stays JSON, quotes and all, as the gateway passes it on."""
    return json.dumps(value, ensure_ascii=False)
