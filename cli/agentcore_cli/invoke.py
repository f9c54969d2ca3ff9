"""`agentcore-harness invoke`: send a prompt to a harness and show its stream as it arrives."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentcore_cli import aws, console, harnesses, state, targets
from agentcore_cli.errors import INCOMPLETE, INTERRUPTED, OK, CliError, misused, report
from agentcore_cli.request import build_request, check_options, continue_command, parse_model
from agentcore_cli.sinks import Document, Lines, Sink, Terminal
from agentcore_cli.stream import Event, Reply, incomplete

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


def invoke(
    *,
    harness: Annotated[
        str, typer.Argument(metavar="HARNESS", help="Name, id, stack output (StackName.OutputKey) or ARN of a harness.")
    ],
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What to say; - reads it from stdin.")],
    endpoint: Annotated[
        str | None, typer.Option(help="Endpoint of the harness; DEFAULT follows the newest version.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Session to continue (33-100 letters, digits, - and _); otherwise a new one.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Actor id: whose memory the agent uses.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Model for this call: a Bedrock model id, or a model configuration as JSON.")
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option(metavar="TOOL_USE_ID", help="PROMPT is the result of the inline function call with this id."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="With --answer: the inline function failed.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud.")] = False,
    aws_: Annotated[bool, typer.Option("--aws", help="Use AWS with the normal credentials.")] = False,
    region: Annotated[str | None, typer.Option(help="AWS Region, also on the local cloud.")] = None,
    account: Annotated[str | None, typer.Option(help="Account id on the local cloud (12 digits).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document when the stream has ended.")] = False,
    as_events: Annotated[
        bool, typer.Option("--events", help="Print each event as a line of JSON, as it arrives.")
    ] = False,
) -> None:
    """Send a prompt to a harness and stream its answer.

    The answer goes to stdout, tool calls and usage to stderr. Exit code: 0 answered, or waiting for an inline function;
    3 stopped before a complete answer; 1 failed.
    """
    if as_json and as_events:
        raise misused("--json and --events exclude each other; give one of them.")
    # All that can be wrong in what was typed is said before a cloud is asked or stdin is read.
    check_options(harness, session=session, endpoint=endpoint, answer_to=answer, failed=failed)
    model_config = parse_model(model) if model is not None else None
    target = _target(harness, local=local, use_aws=aws_, account=account, region=region)
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
    sink: Sink
    if as_json or as_events:
        about = {
            "harnessArn": request["harnessArn"],
            "endpoint": request.get("qualifier", "DEFAULT"),
            "sessionId": request["runtimeSessionId"],
            "target": target.to_json(),
        }
        sink = Document(about) if as_json else Lines(about)
    else:
        flag = "--local" if local else "--aws" if target.kind == "aws" else ""
        sink = Terminal(request["runtimeSessionId"], continue_command(harness, request, target, kind_flag=flag))
    code = _stream(request, target, sink)
    if code:
        raise typer.Exit(code)


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


def _target(reference: str, *, local: bool, use_aws: bool, account: str | None, region: str | None) -> targets.Target:
    harness = harnesses.from_arn(reference)
    if harness:
        if region and region != harness.region:
            raise misused(f"--region {region} contradicts the Region {harness.region} of the ARN; leave it out.")
        if account and account != harness.account:
            raise misused(f"--account {account} contradicts the account {harness.account} of the ARN; leave it out.")
        region = harness.region
    target = targets.choose(state.home(), os.environ, local=local, aws=use_aws, account=account, region=region)
    if harness and target.kind == "local":
        # On the local cloud every account is at hand: the ARN says which one.
        return targets.Target("local", target.endpoint, harness.account, harness.region)
    return target


def _stream(request: Mapping[str, Any], target: targets.Target, sink: Sink) -> int:
    reply = Reply()
    failure: CliError | None = None
    try:
        # Closing ends the connection at once, which tells the service that nobody listens any more.
        with contextlib.closing(events(request, target)) as stream:
            for event in stream:
                reply.add(event)
                sink.event(event)
    except CliError as error:
        failure = error
    except KeyboardInterrupt:
        failure = CliError(
            f"Interrupted; the agent may still be working. Continue with --session {request['runtimeSessionId']}.",
            code="Interrupted",
            exit_code=INTERRUPTED,
        )
    if failure is None and not reply.stop_reason:
        failure = CliError(
            "The stream ended before the agent had finished; it may still be working. "
            f"Continue with --session {request['runtimeSessionId']}.",
            code="StreamBrokenOff",
        )
    sink.end(reply, failure)
    if failure is None and (why := incomplete(reply.stop_reason)):
        failure = CliError(
            f"The answer is not complete ({reply.stop_reason}): {why}.", code="AnswerIncomplete", exit_code=INCOMPLETE
        )
    if failure is None:
        return OK
    report(failure)
    return failure.exit_code


def events(request: Mapping[str, Any], target: targets.Target) -> Generator[Event]:
    """Invoke the harness, once, and yield what it streams.

    Raises:
        CliError: the service refused, failed in the stream, or the connection broke.
    """
    runtime = aws.client(target, "bedrock-agentcore", streaming=True)
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - botocore passes its errors on when a stream breaks

    with aws.sentences(target):
        stream = runtime.invoke_harness(**request)["stream"]
        try:
            yield from stream
        except (HTTPError, OSError) as error:
            raise CliError(
                f"The connection to {target.describe()} broke while the agent was answering ({error}); it may still be "
                f"working. Continue with --session {request['runtimeSessionId']}.",
                code="StreamBrokenOff",
            ) from error
        finally:
            stream.close()
