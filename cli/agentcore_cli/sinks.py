"""Where a stream goes: a person's terminal, one JSON document, or a line of JSON for each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agentcore_cli import console
from agentcore_cli.errors import CliError, error_member
from agentcore_cli.render import Piece, Renderer, usage_line, waiting_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentcore_cli.stream import Event, Reply
    from agentcore_cli.targets import Target


class Sink(Protocol):
    """Takes a stream, event by event."""

    def event(self, event: Event) -> None:
        """Take one event, as it arrives."""

    def end(self, reply: Reply, failure: CliError | None) -> None:
        """The stream has ended, or broken off with a failure."""


def about(request: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Where an answer comes from, for documents."""
    return {
        "harnessArn": request["harnessArn"],
        "endpoint": request.get("qualifier", "DEFAULT"),
        "sessionId": request["runtimeSessionId"],
        "target": target.to_json(),
    }


class Terminal:
    """The answer on stdout, everything else on stderr.

    Args:
        session: Session to name at the end; empty where the reader knows it.
        continuation: Words of the command that goes on; empty where the reader just types.
    """

    def __init__(self, *, session: str = "", continuation: Sequence[str] = ()) -> None:
        self._renderer = Renderer()
        self._session = session
        self._continuation = continuation

    def event(self, event: Event) -> None:
        """Write it at once."""
        self._write(self._renderer.feed(event))

    def end(self, reply: Reply, failure: CliError | None) -> None:
        """Sum up, and say how to answer the inline function the agent waits for."""
        self._write(self._renderer.finish())
        if failure is not None:
            return
        ending = f" · session {self._session}" if self._session else ""
        console.note(f"{usage_line(reply)}{ending}", style="dim")
        if reply.pending and self._continuation:
            for text in waiting_lines(reply.pending, self._continuation):
                console.note(text, style="bold")

    def _write(self, pieces: Iterator[Piece]) -> None:
        for piece in pieces:
            if piece.channel == "out":
                console.answer(piece.text)
            else:
                console.note(piece.text, style=piece.style, end="")


class Document:
    """One JSON document at the end."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about

    def event(self, event: Event) -> None:
        """Nothing to do: the folded reply holds it."""

    def end(self, reply: Reply, failure: CliError | None) -> None:
        """Print the document."""
        console.document({**self._about, **reply.to_json(), **error_member(failure)})


class Lines:
    """A line of JSON for each event; the first one says where the stream comes from."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        console.line({"invocation": about})

    def event(self, event: Event) -> None:
        """Print it as boto3 yields it."""
        console.line(event)

    def end(self, reply: Reply, failure: CliError | None) -> None:  # noqa: ARG002 - its events have been printed
        """A failure is the last line."""
        if failure is not None:
            console.line(error_member(failure))
