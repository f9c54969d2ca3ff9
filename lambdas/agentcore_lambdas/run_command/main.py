"""The Lambda handler that runs a command and waits for it.

https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntimeCommand.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Tracer
from botocore.exceptions import ClientError, EventStreamError
from pydantic import Field, ValidationError

from agentcore_lambdas.patience import patient_client
from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.harness import DROPPED, typed
from agentcore_lambdas.tool_loop.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = Logger()
tracer = Tracer()

TIMED_OUT = "TIMED_OUT"
_PLATFORM_ERROR = -1
_TOLD = 1000  # characters of the output that an error quotes

_READ_SECONDS = 910  # a command may be silent as long as it runs


class CommandFailed(errors.ToolLoopError):
    """The command ended with another exit code than 0."""


class CommandTimedOut(errors.ToolLoopError):
    """The command was ended because its time was up."""


class Command(Model):
    """What to run.

    Attributes:
        harness_arn: The harness.
        session_id: On whose machine.
        command: For a shell.
        timeout_seconds: After which it is ended.
        qualifier: The endpoint; DEFAULT unless given.
        output_limit: Characters of standard output and of standard error that are kept: the last ones.
        check: Whether another exit code than 0 is an error.
    """

    harness_arn: str
    session_id: str = Field(min_length=33, max_length=256)
    command: str = Field(min_length=1, max_length=65_536)
    timeout_seconds: int = Field(300, ge=1, le=3600)
    qualifier: str | None = None
    output_limit: int = Field(50_000, ge=0, le=100_000)
    check: bool = True


class Ended(Model):
    """How it ended.

    Attributes:
        exit_code: Of the command.
        stdout: The end of its standard output.
        stderr: The end of its standard error.
        truncated: Whether there was more of either.
        session_id: On whose machine it ran.
    """

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool
    session_id: str


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  (Lambda's signature)
    """Runs a command.

    Args:
        event: A `Command`, in camelCase.
        context: Lambda's.

    Returns:
        An `Ended`, in camelCase.

    Raises:
        CommandFailed: Its exit code is not 0.
        CommandTimedOut: It took too long.
        ToolLoopError: It could not be run, or its end is not known.
    """
    try:
        command = Command.model_validate({name: value for name, value in event.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in error.errors())
        raise errors.HarnessInvalidRequest(f"the command is not one: {wrong}") from None
    ended = run(_client(), command)
    logger.info("command ended", harness=command.harness_arn, session=command.session_id, exit_code=ended.exit_code)
    return ended.model_dump(by_alias=True, mode="json")


@functools.cache
def _client() -> Any:
    return patient_client("bedrock-agentcore", read_seconds=_READ_SECONDS)


def run(client: Any, command: Command) -> Ended:
    """Runs a command and waits for its end.

    Args:
        client: Of `bedrock-agentcore`.
        command: What to run.

    Raises:
        ToolLoopError: As `handler`.
    """
    request = {
        "agentRuntimeArn": command.harness_arn,
        "runtimeSessionId": command.session_id,
        "body": {"command": command.command, "timeout": command.timeout_seconds},
        **({} if command.qualifier is None else {"qualifier": command.qualifier}),
    }
    try:
        stop, ended = _read(client.invoke_agent_runtime_command(**request)["stream"], command)
    except (ClientError, EventStreamError) as error:
        raise typed(error) from None
    except DROPPED as error:
        text = f"the connection broke off ({type(error).__name__}), and the command may still run"
        raise errors.HarnessConnectionLost(text) from None
    if stop is None:
        raise errors.HarnessConnectionLost("the stream ended without saying how the command did")
    if stop.get("status") == TIMED_OUT:
        raise CommandTimedOut(f"the command did not end within {command.timeout_seconds} seconds{_quoted(ended)}")
    if ended.exit_code == _PLATFORM_ERROR:
        raise errors.HarnessRuntimeFailed(f"the session's machine could not run the command{_quoted(ended)}")
    if command.check and ended.exit_code:
        raise CommandFailed(f"the command ended with exit code {ended.exit_code}{_quoted(ended)}")
    return ended


def _read(events: Iterable[Mapping[str, Any]], command: Command) -> tuple[Mapping[str, Any] | None, Ended]:
    kept, total, stop = {"stdout": "", "stderr": ""}, {"stdout": 0, "stderr": 0}, None
    for event in events:
        chunk = event.get("chunk", {})
        for name, text in chunk.get("contentDelta", {}).items():
            if name in kept and text:
                total[name] += len(text)
                kept[name] = (kept[name] + text)[-command.output_limit :] if command.output_limit else ""
        stop = chunk.get("contentStop", stop)
    is_cut = any(total[name] > command.output_limit for name in total)
    exit_code = _PLATFORM_ERROR if stop is None else int(stop["exitCode"])
    return stop, Ended(exit_code=exit_code, **kept, truncated=is_cut, session_id=command.session_id)


def _quoted(ended: Ended) -> str:
    said = (ended.stderr.strip() or ended.stdout.strip())[-_TOLD:]
    return f": {said}" if said else ""
