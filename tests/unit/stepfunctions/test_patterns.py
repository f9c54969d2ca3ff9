"""The ready-made patterns: what ships is what is rendered, valid, drawn, and allowed no more than it needs."""

from __future__ import annotations

import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks
from support import patterns, synth
from support.patterns import PATTERNS
from support.workflows import Machine

from agentcore_constructs import Harness, HarnessConfigError
from agentcore_stepfunctions import (
    ApprovedTool,
    EvaluatorOptimizer,
    PlanImplementReview,
    ScheduledAgent,
    TriageAndRoute,
    Workflow,
)

if TYPE_CHECKING:
    from constructs import IConstruct

SHIPPED: Path = resources.files("agentcore_stepfunctions.workflows")  # type: ignore[assignment]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "patterns.md"
# What agents are told has tags of its own, each on a line of its own.
STAND_IN = re.compile(r"(?<!\\n)<([A-Za-z][A-Za-z0-9]*?)([0-9A-F]{8})?(?:\.([A-Za-z]+))?>")
OPEN_TO_ALL = {"logs", "xray"}


def portable(rendered: str) -> str:
    """The definition with substitutions such as `${WriterArn}` instead of references."""
    return STAND_IN.sub(lambda found: f"${{{found[1]}{found[3] or ''}}}", rendered)


@pytest.fixture(scope="module", params=sorted(PATTERNS))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, cdk.Stack, Machine]:
    """A stack with one pattern, checked by cdk-nag when it is synthesized."""
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Patterns", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    PATTERNS[request.param](stack)
    return request.param, stack, Machine(stack)


def test_the_shipped_definition_is_what_the_construct_renders(made: tuple[str, cdk.Stack, Machine]) -> None:
    name, _, machine = made
    rendered = portable(json.dumps(machine.definition, indent=2, ensure_ascii=False) + "\n")
    file = SHIPPED / f"{name}.asl.json"
    if "WRITE_ASL" in os.environ:
        file.write_text(rendered, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == rendered, "run this test with WRITE_ASL=1 to write the file anew"


def test_the_page_shows_what_ships(made: tuple[str, cdk.Stack, Machine]) -> None:
    name, _, machine = made
    assert patterns.drawn_on(PAGE, name, machine.definition), "run this test with WRITE_ASL=1 to draw it anew"


def test_the_role_names_what_it_uses(made: tuple[str, cdk.Stack, Machine]) -> None:
    _, _, machine = made
    for statement in machine.statements:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        given = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        if "*" in given:
            assert {action.split(":")[0] for action in actions} <= OPEN_TO_ALL
        assert not [action for action in actions if "*" in action and not action.startswith("kms:")]


def test_cdk_nag_finds_nothing_on_the_workflows(tmp_path: Path) -> None:
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Patterns", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    workflows = [made(stack) for made in PATTERNS.values()]
    for workflow in workflows:
        workflow.acknowledge_wildcards()
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # The harnesses' own roles are not acknowledged here.
    with pytest.raises(RuntimeError):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    assert [found for workflow in workflows for found in _violations(report, workflow)] == []


def _violations(report: dict[str, Any], workflow: IConstruct) -> Any:
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                path = construct["constructPath"]
                if f"/{path}".startswith(f"/{workflow.node.path}/") and not re.search("/(Approval|Turn)/", path):
                    yield path, violation["ruleName"]


def test_what_cannot_be_is_refused(stack: cdk.Stack, harness: Harness) -> None:
    def of(make: Any) -> str:
        with pytest.raises(HarnessConfigError) as raised:
            make()
        return str(raised.value)

    routes: Any = {"other": (harness, "All.")}
    assert "none of them 'other'" in of(
        lambda: TriageAndRoute(stack, "A", triage=harness, routes=routes, fallback=harness)
    )
    alone: Any = {"billing": harness}
    assert of(lambda: TriageAndRoute(stack, "A", triage=harness, routes=alone, fallback=harness)) == (
        "The workflow Agents/A has 1 fault:\n  routes['billing']: must be a harness and what belongs there; received "
        "an object of class Harness; write {'billing': (harness, 'Invoices.')}."
    )
    both = of(
        lambda: EvaluatorOptimizer(
            stack, "B", writer=harness, evaluator=harness, criteria="", accept=11, max_rounds=0, max_total_tokens=0
        )
    )
    assert all(told in both for told in ("accept: must be 1–10", "max_rounds: must be 1–20", "max_total_tokens: must"))
    every = scheduler.ScheduleExpression.rate(cdk.Duration.days(1))
    assert "else nobody sees the result" in of(
        lambda: ScheduledAgent(stack, "C", harness=harness, prompt="Hi", schedule=every)
    )
    wrong = of(lambda: PlanImplementReview(stack, "D", harness=harness, directory="shop", max_rounds=11))
    assert "directory: must be an absolute path" in wrong
    assert "max_rounds: must be 1–10" in wrong


def test_an_approval_nobody_is_asked_for_is_told_at_synthesis(stack: cdk.Stack, harness: Harness) -> None:
    topic = sns.Topic(stack, "Topic")
    workflow = ApprovedTool(stack, "A", harness=harness, channel=topic)
    assert isinstance(workflow, Workflow)
    assert any("must have a tool that wants approval" in told for told in workflow.node.validate())


def test_a_fifo_topic_is_told_which_execution_it_was(stack: cdk.Stack, harness: Harness) -> None:
    """It refuses messages without a group, and without an id where their content does not make one."""
    every = scheduler.ScheduleExpression.rate(cdk.Duration.days(1))
    topic = sns.Topic(stack, "Topic", fifo=True)
    ScheduledAgent(stack, "Daily", harness=harness, prompt="Hi", schedule=every, topic=topic)
    machine = Machine(stack)
    execution = "{% $hash($states.context.Execution.Id, 'SHA-256') %}"
    for state in ("Announce", "Announce failure"):
        told = machine.state(state)["Arguments"]
        assert (told["MessageGroupId"], told["MessageDeduplicationId"]) == (execution, execution)


def test_each_machine_has_a_log_group_that_takes_no_room_in_the_policy_all_share(made: tuple[str, Any, Any]) -> None:
    _, stack, _ = made
    groups = [one["LogGroupName"] for one in groups_of(stack) if "LogGroupName" in one]
    assert len(groups) == 1
    assert re.fullmatch(r"/aws/vendedlogs/states/Patterns-[A-Za-z0-9-]+-[0-9A-F]{8}", groups[0])


def groups_of(stack: cdk.Stack) -> list[dict[str, Any]]:
    found = synth.template_of(stack).to_json()["Resources"].values()
    return [one["Properties"] for one in found if one["Type"] == "AWS::Logs::LogGroup"]
