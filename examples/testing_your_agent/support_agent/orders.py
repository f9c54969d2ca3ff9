"""The tools of the agent, as plain functions: whoever calls the agent runs them when the agent asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS = {
    "17": {"item": "a lamp", "state": "on its way", "euros": 40},
    "18": {"item": "a desk", "state": "delivered", "euros": 320},
}


@dataclass(frozen=True)
class InlineTool:
    """A function, and what the model is told about it."""

    run: Callable[..., str]
    description: str
    arguments: dict[str, str]

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of its arguments, all of them required."""
        properties = {name: {"type": kind} for name, kind in self.arguments.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}


def look_up_order(order: str) -> str:
    """Says what was ordered and where it is."""
    found = ORDERS.get(order)
    return f"Order {order}: {found['item']}, {found['state']}." if found else f"There is no order {order}."


def refund(order: str, euros: int) -> str:
    """Gives money back."""
    return f"Refunded {euros} euros for order {order}."


TOOLS = {
    "look_up_order": InlineTool(look_up_order, "Says what was ordered and where it is.", {"order": "string"}),
    "refund": InlineTool(refund, "Gives money back for an order.", {"order": "string", "euros": "integer"}),
}


def answer(tool_use: dict[str, Any]) -> dict[str, Any]:
    """Runs the tool that the agent asked for; returns the `toolResult` to send back in the same session."""
    try:
        text, status = TOOLS[tool_use["name"]].run(**tool_use["input"]), "success"
    except (KeyError, TypeError) as error:
        text, status = f"That did not work: {error}", "error"
    return {"toolResult": {"toolUseId": tool_use["toolUseId"], "content": [{"text": text}], "status": status}}
