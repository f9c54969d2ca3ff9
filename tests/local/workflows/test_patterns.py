"""The ready-made patterns on the local cloud: deployed by the real CDK CLI, executed to good and to bad ends.

`HarnessBatch` has a folder of its own, `tests/local/batch`.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_stepfunctions as sfn
from support import cdk_cli, patterns, synth

from agentcore_constructs import Harness, Model
from agentcore_local import schedules
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.harness.errors import ServiceError
from agentcore_local.stepfunctions import harness_task, tasks
from agentcore_stepfunctions import ApprovedTool, InvokeHarness, ScheduledAgent

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud

pytestmark = [pytest.mark.cli, pytest.mark.timeout(300)]

# Long enough for functions that start on a busy machine; where nobody answers, the wait is the test's own.
WAITING_SECONDS, HASTY_SECONDS = 120, 2
TIMEOUT = cdk.Duration.minutes(5)
REFUND = {"order_id": "7", "lines": [{"sku": "a"}], "reason": "late"}
APPROVED = '{"approved": true, "comments": "Good."}'
REJECTED = 'Hm.\n```json\n{"approved": false, "comments": "Say {two}."}\n```'


class Deployed:
    """The stack, and executions of its machines."""

    def __init__(self, account: Account, outputs: dict[str, str]) -> None:
        self.account = account
        self.outputs = outputs
        self.client = account.client("stepfunctions")

    def script(self, harness: str, script: Any) -> None:
        self.account.cloud.script(self.outputs[f"{harness}Harness"], script)

    def start(self, machine: str, given: Any, **options: Any) -> str:
        arn = self.outputs[machine]
        started = self.client.start_execution(stateMachineArn=arn, input=json.dumps(given), **options)
        return str(started["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found | {"output": json.loads(found.get("output") or "null")}
            time.sleep(0.05)
        raise AssertionError(f"it did not end: {found}")

    def run(self, machine: str, given: Any, **options: Any) -> dict[str, Any]:
        return self.end(self.start(machine, given, **options))

    def output(self, machine: str, given: Any, **options: Any) -> Any:
        found = self.run(machine, given, **options)
        assert found["status"] == "SUCCEEDED", (found, self.history(found["executionArn"]))
        return found["output"]

    def error(self, machine: str, given: Any) -> tuple[str, str]:
        found = self.run(machine, given)
        assert found["status"] == "FAILED", found
        return found["error"], found.get("cause", "")

    def history(self, execution: str) -> list[dict[str, Any]]:
        found = self.client.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        return [event for event in found if "Failed" in event["type"]]


def all_patterns(stack: cdk.Stack) -> None:
    """Every pattern, with outputs named after the constructs."""
    made = [
        patterns.plan_implement_review(stack),
        patterns.triage_and_route(stack),
        patterns.evaluator_optimizer(stack),
        patterns.scheduled_agent(stack),
        patterns.approved_tool(stack, cdk.Duration.seconds(WAITING_SECONDS)),
        patterns.research_and_write(stack),
    ]
    for workflow in made:
        cdk.CfnOutput(stack, workflow.node.id + "Out", value=workflow.state_machine.state_machine_arn)
    for child in stack.node.children:
        if isinstance(child, Harness):
            cdk.CfnOutput(stack, f"{child.node.id}HarnessOut", value=child.harness_arn)
    daily = stack.node.find_child("Daily")
    assert isinstance(daily, ScheduledAgent)
    cdk.CfnOutput(stack, "ScheduleOut", value=daily.schedule.schedule_name)
    cdk.CfnOutput(stack, "BucketOut", value=stack.node.find_child("Results").bucket_name)  # type: ignore[attr-defined]
    refunds = stack.node.find_child("Refunds")
    assert isinstance(refunds, ApprovedTool)
    cdk.CfnOutput(stack, "ResponderOut", value=refunds.desk.responder.function_name)
    cashier = stack.node.find_child("Cashier")
    assert isinstance(cashier, Harness)
    wait = cdk.Duration.seconds(HASTY_SECONDS)
    hasty = ApprovedTool(stack, "Hasty", harness=cashier, desk=refunds.desk, approval_timeout=wait, timeout=TIMEOUT)
    cdk.CfnOutput(stack, "HastyOut", value=hasty.state_machine.state_machine_arn)


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """One stack with every pattern, deployed as a user would."""
    account = local_cloud.account()
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = cdk.Stack(app, "Patterns", env=cdk_cli.environment(account))
    all_patterns(stack)
    quick = InvokeHarness.quick_create(
        stack, "Quick", model=Model.bedrock("anthropic.quick"), prompt="Hi", system_prompt="Be brief."
    )
    body = sfn.DefinitionBody.from_chainable(quick)
    language = sfn.QueryLanguage.JSONATA
    made = sfn.StateMachine(stack, "QuickMachine", definition_body=body, query_language=language)
    cdk.CfnOutput(stack, "QuickHarnessOut", value=quick.harness.harness_arn)
    cdk.CfnOutput(stack, "QuickOut", value=made.state_machine_arn)
    app.synth()
    outputs = cdk_cli.deploy(account, app.outdir, "Patterns")
    return Deployed(account, {name.removesuffix("Out"): value for name, value in outputs.items()})


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the service refuse the first so many calls. Pauses between attempts take no time."""

    def throttle(calls: int) -> list[str]:
        seen: list[str] = []
        invokable = harness_task.invokable  # type: ignore[attr-defined]  # imported there, replaced here

        def refuse(*given: Any) -> Any:
            seen.append("call")
            if len(seen) <= calls:
                raise ServiceError("ThrottlingException", "Rate exceeded")
            return invokable(*given)

        monkeypatch.setattr(harness_task, "invokable", refuse)
        monkeypatch.setattr(tasks, "pause", lambda *_: None)
        return seen

    return throttle


