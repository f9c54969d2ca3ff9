"""EventBridge Scheduler starts workflows: when, with which input, with whose permissions; and at once, in a test."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.behaviours import behaviour

from agentcore_local import schedules
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "EventBridge Scheduler"
SOURCES = (
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
    "https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html",
)
OFF = {"Mode": "OFF"}
PASS = {"In": {"Type": "Pass", "End": True}}


@pytest.fixture(scope="module")
def machine(machines: Any) -> str:
    return str(machines.make(PASS))


@pytest.fixture(scope="module")
def role(machines: Any, machine: str, allow: Any) -> str:
    """A role Scheduler may assume, to start that machine."""
    return str(machines.make_role("scheduler", allow((["states:StartExecution"], machine)), "scheduler.amazonaws.com"))


@pytest.fixture
def schedule(machines: Any, machine: str, role: str) -> Callable[..., str]:
    """Makes a schedule for the machine."""

    def make(name: str, expression: str = "rate(1 hour)", *, target: Any = None, **members: Any) -> str:
        whole = {"Arn": machine, "RoleArn": role, "Input": '{"n": 1}', **(target or {})}
        made = machines.account.client("scheduler").create_schedule(
            Name=name, ScheduleExpression=expression, FlexibleTimeWindow=OFF, Target=whole, **members
        )
        return str(made["ScheduleArn"])

    return make


def ended(machines: Any, arn: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while (found := machines.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.02)
    return dict(found)


def executions(machines: Any, machine: str) -> int:
    return len(machines.client.list_executions(stateMachineArn=machine)["executions"])


class TestFire:
    @behaviour("The target gets its input, with the context attributes it names")
    def test_now_with_its_input_and_attributes(self, machines: Any, schedule: Any) -> None:
        text = '{"at": "<aws.scheduler.scheduled-time>", "arn": "<aws.scheduler.schedule-arn>"}'
        arn = schedule("now", target={"Input": text})
        started = schedules.fire(machines.account, "now")
        found = json.loads(ended(machines, started["ExecutionArn"])["output"])
        assert found["arn"] == arn
        assert abs(datetime.fromisoformat(found["at"]).timestamp() - time.time()) < 60

    def test_a_schedule_nobody_made(self, machines: Any) -> None:
        with pytest.raises(schedules.ScheduleError, match="there is no schedule 'gone' in group 'default'"):
            schedules.fire(machines.account, "gone")

    @behaviour("The target's role must trust Scheduler and allow the call")
    def test_the_role_must_trust_and_allow(self, machines: Any, schedule: Any, machine: str, allow: Any) -> None:
        may = allow((["states:StartExecution"], machine))
        untrusting = machines.make_role("untrusting", may)
        schedule("untrusted", target={"RoleArn": untrusting})
        with pytest.raises(
            schedules.ScheduleError, match=r"does not allow sts:AssumeRole to scheduler\.amazonaws\.com"
        ):
            schedules.fire(machines.account, "untrusted")
        poor = machines.make_role("poor", allow(), "scheduler.amazonaws.com")
        schedule("denied", target={"RoleArn": poor})
        with pytest.raises(schedules.ScheduleError, match="not authorized to perform: states:StartExecution"):
            schedules.fire(machines.account, "denied")

    @behaviour(
        "State machines, functions, queues, topics, buses and AWS SDK calls are targets; others are refused in words"
    )
    def test_other_targets(self, machines: Any, schedule: Any) -> None:
        role = machines.make_role("all", stacks.ANYTHING, "scheduler.amazonaws.com")
        sqs = machines.account.client("sqs")
        queue = sqs.create_queue(QueueName="scheduled")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{machines.account.account_id}:scheduled"
        schedule("queue", target={"Arn": arn, "RoleArn": role, "Input": "one"})
        universal = {"QueueUrl": queue, "MessageBody": "two"}
        call = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
        schedule("universal", target={"Arn": call, "RoleArn": role, "Input": json.dumps(universal)})
        schedules.fire(machines.account, "queue")
        schedules.fire(machines.account, "universal")
        bodies = []
        while len(bodies) < 2:
            bodies += [one["Body"] for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
        assert sorted(bodies) == ["one", "two"]
        schedule("ecs", target={"Arn": "arn:aws:ecs:us-east-1:111122223333:cluster/c", "RoleArn": role})
        with pytest.raises(schedules.ScheduleError, match="is not emulated by the local cloud; use a state machine"):
            schedules.fire(machines.account, "ecs")


class TestTick:
    """`schedules.tick` is what the local cloud does every ten seconds."""

    @behaviour(
        "`at(…)` fires once and can delete the schedule then",
        status="approximated",
        note="Schedules are looked at every ten seconds; flexible time windows are not used.",
    )
    def test_one_time(self, machines: Any, schedule: Any, machine: str) -> None:
        before = executions(machines, machine)
        schedule("once", "at(2026-01-01T00:00:00)", ActionAfterCompletion="DELETE")
        schedule("later", "at(2999-01-01T00:00:00)")
        schedule("off", "at(2026-01-01T00:00:00)", State="DISABLED")
        schedules.tick()
        assert executions(machines, machine) == before + 1
        schedules.tick()
        assert executions(machines, machine) == before + 1
        names = {found["Name"] for found in machines.account.client("scheduler").list_schedules()["Schedules"]}
        assert ("once" in names, "later" in names) == (False, True)

    @behaviour(
        "`rate(…)` fires after every interval",
        status="approximated",
        note="The first time an interval after the schedule was made or changed.",
    )
    def test_by_rate(self, machines: Any, schedule: Any, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        schedule("often", "rate(5 minutes)")
        before = executions(machines, machine)
        now = time.time()
        for later, started in ((60, 0), (301, 1), (400, 1), (602, 2)):
            monkeypatch.setattr(schedules.time, "time", lambda when=now + later: when)
            schedules.tick()
            assert executions(machines, machine) == before + started

    @behaviour(
        "A target that cannot be called is told to the dead-letter queue",
        status="approximated",
        note="At once: nothing is retried.",
    )
    def test_a_target_that_cannot_be_called_is_told_to_the_dead_letter_queue(
        self, machines: Any, schedule: Any, allow: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        sqs = machines.account.client("sqs")
        queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
        poor = machines.make_role("poorer", allow(), "scheduler.amazonaws.com")
        dead = {"Arn": f"arn:aws:sqs:us-east-1:{machines.account.account_id}:dead"}
        schedule("dead", "at(2026-01-01T00:00:00)", target={"RoleArn": poor, "DeadLetterConfig": dead})
        schedules.tick()
        (message,) = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
        assert message["Body"] == '{"n": 1}'
        assert "states:StartExecution" in message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        assert "not authorized to perform: states:StartExecution" in caplog.text


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.usefixtures("machines")
class TestTimes:
    @pytest.mark.parametrize(
        ("schedule", "last", "planned"),
        [
            ({"ScheduleExpression": "rate(1 day)"}, "2026-05-01T10:00:00", "2026-05-02T10:00:00"),
            ({"ScheduleExpression": "cron(0 8 * * ? *)"}, "2026-05-01T10:00:00", "2026-05-02T08:00:00"),
            (
                {"ScheduleExpression": "cron(0 8 * * ? *)", "ScheduleExpressionTimezone": "Europe/Berlin"},
                "2026-05-01T10:00:00",
                "2026-05-02T06:00:00",
            ),
            (
                {"ScheduleExpression": "at(2026-05-02T08:00:00)", "ScheduleExpressionTimezone": "America/New_York"},
                "1970-01-01T00:00:00",
                "2026-05-02T12:00:00",
            ),
            (
                {"ScheduleExpression": "rate(1 hour)", "StartDate": at("2026-06-01T00:00:00")},
                "2026-05-01T10:00:00",
                "2026-06-01T01:00:00",
            ),
        ],
    )
    @behaviour("Time zones, start and end dates hold")
    def test_when_it_is_due(self, schedule: Any, last: str, planned: str) -> None:
        assert schedules.due(schedule, at(last), at(planned) - 1) is None
        assert schedules.due(schedule, at(last), at(planned)) == at(planned)

    def test_after_its_end_it_is_over(self) -> None:
        schedule = {"ScheduleExpression": "rate(1 hour)", "EndDate": "2026-05-01T00:00:00Z"}
        assert schedules.over(schedule, 0, at("2026-05-01T00:00:01"))
        assert not schedules.over(schedule, 0, at("2026-04-30T23:59:59"))

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ({"expression": "every(5 minutes)"}, r"Invalid Schedule Expression every\(5 minutes\)"),
            ({"expression": "cron(0 8 * * * *)"}, "Invalid Schedule Expression cron"),
            ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid Schedule Expression Timezone Mars/Base"),
        ],
    )
    def test_what_is_no_time_is_refused(self, schedule: Any, members: Any, message: str) -> None:
        with pytest.raises(ClientError, match=message):
            schedule("wrong", **members)


def test_a_schedule_of_a_stack(machines: Any, machine: str, role: str, tmp_path: Any) -> None:
    properties = {
        "Name": "nightly",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": OFF,
        "Target": {"Arn": machine, "RoleArn": role, "Input": "{}"},
    }
    template = {"Resources": {"Nightly": {"Type": "AWS::Scheduler::Schedule", "Properties": properties}}}
    machines.account.deploy(stacks.assembly(tmp_path / "first", template, "Scheduled"))
    found = machines.account.client("scheduler").get_schedule(Name="nightly")
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert ended(machines, schedules.fire(machines.account, "nightly")["ExecutionArn"])["status"] == "SUCCEEDED"
    properties["ScheduleExpression"] = "cron(wrong)"
    with pytest.raises(DeploymentError, match=r"Invalid Schedule Expression cron\(wrong\)"):
        machines.account.deploy(stacks.assembly(tmp_path / "second", template, "Scheduled"))
