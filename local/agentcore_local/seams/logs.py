"""CloudWatch Logs, without HTTP."""

from __future__ import annotations

import http
import json
from typing import Any

from agentcore_local.harness.errors import ServiceError

from .base import Scope, Seam, internals
from .scope import acting_for

_LOGS = "ministack.services.cloudwatch_logs"

SEAMS: tuple[Seam, ...] = (
    Seam(_LOGS, "_create_log_group", "log what agents do", ("data",)),
    Seam(_LOGS, "_create_log_stream", "log what agents do", ("data",)),
    Seam(_LOGS, "_delete_log_stream", "forget what agents logged long ago", ("data",)),
    Seam(_LOGS, "_put_log_events", "log what agents do", ("data",)),
)


_LOG_OPERATIONS = {
    "CreateLogGroup": "_create_log_group",
    "CreateLogStream": "_create_log_stream",
    "DeleteLogStream": "_delete_log_stream",
    "PutLogEvents": "_put_log_events",
}


def call_logs(scope: Scope, operation: str, request: dict[str, Any]) -> None:
    """One of CloudWatch Logs' operations, without HTTP: microseconds, on any thread (the service has a lock for that).

    Raises:
        ServiceError: What the operation answered.
    """
    with acting_for(scope):
        status, headers, answer = getattr(internals(_LOGS), _LOG_OPERATIONS[operation])(request)
    if status >= http.HTTPStatus.BAD_REQUEST:
        content = json.loads(answer)
        code = str(content.get("__type") or headers.get("x-amzn-errortype") or "InternalServerException")
        raise ServiceError(code.rsplit("#", 1)[-1], str(content.get("message", "")))
