"""Items of JSON Lines and CSV, one at a time: memory is bounded by the size of one item. No I/O here.

A line that cannot be read is told, with its number, and costs no other line.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentcore_lambdas.batch.errors import BatchInputInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Reason = Literal["too_large", "unreadable"]

HEAD_CHARACTERS = 1000
"""What is kept of a line that is too large."""
_BOM = b"\xef\xbb\xbf"
csv.field_size_limit(1 << 30)  # records are limited before they are parsed


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is in the file.

    Attributes:
        number: From 1.
        content: Without its end, and cut at the limit.
        size: Bytes it really has.
        quotes: Double quotes in it.
    """

    number: int
    content: bytes
    size: int
    quotes: int


@dataclass(frozen=True, slots=True)
class Item:
    """One item, known by the line it begins on."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """A line nothing can be made of.

    Attributes:
        line: Where it begins.
        reason: What is wrong, in a word.
        cause: What is wrong, in a sentence.
        raw: The line, or the head of one that is too large.
        end_line: Where it ends.
    """

    line: int
    reason: Reason
    cause: str
    raw: str
    end_line: int

    def described(self) -> dict[str, Any]:
        """The failure as the failures file has it."""
        end = {} if self.end_line == self.line else {"endLine": self.end_line}
        return {"line": self.line, **end, "reason": self.reason, "cause": self.cause, "raw": self.raw}


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[Line]:
    """Yields the lines of a file.

    Args:
        chunks: The file, in pieces of any size.
        limit: Bytes of a line that are kept.
    """
    number, held, size, quotes = 1, bytearray(), 0, 0

    def take(piece: bytes) -> None:
        nonlocal size, quotes
        held.extend(piece[: limit - len(held)])
        size += len(piece)
        quotes += piece.count(b'"')

    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            take(piece)
            yield _line(number, held, size, quotes)
            number, held, size, quotes = number + 1, bytearray(), 0, 0
        take(rest)
    if size:
        yield _line(number, held, size, quotes)


def _line(number: int, held: bytearray, size: int, quotes: int) -> Line:
    content = bytes(held)
    if number == 1:
        content = content.removeprefix(_BOM)
    return Line(number, content.removesuffix(b"\r"), size, quotes)


def json_lines(found: Iterable[Line], limit: int) -> Iterator[Item | Refused]:
    """Yields the items of JSON Lines; empty lines are none.

    Args:
        found: The lines.
        limit: Bytes a line may have.
    """
    for line in found:
        if line.size > limit:
            yield _too_large(line.number, line.number, line.content, line.size, limit)
        elif line.content.strip():
            yield _parsed(line)


def _parsed(line: Line) -> Item | Refused:
    try:
        return Item(line.number, json.loads(line.content.decode("utf-8"), parse_constant=_no_constant))
    except RecursionError:
        cause = "it is nested too deeply"
    except ValueError as error:
        cause = str(error)
    return _unreadable(line.number, line.number, line.content, f"the line is not JSON: {cause}")


def _no_constant(name: str) -> Any:
    message = f"{name} is no JSON"
    raise ValueError(message)


def comma_separated(found: Iterable[Line], limit: int, delimiter: str = ",") -> Iterator[Item | Refused]:
    """Yields the rows of CSV (RFC 4180) as objects by the names in the first row; empty lines are none.

    A row with more or fewer columns than the first is refused instead of being cut or filled up.

    Args:
        found: The lines.
        limit: Bytes a row may have.
        delimiter: Between columns.

    Raises:
        BatchInputInvalid: The first row does not name the columns.
    """
    names: list[str] | None = None
    for first, last, content, size in _rows(found, limit):
        if size > limit:
            yield _too_large(first, last, content, size, limit)
            continue
        try:
            row = next(csv.reader([content.decode("utf-8")], delimiter=delimiter, strict=True))
        except (ValueError, csv.Error) as error:
            cause = f"the row is not CSV: {error}"
            if names is None:
                raise BatchInputInvalid(f"the first row must name the columns: {cause}") from None
            yield _unreadable(first, last, content, cause)
            continue
        if names is None:
            names = _columns(row)
        elif len(row) != len(names):
            cause = f"the row has {len(row)} columns, and the first row names {len(names)}"
            yield _unreadable(first, last, content, cause)
        else:
            yield Item(first, dict(zip(names, row, strict=True)))


def _columns(row: list[str]) -> list[str]:
    if not all(row) or len(set(row)) != len(row):
        raise BatchInputInvalid(f"the first row must name each column once; received {json.dumps(row)[:200]}")
    return row


def _rows(found: Iterable[Line], limit: int) -> Iterator[tuple[int, int, bytes, int]]:
    """First line, last line, content (cut at the limit) and size of each row: lines until all quotes are closed."""
    first, last, held, size, quotes = 0, 0, bytearray(), 0, 0
    for line in found:
        if not quotes and not line.content.strip():
            continue
        first, last = (first or line.number), line.number
        piece = line.content if line.number == first else b"\n" + line.content
        held.extend(piece[: limit - len(held)])
        size += line.size + (line.number != first)
        quotes += line.quotes
        if quotes % 2 == 0:
            yield first, last, bytes(held), size
            first, held, size, quotes = 0, bytearray(), 0, 0
        else:
            quotes = 1
    if first:
        yield first, last, bytes(held), size


def _too_large(first: int, last: int, content: bytes, size: int, limit: int) -> Refused:
    cause = f"the item has {size} bytes, and {limit} are the limit"
    return Refused(first, "too_large", cause, content[: 4 * HEAD_CHARACTERS].decode("utf-8", "replace")[
        :HEAD_CHARACTERS
    ], last)  # fmt: skip


def _unreadable(first: int, last: int, content: bytes, cause: str) -> Refused:
    return Refused(first, "unreadable", cause, content.decode("utf-8", "replace"), last)
