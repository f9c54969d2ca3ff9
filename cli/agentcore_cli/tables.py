"""Columns for people: plain text, aligned, nothing cut. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP: Final = "  "
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header and rows in columns as wide as their widest cell; an empty cell is a dash."""
    cells = [list(header), *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def fields(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair in a line; of a value with several lines the later ones stand below the first."""
    width = max(len(name) for name, _ in rows)
    lines = (f"{name:<{width}}{_GAP}" + value.replace("\n", f"\n{' ' * width}{_GAP}") for name, value in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long something is past, in its largest whole unit: `3 min ago`."""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "now"
