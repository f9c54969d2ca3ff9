"""The Lambda handler of the tool loop: metrics and logs around it, without a word of what is said."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import ValidationError

from agentcore_lambdas.tool_loop import errors, loop
from agentcore_lambdas.tool_loop.execution import Execution
from agentcore_lambdas.tool_loop.harness import Harness
from agentcore_lambdas.tool_loop.models import Answer, Turn
from agentcore_lambdas.tool_loop.progress import Progress

TABLE_VARIABLE = "TOOL_LOOP_TABLE"
CONTENT_VARIABLE = "TOOL_LOOP_LOGS_CONTENT"
NAMESPACE = "AgentCoreHarness"

logger = Logger(service="agentcore-tool-loop")
tracer = Tracer(service="agentcore-tool-loop")
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE), service="agentcore-tool-loop")

_TABLE = os.environ[TABLE_VARIABLE]
_HARNESS, _EXECUTION, _PROGRESS = Harness(), Execution(_TABLE), Progress(_TABLE)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes a turn as far as this invocation can.

    Args:
        event: A `Turn`, in camelCase.
        context: Lambda's.

    Returns:
        An `Answer`, in camelCase.

    Raises:
        ToolLoopError: The turn failed; the class is what a workflow catches.
    """
    turn = _turn(event)
    logger.append_keys(harness=turn.harness_arn, session=turn.session_id, turn=turn.turn_id)
    ports = loop.Ports(_HARNESS, _EXECUTION, _PROGRESS, lambda: context.get_remaining_time_in_millis() / 1000)
    try:
        answer = loop.drive(turn, ports)
    except errors.ToolLoopError as error:
        metrics.add_dimension(name="harness", value=turn.harness_arn.rpartition("/")[2])
        metrics.add_metric(name="TurnFailures", unit=MetricUnit.Count, value=1)
        logger.error("turn failed", error=type(error).__name__)
        raise
    _measure(turn, answer)
    return answer.model_dump(by_alias=True, mode="json")


def _turn(event: dict[str, Any]) -> Turn:
    try:
        return Turn.model_validate({name: value for name, value in event.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in error.errors())
        raise errors.HarnessInvalidRequest(f"the turn is not one: {wrong}") from None


def _measure(turn: Turn, answer: Answer) -> None:
    before = 0 if turn.state is None else len(turn.state.tool_calls)
    used = answer.usage.total_tokens - (0 if turn.state is None else turn.state.usage.total_tokens)
    new = answer.tool_calls[before:]
    metrics.add_dimension(name="harness", value=turn.harness_arn.rpartition("/")[2])
    metrics.add_metric(name="Turns", unit=MetricUnit.Count, value=1 if answer.status == "done" else 0)
    metrics.add_metric(name="ToolCalls", unit=MetricUnit.Count, value=len(new))
    metrics.add_metric(name="ToolErrors", unit=MetricUnit.Count, value=sum(one.status == "error" for one in new))
    metrics.add_metric(name="Tokens", unit=MetricUnit.Count, value=used)
    if os.environ.get(CONTENT_VARIABLE) == "true":
        logger.append_keys(text=answer.text)
    logger.info("turn taken", status=answer.status, stop_reason=answer.stop_reason, tool_calls=len(new))