def test_the_cli_has_deployed_a_machine_for_each(deployed: Deployed) -> None:
    machines = deployed.client.list_state_machines()["stateMachines"]
    assert len(machines) == len(patterns.PATTERNS) + 2  # and those of the quick create and of the hasty one


class TestQuickCreate:
    def test_harness_role_and_state_in_one_call(self, deployed: Deployed) -> None:
        deployed.script("Quick", lambda call: f"{call.model_id} {call.system_prompt}")
        assert deployed.output("Quick", {}, name="abc")["text"] == "anthropic.quick Be brief."


class TestTriageAndRoute:
    @pytest.fixture(autouse=True)
    def _answers(self, deployed: Deployed) -> None:
        for name in ("Billing", "Technical", "Anything"):
            deployed.script(name, lambda call, name=name: f"{name}: {call.prompt}")

    @pytest.mark.parametrize(
        ("said", "route", "who"),
        [
            ('{"route": "billing", "reason": "money"}', "billing", "Billing"),
            ('Surely:\n```json\n{"reason": "{broken}", "route": "technical"}\n```', "technical", "Technical"),
            ('{"route": "other", "reason": "?"}', "other", "Anything"),
            ('{"route": "sales", "reason": "unknown"}', "other", "Anything"),
            ("I would say billing.", "other", "Anything"),
            ("", "other", "Anything"),
        ],
    )
    def test_a_typed_answer_chooses(self, deployed: Deployed, said: str, route: str, who: str) -> None:
        deployed.script("Triage", lambda call: said)
        answer = deployed.output("Desk", {"request": "Help!"})
        assert (answer["route"], answer["text"]) == (route, f"{who}: Help!")
        assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"] > 0

    def test_a_triage_that_fails_is_no_reason_not_to_answer(self, deployed: Deployed) -> None:
        deployed.script("Triage", lambda call: Turn(error=ModelFailure("server")))
        answer = deployed.output("Desk", {"request": "Help!"}, name="xyz")
        assert answer["route"] == "other"
        assert answer["reason"].startswith("The triage failed: BedrockAgentCore.")

    def test_throttling_is_waited_out(self, deployed: Deployed, throttled: Any) -> None:
        deployed.script("Triage", lambda call: '{"route": "billing", "reason": "money"}')
        seen = throttled(2)
        assert deployed.output("Desk", {"request": "Help!"})["route"] == "billing"
        assert len(seen) == 4

    def test_what_fails(self, deployed: Deployed) -> None:
        assert deployed.error("Desk", {})[0] == "TriageAndRoute.NoRequest"
        deployed.script("Triage", lambda call: '{"route": "billing", "reason": "money"}')
        deployed.script("Billing", lambda call: "")
        assert deployed.error("Desk", {"request": "Help!"}) == (
            "TriageAndRoute.NothingAnswered",
            "the agent of the route stopped without a text: end_turn",
        )
        deployed.script("Billing", lambda call: Turn(error=ModelFailure("access_denied")))
        assert deployed.error("Desk", {"request": "Help!"})[0].startswith("BedrockAgentCore.")


