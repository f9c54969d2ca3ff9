"""Task tokens: a task is called, and the state waits until somebody tells how it ended.

Sources: Step Functions developer guide, connect-to-resource ("Wait for a callback with task token"); API reference of
SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import seams
from agentcore_local.seams import states_language as language

from .lives import LOOK_SECONDS, Ended, ended, in_background

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
Refusal = tuple[str, str]

_CLOSED_TOKENS = 10_000
# Integrations of which the developer guide says that they can wait for a token; of those, what is emulated here.
_SUPPORTED = (":lambda:invoke", ":sns:publish", ":sqs:sendMessage", ":events:putEvents", ":states:startExecution")


def supported(resource: str) -> bool:
    """Whether a task may wait for its token: AWS SDK integrations and some of the optimized ones."""
    return ":aws-sdk:" in resource or resource.endswith(_SUPPORTED)


@dataclass
class _Waiting:
    """A task that somebody has the token of."""

    scope: seams.Scope
    machine: str
    news: threading.Event = field(default_factory=threading.Event)
    alive: float = field(default_factory=time.monotonic)
    output: str | None = None
    error: Refusal | None = None


_WAITING: dict[str, _Waiting] = {}
_CLOSED: deque[str] = deque(maxlen=_CLOSED_TOKENS)
_LOCK = threading.Lock()


def new_token() -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(96)


def wait(token: str, call: Callable[[], Any], seconds: float | None, heartbeat: float | None, execution: Record) -> Any:
    """Call the task, and wait until its token comes back.

    Args:
        token: The token, which the call hands on.
        call: What is called; its result counts for nothing, its failure fails the task.
        seconds: `States.Timeout` after so long.
        heartbeat: `States.HeartbeatTimeout` when nothing was heard for so long.
        execution: Record of the execution.

    Returns:
        The output the task succeeded with.

    Raises:
        Exception: A `task_error`: what the call failed with, what SendTaskFailure said, or a timeout.
        Ended: The execution ended meanwhile.
    """
    waiting = _Waiting(seams.current_scope(), execution["stateMachineArn"])
    with _LOCK:
        _WAITING[token] = waiting
    started = time.monotonic()
    try:
        called = in_background(call)
        called.add_done_callback(lambda _: waiting.news.set())
        while True:
            if waiting.error is not None:
                raise language.task_error(*waiting.error)
            if waiting.output is not None:
                return json.loads(waiting.output)
            if called.done() and (failure := called.exception()) is not None:
                raise failure
            if ended(execution):
                raise Ended(execution["executionArn"])
            waiting.news.wait(_next_look(started, waiting.alive, seconds, heartbeat))
            waiting.news.clear()
    finally:
        with _LOCK:
            _WAITING.pop(token, None)
            _CLOSED.append(token)


def _next_look(started: float, alive: float, seconds: float | None, heartbeat: float | None) -> float:
    """How long there is nothing to do.

    Raises:
        Exception: Time is up.
    """
    now, look = time.monotonic(), LOOK_SECONDS
    limits = (
        (seconds, started, "States.Timeout", "The task did not end within {:g} seconds"),
        (heartbeat, alive, "States.HeartbeatTimeout", "The task sent no heartbeat for {:g} seconds"),
    )
    for limit, since, error, cause in limits:
        if limit is None:
            continue
        left = since + limit - now
        if left <= 0:
            raise language.task_error(error, cause.format(limit))
        look = min(look, left)
    return look


class Tokens:
    """Answers the calls about task tokens; see `seams.stepfunctions.Tokens`."""

    def success(self, data: Record) -> Refusal | None:
        """The task has succeeded with an output, which must be JSON."""
        output = str(data.get("output", ""))
        try:
            json.loads(output)
        except ValueError:
            return "InvalidOutput", "Invalid output: it must be JSON"
        return self._answer(data, output=output)

    def failure(self, data: Record) -> Refusal | None:
        """The task has failed with an error name and a cause, both optional."""
        return self._answer(data, error=(str(data.get("error") or ""), str(data.get("cause") or "")))

    def heartbeat(self, data: Record) -> Refusal | None:
        """The task is still being worked on."""
        return self._answer(data)

    def machine(self, token: str) -> str | None:
        """The state machine whose task has this token, while it waits."""
        waiting = _WAITING.get(token)
        return waiting.machine if waiting else None

    def _answer(self, data: Record, *, output: str | None = None, error: Refusal | None = None) -> Refusal | None:
        token = str(data.get("taskToken", ""))
        with _LOCK:
            waiting = _WAITING.get(token)
            if waiting is None or waiting.scope != seams.current_scope():
                if token in _CLOSED:
                    return "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"
                return "InvalidToken", "Invalid Token: 'Invalid token'"
            if waiting.output is not None or waiting.error is not None:
                return "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"
            waiting.alive = time.monotonic()
            waiting.output, waiting.error = output, error
        waiting.news.set()
        return None
