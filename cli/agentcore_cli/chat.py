"""`agentcore-harness chat`: a conversation with a harness, in one session."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentcore_cli import aws, console, harnesses, talk, turns
from agentcore_cli.errors import OK, CliError, report
from agentcore_cli.exchange import Outcome, exchange
from agentcore_cli.options import (
    AccountOption,
    ActorOption,
    AwsOption,
    EndpointOption,
    EventsOption,
    HarnessArgument,
    LocalOption,
    ModelOption,
    RegionOption,
    SessionOption,
    one_output,
)
from agentcore_cli.render import waiting_lines
from agentcore_cli.request import check_options, continue_command, new_session, parse_model
from agentcore_cli.sinks import Document, Lines, Sink, Terminal, about

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_cli.targets import Target

_GO_ON = "The session is kept: just go on."


def chat(
    *,
    harness: HarnessArgument,
    endpoint: EndpointOption = None,
    session: SessionOption = None,
    actor: ActorOption = None,
    model: ModelOption = None,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document for each answer.")] = False,
    as_events: EventsOption = False,
) -> None:
    """Talk to a harness: each line is a message, the session goes on until Ctrl-D or /exit.

    /help lists the commands (/model, /endpoint, /new, …). When the agent waits for an inline function, the next
    line is its result. From a pipe, the first turn that fails ends the chat with its exit code.
    """
    one_output(as_json=as_json, as_events=as_events)
    check_options(harness, session=session, endpoint=endpoint, answer_to=None, failed=False)
    model_config = parse_model(model) if model is not None else None
    target = harnesses.target_for(harness, local=local, use_aws=aws_, account=account, region=region)
    found = harnesses.find(harness, target)
    state = talk.Talk(
        harness=harnesses.Harness(found.arn),
        session=session or new_session(),
        endpoint=found.qualifier(endpoint),
        actor=actor,
        model=model_config,
    )
    kind_flag = "--local" if local else "--aws" if target.kind == "aws" else ""
    chatting = _Chat(state, target, harness, kind_flag, _sink(as_json=as_json, as_events=as_events))
    code = chatting.run()
    if code:
        raise typer.Exit(code)


def _sink(*, as_json: bool, as_events: bool) -> Callable[[Any, Target], Sink]:
    """Makes the sink of a turn."""
    if as_json:
        return lambda request, target: Document(about(request, target))
    if as_events:
        return lambda request, target: Lines(about(request, target))
    return lambda _request, _target: Terminal()


class _Chat:
    """The loop: read a turn, send it, show the answer."""

    def __init__(
        self,
        state: talk.Talk,
        target: Target,
        harness: str,
        kind_flag: str,
        sink: Callable[[Any, Target], Sink],
    ) -> None:
        self._talk = state
        self._target = target
        self._harness = harness
        self._kind_flag = kind_flag
        self._sink = sink
        self._runtime = aws.client(target, "bedrock-agentcore", streaming=True)
        self._person = sys.stdin.isatty()

    def run(self) -> int:
        """Talk until the input ends or a command leaves; the exit code."""
        console.note(f"{self._harness} · {self._target.describe()} · session {self._talk.session}", style="dim")
        if self._person:
            console.note("/help shows the commands, Ctrl-D leaves.", style="dim")
        line = turns.source()
        code: int | None = None
        while code is None:
            try:
                code = self._turn(turns.read(line, self._talk.prompt))
            except EOFError:
                if self._person:
                    console.note()  # the cursor stands behind the prompt
                code = OK
            except KeyboardInterrupt:
                if not self._person:
                    raise
                console.note("\nCtrl-D or /exit leaves.", style="dim")
        self._leave()
        return code

    def _turn(self, turn: turns.Turn) -> int | None:
        """Do what a turn says; the exit code when the chat is over."""
        if turn.command is None:
            return self._send(turn.text)
        try:
            said = talk.command(self._talk, turn)
        except CliError as error:
            if not self._person:
                raise
            report(error)
            return None
        if said.text:
            console.note(said.text)
        if said.failed:
            return self._send(said.error, failed=True)
        return OK if said.leave else None

    def _send(self, text: str, *, failed: bool = False) -> int | None:
        request = self._talk.request(text, failed=failed)
        outcome = exchange(
            request, self._target, self._sink(request, self._target), runtime=self._runtime, go_on=_GO_ON
        )
        problem = outcome.problem
        talk.after(self._talk, pending=outcome.reply.pending, problem=problem)
        if problem is None:
            self._explain_waiting(outcome)
            return None
        report(problem)
        return None if self._person else problem.exit_code

    def _explain_waiting(self, outcome: Outcome) -> None:
        if self._person and (pending := outcome.reply.pending):
            then = f" After it: {', '.join(call['name'] for call in pending[1:])}." if pending[1:] else ""
            console.note(
                f"Your line is the result of {pending[0]['name']}; /error MESSAGE says that it failed.{then}",
                style="bold",
            )

    def _leave(self) -> None:
        """Say how to come back, where there is something to come back to."""
        if self._talk.waiting:
            request = {**self._talk.request("")}
            words = continue_command(self._harness, request, self._target, kind_flag=self._kind_flag)
            for text in waiting_lines(self._talk.waiting, words):
                console.note(text, style="bold")
        elif self._person and self._talk.turns:
            words = continue_command(
                self._harness, self._talk.request(""), self._target, kind_flag=self._kind_flag, verb="chat"
            )
            console.note(f"Go on: {shlex.join(words)}", style="dim")
