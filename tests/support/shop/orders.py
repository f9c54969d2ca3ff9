"""The shop's tools."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  (hints are read at run time)
import enum
import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agentcore_lambdas.tools import ToolContext, ToolError, tool


class Reason(enum.Enum):
    """Why something is sent back."""

    DAMAGED = "damaged"
    LATE = "late"


class Line(BaseModel):
    """One line of an order."""

    sku: Annotated[str, Field(description="Stock number", min_length=1)]
    count: Annotated[int, Field(ge=1, le=99)] = 1
    note: str | None = None


@tool(approval=True)
def refund(
    order_id: str,
    lines: list[Line],
    reason: Reason,
    on: dt.date | None = None,
    currency: Literal["EUR", "USD"] = "EUR",
) -> dict[str, Any]:
    """Refunds an order, in part or as a whole.

    Use it only after the customer has confirmed.

    Args:
        order_id: As printed on the invoice,
            without blanks.
        lines: What is refunded.
        reason: Why.
        on: The day of the refund; today unless given.
        currency: Of the payment.

    Returns:
        What was refunded.
    """
    return {"order": order_id, "lines": lines, "reason": reason, "on": on, "currency": currency}


@tool(name="order-status")
async def status(order_id: str, /) -> str:
    """Tells where an order is."""
    return f"Order {order_id} ist unterwegs 🚚"


@tool
def misbehave(how: str, context: ToolContext) -> Any:
    """Does what it should not.

    Args:
        how: In which way.
    """
    if how == "raise":
        raise RuntimeError("the database password is hunter2")
    if how == "decline":
        raise ToolError("Order 7 is closed; reopen it first.")
    if how == "exit":
        raise SystemExit(3)
    if how == "sleep":
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001  (what it tests)
            return "swallowed"
    return {"object": object(), "big": "é" * 500_000, "huge": "x" * 7_000_000, "half": "\ud83d"}.get(
        how, context.caller.get("bedrockAgentCoreToolName")
    )
