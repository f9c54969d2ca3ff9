"""A tool with every kind of default that JSON or CloudFormation has no form for."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel

from agentcore_lambdas.tools import tool


class Window(BaseModel):
    """When to deliver."""

    day: dt.date = dt.date(2027, 1, 2)
    hour: int | None = None


@tool
def deliver(  # noqa: PLR0917  (one argument of each kind)
    mode: Literal["fast", None],  # noqa: PYI061
    window: Window = Window(),  # noqa: B008  (what it tests)
    limit: float = float("inf"),
    notes: Any = None,
    floors: list[int | None] = [None],  # noqa: B006
    count: int = None,  # type: ignore[assignment]  # noqa: RUF013
    choice: Literal["ring", None] = None,  # noqa: PYI061
) -> str:
    """Delivers an order.

    Args:
        mode: How.
    """
    return repr((mode, window.day, window.hour, limit, notes, floors, count, choice))
