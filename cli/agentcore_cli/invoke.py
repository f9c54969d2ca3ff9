"""`agentcore-harness invoke`: send a prompt to a harness and show its stream as it arrives."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agentcore_cli import aws, console, harnesses
from agentcore_cli.errors import misused, report
from agentcore_cli.exchange import exchange
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
from agentcore_cli.request import build_request, check_options, continue_command, parse_model
from agentcore_cli.sinks import Document, Lines, Sink, Terminal, about


def invoke(
    *,
    harness: HarnessArgument,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What to say; - reads it from stdin.")],
    endpoint: EndpointOption = None,
    session: SessionOption = None,
    actor: ActorOption = None,
    model: ModelOption = None,
    answer: Annotated[
        str | None,
        typer.Option(metavar="TOOL_USE_ID", help="PROMPT is the result of the inline function call with this id."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="With --answer: the inline function failed.")] = False,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document when the stream has ended.")] = False,
    as_events: EventsOption = False,
) -> None:
    """Send a prompt to a harness and stream its answer.

    The answer goes to stdout, tool calls and usage to stderr. Exit code: 0 answered, or waiting for an inline function;
    3 stopped before a complete answer; 1 failed.
    """
    one_output(as_json=as_json, as_events=as_events)
    # All that can be wrong in what was typed is said before a cloud is asked or stdin is read.
    check_options(harness, session=session, endpoint=endpoint, answer_to=answer, failed=failed)
    model_config = parse_model(model) if model is not None else None
    target = harnesses.target_for(harness, local=local, use_aws=aws_, account=account, region=region)
    message = read_prompt(prompt)
    found = harnesses.find(harness, target)
    request = build_request(
        found,
        message,
        session=session,
        endpoint=endpoint,
        actor=actor,
        model=model_config,
        answer_to=answer,
        failed=failed,
    )
    console.note(f"{harness} · {target.describe()} · session {request['runtimeSessionId']}", style="dim")
    command = continue_command(
        harness, request, target, kind_flag="--local" if local else "--aws" if target.kind == "aws" else ""
    )
    shown: Sink
    if as_json:
        shown = Document(about(request, target))
    elif as_events:
        shown = Lines(about(request, target))
    else:
        shown = Terminal(session=request["runtimeSessionId"], continuation=command)
    outcome = exchange(
        request,
        target,
        shown,
        runtime=aws.client(target, "bedrock-agentcore", streaming=True),
        go_on=f"Continue with --session {request['runtimeSessionId']}.",
    )
    if outcome.problem is not None:
        report(outcome.problem)
        raise typer.Exit(outcome.problem.exit_code)


def read_prompt(prompt: str) -> str:
    """The prompt itself, or all of stdin for `-`.

    Raises:
        CliError: there is nothing in it.
    """
    if prompt == "-":
        if sys.stdin.isatty():
            console.note("Reading the prompt from the terminal; end it with Ctrl-D.", style="dim")
        prompt = sys.stdin.read()
    if not prompt.strip():
        raise misused("The prompt must not be empty.", code="EmptyPrompt")
    return prompt
