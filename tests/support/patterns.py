"""One stack with every ready-made pattern, as a user would write it, and pictures of definitions."""

from __future__ import annotations

import os
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
    from pathlib import Path

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
    """A definition as a Mermaid flow chart; the states of a Map are a box of their own."""
    start = f"  start((start)) --> s{list(definition['States']).index(definition['StartAt'])}"
    return "\n".join(["flowchart TD", start, *_drawn(definition["States"], "s", "  ")])


def drawn_on(page: Path, name: str, definition: dict[str, Any]) -> bool:
    """Whether a page has the picture of a definition; with `WRITE_ASL` in the environment it is drawn there anew."""
    marks = f"<!-- picture: {name} -->\n```mermaid\n", "\n```\n"
    text = page.read_text(encoding="utf-8")
    assert marks[0] in text, f"docs/{page.name} has no picture of {name}"
    before, rest = text.split(marks[0])
    drawn, after = rest.split(marks[1], 1)
    made = picture(definition)
    if "WRITE_ASL" in os.environ:
        page.write_text(before + marks[0] + made + marks[1] + after, encoding="utf-8")
    return "WRITE_ASL" in os.environ or drawn == made


def _drawn(states: dict[str, Any], prefix: str, indent: str) -> Iterator[str]:
    ids = {name: f"{prefix}{number}" for number, name in enumerate(states)}
    shapes = {"Choice": '{{"%s"}}', "Succeed": '(["%s"])', "Fail": '[["%s"]]'}
    for name, state in states.items():
        if state["Type"] == "Map":
            yield f'{indent}subgraph {ids[name]}["{name}"]'
            yield from _drawn(state["ItemProcessor"]["States"], f"{ids[name]}_", indent + "  ")
            yield f"{indent}end"
        else:
            yield f"{indent}{ids[name]}" + shapes.get(state["Type"], '["%s"]') % name
    for name, state in states.items():
        yield from (f"{indent}{ids[name]} {arrow} {ids[target]}" for arrow, target in dict.fromkeys(_ways(state)))


def _ways(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in state.get("Choices", ()):
        yield "-->", rule["Next"]
    for way in ("Next", "Default"):
        if way in state:
            yield "-->", state[way]
    for catcher in state.get("Catch", ()):
        yield "-. error .->", catcher["Next"]
