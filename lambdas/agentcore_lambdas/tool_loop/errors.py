"""How a turn fails. Workflows catch these by the names of the classes, so the names are part of the interface."""

from __future__ import annotations


class ToolLoopError(Exception):
    """A turn failed; the message is one sentence."""


class HarnessThrottled(ToolLoopError):  # noqa: N818  (names that workflows catch)
    """The service refused the request for now, also after several tries."""


class HarnessAccessDenied(ToolLoopError):  # noqa: N818
    """The loop's role may not invoke the harness or this endpoint."""


class HarnessNotFound(ToolLoopError):  # noqa: N818
    """There is no such harness or endpoint."""


class HarnessInvalidRequest(ToolLoopError):  # noqa: N818
    """The service refused the request."""


class HarnessHasTakenIt(HarnessInvalidRequest):
    """The service refused what was sent again after a failure: it had taken it the first time."""


class HarnessRuntimeFailed(ToolLoopError):  # noqa: N818
    """The agent's own environment failed: its image, a mount, a tool server; also after another try."""


class HarnessInternalError(ToolLoopError):
    """The service failed, also after several tries."""


class HarnessConnectionLost(ToolLoopError):  # noqa: N818
    """The stream broke off, also after another try; the agent may still be at work."""


class InlineToolUnknown(ToolLoopError):  # noqa: N818
    """The agent called an inline tool that the loop was given no function for."""


class InlineToolThrottled(ToolLoopError):  # noqa: N818
    """The function of an inline tool is throttled; it has not been run."""


class ToolRecordUnavailable(ToolLoopError):  # noqa: N818
    """The table that keeps each call single could not be read or written; no tool runs without it."""


class TooLittleTime(ToolLoopError):  # noqa: N818
    """The function's timeout is too short for the loop to do anything."""


class TurnOutOfStep(ToolLoopError):  # noqa: N818
    """The request does not fit the turn: a decision or a result for another call than the one that is waited for."""
