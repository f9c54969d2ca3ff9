"""For which execution a thread works, and whether that still runs.

What works for an execution asks before each step, because nobody interrupts a thread.
"""

from __future__ import annotations

import contextvars
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]


@dataclass(frozen=True)
class Acting:
    """What a thread works for.

    Attributes:
        role_arn: The role of the state machine.
        machine_arn: The state machine.
        execution: Record of the execution; that of the parent, within a child execution.
    """

    role_arn: str
    machine_arn: str
    execution: Record


ACTING: contextvars.ContextVar[Acting | None] = contextvars.ContextVar("agentcore_local_acting", default=None)
"""None outside of an execution."""

LOOK_SECONDS = 0.2
"""How often something that waits looks whether its execution was stopped."""

# A child execution ends with the execution that maps over it. Not in the records: those are copied and written down.
_PARENTS: dict[str, Record] = {}
_LOCK = threading.Lock()


class Ended(Exception):  # noqa: N818 - nothing is wrong
    """The execution was stopped, or its time is up: what works for it ends, and nothing catches this."""


def is_child(execution: Record, parent: Record) -> None:
    """Note that an execution runs for another one."""
    with _LOCK:
        _PARENTS[execution["executionArn"]] = parent


def forget_child(execution: Record) -> None:
    """The child has ended."""
    with _LOCK:
        _PARENTS.pop(execution["executionArn"], None)


def parent_of(execution: Record) -> Record | None:
    """The execution a child runs for, while it runs."""
    return _PARENTS.get(execution["executionArn"])


def ended(execution: Record | None) -> bool:
    """Whether an execution, or one it runs for, has ended."""
    while execution is not None:
        if execution["status"] != "RUNNING":
            return True
        execution = parent_of(execution)
    return False


def pause(seconds: float, execution: Record) -> None:
    """Sleep, unless the execution ends.

    Raises:
        Ended: It did.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if ended(execution):
            raise Ended(execution["executionArn"])
        time.sleep(min(left, LOOK_SECONDS))


def in_background(call: Callable[[], Any]) -> Future[Any]:
    """Run a call on a thread of its own, in the account and Region, and for the state machine, that act now."""
    future: Future[Any] = Future()
    surroundings = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(surroundings.run(call))
        except BaseException as error:  # noqa: BLE001 - belongs to whoever waits for the result
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name="agentcore-local-task").start()
    return future
