"""What executions may be called, and how much may go through them.

Sources: Step Functions developer guide, service-quotas (names, payloads) and concepts-error-handling
(`States.DataLimitExceeded`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from agentcore_local.seams import states_language as language

Record = dict[str, Any]
Refusal = tuple[str, str]

PAYLOAD_BYTES = 262_144
"""Of the input or output of a task, a state, or an execution, as UTF-8."""

TERMINAL = frozenset({"States.DataLimitExceeded", "States.Runtime"})
"""Errors that `States.ALL` and `States.TaskFailed` do not match."""

_MOST_BYTES_PER_CHARACTER = 4
_NAME_LIMIT = 80
_NO_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def check(what: str, value: Any) -> None:
    """See that a payload is not too large.

    Args:
        what: Whose it is, such as "output of the state 'Ask'".
        value: The payload.

    Raises:
        Exception: `States.DataLimitExceeded`.
    """
    size = _size(json.dumps(value, ensure_ascii=False))
    if size > PAYLOAD_BYTES:
        raise language.task_error(
            "States.DataLimitExceeded",
            f"The {what} has {size:,} bytes, more than the {PAYLOAD_BYTES:,} that Step Functions passes on; keep large "
            "data in S3 and pass its key",
        )


def _size(text: str) -> int:
    """Bytes, counted only where they may be too many."""
    if len(text) * _MOST_BYTES_PER_CHARACTER <= PAYLOAD_BYTES:
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))


def name_fault(name: Any) -> str | None:
    """Why something cannot be the name of a state machine or an execution; None when it can."""
    if isinstance(name, str) and 0 < len(name) <= _NAME_LIMIT and not _NO_NAME.search(name):
        return None
    return f"Invalid Name: '{name}'"


def start_refusal(request: Record) -> Refusal | None:
    """Error code and message for an execution that cannot be started; None for one that can.

    Args:
        request: The members of StartExecution or StartSyncExecution.
    """
    if request.get("name") is not None and (fault := name_fault(request["name"])) is not None:
        return "InvalidName", fault
    given = request.get("input")
    if given is None:
        return None
    if not isinstance(given, str) or _size(given) > PAYLOAD_BYTES:
        limit = f"Member must be a text of at most {PAYLOAD_BYTES} bytes"
        return (
            "ValidationException",
            f"1 validation error detected: Value at 'input' failed to satisfy constraint: {limit}",
        )
    try:
        json.loads(given)
    except (ValueError, RecursionError) as error:
        return "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
    return None
