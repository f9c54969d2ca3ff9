"""The Lambda handler of tools: the functions that the environment names, with logs, traces and metrics."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from agentcore_lambdas.tools import entries, runtime

NAMESPACE = "AgentCoreHarness"
"""Where the metrics go, unless POWERTOOLS_METRICS_NAMESPACE says otherwise."""

tracer = Tracer()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE))

# While the function starts, not while a model waits: a module that cannot be imported fails the deployment's first call
# with Lambda's own Runtime.ImportModuleError.
TOOLS = entries.load(entries.read(os.environ[entries.VARIABLE]))


@runtime.logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: Any, context: Any) -> Any:
    """Serves one call of one tool; answers in every case."""
    outcome = runtime.call(TOOLS, event, context)
    metrics.add_dimension(name="tool", value=outcome.tool or "unknown")
    metrics.add_metric(name="ToolCalls", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="ToolErrors", unit=MetricUnit.Count, value=0 if outcome.reason is None else 1)
    metrics.add_metric(name="ToolDuration", unit=MetricUnit.Milliseconds, value=outcome.seconds * 1000)
    tracer.put_annotation(key="tool", value=outcome.tool or "unknown")
    tracer.put_annotation(key="outcome", value=outcome.reason or "success")
    return outcome.answer
