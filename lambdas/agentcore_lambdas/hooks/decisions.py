"""What a hook answers: allow, or deny with a reason of at most 1024 characters."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger(__name__)

# botocore 1.44.5, HarnessHookEventReasonString: the reason is shown in the caller's event stream.
REASON_LIMIT = 1024
_ELLIPSIS = "…"
_NO_REASON = "denied; the hook gave no reason"


class ReasonError(ValueError):
    """A reason the service would refuse: empty on a deny, or over 1024 characters. Never raised inside Lambda."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of a hook, made by `allow()` or `deny()`."""

    decision: Literal["allow", "deny"]
    reason: str | None = None

    def to_response(self) -> dict[str, str]:
        """The JSON object that the harness expects from a Lambda hook."""
        return {"decision": self.decision} | ({} if self.reason is None else {"reason": self.reason})


def allow(reason: str | None = None) -> Decision:
    """Lets the invocation or the tool call go on.

    Args:
        reason: Shown in the caller's event stream next to the decision; at most 1024 characters.

    Raises:
        ReasonError: The reason is too long. Inside Lambda it is shortened instead.
    """
    return Decision("allow", None if reason is None else _fitted(reason))


def deny(reason: str) -> Decision:
    """Stops what the hook was asked about.

    A denied `before_tool_call` skips that call and the agent goes on; `before_invocation` and `after_tool_call` end the
    invocation with the stop reason `hook_stopped`; after an invocation there is nothing left to stop.

    Args:
        reason: Shown in the caller's event stream: 1 to 1024 characters, and nothing the caller must not see.

    Raises:
        ReasonError: The reason is empty or too long. Never inside Lambda, where an exception could turn this deny into
            an allow (`on_error="allow"`): there the reason is shortened or filled in, and a warning is logged.
    """
    if not reason.strip():
        return Decision("deny", _tolerated("deny(reason) must say why; received an empty reason", _NO_REASON))
    return Decision("deny", _fitted(reason))


def _fitted(reason: str) -> str:
    length = _length(reason)
    if length <= REASON_LIMIT:
        return reason
    fault = f"a hook's reason must be at most {REASON_LIMIT} characters; received {length}; shorten it"
    return _tolerated(fault, _shortened(reason))


def _tolerated(fault: str, instead: str) -> str:
    """Raises `fault` while developing; inside Lambda logs it and uses `instead`, so that a deny stays a deny."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        raise ReasonError(fault)
    logger.warning("fault=<%s> | hook reason replaced", fault)
    return instead


def _length(text: str) -> int:
    """Characters as the service may count them: UTF-16 units, so that an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shortened(reason: str) -> str:
    room = (REASON_LIMIT - 1) * 2
    # "ignore" drops half a surrogate pair at the cut.
    return reason.encode("utf-16-le", "surrogatepass")[:room].decode("utf-16-le", "ignore") + _ELLIPSIS
