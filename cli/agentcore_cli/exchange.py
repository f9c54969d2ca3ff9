"""One invocation: a request goes out, its stream comes in event by event, a sink shows it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_cli import aws
from agentcore_cli.errors import INCOMPLETE, INTERRUPTED, CliError
from agentcore_cli.stream import Event, Reply, incomplete

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from agentcore_cli.sinks import Sink
    from agentcore_cli.targets import Target


@dataclass(frozen=True)
class Outcome:
    """How an invocation went.

    Attributes:
        reply: Everything the stream has said, also when it broke off.
        failure: Why it did not come to its end, if it did not.
    """

    reply: Reply
    failure: CliError | None

    @property
    def problem(self) -> CliError | None:
        """The failure, or why the answer is not complete; None when the agent answered or hands over a call."""
        if self.failure is not None:
            return self.failure
        if why := incomplete(self.reply.stop_reason):
            return CliError(
                f"The answer is not complete ({self.reply.stop_reason}): {why}.",
                code="AnswerIncomplete",
                exit_code=INCOMPLETE,
            )
        return None


def exchange(request: Mapping[str, Any], target: Target, sink: Sink, *, runtime: Any, go_on: str) -> Outcome:
    """Invoke the harness, once, and show what it streams; Ctrl-C ends it at once.

    Args:
        request: The InvokeHarness request.
        target: The cloud, for sentences.
        sink: Where the stream goes.
        runtime: A `bedrock-agentcore` client made for streaming.
        go_on: A sentence that says how to continue the session after a stream that broke off.
    """
    reply = Reply()
    failure: CliError | None = None
    try:
        # Closing ends the connection at once, which tells the service that nobody listens any more.
        with contextlib.closing(_events(request, target, runtime, go_on)) as stream:
            for event in stream:
                reply.add(event)
                sink.event(event)
    except CliError as error:
        failure = error
    except KeyboardInterrupt:
        failure = CliError(
            f"Interrupted; the agent may still be working. {go_on}", code="Interrupted", exit_code=INTERRUPTED
        )
    if failure is None and not reply.stop_reason:
        failure = CliError(
            f"The stream ended before the agent had finished; it may still be working. {go_on}",
            code="StreamBrokenOff",
        )
    sink.end(reply, failure)
    return Outcome(reply, failure)


def _events(request: Mapping[str, Any], target: Target, runtime: Any, go_on: str) -> Generator[Event]:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - botocore passes its errors on when a stream breaks

    with aws.sentences(target):
        stream = runtime.invoke_harness(**request)["stream"]
        try:
            yield from stream
        except (HTTPError, OSError) as error:
            raise CliError(
                f"The connection to {target.describe()} broke while the agent was answering ({error}); it may still be "
                f"working. {go_on}",
                code="StreamBrokenOff",
            ) from error
        finally:
            stream.close()