class TestEvaluatorOptimizer:
    def author(self, deployed: Deployed, *drafts: str) -> None:
        def write(call: Any) -> str:
            said = sum(message["role"] == "assistant" for message in call.messages)
            return str(drafts[min(said, len(drafts) - 1)])

        deployed.script("Author", write)

    def critic(self, deployed: Deployed, scores: dict[str, int], tokens: int = 10) -> None:
        def judge(call: Any) -> Turn:
            draft = call.prompt.split("<text>\n")[1].split("\n</text>")[0]
            text = json.dumps({"score": scores[draft], "feedback": f"Not {draft}."})
            return Turn(text, usage={"inputTokens": tokens, "outputTokens": 0})

        deployed.script("Critic", judge)

    def test_until_the_score_is_good(self, deployed: Deployed) -> None:
        self.author(deployed, "bad", "good", "never")
        self.critic(deployed, {"bad": 3, "good": 9})
        answer = deployed.output("Improve", {"task": "Write."}, name="abc")
        found = {name: answer[name] for name in ("text", "score", "rounds", "stoppedBy")}
        assert found == {"text": "good", "score": 9, "rounds": 2, "stoppedBy": "score"}

    def test_the_best_is_kept_when_the_rounds_are_used_up(self, deployed: Deployed) -> None:
        self.author(deployed, "fair", "best", "worse")
        self.critic(deployed, {"fair": 3, "best": 7, "worse": 1})
        answer = deployed.output("Improve", {"task": "Write."})
        assert (answer["text"], answer["score"], answer["rounds"]) == ("best", 7, 3)
        assert (answer["stoppedBy"], answer["feedback"]) == ("rounds", "Not best.")

    def test_the_budget_says_stop(self, deployed: Deployed) -> None:
        self.author(deployed, "bad")
        self.critic(deployed, {"bad": 3}, tokens=1_000_000)
        answer = deployed.output("Improve", {"task": "Write."})
        assert (answer["stoppedBy"], answer["rounds"]) == ("tokens", 1)
        assert answer["usage"]["totalTokens"] > 1_000_000

    def test_an_empty_revision_ends_it(self, deployed: Deployed) -> None:
        self.author(deployed, "bad", "")
        self.critic(deployed, {"bad": 3})
        answer = deployed.output("Improve", {"task": "Write."})
        assert (answer["text"], answer["stoppedBy"], answer["rounds"]) == ("bad", "writer", 1)

    def test_what_fails(self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "pause", lambda *_: None)
        self.author(deployed, "")
        assert deployed.error("Improve", {"task": "Write."})[0] == "EvaluatorOptimizer.NothingWritten"
        assert deployed.error("Improve", {"task": 7})[0] == "EvaluatorOptimizer.NoTask"
        self.author(deployed, "bad")
        asked: list[str] = []

        def judge(call: Any) -> str:
            asked.append(call.prompt)
            return '{"score": "high", "feedback": "x"}'

        deployed.script("Critic", judge)
        name, cause = deployed.error("Improve", {"task": "Write."})
        assert name == "States.QueryEvaluationError"
        assert "score must be of type integer, not string" in cause
        assert len(asked) == 3


