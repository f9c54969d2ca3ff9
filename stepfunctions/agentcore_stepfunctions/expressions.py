"""Writing JSONata in Python, and telling apart what is an expression, what is a path and what is just text."""

from __future__ import annotations

import json
import re

from aws_cdk.aws_stepfunctions import FieldUtils

from agentcore_constructs.config import is_token

_EXPRESSION = re.compile(r"\s*\{%(.*)%\}\s*", re.DOTALL)
# "$.order.id", "$$.Execution.Name", "$['a b'][0]": a JSONPath from end to end, no sentence that begins with a dollar.
_JSON_PATH = re.compile(r"\$\$?(\.[A-Za-z_][\w-]*|\[[^\]]+\])+")
_INTRINSIC = re.compile(r"States\.[A-Z][A-Za-z0-9]+\(.*\)", re.DOTALL)
_BARE_JSONATA = re.compile(r"\$states\.(input|context|result|errorOutput)\b.*", re.DOTALL)


def jsonata(expression: str) -> str:
    """Marks text as a JSONata expression: `jsonata("$states.input.topic")` is `"{% $states.input.topic %}"`.

    Args:
        expression: JSONata, with or without the `{% %}` around it.
    """
    return f"{{% {inner(expression)} %}}"


def text(*parts: str) -> str:
    """Joins text and JSONata expressions to one expression: `text("Summarize ", jsonata("$states.input.url"))`.

    A part that selects nothing at run time adds nothing, as everywhere in JSONata.

    Args:
        parts: Literal text, quoted as needed, and expressions (see `jsonata`).
    """
    return jsonata(" & ".join(f"({inner(part)})" if is_expression(part) else quoted(part) for part in parts))


def is_expression(value: object) -> bool:
    """Tells whether a value is a JSONata expression: text between `{%` and `%}`."""
    return isinstance(value, str) and _EXPRESSION.fullmatch(value) is not None


def inner(expression: str) -> str:
    """The expression without the `{% %}` around it."""
    found = _EXPRESSION.fullmatch(expression)
    return (found[1] if found else expression).strip()


def looks_like_path(value: object) -> bool:
    """Tells whether a text is a JSONPath or a JSONPath intrinsic from end to end."""
    return isinstance(value, str) and bool(_JSON_PATH.fullmatch(value) or _INTRINSIC.fullmatch(value))


def looks_like_bare_jsonata(value: object) -> bool:
    """Tells whether a text is JSONata on the state's data that lacks its `{% %}`, so that it would go out as text."""
    return isinstance(value, str) and _BARE_JSONATA.fullmatch(value) is not None


def quoted(literal: str) -> str:
    """A JSONata string literal, in single quotes where nothing in it needs an escape."""
    # "%}" would end the expression.
    escaped = json.dumps(literal, ensure_ascii=False).replace("%}", r"%\u007d")
    plain = escaped[1:-1]
    return f"'{plain}'" if plain == literal and "'" not in literal else escaped


def json_paths(value: object) -> list[str]:
    """The JSONPaths that the functions of `JsonPath` put into a value."""
    return list(FieldUtils.find_referenced_paths({"value": value})) if is_token(value) else []


RESULT_TEXT = jsonata("$join([$states.result.Output.Message.Content.Text])")
"""The text of the agent's last message; empty when the message has no text, for which Step Functions gives no block."""

RESULT_USAGE = jsonata(
    "{'inputTokens': $states.result.Usage.InputTokens, 'outputTokens': $states.result.Usage.OutputTokens,"
    " 'totalTokens': $states.result.Usage.TotalTokens}"
)
"""Tokens of the whole invocation; a number the service leaves out is left out here."""
