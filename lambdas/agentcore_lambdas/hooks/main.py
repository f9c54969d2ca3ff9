"""The Lambda handler of a hook: the function that the environment names, with logs, traces and metrics."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging import utils
from aws_lambda_powertools.metrics import MetricUnit

from agentcore_lambdas import hooks

VARIABLE = "AGENTCORE_HOOK"
"""The environment variable: `module:function`."""

NAMESPACE = "AgentCoreHarness"
"""Where the metrics go, unless POWERTOOLS_METRICS_NAMESPACE says otherwise."""

logger = Logger()
utils.copy_config_to_registered_loggers(source_logger=logger, include={"agentcore_lambdas"})
tracer = Tracer()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE))


def _loaded(entry: str) -> Any:
    module, _, name = entry.partition(":")
    function = getattr(import_module(module), name)
    return function if hooks.is_handler(function) else hooks.handler(function)


# While the function starts, not while an agent waits.
HOOK = _loaded(os.environ[VARIABLE])


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: Any, context: Any) -> Any:
    """Decides on one event; answers in every case."""
    answer = HOOK(event, context)
    name = event.get("name") if isinstance(event, dict) else None
    metrics.add_dimension(name="hook", value=str(name or "unknown"))
    metrics.add_metric(name="HookCalls", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="HookDenials", unit=MetricUnit.Count, value=int(answer["decision"] == "deny"))
    tracer.put_annotation(key="decision", value=answer["decision"])
    return answer
