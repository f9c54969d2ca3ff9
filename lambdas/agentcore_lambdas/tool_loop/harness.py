"""Asks a harness: one request, its whole stream, and what may be tried again.

Throttling is refused before anything happens, so it is tried again. A stream that breaks off is tried once more: the
agent may have worked already, but its inline tools run once per call whatever happens (see `execution`).
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.eventstream import ParserError
from botocore.exceptions import ClientError, EventStreamError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnectedError
from urllib3.exceptions import HTTPError

from agentcore_lambdas.patience import patient_client
from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.stream import Reply, read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

logger = Logger(child=True)

_THROTTLING_TRIES = 5
_FAILURE_TRIES = 2
DROPPED = (HTTPClientError, NotConnectedError, HTTPError, ParserError, OSError)
"""What a dropped connection looks like: botocore's errors until the stream begins, urllib3's in the middle of it."""
_LONGEST_PAUSE_SECONDS = 20.0
_READ_SECONDS = 1000  # a hook may hold the stream silent for 900

_REFUSED = {
    "AccessDeniedException": errors.HarnessAccessDenied,
    "ResourceNotFoundException": errors.HarnessNotFound,
    "ValidationException": errors.HarnessInvalidRequest,
    "validationException": errors.HarnessInvalidRequest,
    "ServiceQuotaExceededException": errors.HarnessThrottled,
    "RetryableConflictException": errors.HarnessThrottled,
}
_FAILED = {
    "InternalServerException": errors.HarnessInternalError,
    "internalServerException": errors.HarnessInternalError,
    "RuntimeClientError": errors.HarnessRuntimeFailed,
    "runtimeClientError": errors.HarnessRuntimeFailed,
}


class Harness:
    """A client of harnesses for one invocation of the loop."""

    def __init__(self, client: Any = None, pause: Callable[[float], None] = time.sleep) -> None:
        """Takes or makes the client.

        Args:
            client: Of `bedrock-agentcore`.
            pause: Waits, in seconds.
        """
        self._client = client or patient_client("bedrock-agentcore", read_seconds=_READ_SECONDS)
        self._pause = pause

    def ask(self, request: Mapping[str, Any], inline: Collection[str], answered: Collection[str]) -> Reply:
        """Sends a request and reads the reply to its end.

        Args:
            request: Members of InvokeHarness.
            inline: Names of the inline tools.
            answered: Ids of the calls that were answered before.

        Raises:
            ToolLoopError: It failed, also when tried again where that can help.
        """
        throttled = failed = 0
        while True:
            try:
                return self._once(request, inline, answered)
            except errors.HarnessInvalidRequest as error:
                if failed:
                    raise errors.HarnessHasTakenIt(str(error)) from None
                raise
            except errors.HarnessThrottled:
                throttled += 1
                if throttled >= _THROTTLING_TRIES:
                    raise
                self._wait(throttled)
            except (errors.HarnessInternalError, errors.HarnessRuntimeFailed, errors.HarnessConnectionLost) as error:
                failed += 1
                if failed >= _FAILURE_TRIES:
                    raise
                logger.warning("asking the harness again", error=type(error).__name__)
                self._wait(failed)

    def _once(self, request: Mapping[str, Any], inline: Collection[str], answered: Collection[str]) -> Reply:
        try:
            reply = read(self._client.invoke_harness(**request)["stream"], inline, answered)
        except (ClientError, EventStreamError) as error:
            raise typed(error) from None
        except DROPPED as error:
            text = (
                f"the connection to the harness broke off ({type(error).__name__}), and the agent may still be at work"
            )
            raise errors.HarnessConnectionLost(text) from None
        if reply.stop_reason is None:
            raise errors.HarnessConnectionLost("the stream of the harness ended without saying why the agent stopped")
        return reply

    def _wait(self, tries: int) -> None:
        # Full jitter: many executions that were throttled together must not come back together.
        self._pause(random.uniform(0, min(2.0**tries, _LONGEST_PAUSE_SECONDS)))  # noqa: S311  (no secret)


def typed(error: ClientError) -> errors.ToolLoopError:
    """Returns what the service, or its stream, says as an error that workflows catch by its class."""
    code = error.response["Error"].get("Code", "")
    said = error.response["Error"].get("Message") or code
    kind = _REFUSED.get(code) or _FAILED.get(code)
    if kind is None:
        kind = errors.HarnessThrottled if "hrottl" in code else errors.HarnessInternalError
    return kind(f"the harness answered {code}: {said}")
