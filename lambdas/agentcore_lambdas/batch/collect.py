"""The Lambda handler that collects: what Step Functions wrote of each item becomes one results and one failures file.

Every item is in exactly one of them. Files are read and written as streams; beside them, memory holds one bit per line.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from agentcore_lambdas.batch.errors import BatchTooLarge
from agentcore_lambdas.batch.models import Collect, Prepared, parsed
from agentcore_lambdas.batch.objects import Writer, chunks, listed
from agentcore_lambdas.batch.prepare import ITEMS, MARGIN_SECONDS, REFUSED
from agentcore_lambdas.batch.records import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = "runs/"
RESULTS = "results.jsonl"
FAILURES = "failures.jsonl"
SUMMARY = "summary.json"
NAMESPACE = "AgentCoreHarness"
_TOKENS = ("inputTokens", "outputTokens", "totalTokens")
_REASONS = {"ABORTED": "aborted", "PENDING": "not_run"}
_MAX_LINE = 16 * 1024 * 1024  # input and output have 256 KiB each, and escapes make at most six characters of one
_LOOK = 500

logger = Logger(service="agentcore-batch")
tracer = Tracer(service="agentcore-batch")
metrics = Metrics(namespace=NAMESPACE, service="agentcore-batch")
_S3 = boto3.client("s3")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Collects what became of the items of an execution. A second call writes the same again.

    Args:
        event: A `Collect`, in camelCase.
        context: Lambda's.

    Returns:
        The summary.

    Raises:
        BatchTooLarge: The files cannot be read within the function's time; they stay where they are.
    """
    summary = collect(_S3, parsed(Collect, event), lambda: context.get_remaining_time_in_millis() / 1000)
    metrics.add_metric(name="BatchItems", unit=MetricUnit.Count, value=summary["items"])
    metrics.add_metric(name="BatchFailures", unit=MetricUnit.Count, value=summary["failed"])
    metrics.add_metric(name="Tokens", unit=MetricUnit.Count, value=summary["usage"]["totalTokens"])
    logger.info("items collected", summary={name: summary[name] for name in ("items", "succeeded", "failed")})
    return summary


def collect(s3: Any, asked: Collect, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Writes results, failures and summary of an execution; returns the summary."""
    batch = asked.batch
    names: dict[str, list[str]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    for key in listed(s3, batch.bucket, f"{batch.folder}{RUNS}"):
        kind = key.rpartition("/")[2].partition("_")[0]
        if kind in names:
            names[kind].append(key)
    work = _Work(s3, batch, seconds_left)
    with (
        Writer(s3, batch.bucket, batch.folder + RESULTS) as results,
        Writer(s3, batch.bucket, batch.folder + FAILURES) as failures,
    ):
        # What succeeded in any run counts as such, so these files come first.
        for key in names["SUCCEEDED"]:
            for child in work.children(key):
                results.write(work.succeeded(child))
        for key in [*names["FAILED"], *names["PENDING"]]:
            for child in work.children(key):
                failures.write(work.failed(child))
        for failure in work.read(REFUSED):
            failures.write(work.refused(failure))
        for item in work.read(ITEMS):
            if work.is_new(item["line"]):
                failures.write(work.missing(item, asked.run.error))
    return _summary(s3, batch, work)


def _summary(s3: Any, batch: Prepared, work: _Work) -> dict[str, Any]:
    failed = sum(work.reasons.values())
    summary = {
        "items": work.results + failed,
        "succeeded": work.results,
        "failed": failed,
        "mayFail": batch.may_fail,
        "reasons": dict(work.reasons),
        "usage": {name: work.usage[name] for name in _TOKENS},
        "results": {"bucket": batch.bucket, "key": batch.folder + RESULTS},
        "failures": {"bucket": batch.bucket, "key": batch.folder + FAILURES},
    }
    body = json.dumps(summary, indent=2).encode()
    s3.put_object(Bucket=batch.bucket, Key=batch.folder + SUMMARY, Body=body, ContentType="application/json")
    return summary


class _Work:
    """What has been seen so far."""

    def __init__(self, s3: Any, batch: Prepared, seconds_left: Callable[[], float]) -> None:
        self._s3, self._batch, self._seconds_left = s3, batch, seconds_left
        self._seen = bytearray()
        self._read = 0
        self.results = 0
        self.reasons: Counter[str] = Counter()
        self.usage: Counter[str] = Counter()

    def read(self, name: str) -> Iterator[dict[str, Any]]:
        """Yields the lines of a file of this execution."""
        return self._lines(self._batch.folder + name)

    def children(self, key: str) -> Iterator[dict[str, Any]]:
        """Yields the child executions in a file of Step Functions, with their items; each item once."""
        for child in self._lines(key):
            given = json.loads(child.get("Input") or "null")
            # An execution whose input was left out is found later, as an item without a result.
            if isinstance(given, dict) and "line" in given and self.is_new(given["line"]):
                yield {**child, "Input": given}

    def succeeded(self, child: dict[str, Any]) -> dict[str, Any]:
        """The result of an item."""
        self.results += 1
        answer = json.loads(child.get("Output") or "{}")
        usage = answer.get("usage") or {}
        self.usage.update({name: usage[name] for name in _TOKENS if isinstance(usage.get(name), int)})
        return {**child["Input"], **answer, "execution": child["ExecutionArn"]}

    def failed(self, child: dict[str, Any]) -> dict[str, Any]:
        """The failure of an item."""
        told = {
            "reason": _REASONS.get(child.get("Status", ""), "failed"),
            "error": child.get("Error"),
            "cause": child.get("Cause"),
            "execution": child.get("ExecutionArn"),
        }
        self.reasons[str(told["reason"])] += 1
        return {**child["Input"], **{name: value for name, value in told.items() if value is not None}}

    def refused(self, failure: dict[str, Any]) -> dict[str, Any]:
        """The failure of a line that was refused before."""
        self.reasons[failure["reason"]] += 1
        return failure

    def missing(self, item: dict[str, Any], error: str | None) -> dict[str, Any]:
        """The failure of an item of which Step Functions wrote nothing."""
        self.reasons["no_result"] += 1
        told = {} if error is None else {"error": error}
        cause = "Step Functions wrote no result of it, because it did not begin or because the run was ended"
        return {**item, "reason": "no_result", **told, "cause": cause}

    def is_new(self, line: int) -> bool:
        """Whether nothing was known of a line's item; from now on it is."""
        place, bit = line >> 3, 1 << (line & 7)
        if place >= len(self._seen):
            self._seen.extend(bytes(place + 1 - len(self._seen)))
        new = not self._seen[place] & bit
        self._seen[place] |= bit
        return new

    def _lines(self, key: str) -> Iterator[dict[str, Any]]:
        for line in lines(chunks(self._s3, self._batch.bucket, key), _MAX_LINE):
            self._read += 1
            if self._read % _LOOK == 0 and self._seconds_left() < MARGIN_SECONDS:
                raise BatchTooLarge(f"the results are too large to be collected in time; they are below {key}")
            yield json.loads(line.content)