class TestApprovedTool:
    @pytest.fixture(autouse=True)
    def _cashier(self, deployed: Deployed) -> None:
        def work(call: Any) -> Any:
            return call.tool_result or Turn(tool_calls=[ToolCall("refund", REFUND)])

        deployed.script("Cashier", work)

    def asked(self, deployed: Deployed) -> set[str]:
        """The ids of approvals that were ever asked for."""
        client = deployed.account.client("dynamodb")
        tables = [name for name in client.list_tables()["TableNames"] if "Approval" in name]
        items = [item for table in tables for item in client.scan(TableName=table)["Items"]]
        return {item["id"]["S"] for item in items}

    def newly_asked(self, deployed: Deployed, before: set[str]) -> str:
        """Waits for the next approval that is asked for, and returns its id."""
        end = time.monotonic() + 60
        while not (new := self.asked(deployed) - before):
            assert time.monotonic() < end, "nobody asked"
            time.sleep(0.05)
        return new.pop()

    def answered(self, deployed: Deployed, *, name: str | None = None, **said: Any) -> dict[str, Any]:
        """Starts an execution and answers as a person would who got the notification."""
        before = self.asked(deployed)
        options = {} if name is None else {"name": name}
        execution = deployed.start("Refunds", {"request": "Refund order 7."}, **options)
        payload = json.dumps({"approvalId": self.newly_asked(deployed, before), **said})
        client = deployed.account.client("lambda")
        reply = json.load(client.invoke(FunctionName=deployed.outputs["Responder"], Payload=payload)["Payload"])
        assert reply["statusCode"] == 200, reply
        found = deployed.end(execution)
        assert found["status"] == "SUCCEEDED", (found, deployed.history(execution))
        output: dict[str, Any] = found["output"]
        return output

    def test_approved(self, deployed: Deployed) -> None:
        found = self.answered(deployed, name="abc", approved=True, comment="Fine.")
        assert '"order"' in found["text"]
        assert [call["status"] for call in found["toolCalls"]] == ["success"]
        assert found["rejected"] == 0

    def test_rejected(self, deployed: Deployed) -> None:
        found = self.answered(deployed, approved=False, comment="Too much.")
        assert "Too much." in found["text"]
        assert [call["status"] for call in found["toolCalls"]] == ["rejected"]
        assert found["rejected"] == 1

    def test_nobody_answers(self, deployed: Deployed) -> None:
        before = self.asked(deployed)
        found = deployed.output("Hasty", {"request": "Refund order 7."})
        # On a slow machine the function asks when nobody waits any more; the next test would take that for its own.
        self.newly_asked(deployed, before)
        assert f"Nobody answered within {HASTY_SECONDS} seconds." in found["text"]
        assert found["rejected"] == 1

    def test_a_tool_error_is_told_to_the_agent(self, deployed: Deployed) -> None:
        wrong = {**REFUND, "reason": "bored"}
        deployed.script("Cashier", lambda call: call.tool_result or Turn(tool_calls=[ToolCall("refund", wrong)]))
        found = self.answered(deployed, approved=True)
        assert [call["status"] for call in found["toolCalls"]] == ["error"]
        assert "reason" in found["text"]

    def test_what_fails(self, deployed: Deployed) -> None:
        assert deployed.error("Refunds", {"request": ""})[0] == "ApprovedTool.NoRequest"


class TestResearchAndWrite:
    def test_to_a_good_end(self, deployed: Deployed) -> None:
        deployed.script("Researcher", lambda call: "Two high waters a day.")
        deployed.script("Writer", lambda call: f"A brief. {call.prompt}")
        found = deployed.output("Brief", {"topic": "tides"}, name="abc")
        assert found["findings"] == "Two high waters a day."
        assert "Two high waters a day." in found["brief"]

    def test_what_fails(self, deployed: Deployed, throttled: Any) -> None:
        assert deployed.error("Brief", {"topic": " "})[0] == "ResearchAndWrite.NoTopic"
        deployed.script("Researcher", lambda call: "")
        assert deployed.error("Brief", {"topic": "tides"})[0] == "ResearchAndWrite.NothingFound"
        deployed.script("Researcher", lambda call: "Two.")
        deployed.script("Writer", lambda call: "")
        assert deployed.error("Brief", {"topic": "tides"})[0] == "ResearchAndWrite.NothingWritten"
        seen = throttled(99)
        assert deployed.error("Brief", {"topic": "tides"})[0] == "BedrockAgentCore.ThrottlingException"
        assert len(seen) == 4  # and no more: three retries


