"""Writes a configuration in the forms its readers take: the API, CloudFormation, aws-cdk-lib's L1, Step Functions.

Keys of structures are renamed; keys of maps (`environmentVariables`, `headers`, `retrievalConfig`, …) and all that is
inside a JSON value (`inputSchema`, `additionalParams`) are the user's own and stay as they are. What is not set does
not appear. Every form is built anew, so that changing it changes nothing else.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from .node import Node, fields

Style = Literal["api", "cfn", "l1"]


def render(value: Any, style: Style) -> Any:
    """Writes a node, or any value of a field.

    Args:
        value: A node, a list or map, or a plain value; tokens are left as they are.
        style: Which names the keys of structures get.

    Returns:
        Dicts, lists and plain values.
    """
    if isinstance(value, Node):
        own = value.__dict__
        return {key: render(own[name], style) for name, key in _keys(type(value), style) if own[name] is not None}
    if isinstance(value, (tuple, list)):
        return [render(item, style) for item in value]
    if isinstance(value, dict):
        return {key: render(item, style) for key, item in value.items()}
    return value


@cache
def _keys(node: type[Node], style: Style) -> tuple[tuple[str, str], ...]:
    """Returns the attributes of a node that are rendered, each with its key."""
    return tuple((field.name, getattr(field, style)) for field in fields(node) if not field.companion)
