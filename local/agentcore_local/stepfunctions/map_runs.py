"""Distributed Maps: a Map Run with a child execution for each item, or each batch of items.

Source: Step Functions developer guide, state-map-distributed and maprun-fail-threshold.
"""

from __future__ import annotations

import contextvars
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_local import machine_roles
from agentcore_local.seams import states_language as language
from agentcore_local.seams import stepfunctions as seam

from . import items, results, storage
from .lives import LOOK_SECONDS, Ended, ended, forget_child, is_child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Record = dict[str, Any]

AT_ONCE = 64
"""Child executions that run at once, whatever MaxConcurrency allows; each is a thread here."""

_COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
_EXCEEDED = "The specified tolerated failure threshold was exceeded"


@dataclass(frozen=True)
class Tolerance:
    """How many items may fail; None where nothing is said, and nothing said at all tolerates none."""

    count: float | None
    percentage: float | None

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether so many of so many items are too many."""
        if self.count is None and self.percentage is None:
            return failed > 0
        too_many = self.count is not None and failed > self.count
        return too_many or (self.percentage is not None and failed * 100 > self.percentage * total)


@dataclass(frozen=True)
class Call:
    """A Distributed Map about to run.

    Attributes:
        state: The state.
        given: Its input.
        effective: The same after InputPath.
        execution: The record of the execution it is in.
        context: The context object.
    """

    state: Record
    given: Any
    effective: Any
    execution: Record
    context: Record


def processor_of(state: Record) -> Record:
    """The ItemProcessor of a Map state; Iterator was its name once."""
    found: Record = state.get("ItemProcessor") or state.get("Iterator") or {}
    return found


def is_distributed(state: Record) -> bool:
    """Whether a Map state's iterations are executions of their own."""
    return (processor_of(state).get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED"


def run(call: Call, run_states: Callable[..., Any]) -> language.Next:
    """Run a Map state in distributed mode.

    Args:
        call: The state and what surrounds it.
        run_states: Runs the states of a child execution.

    Raises:
        Exception: `States.ExceedToleratedFailureThreshold`, `States.ItemReaderFailed`, `States.ResultWriterFailed`.
        Ended: The execution ended meanwhile; its children end with it.
    """
    refusal = machine_roles.denial("states:StartExecution", call.execution["stateMachineArn"])
    if refusal is not None:
        raise language.task_error("States.Permissions", refusal)
    work = _work(call)
    map_run = _MapRun(call, work, run_states)
    map_run.run()
    if ended(call.execution):
        raise Ended(call.execution["executionArn"])
    result = _result(call, map_run)
    if map_run.failed:
        raise language.task_error("States.ExceedToleratedFailureThreshold", _EXCEEDED)
    return language.finish(call.state, call.given, result, call.context)


# --- what there is to do ------------------------------------------------------------------------------------------


def _work(call: Call) -> list[tuple[Any, int]]:
    """The input of each child execution, and how many items are in it."""
    found = _items(call)
    limit = _number(call, "MaxItems", within=(call.state.get("ItemReader") or {}).get("ReaderConfig") or {})
    if limit:
        found = found[: int(limit)]
    try:
        return list(items.batches([_selected(call, index, item) for index, item in enumerate(found)], _batching(call)))
    except items.DatasetError as error:
        raise language.task_error("States.Runtime", str(error)) from error


def _items(call: Call) -> list[items.Item]:
    state, jsonata = call.state, language.is_jsonata(call.state, call.context)
    if reader := state.get("ItemReader"):
        arguments, config = _template(call, reader, "Arguments", "Parameters"), reader.get("ReaderConfig") or {}
        config = language.evaluate(config, call.given, call.context) if jsonata else config
        return storage.read(str(reader.get("Resource", "")), arguments, config)
    if jsonata and "Items" in state:
        value = language.evaluate(state["Items"], call.given, call.context)
        if not isinstance(value, list | dict):
            value = language.field(state, "Items", "array", call.given, call.context)  # fails, in the service's words
    elif jsonata:
        value = call.given
    else:
        value = language.path(state.get("ItemsPath", "$"), call.effective, call.context)
    try:
        return items.of_value(value)
    except items.DatasetError as error:
        raise language.task_error("States.Runtime", str(error)) from error


def _selected(call: Call, index: int, item: items.Item) -> Any:
    selector = call.state.get("ItemSelector") or call.state.get("Parameters")
    if not selector:
        return item.value
    context = {**call.context, "Map": {"Item": item.context(index)}}
    if language.is_jsonata(call.state, call.context):
        return language.evaluate(selector, call.given, context)
    return language.payload(selector, call.effective, context)


def _batching(call: Call) -> items.Batching | None:
    batcher = call.state.get("ItemBatcher")
    if not batcher:
        return None
    most, size = (_number(call, name, within=batcher) for name in ("MaxItemsPerBatch", "MaxInputBytesPerBatch"))
    if most is None and size is None:
        raise language.task_error("States.Runtime", "ItemBatcher must say MaxItemsPerBatch or MaxInputBytesPerBatch")
    extra = None
    if "BatchInput" in batcher:
        extra = _template(call, batcher, "BatchInput", "BatchInput")
    return items.Batching(None if most is None else int(most), None if size is None else int(size), extra)


def _template(call: Call, holder: Record, jsonata: str, jsonpath: str) -> Any:
    if language.is_jsonata(call.state, call.context):
        return language.evaluate(holder.get(jsonata) or {}, call.given, call.context)
    return language.payload(holder.get(jsonpath) or {}, call.effective, call.context)


def _number(call: Call, name: str, *, within: Record | None = None) -> float | None:
    """A number: literal, an expression, or a path to it; None when it is not said."""
    holder = call.state if within is None else within
    if f"{name}Path" in holder:
        value = language.path(holder[f"{name}Path"], call.effective, call.context)
    elif name not in holder:
        return None
    else:
        value = holder[name]
        if language.is_jsonata(call.state, call.context):
            value = language.evaluate(value, call.given, call.context)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise language.task_error("States.Runtime", f"{name} must be a number from 0 on; received {json.dumps(value)}")
    return float(value)


def _result(call: Call, map_run: _MapRun) -> Any:
    writer = call.state.get("ResultWriter") or {}
    config = writer.get("WriterConfig") or {}
    default = "NONE" if "Resource" in writer else "COMPACT"
    formatting = results.Formatting(config.get("Transformation", default), config.get("OutputType", "JSON"))
    if formatting.transformation not in results.TRANSFORMATIONS or formatting.output_type not in results.OUTPUT_TYPES:
        raise language.task_error(
            "States.Runtime",
            f"WriterConfig must have a Transformation of {', '.join(results.TRANSFORMATIONS)} and an OutputType of "
            f"{', '.join(results.OUTPUT_TYPES)}; received {json.dumps(config)}",
        )
    if "Resource" not in writer:
        return results.of_children(map_run.children, formatting.transformation)
    where = _template(call, writer, "Arguments", "Parameters")
    written = storage.write(where, map_run.record["mapRunArn"], map_run.children, formatting)
    map_run.results_written()
    return written


# --- doing it -----------------------------------------------------------------------------------------------------


class _MapRun:
    """One Map Run: its record, its children, and when enough is enough."""

    def __init__(self, call: Call, work: Sequence[tuple[Any, int]], run_states: Callable[..., Any]) -> None:
        self._call, self._run_states = call, run_states
        self._tolerance = Tolerance(_number(call, "ToleratedFailureCount"), _number(call, "ToleratedFailurePercentage"))
        self._at_once = int(_number(call, "MaxConcurrency") or 0)
        self._lock = threading.Lock()
        self._left = len(work)
        self._news = threading.Event()  # all have ended, or too many have failed
        if not work:
            self._news.set()
        self._sizes = [size for _, size in work]
        self.failed = False
        label = str(call.state.get("Label") or uuid.uuid4())
        _, _, _, region, account, _, machine = call.execution["stateMachineArn"].split(":", 6)
        self._child_machine = f"arn:aws:states:{region}:{account}:stateMachine:{machine}/{label}"
        self._child_execution = f"arn:aws:states:{region}:{account}:execution:{machine}/{label}"
        self.record = self._new_record(f"arn:aws:states:{region}:{account}:mapRun:{machine}/{label}:{uuid.uuid4()}")
        self.children = [self._new_child(given) for given, _ in work]
        seam.keep_map_run(self.record)

    def _new_record(self, arn: str) -> Record:
        def counts(total: int) -> Record:
            return {**dict.fromkeys(_COUNTS, 0), "pending": total, "total": total}

        return {
            "mapRunArn": arn,
            "executionArn": self._call.execution["executionArn"],
            "status": "RUNNING",
            "startDate": seam.now(),
            "maxConcurrency": self._at_once,
            "toleratedFailurePercentage": self._tolerance.percentage or 0.0,
            "toleratedFailureCount": int(self._tolerance.count or 0),
            "itemCounts": counts(sum(self._sizes)),
            "executionCounts": counts(len(self._sizes)),
            "redriveCount": 0,
            "_stateMachineArn": self._child_machine,
        }

    def _new_child(self, given: Any) -> Record:
        name = str(uuid.uuid4())
        return {
            "executionArn": f"{self._child_execution}:{name}",
            "stateMachineArn": self._child_machine,
            "name": name,
            "status": "PENDING",
            "startDate": seam.now(),
            "stopDate": None,
            "input": json.dumps(given),
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "mapRunArn": self.record["mapRunArn"],
            "events": [],
        }

    def run(self) -> None:
        """Run the children; stop when too many items have failed, or the execution ends."""
        pool = ThreadPoolExecutor(min(self._at_once or AT_ONCE, AT_ONCE), thread_name_prefix="agentcore-local-map")
        for position in range(len(self.children)):
            pool.submit(contextvars.copy_context().run, self._child, position)
        pool.shutdown(wait=False)
        while self._left and self.record["status"] == "RUNNING":
            self._news.wait(LOOK_SECONDS)
            if ended(self._call.execution):
                self.record["status"] = "ABORTED"
        if self.record["status"] == "RUNNING":
            self.record["status"] = "SUCCEEDED"
        else:
            pool.shutdown(wait=False, cancel_futures=True)  # what runs ends at its next step
            self._abort()
        self.record["stopDate"] = seam.now()

    def results_written(self) -> None:
        """Note that the results of all that ran are in S3."""
        for counts in (self.record["itemCounts"], self.record["executionCounts"]):
            counts["resultsWritten"] = counts["total"] - counts["pending"]

    def _abort(self) -> None:
        """End the children that run; those that have not begun stay pending."""
        with self._lock:
            for position, child in enumerate(self.children):
                if child["status"] == "RUNNING":
                    child.update(status="ABORTED", stopDate=seam.now())
                    self._count(position, "running", "aborted")

    def _child(self, position: int) -> None:
        child = self.children[position]
        with self._lock:
            if self.record["status"] != "RUNNING":
                return
            child.update(status="RUNNING", startDate=seam.now())
            self._count(position, "pending", "running")
        seam.keep_execution(child)
        is_child(child, self._call.execution)
        try:
            outcome = self._outcome(child, position)
        finally:
            forget_child(child)
        with self._lock:
            if child["status"] != "RUNNING":  # aborted meanwhile
                return
            child.update(outcome, stopDate=seam.now())
            self._count(position, "running", outcome["status"].lower())
            self._left -= 1
            failed = self.record["itemCounts"]["failed"]
            if self._tolerance.exceeded(failed, self.record["itemCounts"]["total"]):
                self.failed, self.record["status"] = True, "FAILED"
            if self.failed or not self._left:
                self._news.set()

    def _outcome(self, child: Record, position: int) -> Record:
        given = json.loads(child["input"])
        context = {
            **self._call.context,
            "Execution": {
                "Id": child["executionArn"],
                "Input": given,
                "Name": child["name"],
                "RoleArn": (self._call.context.get("Execution") or {}).get("RoleArn"),
                "StartTime": child["startDate"],
                "RedriveCount": 0,
            },
            "Map": {"Item": {"Index": position, "Value": given}},
            "variables": {},  # a child execution sees none of its parent's
        }
        processor = processor_of(self._call.state)
        try:
            output = self._run_states(processor.get("States", {}), processor.get("StartAt", ""), given, child, context)
        except Ended:
            return {"status": "ABORTED"}
        except language.task_error_type() as raised:
            failure: Any = raised
            return {"status": "FAILED", "error": failure.error, "cause": failure.cause}
        return {"status": "SUCCEEDED", "output": json.dumps(output)}

    def _count(self, position: int, before: str, after: str) -> None:
        for counts, size in ((self.record["itemCounts"], self._sizes[position]), (self.record["executionCounts"], 1)):
            counts[before] -= size
            counts[after] += size
