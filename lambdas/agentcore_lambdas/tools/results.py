"""What a tool's Lambda function answers, and how its caller reads it.

The answer is that of a gateway's Lambda target: JSON, which the model gets as text. An error is an answer as well, in
the form of MCP's `CallToolResult` (https://modelcontextprotocol.io/specification/2025-06-18/server/tools), so that the
model reads a sentence and the caller knows that it is an error; a Lambda function that raises would be retried, counted
as broken, and told to the model as an internal error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes of an answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

_MIB = 1024 * 1024


class NoJsonError(ValueError):
    """A value that is no JSON, or too much of it; the message says which, as the end of "The tool … "."""


def answer(value: Any) -> Any:
    """Returns what a tool gave as JSON: pydantic models, dataclasses, dates, enums and sets become what they look like.

    Raises:
        NoJsonError: There is no such JSON, or it is more than Lambda can return.
    """
    try:
        text = to_json(value, by_alias=True, inf_nan_mode="strings")
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        raise NoJsonError(f"returned something that is no JSON: an object of class {type(value).__name__}") from None
    if len(text) > PAYLOAD_LIMIT:
        size, limit = len(text) / _MIB, PAYLOAD_LIMIT // _MIB
        raise NoJsonError(f"returned {size:.1f} MiB, and at most {limit} MiB can be passed on")
    return json.loads(text)


def error(sentence: str) -> dict[str, Any]:
    """Returns the answer that tells the model why a call did not work."""
    return {"isError": True, "content": [{"type": "text", "text": sentence}]}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call of a tool gave.

    Attributes:
        is_error: Whether it did not work.
        value: JSON; of an error, the sentence.
    """

    is_error: bool
    value: Any

    def to_content(self) -> list[dict[str, Any]]:
        """The content of a `toolResult` of InvokeHarness: text as text, everything else as JSON."""
        return [{"text": self.value}] if isinstance(self.value, str) else [{"json": self.value}]

    @property
    def status(self) -> str:
        """The status of a `toolResult` of InvokeHarness."""
        return "error" if self.is_error else "success"


def read(payload: bytes | str, function_error: str | None = None) -> ToolResult:
    """Reads what Lambda's Invoke returned for a tool, whoever wrote that function.

    Args:
        payload: The payload of the response.
        function_error: Its FunctionError: then the function raised, was ended, or ran out of time.
    """
    try:
        given = json.loads(payload) if payload else None
    except ValueError:
        return ToolResult(is_error=True, value="The tool answered with something that is no JSON.")
    if function_error:
        return ToolResult(is_error=True, value=_failure(given))
    if isinstance(given, Mapping) and given.get("isError") is True and isinstance(given.get("content"), list):
        texts = [block["text"] for block in given["content"] if isinstance(block, Mapping) and "text" in block]
        return ToolResult(is_error=True, value="\n".join(str(text) for text in texts) or "The tool failed.")
    return ToolResult(is_error=False, value=given)


def _failure(given: Any) -> str:
    """Lambda's own words on a function that failed hold a stack trace; the model needs none of it."""
    told = str(given.get("errorMessage", "")) if isinstance(given, Mapping) else ""
    kind = str(given.get("errorType", "")) if isinstance(given, Mapping) else ""
    if "Task timed out" in told or kind == "Sandbox.Timedout":
        return "The tool did not finish in time."
    return "The tool failed."
