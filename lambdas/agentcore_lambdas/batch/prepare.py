"""The Lambda handler that reads the items: what an agent can be asked goes to one file, the rest to another."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Literal

import boto3
from aws_lambda_powertools import Logger, Tracer

from agentcore_lambdas.batch import records
from agentcore_lambdas.batch.errors import BatchInputInvalid, BatchTooLarge
from agentcore_lambdas.batch.models import Given, Prepare, Prepared, Settings, parsed
from agentcore_lambdas.batch.objects import Writer, chunks
from agentcore_lambdas.batch.records import Item, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ITEMS = "items.jsonl"
REFUSED = "refused.jsonl"
MARGIN_SECONDS = 30
"""What is left of the function's time when it gives up."""
_LOOK = 500  # items between two looks at the clock
_ENDINGS: dict[str, Literal["jsonl", "csv"]] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}

logger = Logger(service="agentcore-batch")
tracer = Tracer(service="agentcore-batch")
_S3 = boto3.client("s3")

Failure = dict[str, Any]


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Reads the items of an execution. A second call with the same event writes the same again.

    Args:
        event: A `Prepare`, in camelCase.
        context: Lambda's.

    Returns:
        A `Prepared`, in camelCase.

    Raises:
        BatchInputInvalid: The execution's input, or the file it names, is not what a batch takes.
        BatchTooLarge: The file cannot be read within the function's time.
    """
    asked = parsed(Prepare, event)
    prepared = prepare(_S3, asked, lambda: context.get_remaining_time_in_millis() / 1000)
    logger.info("items read", folder=prepared.folder, items=prepared.items, runnable=prepared.runnable)
    return prepared.model_dump(by_alias=True, mode="json")


def prepare(s3: Any, asked: Prepare, seconds_left: Callable[[], float]) -> Prepared:
    """Reads the items of an execution into its folder."""
    given, settings = parsed(Given, asked.given), asked.settings
    folder = settings.results_prefix + folder_name(asked.execution, asked.started)
    runnable = refused = 0
    with (
        Writer(s3, settings.results_bucket, folder + ITEMS) as items,
        Writer(s3, settings.results_bucket, folder + REFUSED) as rest,
    ):
        for found in _found(s3, given, settings):
            if (runnable + refused) % _LOOK == 0 and seconds_left() < MARGIN_SECONDS:
                raise BatchTooLarge(f"only {runnable + refused} items could be read in time; split the file")
            line = _item_line(found, settings.max_item_bytes) if isinstance(found, Item) else found
            if isinstance(line, bytes):
                runnable += 1
                items.write_line(line)
            else:
                refused += 1
                rest.write(line.described() if isinstance(line, Refused) else line)
    total = runnable + refused
    may_fail = settings.tolerated(total)
    return Prepared(
        bucket=settings.results_bucket,
        folder=folder,
        items=total,
        runnable=runnable,
        tolerated=may_fail - refused,
        may_fail=may_fail,
    )


def folder_name(execution: str, started: str) -> str:
    """The folder of an execution: its name, as far as a key takes it well, and what sets it apart from all others.

    Names come again after 90 days, and two state machines may write to one prefix.
    """
    name = re.sub(r"[^A-Za-z0-9._-]", "_", execution.rpartition(":")[2])
    return f"{name}-{hashlib.sha256(f'{execution} {started}'.encode()).hexdigest()[:12]}/"


def _found(s3: Any, given: Given, settings: Settings) -> Iterator[Item | Refused | Failure]:
    limit = settings.max_item_bytes
    if given.retry is not None:
        _within(given.retry, settings.results_prefix, "retry")
        # A failure tells more than its item.
        found = records.lines(chunks(s3, settings.results_bucket, given.retry), 8 * limit)
        return map(_again, records.json_lines(found, 8 * limit))
    key = given.key or ""
    _within(key, settings.source_prefix, "key")
    kind = given.format or next((kind for ending, kind in _ENDINGS.items() if key.lower().endswith(ending)), None)
    if kind is None:
        raise BatchInputInvalid(f"the key must end with {', '.join(_ENDINGS)}, or format must say what {key} is")
    lines = records.lines(chunks(s3, settings.source_bucket, key), limit)
    if kind == "csv":
        return records.comma_separated(lines, limit, settings.delimiter)
    return records.json_lines(lines, limit)


def _within(key: str, prefix: str, name: str) -> None:
    if not key.startswith(prefix):
        raise BatchInputInvalid(f"{name} must begin with {prefix}; received {key}")


def _again(found: Item | Refused) -> Item | Failure:
    """A failure of an earlier execution: its item, or the failure once more when there is no item."""
    failure = found.value if isinstance(found, Item) else None
    if not isinstance(failure, dict) or not isinstance(failure.get("line"), int):
        raise BatchInputInvalid(f"retry must be a failures file of a batch; line {found.line} is no failure")
    return Item(failure["line"], failure["item"]) if "item" in failure else failure


def _item_line(found: Item, limit: int) -> bytes | Refused:
    try:
        line = json.dumps({"line": found.line, "item": found.value}, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raw = json.dumps(found.value)
        return Refused(found.line, "unreadable", "the item has characters that are none", raw, found.line)
    if len(line) <= limit:
        return line
    head = line.decode()[: records.HEAD_CHARACTERS]
    cause = f"the item has {len(line)} bytes as JSON, and {limit} are the limit"
    return Refused(found.line, "too_large", cause, head, found.line)
