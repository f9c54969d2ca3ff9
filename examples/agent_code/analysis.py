"""What the analytics agent knows of the company, behind a gateway."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  (hints are read at run time)

from agentcore_lambdas.tools import ToolError, tool

_FISCAL_YEAR_BEGINS = 4  # April
_MONTHS_PER_QUARTER = 3
METRICS = {
    "active customers": "Customers with at least one paid order in the last 90 days.",
    "gross margin": "Revenue less cost of goods sold, divided by revenue.",
    "net revenue": "Invoiced amounts without tax, less refunds, in the month of the invoice.",
}


@tool
def fiscal_quarter(day: dt.date) -> dict[str, int]:
    """Tells the fiscal year and quarter of a day; the fiscal year begins in April.

    Args:
        day: Such as 2026-11-21.
    """
    year = day.year if day.month >= _FISCAL_YEAR_BEGINS else day.year - 1
    months = (day.month - _FISCAL_YEAR_BEGINS) % 12
    return {"fiscal_year": year, "quarter": months // _MONTHS_PER_QUARTER + 1}


@tool
def define_metric(name: str) -> str:
    """Tells how the company defines a metric. Look a metric up before computing it.

    Args:
        name: Of the metric, such as 'net revenue'.
    """
    found = METRICS.get(name.strip().lower())
    if found is None:
        raise ToolError(f"There is no metric {name!r}; there are: {', '.join(sorted(METRICS))}.")
    return found
