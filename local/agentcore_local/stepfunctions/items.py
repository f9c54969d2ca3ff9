"""The items of a Distributed Map: read from datasets, selected, put into batches. No I/O here.

Sources: Step Functions developer guide, input-output-itemreader and input-output-itembatcher.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Record = dict[str, Any]

STATE_DATA = "STATE_DATA"
"""`Map.Item.Source` of items that come with the state's input."""

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_MAX_BATCH_BYTES = 256 * 1024


class DatasetError(Exception):
    """A dataset is not what its ReaderConfig says; the message is the cause of States.ItemReaderFailed."""


@dataclass(frozen=True)
class Item:
    """One item, with what the context object says of it.

    Attributes:
        value: The item.
        source: Where it comes from: `STATE_DATA`, or the URI of its object or bucket.
        key: The key it had in an object of state input.
    """

    value: Any
    source: str = STATE_DATA
    key: str | None = None

    def context(self, index: int) -> Record:
        """`Map.Item` of the context object."""
        named = {} if self.key is None else {"Key": self.key}
        return {"Index": index, **named, "Value": self.value, "Source": self.source}


def of_value(value: Any) -> list[Item]:
    """The items of an array, or of an object, whose pairs are items.

    Raises:
        DatasetError: It is neither.
    """
    if isinstance(value, list):
        return [Item(one) for one in value]
    if isinstance(value, dict):
        return [Item({"Key": key, "Value": one}, key=key) for key, one in value.items()]
    raise DatasetError(f"The items must be an array or an object; received {json.dumps(value)[:200]}")


def parse(text: str, config: Record, source: str) -> list[Item]:
    """The items of one dataset.

    Args:
        text: Content of the object.
        config: The ReaderConfig; its `InputType` is JSON unless it says otherwise.
        source: URI of the object.

    Raises:
        DatasetError: The content does not parse, or the configuration asks for what is not emulated.
    """
    kind = config.get("InputType", "JSON")
    readers = {"JSON": _json, "JSONL": _jsonl, "CSV": _csv}
    if kind not in readers:
        raise DatasetError(
            f"InputType {kind} is not emulated by the local cloud; use {', '.join(readers)}, or an AWS account"
        )
    try:
        values = readers[kind](text, config)
    except ValueError as error:
        raise DatasetError(f"{source} cannot be read as {kind}: {error}") from error
    return [Item(one.value if isinstance(one, Item) else one, source, getattr(one, "key", None)) for one in values]


def _json(text: str, config: Record) -> list[Item]:
    value = json.loads(text)
    for part in [part for part in str(config.get("ItemsPointer", "")).split("/") if part]:
        name = part.replace("~1", "/").replace("~0", "~")  # RFC 6901
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DatasetError(f"ItemsPointer {config['ItemsPointer']} leads nowhere: {name!r} is not there") from error
    return of_value(value)


def _jsonl(text: str, config: Record) -> list[Any]:  # noqa: ARG001 - the signature of a reader
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _csv(text: str, config: Record) -> list[Any]:
    delimiter = _DELIMITERS.get(config.get("CSVDelimiter", "COMMA"))
    if delimiter is None:
        raise DatasetError(f"CSVDelimiter must be one of {', '.join(_DELIMITERS)}; received {config['CSVDelimiter']}")
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter) if row]
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "GIVEN":
        headers = list(config.get("CSVHeaders") or [])
    elif rows:
        headers, rows = rows[0], rows[1:]
    else:
        return []
    if not headers:
        raise DatasetError("CSVHeaders must name the columns when CSVHeaderLocation is GIVEN")
    # A row that is too short is filled up with empty strings; what is beyond the headers is left out.
    return [dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False)) for row in rows]


def listed(objects: Sequence[Record], source: str) -> list[Item]:
    """The items of a listing: what S3 says of each object.

    Args:
        objects: `Contents` of ListObjectsV2.
        source: URI of the bucket.
    """
    return [
        Item(
            {
                "Etag": found["ETag"],
                "Key": found["Key"],
                "LastModified": int(found["LastModified"].timestamp()),
                "Size": found["Size"],
                "StorageClass": found.get("StorageClass", "STANDARD"),
            },
            source,
        )
        for found in objects
    ]


@dataclass(frozen=True)
class Batching:
    """The ItemBatcher of a state.

    Attributes:
        items: At most so many items in a batch.
        size: At most so many bytes of JSON.
        input: Merged into each batch as `BatchInput`; None leaves it out.
    """

    items: int | None = None
    size: int | None = None
    input: Any = None


def batches(inputs: Sequence[Any], batching: Batching | None) -> Iterator[tuple[Any, int]]:
    """The inputs of the child executions, each with the number of items in it.

    Args:
        inputs: One for each item.
        batching: None runs an execution for each item.

    Raises:
        DatasetError: A single item is larger than a batch may be.
    """
    if batching is None:
        yield from ((one, 1) for one in inputs)
        return
    limit = min(batching.size or _MAX_BATCH_BYTES, _MAX_BATCH_BYTES)
    batch: list[Any] = []
    for one in inputs:
        full = batching.items is not None and len(batch) >= batching.items
        if batch and (full or _bytes(_batch([*batch, one], batching)) > limit):
            yield _batch(batch, batching), len(batch)
            batch = []
        if not batch and _bytes(_batch([one], batching)) > limit:
            raise DatasetError(f"An item is larger than a batch may be, {limit} bytes; make it smaller")
        batch.append(one)
    if batch:
        yield _batch(batch, batching), len(batch)


def _batch(items: list[Any], batching: Batching) -> Record:
    extra = {} if batching.input is None else {"BatchInput": batching.input}
    return {**extra, "Items": items}


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
