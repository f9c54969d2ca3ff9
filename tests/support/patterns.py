"""One stack with every ready-made pattern, as a user would write it, and pictures of definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns

from agentcore_constructs import Harness, InlineTool, Memory, Model
from agentcore_stepfunctions import (
    ApprovedTool,
    EvaluatorOptimizer,
    PlanImplementReview,
    ResearchAndWrite,
    ScheduledAgent,
    TriageAndRoute,
    Workflow,
    jsonata,
    text,
)

from .shop import orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs import Construct

REPOSITORY = "/tmp/repository"


def agent(scope: Construct, construct_id: str, **props: Any) -> Harness:
    return Harness(scope, construct_id, memory=Memory.disabled(), **props)


def plan_implement_review(scope: Construct, directory: str = REPOSITORY) -> Workflow:
    return PlanImplementReview(
        scope,
        "Change",
        harness=agent(scope, "Coder"),
        directory=directory,
        plan_model=Model.bedrock("anthropic.plan"),
        implement_model=Model.bedrock("anthropic.implement"),
        review_model=Model.bedrock("anthropic.review"),
    )


def triage_and_route(scope: Construct) -> Workflow:
    return TriageAndRoute(
        scope,
        "Desk",
        triage=agent(scope, "Triage"),
        routes={
            "billing": (agent(scope, "Billing"), "Invoices, payments and refunds."),
            "technical": (agent(scope, "Technical"), "Whatever does not work."),
        },
        fallback=agent(scope, "Anything"),
        triage_model=Model.bedrock("anthropic.small"),
    )


def approved_tool(scope: Construct, waiting: cdk.Duration | None = None) -> ApprovedTool:
    key = kms.Key(scope, "TopicKey", enable_key_rotation=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    topic = sns.Topic(scope, "Asked", enforce_ssl=True, master_key=key)
    harness = agent(scope, "Cashier", tools=[InlineTool.from_function(orders.refund)])
    return ApprovedTool(
        scope,
        "Refunds",
        harness=harness,
        channel=topic,
        title="A refund",
        approval_timeout=waiting or cdk.Duration.hours(24),
    )


def evaluator_optimizer(scope: Construct) -> Workflow:
    return EvaluatorOptimizer(
        scope,
        "Improve",
        writer=agent(scope, "Author"),
        evaluator=agent(scope, "Critic"),
        criteria="Short, and true.",
        max_total_tokens=1_000_000,
    )


def scheduled_agent(scope: Construct) -> ScheduledAgent:
    key = kms.Key(scope, "ResultKey", enable_key_rotation=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    results = s3.Bucket(
        scope,
        "Results",
        enforce_ssl=True,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    topic = sns.Topic(scope, "Finished", enforce_ssl=True, master_key=key)
    return ScheduledAgent(
        scope,
        "Daily",
        harness=agent(scope, "Reporter"),
        prompt=text("Report on the day of ", jsonata("$scheduledTime")),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        bucket=results,
        prefix="reports/",
        topic=topic,
    )


def research_and_write(scope: Construct) -> Workflow:
    return ResearchAndWrite(scope, "Brief", researcher=agent(scope, "Researcher"), writer=agent(scope, "Writer"))


PATTERNS: dict[str, Callable[[Any], Workflow]] = {
    made.__name__: made
    for made in (
        plan_implement_review,
        triage_and_route,
        approved_tool,
        evaluator_optimizer,
        scheduled_agent,
        research_and_write,
    )
}


def picture(definition: dict[str, Any]) -> str:
    """A definition as a Mermaid flow chart."""
    states = definition["States"]
    ids = {name: f"s{number}" for number, name in enumerate(states)}
    shapes = {"Choice": '{{"%s"}}', "Succeed": '(["%s"])', "Fail": '[["%s"]]'}
    lines = ["flowchart TD", f"  start((start)) --> {ids[definition['StartAt']]}"]
    lines += [f"  {ids[name]}" + shapes.get(state["Type"], '["%s"]') % name for name, state in states.items()]
    for name, state in states.items():
        lines += [f"  {ids[name]} {arrow} {ids[target]}" for arrow, target in dict.fromkeys(_ways(state))]
    return "\n".join(lines)


def _ways(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in state.get("Choices", ()):
        yield "-->", rule["Next"]
    for way in ("Next", "Default"):
        if way in state:
            yield "-->", state[way]
    for catcher in state.get("Catch", ()):
        yield "-. error .->", catcher["Next"]
