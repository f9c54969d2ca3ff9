"""Task states: arguments in, the call with its time limits, retries, catchers.

Sources: Step Functions developer guide, state-task, concepts-error-handling, connect-to-resource.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_local.seams import states_language as language
from agentcore_local.seams import stepfunctions as seam

from . import callbacks, quotas
from .lives import LOOK_SECONDS, Ended, ended, in_background, pause

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

Record = dict[str, Any]

_TOKEN_PATTERN = ".waitForTaskToken"  # noqa: S105 - no secret


@dataclass(frozen=True)
class Limits:
    """How long a task may take, and how long it may be silent; None without a limit."""

    seconds: float | None
    heartbeat: float | None


def run(state: Record, given: Any, execution: Record, context: Record) -> language.Next:
    """Run a Task state; see `retrying` for how it fails."""

    def attempt() -> language.Next:
        try:
            result = _attempt(state, given, execution, context)
        except language.task_error_type() as failure:
            _tell_failure(state, execution, failure)
            raise
        output, following = language.finish(state, given, result, context)
        quotas.check(f"output of the state {context['State']['Name']!r}", output)
        return output, following

    return retrying(attempt, state, given, execution, context)


def retrying(
    attempt: Callable[[], language.Next], state: Record, given: Any, execution: Record, context: Record
) -> language.Next:
    """Attempt a state as often as its retriers say, then ask its catchers.

    Raises:
        Exception: The `task_error` no catcher speaks for.
        Ended: The execution ended meanwhile.
    """
    counts: dict[int, int] = {}
    while True:
        context["State"]["RetryCount"] = sum(counts.values())
        try:
            return attempt()
        except language.task_error_type() as raised:
            failure: Any = raised
            retrier, position = language.retrier(state, failure.error, counts)
            if retrier is not None:
                pause(_delay(retrier, counts.get(position, 0)) * language.wait_scale(), execution)
                counts[position] = counts.get(position, 0) + 1
                continue
            caught = language.caught(state, given, (failure.error, failure.cause), context)
            if caught is None:
                raise
            return caught


def _attempt(state: Record, given: Any, execution: Record, context: Record) -> Any:
    resource = str(state.get("Resource", ""))
    waits = resource.endswith(_TOKEN_PATTERN)
    # Every attempt has a token of its own: an answer to an earlier one comes too late.
    context.pop("Task", None)
    if waits:
        context["Task"] = {"Token": callbacks.new_token()}
    arguments = language.arguments(state, given, context)
    quotas.check(f"input of the task {resource}", arguments)
    limits = _limits(state, given, context)
    seam.add_event(execution, "TaskScheduled", taskScheduledEventDetails=_event(resource, parameters=arguments))
    if waits:
        called = resource.removesuffix(_TOKEN_PATTERN)
        if not callbacks.supported(called):
            raise language.task_error(
                "States.Runtime",
                f"{called} cannot wait for a task token: the integration is request/response only, or the local cloud "
                f"does not emulate more of it; leave out {_TOKEN_PATTERN}",
            )
        result = callbacks.wait(
            context["Task"]["Token"],
            lambda: seam.invoke(called, arguments),
            limits.seconds,
            limits.heartbeat,
            execution,
        )
    else:
        result = within(limits.seconds, execution, lambda: seam.invoke(resource, arguments))
    quotas.check(f"output of the task {resource}", result)
    seam.add_event(execution, "TaskSucceeded", taskSucceededEventDetails=_event(resource, output=result))
    return result


def within(seconds: float | None, execution: Record, call: Callable[[], Any]) -> Any:
    """What a call returns, if it does in time.

    Raises:
        Exception: `States.Timeout`. The call itself runs on, as a Lambda function does: nobody stops it.
        Ended: The execution ended meanwhile.
    """
    if seconds is None:
        return call()
    future = in_background(call)
    until = time.monotonic() + seconds
    while not future.done():
        left = until - time.monotonic()
        if left <= 0:
            raise language.task_error("States.Timeout", f"The task did not end within {seconds:g} seconds")
        if ended(execution):
            raise Ended(execution["executionArn"])
        _settled(future, min(left, LOOK_SECONDS))
    return future.result()


def _settled(future: Future[Any], seconds: float) -> None:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    done.wait(seconds)


def _limits(state: Record, given: Any, context: Record) -> Limits:
    return Limits(
        _seconds(state, "TimeoutSeconds", given, context), _seconds(state, "HeartbeatSeconds", given, context)
    )


def _seconds(state: Record, name: str, given: Any, context: Record) -> float | None:
    """A limit: a number, an expression, or a path to a number."""
    if f"{name}Path" in state:
        value = language.path(state[f"{name}Path"], given, context)
    elif name not in state:
        return None
    elif language.is_jsonata(state, context):
        value = language.field(state, name, "number", given, context)
    else:
        value = state[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise language.task_error("States.Runtime", f"{name} must be a number of seconds above 0; received {value!r}")
    return float(value)


def _delay(retrier: Record, attempts: int) -> float:
    """Seconds before the next attempt (Retry's IntervalSeconds, BackoffRate, MaxDelaySeconds, JitterStrategy)."""
    delay = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** attempts
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311 - no secret


def _tell_failure(state: Record, execution: Record, failure: Any) -> None:
    kind = "TaskTimedOut" if failure.error in ("States.Timeout", "States.HeartbeatTimeout") else "TaskFailed"
    details = _event(str(state.get("Resource", "")), error=failure.error, cause=failure.cause)
    seam.add_event(execution, kind, **{f"{kind[:1].lower()}{kind[1:]}EventDetails": details})


def _event(resource: str, **members: Any) -> Record:
    kind = "lambda" if ":function:" in resource else resource.removeprefix("arn:aws:states:::").rpartition(":")[0]
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in members.items()}
    return {"resourceType": kind or "states", "resource": resource.rpartition(":")[2], **written}
