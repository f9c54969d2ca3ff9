"""Metrics are those of the runtime behind the harness, per endpoint."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from agentcore_constructs import Harness

RUNTIME = "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/harness_research-0123456789"
ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/research-0123456789"


@pytest.fixture
def harness(stack: cdk.Stack):
    return Harness.from_harness_attributes(stack, "Agent", harness_arn=ARN, runtime_arn=RUNTIME)


@pytest.mark.parametrize(
    ("verb", "name", "statistic"),
    [
        ("metric_invocations", "Invocations", "Sum"),
        ("metric_throttles", "Throttles", "Sum"),
        ("metric_system_errors", "SystemErrors", "Sum"),
        ("metric_user_errors", "UserErrors", "Sum"),
        ("metric_total_errors", "TotalErrors", "Sum"),
        ("metric_latency", "Latency", "Average"),
        ("metric_session_count", "SessionCount", "Sum"),
    ],
)
def test_metric_of_calls(harness, verb: str, name: str, statistic: str) -> None:
    metric: cloudwatch.Metric = getattr(harness, verb)()

    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/Bedrock-AgentCore", name, statistic)
    assert metric.dimensions == {
        "Operation": "InvokeAgentRuntime",
        "Name": "harness_research::DEFAULT",
        "Resource": RUNTIME,
    }


@pytest.mark.parametrize(
    ("verb", "name"), [("metric_cpu_used", "CPUUsed-vCPUHours"), ("metric_memory_used", "MemoryUsed-GBHours")]
)
def test_metric_of_usage(harness, verb: str, name: str) -> None:
    metric: cloudwatch.Metric = getattr(harness, verb)()

    assert (metric.metric_name, metric.statistic) == (name, "Sum")
    assert metric.dimensions == {
        "Service": "AgentCore.Runtime",
        "Name": "harness_research::DEFAULT",
        "Resource": RUNTIME,
    }


def test_options_are_passed_on(harness) -> None:
    metric = harness.metric_latency(
        statistic="p99", period=cdk.Duration.minutes(1), label="slow", dimensions_map={"Extra": "x"}
    )

    assert (metric.statistic, metric.period.to_seconds(), metric.label) == ("p99", 60, "slow")
    assert metric.dimensions["Extra"] == "x"


def test_any_other_metric(harness) -> None:
    assert harness.metric("Duration", statistic="Maximum").metric_name == "Duration"


def test_an_endpoint_has_metrics_of_its_own(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Own", harness_name="research")

    metric = harness.add_endpoint("PROD").metric_invocations()

    assert metric.dimensions["Name"] == "harness_research::PROD"
    assert stack.resolve(metric.dimensions["Resource"]) == {
        "Fn::GetAtt": ["Own30425842", "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeArn"]
    }


def test_an_alarm_can_be_made_of_it(stack: cdk.Stack) -> None:
    alarm = Harness(stack, "Own").metric_system_errors().create_alarm(stack, "A", threshold=1, evaluation_periods=1)

    assert alarm.alarm_name
