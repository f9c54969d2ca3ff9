"""The state of a chat, and the commands that change it. Nothing here asks a cloud or writes to the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentcore_cli import request
from agentcore_cli.errors import CliError, misused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentcore_cli.harnesses import Harness
    from agentcore_cli.turns import Turn


@dataclass
class Talk:
    """Who talks to whom, where, and what the agent waits for.

    Attributes:
        harness: The harness; its own endpoint has been moved to `endpoint`.
        session: The session id; every turn goes there.
        endpoint: None is DEFAULT.
        actor: None is the harness's own.
        model: A model configuration in place of the harness's own; None without one.
        waiting: The inline function calls the agent waits for, in their order.
        turns: How many turns the agent has answered in this session.
    """

    harness: Harness
    session: str
    endpoint: str | None = None
    actor: str | None = None
    model: Mapping[str, Any] | None = None
    waiting: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    turns: int = 0

    @property
    def prompt(self) -> str:
        """What stands before the line that is typed: whose word it is."""
        return f"{self.waiting[0]['name']}> " if self.waiting else "you> "

    def request(self, text: str, *, failed: bool = False) -> dict[str, Any]:
        """The InvokeHarness request for a turn; while a call waits, the turn is its result."""
        return request.build_request(
            self.harness,
            text,
            session=self.session,
            endpoint=self.endpoint,
            actor=self.actor,
            model=self.model,
            answer_to=self.waiting[0]["toolUseId"] if self.waiting else None,
            failed=failed,
        )


@dataclass(frozen=True)
class Said:
    """What a command leads to.

    Attributes:
        text: For the person; empty when there is nothing to say.
        leave: The chat ends.
        failed: Send `error` as the failure of the inline function that waits.
        error: What went wrong there.
    """

    text: str = ""
    leave: bool = False
    failed: bool = False
    error: str = ""


@dataclass(frozen=True)
class _Command:
    usage: str
    help: str
    run: Callable[[Talk, str], Said]


def command(talk: Talk, turn: Turn) -> Said:
    """Run a command of the chat.

    Raises:
        CliError: there is no such command, or its argument cannot be right; nothing has changed.
    """
    name = str(turn.command)
    found = COMMANDS.get(name)
    if found is None:
        raise misused(
            f"The chat has no command /{name}; it has {', '.join(f'/{known}' for known in COMMANDS)}. "
            f"Begin the line with // to send it.",
            code="UnknownCommand",
        )
    if turn.text and found.usage.endswith(f"/{name}"):
        raise misused(f"/{name} takes nothing behind it; received {turn.text!r}.")
    return found.run(talk, turn.text)


def help_text() -> str:
    """All commands, one in a line, and how to type."""
    width = max(len(known.usage) for known in COMMANDS.values())
    lines = [f"  {known.usage:<{width}}  {known.help}" for known in COMMANDS.values()]
    return "\n".join(
        [
            *lines,
            "A line is a message; after a \\ at its end it goes on in the next one. What stands between two lines of",
            'only """ is one message. // at its beginning sends a line that begins with /.',
            "Ctrl-C stops the answer and keeps the chat, Ctrl-D leaves.",
        ]
    )


def _model(talk: Talk, text: str) -> Said:
    if text == "default":
        talk.model = None
    elif text:
        talk.model = request.parse_model(text, named="/model")
    return Said(f"Model: {_model_name(talk.model)}.")


def _model_name(model: Mapping[str, Any] | None) -> str:
    if model is None:
        return "the harness's own"
    kind, settings = next(iter(model.items()))
    plain = kind == "bedrockModelConfig" and list(settings) == ["modelId"]
    return str(settings["modelId"]) if plain else json.dumps(model, ensure_ascii=False)


def _endpoint(talk: Talk, text: str) -> Said:
    if text:
        request.check_endpoint(text, named="/endpoint")
        talk.endpoint = text
    return Said(f"Endpoint: {talk.endpoint or 'DEFAULT'}.")


def _session(talk: Talk, text: str) -> Said:
    if text:
        request.check_session(text, named="/session")
        _move(talk, text)
    return Said(f"Session: {talk.session}.")


def _actor(talk: Talk, text: str) -> Said:
    if text:
        # A conversation belongs to one actor: what waits there does not wait here.
        talk.actor, talk.waiting = text, ()
    return Said(f"Actor: {talk.actor or 'the default one'}.")


def _new(talk: Talk, _text: str) -> Said:
    _move(talk, request.new_session())
    return Said(f"New session: {talk.session}.")


def _move(talk: Talk, session: str) -> None:
    talk.session, talk.waiting, talk.turns = session, (), 0


def _error(talk: Talk, text: str) -> Said:
    if not talk.waiting:
        raise misused("/error answers an inline function that failed, and the agent waits for none.")
    return Said(failed=True, error=text or "The function failed.")


COMMANDS: Final[Mapping[str, _Command]] = {
    "model": _Command(
        "/model [MODEL]", "show or switch the model (id or JSON); `default` is the harness's own", _model
    ),
    "endpoint": _Command("/endpoint [NAME]", "show or switch the endpoint", _endpoint),
    "session": _Command("/session [ID]", "show the session, or go on in another one", _session),
    "actor": _Command("/actor [ID]", "show or switch the actor: whose memory the agent uses", _actor),
    "new": _Command("/new", "begin a new session", _new),
    "error": _Command("/error [MESSAGE]", "tell the agent that the inline function it waits for failed", _error),
    "help": _Command("/help", "show this", lambda _talk, _text: Said(help_text())),
    "exit": _Command("/exit", "leave; so does Ctrl-D", lambda _talk, _text: Said(leave=True)),
}


def after(talk: Talk, *, pending: Sequence[Mapping[str, Any]], problem: CliError | None) -> None:
    """Take in how a turn went.

    Args:
        talk: The chat.
        pending: The calls that wait now, from the stream.
        problem: Why the turn failed, if it did.
    """
    if problem is None or problem.code == "AnswerIncomplete":
        talk.waiting = tuple(pending)
        talk.turns += 1
    elif problem.code in _REFUSED:
        talk.waiting = ()  # the session waits for no such call, or for another one
    # After any other failure the call may still wait: its result is asked for again.


_REFUSED: Final = frozenset({"ValidationException", "validationException"})
