"""Runs tools in Lambda: picks the tool, validates the input, calls the function, answers in every case.

The contract is that of AgentCore Gateway for Lambda targets
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html): the arguments are the
event, the tool's name is `bedrockAgentCoreToolName` in the client context, `<target>___<tool>` where a gateway calls.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from agentcore_lambdas.tools import results
from agentcore_lambdas.tools.context import TOOL_NAME, ToolContext
from agentcore_lambdas.tools.definition import InputError, ToolDefinition
from agentcore_lambdas.tools.errors import ToolError

# The traceback as text, which folds what repeats: frame by frame, an endless recursion is a line that CloudWatch cuts.
logger = Logger(serialize_stacktrace=False)

_SEPARATOR = "___"
# What the answer itself takes, and at most a tenth of the time there is.
_MARGIN = 1.0
_MARGIN_SHARE = 0.1


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        tool: The tool; None where there is none of the name asked for.
        answer: What the Lambda function returns.
        reason: None when it worked; otherwise `unknown`, `input`, `refused`, `raised`, `timeout` or `result`.
        seconds: How long the function took.
    """

    tool: str | None
    answer: Any
    reason: str | None = None
    seconds: float = 0.0


class _OutOfTime(BaseException):
    """Raised into the tool when the time is up; no Exception, so that a tool's own handlers let it pass."""


def call(tools: Mapping[str, ToolDefinition], event: Any, context: Any) -> Outcome:
    """Serves one invocation.

    Args:
        tools: What there is, by name.
        event: The arguments.
        context: Lambda's context.

    Returns:
        The outcome; nothing that a tool does makes this raise.
    """
    caller = _caller(context)
    tool = _picked(tools, caller.get(TOOL_NAME))
    if tool is None:
        known = ", ".join(sorted(tools))
        asked = caller.get(TOOL_NAME) or "none"
        logger.error("tool=<%s>, known=<%s> | no such tool", asked, known)
        return Outcome(None, results.error(f"There is no tool {asked!r} here; there are: {known}."), "unknown")
    logger.append_keys(tool=tool.name)
    remaining = _remaining(context)
    told = ToolContext(tool.name, str(getattr(context, "aws_request_id", "")), caller, remaining)
    begun = time.monotonic()
    answer, reason = _answered(tool, event, told)
    return Outcome(tool.name, answer, reason, time.monotonic() - begun)


class _Failed(Exception):  # noqa: N818 - carries an answer, is no fault by itself
    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def _answered(tool: ToolDefinition, event: Any, context: ToolContext) -> tuple[Any, str | None]:
    try:
        positional, named = _bound(tool, event, context)
        return _run(tool, positional, named, context.remaining_seconds), None
    except _Failed as failed:
        return results.error(str(failed)), failed.reason


def _bound(tool: ToolDefinition, event: Any, context: ToolContext) -> tuple[list[Any], dict[str, Any]]:
    try:
        return tool.bind(event, context)
    except InputError as problem:
        logger.warning("input refused")
        raise _Failed(str(problem), "input") from None
    except Exception as problem:
        # A validator of the user's own raised what pydantic takes for no answer.
        logger.exception("error=<%s> | validation of the input failed", type(problem).__name__)
        raise _Failed(f"The input of {tool.name} cannot be checked ({type(problem).__name__}).", "input") from None


def _run(tool: ToolDefinition, positional: list[Any], named: dict[str, Any], remaining: float | None) -> Any:
    try:
        with _limited(remaining):
            value = tool.function(*positional, **named)
            if inspect.isawaitable(value):
                value = asyncio.run(_awaited(value))
            return results.answer(value)
    except _OutOfTime:
        logger.error("seconds=<%s> | tool ran out of time", remaining)
        raise _Failed(f"The tool {tool.name} did not finish within {remaining or 0:.0f} seconds.", "timeout") from None
    except ToolError as problem:
        logger.info("tool declined")
        raise _Failed(str(problem) or f"The tool {tool.name} failed.", "refused") from None
    except results.NoJsonError as problem:
        logger.error("fault=<%s> | result refused", problem)
        raise _Failed(f"The tool {tool.name} {problem}.", "result") from None
    except (Exception, SystemExit) as problem:
        logger.exception("error=<%s> | tool raised", type(problem).__name__)
        raise _Failed(f"The tool {tool.name} failed ({type(problem).__name__}).", "raised") from None


async def _awaited(value: Any) -> Any:
    return await value


def _caller(context: Any) -> Mapping[str, Any]:
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    return custom if isinstance(custom, Mapping) else {}


def _picked(tools: Mapping[str, ToolDefinition], name: Any) -> ToolDefinition | None:
    if not name:
        return next(iter(tools.values())) if len(tools) == 1 else None
    # Names of targets have no underscore, so the first separator ends one; a tool's own name may hold another.
    return tools.get(str(name)) or tools.get(str(name).partition(_SEPARATOR)[2])


def _remaining(context: Any) -> float | None:
    milliseconds = getattr(context, "get_remaining_time_in_millis", None)
    return None if milliseconds is None else milliseconds() / 1000


@contextmanager
def _limited(remaining: float | None) -> Iterator[None]:
    """Interrupts the tool shortly before Lambda would end the whole function without an answer.

    Lambda calls handlers in the main thread, the only one that Python lets signals interrupt; elsewhere there is no
    limit but Lambda's.
    """
    if remaining is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(remaining - min(_MARGIN, remaining * _MARGIN_SHARE), 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: Any) -> None:
    raise _OutOfTime
