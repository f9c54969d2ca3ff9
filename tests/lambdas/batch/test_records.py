"""Lines become items or say why not; no line costs another one, however the file comes in pieces."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore_lambdas.batch import records
from agentcore_lambdas.batch.errors import BatchInputInvalid
from agentcore_lambdas.batch.records import Item, Refused

LIMIT = 100


def jsonl(*chunks: bytes) -> list[Item | Refused]:
    return list(records.json_lines(records.lines(chunks, LIMIT), LIMIT))


def csv(content: bytes, delimiter: str = ",") -> list[Item | Refused]:
    return list(records.comma_separated(records.lines([content], LIMIT), LIMIT, delimiter))


def told(found: list[Item | Refused]) -> list[Any]:
    return [(one.line, one.value if isinstance(one, Item) else one.reason) for one in found]


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.lists(st.integers(0, 400)))
def test_lines_do_not_depend_on_the_pieces(written: list[bytes], cuts: list[int]) -> None:
    content = b"".join(line + b"\n" for line in written)
    edges = [0, *sorted(cut for cut in cuts if cut < len(content)), len(content)]
    chunks = [content[start:end] for start, end in itertools.pairwise(edges)]
    found = list(records.lines(chunks, LIMIT))
    assert found == list(records.lines([content], LIMIT))
    assert [line.number for line in found] == list(range(1, len(written) + 1))
    assert [line.size for line in found] == [len(line) for line in written]


@given(st.lists(st.one_of(st.integers(), st.text(max_size=10), st.none(), st.dictionaries(st.text(), st.booleans()))))
def test_what_is_json_is_an_item(values: list[Any]) -> None:
    found = jsonl(b"".join(json.dumps(value).encode() + b"\n" for value in values))
    short = [value if len(json.dumps(value)) <= LIMIT else "too_large" for value in values]
    assert [value for _, value in told(found)] == short


def test_what_is_no_json_is_refused_and_nothing_else() -> None:
    found = jsonl(b'\xef\xbb\xbf{"a": 1}\r\n\n{"a":\n\xff\n', b"x" * 60, b"x" * 60, b"\nNaN\n[2]")
    assert told(found) == [(1, {"a": 1}), (3, "unreadable"), (4, "unreadable"), (5, "too_large"), (6, "unreadable"),
                           (7, [2])]  # fmt: skip
    assert isinstance(found[3], Refused)
    assert found[3].cause == "the item has 120 bytes, and 100 are the limit"
    deep = list(records.json_lines([records.Line(1, b"[" * 100_000, 100_000, 0)], 200_000))
    assert told(deep) == [(1, "unreadable")]


def test_memory_is_bounded_by_the_limit() -> None:
    (line,) = records.lines((b"x" * 1000 for _ in range(1000)), LIMIT)
    assert (line.size, len(line.content)) == (1_000_000, LIMIT)


def test_rows() -> None:
    found = csv(b'id;"na me"\n\n1;"two\n\nlines"\n2;a;b\n3;"it ""is"""\n4;"x"y\n', ";")
    assert told(found) == [
        (3, {"id": "1", "na me": "two\n\nlines"}),
        (6, "unreadable"),
        (7, {"id": "3", "na me": 'it "is"'}),
        (8, "unreadable"),
    ]
    assert isinstance(found[1], Refused)
    assert found[1].described() == {
        "line": 6,
        "reason": "unreadable",
        "cause": "the row has 3 columns, and the first row names 2",
        "raw": "2;a;b",
    }


def test_a_quote_that_is_not_closed_and_a_row_that_is_too_large() -> None:
    found = csv(b'a\n"' + b"x" * 200 + b'\n"\nshort\n"open\nrest\n')
    assert told(found) == [(2, "too_large"), (4, {"a": "short"}), (5, "unreadable")]
    last = found[-1]
    assert isinstance(last, Refused)
    assert (last.end_line, last.described()["endLine"], last.raw) == (6, 6, '"open\nrest')


@pytest.mark.parametrize("header", [b"a,a\n1,2\n", b"a,\n", b'"a\n', b'"a"b\n'])
def test_a_first_row_that_names_no_columns(header: bytes) -> None:
    with pytest.raises(BatchInputInvalid, match="the first row must name"):
        csv(header)