class TestScheduledAgent:
    def told(self, deployed: Deployed, execution: str) -> str:
        """What was published."""
        events = deployed.client.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        tasks_begun = [e["taskScheduledEventDetails"] for e in events if e["type"] == "TaskScheduled"]
        return "".join(details["parameters"] for details in tasks_begun if details["resourceType"] == "sns")

    def test_the_clock_starts_it(self, deployed: Deployed) -> None:
        deployed.script("Reporter", lambda call: f"Done: {call.prompt}")
        fired = schedules.fire(deployed.account, deployed.outputs["Schedule"])
        found = deployed.end(fired["ExecutionArn"])
        assert found["status"] == "SUCCEEDED", (found, deployed.history(fired["ExecutionArn"]))
        result = found["output"]
        assert result["text"] == f"Done: Report on the day of {result['scheduledTime']}"
        s3 = deployed.account.client("s3")
        key = f"reports/{result['scheduledTime']}.json"
        stored = json.load(s3.get_object(Bucket=deployed.outputs["Bucket"], Key=key)["Body"])
        assert stored == result
        assert key in self.told(deployed, fired["ExecutionArn"])

    def test_by_hand_and_failures_are_announced(self, deployed: Deployed) -> None:
        deployed.script("Reporter", lambda call: "")
        when = {"scheduledTime": "2026-11-21T06:00:00Z"}
        found = deployed.run("Daily", when)
        assert (found["status"], found["error"]) == ("FAILED", "ScheduledAgent.NothingSaid")
        assert found["cause"] == "the agent stopped without a text: end_turn"
        assert "NothingSaid" in self.told(deployed, found["executionArn"])
        deployed.script("Reporter", lambda call: Turn(error=ModelFailure("server")))
        assert deployed.error("Daily", {})[0].startswith("BedrockAgentCore.")


class TestPlanImplementReview:
    CLONE = (
        f"git init -q {patterns.REPOSITORY} && cd {patterns.REPOSITORY} && echo shop > README && git add -A && "
        "git -c user.name=me -c user.email=me@localhost commit -qm Begin"
    )

    def coder(self, deployed: Deployed, *reviews: str, change: bool = True, clone: str = CLONE) -> list[str]:
        """Scripts the three models; the planning one gets the repository onto the session's machine."""
        models: list[str] = []
        given = iter(reviews)

        def work(call: Any) -> Any:
            models.append(call.model_id)
            if call.model_id == "anthropic.review":
                return str(next(given))
            commands = {
                "anthropic.plan": clone,
                "anthropic.implement": f"echo {len(models)} >> {patterns.REPOSITORY}/shop.py" if change else "true",
            }
            if call.turn == 1:
                return Turn(tool_calls=[ToolCall("shell", {"command": commands[call.model_id]})])
            return "1. Write it." if call.model_id == "anthropic.plan" else "Done."

        deployed.script("Coder", work)
        return models

    def test_rejected_and_then_approved(self, deployed: Deployed) -> None:
        models = self.coder(deployed, REJECTED, APPROVED)
        answer = deployed.output("Change", {"task": "Write shop.py."}, name="abc")
        assert (answer["approved"], answer["rounds"], answer["comments"]) == (True, 2, "Good.")
        assert answer["plan"] == "1. Write it."
        assert list(dict.fromkeys(models)) == ["anthropic.plan", "anthropic.implement", "anthropic.review"]
        assert answer["branch"].startswith("agent-")
        assert len(answer["commit"]) == 40
        assert sum(line.startswith("+") for line in answer["diff"].splitlines()) == 3  # the file's name and two lines

    def test_never_approved(self, deployed: Deployed) -> None:
        self.coder(deployed, REJECTED, REJECTED)
        answer = deployed.output("Change", {"task": "Write shop.py."})
        assert (answer["approved"], answer["rounds"], answer["comments"]) == (False, 2, "Say {two}.")

    def test_what_fails(self, deployed: Deployed) -> None:
        self.coder(deployed, change=False)
        assert deployed.error("Change", {"task": "Nothing."})[0] == "PlanImplementReview.NothingChanged"
        assert deployed.error("Change", {"task": None})[0] == "PlanImplementReview.NoTask"
        self.coder(deployed, clone=f"mkdir {patterns.REPOSITORY}")
        name, cause = deployed.error("Change", {"task": "Nothing."})
        assert name == "CommandFailed"
        assert "not a git repository" in cause
