"""Which in-stream error an exception becomes."""

from __future__ import annotations

import logging

from botocore.exceptions import ClientError
from strands.types.exceptions import ModelThrottledException

from agentcore_local.agents.scripts import ScriptError
from agentcore_local.faults import StreamFailed

logger = logging.getLogger(__name__)


def in_stream(error: BaseException, *, from_model: bool) -> StreamFailed:
    """The stream's error for what went wrong.

    A model provider that refuses or fails is a failed dependency (``runtimeClientError``, HTTP 424), as observed for
    missing permissions of the execution role; everything else is the emulator's own fault
    (``internalServerException``).

    Args:
        error: What was raised.
        from_model: Whether the model's call raised it.
    """
    if isinstance(error, StreamFailed):
        return error  # a permission that is gone
    if isinstance(error, ScriptError):
        return StreamFailed("runtimeClientError", f"The scripted model cannot answer: {error}")
    if not from_model:
        logger.error("error=<%s> | invocation failed", type(error).__name__, exc_info=error)
        return StreamFailed("internalServerException", f"The agent loop failed: {type(error).__name__}: {error}")
    if isinstance(error, ModelThrottledException):
        return StreamFailed("runtimeClientError", f"The model provider throttled the request: {error}")
    if isinstance(error, ClientError):
        fault = error.response.get("Error", {})
        return StreamFailed(
            "runtimeClientError",
            f"The model provider refused the request: {fault.get('Code', 'Unknown')}: {fault.get('Message', error)}",
        )
    return StreamFailed("runtimeClientError", f"The model provider failed: {type(error).__name__}: {error}")
