"""CloudWatch metrics of a harness, named as aws-cdk-lib's `Runtime` names them.

The service publishes them for the runtime behind the harness, per endpoint
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "AWS/Bedrock-AgentCore"
DEFAULT_ENDPOINT = "DEFAULT"
"""The endpoint every harness has; it follows the newest version."""

# Calls of InvokeHarness are counted, and appear in CloudTrail, as calls of this operation.
_OPERATION = "InvokeAgentRuntime"
_SERVICE = "AgentCore.Runtime"


class MetricOptions(TypedDict, total=False):
    """What may be said of a metric; the options of `aws_cloudwatch.Metric`."""

    statistic: str
    period: cdk.Duration
    label: str
    color: str
    unit: cloudwatch.Unit
    dimensions_map: Mapping[str, str]
    account: str
    region: str
    id: str
    visible: bool


class HarnessMetrics:
    """The metrics of one endpoint of a harness.

    A mixin: the class that has it says where the metrics are found.
    """

    def _metric_source(self) -> tuple[str, str, str]:
        """Returns name and ARN of the runtime behind the harness, and the endpoint."""
        raise NotImplementedError

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns any metric of this endpoint in the namespace `AWS/Bedrock-AgentCore`.

        Args:
            metric_name: Its name, such as `Invocations`.
            **options: As of `aws_cloudwatch.Metric`; `dimensions_map` is added to the dimensions.
        """
        name, arn, endpoint = self._metric_source()
        dimensions = {"Operation": _OPERATION, "Name": f"{name}::{endpoint}", "Resource": arn}
        return self._metric(metric_name, dimensions, options)

    def metric_invocations(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how often it was invoked (sum)."""
        return self.metric("Invocations", **_by("Sum", options))

    def metric_throttles(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests were throttled (sum)."""
        return self.metric("Throttles", **_by("Sum", options))

    def metric_system_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests the service failed (sum)."""
        return self.metric("SystemErrors", **_by("Sum", options))

    def metric_user_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests were at fault themselves (sum)."""
        return self.metric("UserErrors", **_by("Sum", options))

    def metric_total_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns system and user errors together (sum)."""
        return self.metric("TotalErrors", **_by("Sum", options))

    def metric_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the time from the request to the last token, in milliseconds (average)."""
        return self.metric("Latency", **_by("Average", options))

    def metric_session_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many sessions there were (sum)."""
        return self.metric("SessionCount", **_by("Sum", options))

    def metric_cpu_used(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the processor time used, in vCPU-hours (sum); what is billed."""
        return self._usage("CPUUsed-vCPUHours", options)

    def metric_memory_used(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the memory used, in GB-hours (sum); what is billed."""
        return self._usage("MemoryUsed-GBHours", options)

    def _usage(self, metric_name: str, options: MetricOptions) -> cloudwatch.Metric:
        name, arn, endpoint = self._metric_source()
        dimensions = {"Service": _SERVICE, "Resource": arn, "Name": f"{name}::{endpoint}"}
        return self._metric(metric_name, dimensions, _by("Sum", options))

    @staticmethod
    def _metric(metric_name: str, dimensions: Mapping[str, str], options: MetricOptions) -> cloudwatch.Metric:
        given: dict[str, Any] = dict(options)
        given["dimensions_map"] = {**dimensions, **options.get("dimensions_map", {})}
        return cloudwatch.Metric(namespace=NAMESPACE, metric_name=metric_name, **given)


def _by(statistic: str, options: MetricOptions) -> MetricOptions:
    """Returns options with a statistic, unless they have one."""
    return options if "statistic" in options else {**options, "statistic": statistic}
