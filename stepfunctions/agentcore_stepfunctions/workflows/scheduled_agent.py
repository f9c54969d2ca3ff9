"""An agent that works by the clock: EventBridge Scheduler starts it, the result goes to a bucket, a topic, or both.

`scheduled_agent.asl.json` is the definition by itself, with both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.cdk import found
from agentcore_constructs.harness.given import path_of
from agentcore_constructs.harness.wildcards import answer, flattened
from agentcore_stepfunctions.expressions import RESULT_TEXT, jsonata, text
from agentcore_stepfunctions.invoke_harness import DEFAULT_OUTPUTS, InvokeHarness

from .base import Workflow

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from agentcore_constructs import IHarness

COMMENT = "An agent works by the clock; its result is stored and announced."
# SNS takes 256 KiB; a character has at most 4 bytes, and 6 once it is escaped in JSON.
_ANNOUNCED_CHARACTERS = 40_000
_RETRIES = 3
_OLDEST = cdk.Duration.hours(1)


class ScheduledAgent(Workflow):
    """A schedule, and the state machine it starts.

    The agent gets its prompt, in which `$scheduledTime` is when it was due. The result, `{"scheduledTime", "text",
    "stopReason", "usage"}`, is stored as `<prefix><scheduledTime>.json` and published, with `"key"` when it is stored
    too. Scheduler may start an execution twice: the second one stores to the same key. Output of an execution is the
    result. Fails with `ScheduledAgent.NothingSaid` when there is no text, and with the errors of the harness, of S3 and
    of SNS; failures are published as `{"scheduledTime", "error", "cause"}` too.

    Start it by hand with `{}`, or `{"scheduledTime": "2026-11-21T06:00:00Z"}`.

    Attributes:
        schedule: The schedule.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        prompt: str,
        schedule: scheduler.ScheduleExpression,
        bucket: s3.IBucket | None = None,
        prefix: str = "",
        topic: sns.ITopic | None = None,
        qualifier: str | None = None,
        enabled: bool = True,
        log_group: logs.ILogGroup | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        """Makes the schedule and the state machine.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: The agent.
            prompt: What it is told; `text("…", jsonata("$scheduledTime"))` tells it the time.
            schedule: When: `ScheduleExpression.rate(…)`, `.cron(…)` or `.at(…)`.
            bucket: Where results are stored.
            prefix: What their keys begin with, such as `reports/`.
            topic: Where results and failures are published.
            qualifier: Endpoint of the harness; DEFAULT unless given.
            enabled: Whether the clock runs.
            log_group: Of the executions; one that keeps them for a month unless given.
            timeout: Of an execution; 60 minutes unless given.

        Raises:
            HarnessConfigError: Neither bucket nor topic, or a harness that a state cannot invoke.
        """
        if bucket is None and topic is None:
            must = "must be given, or a topic: else nobody sees the result"
            fault = Fault("bucket", must, "neither", "pass bucket=…, topic=… or both")
            raise HarnessConfigError([fault], f"The workflow {path_of(scope, construct_id)}")
        super().__init__(scope, construct_id)
        self._store_arn = None if bucket is None else bucket.arn_for_objects(f"{prefix}*")
        when = (
            "$exists($states.input.scheduledTime) ? $states.input.scheduledTime : $states.context.Execution.StartTime"
        )
        begin = sfn.Pass.jsonata(self, "Begin", assign={"scheduledTime": jsonata(when)})
        ask = InvokeHarness(
            self,
            "Ask",
            harness=harness,
            qualifier=qualifier,
            prompt=prompt,
            assign={"stop": DEFAULT_OUTPUTS["stopReason"], "said": jsonata("$length(" + RESULT_TEXT[2:-2] + ")")},
            outputs={"scheduledTime": jsonata("$scheduledTime"), **DEFAULT_OUTPUTS},
        )
        failed = self._failed(topic)
        steps: list[tasks.CallAwsService | tasks.SnsPublish] = []
        if bucket is not None:
            steps.append(self._store(bucket, prefix))
        if topic is not None:
            steps.append(self._announce(topic))
        done = sfn.Succeed(self, "Done")
        chain: sfn.Chain | InvokeHarness = ask
        nothing = sfn.Pass.jsonata(
            self,
            "Nothing said",
            outputs={
                "Error": "ScheduledAgent.NothingSaid",
                "Cause": text("the agent stopped without a text: ", jsonata("$stop")),
            },
        )
        nothing.next(failed)
        result: sfn.IChainable = done
        for step in reversed(steps):
            result = step.next(result)
        chain = ask.next(self._choice("Said anything?", "$said > 0", result, nothing))
        ask.add_catch(failed, errors=["States.ALL"], outputs=jsonata("$states.errorOutput"))
        for step in steps:
            step.add_catch(failed, errors=["States.ALL"], outputs=jsonata("$states.errorOutput"))
        self._make(begin.next(chain), comment=COMMENT, log_group=log_group, timeout=timeout)
        if bucket is not None and bucket.encryption_key is not None:
            bucket.encryption_key.grant(self.state_machine, "kms:GenerateDataKey", "kms:Decrypt")
        if topic is not None and (key := found(topic, "master_key")) is not None:
            key.grant(self.state_machine, "kms:GenerateDataKey", "kms:Decrypt")
        due = {"scheduledTime": scheduler.ContextAttribute.scheduled_time}
        target = targets.StepFunctionsStartExecution(
            self.state_machine,
            input=scheduler.ScheduleTargetInput.from_object(due),
            retry_attempts=_RETRIES,
            max_event_age=_OLDEST,
        )
        self.schedule = scheduler.Schedule(
            self, "Schedule", schedule=schedule, target=target, enabled=enabled, description=COMMENT
        )

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reasons for the wildcards in the machine's role."""
        super().acknowledge_wildcards()
        if self._store_arn is not None:
            answer(self, self._answer)

    def _answer(self) -> None:
        shown = flattened(cdk.Stack.of(self).resolve(self._store_arn))
        self._acknowledge(f"IAM5[Resource::{shown}]", "Each result has a key of its own.")

    def _store(self, bucket: s3.IBucket, prefix: str) -> tasks.CallAwsService:
        key = text(prefix, jsonata("$scheduledTime"), ".json") if prefix else text(jsonata("$scheduledTime"), ".json")
        return tasks.CallAwsService.jsonata(
            self,
            "Store",
            service="s3",
            action="putObject",
            parameters={
                "Bucket": bucket.bucket_name,
                "Key": key,
                "ContentType": "application/json",
                "Body": jsonata("$states.input"),
            },
            iam_resources=[self._store_arn or ""],
            outputs=jsonata("$states.input"),
            assign={"key": key},
        )

    def _announce(self, topic: sns.ITopic) -> tasks.SnsPublish:
        cut = f"$merge([$states.input, {{'text': $substring($states.input.text, 0, {_ANNOUNCED_CHARACTERS})}}, "
        stored = "$exists($key) ? {'key': $key} : {}"
        return tasks.SnsPublish.jsonata(
            self,
            "Announce",
            topic=topic,
            subject="An agent has finished",
            message=sfn.TaskInput.from_text(jsonata(f"$string({cut}{stored}]))")),
            outputs=jsonata("$states.input"),
            **_order(topic),
        )

    def _failed(self, topic: sns.ITopic | None) -> sfn.State:
        fail = sfn.Fail.jsonata(
            self, "Failed", error=jsonata("$states.input.Error"), cause=jsonata("$string($states.input.Cause)")
        )
        if topic is None:
            return fail
        told = "{'scheduledTime': $scheduledTime, 'error': $states.input.Error, 'cause': $states.input.Cause}"
        tell = tasks.SnsPublish.jsonata(
            self,
            "Announce failure",
            topic=topic,
            subject="An agent has failed",
            message=sfn.TaskInput.from_text(jsonata(f"$string({told})")),
            outputs=jsonata("$states.input"),
            **_order(topic),
        )
        tell.add_catch(fail, errors=["States.ALL"], outputs=jsonata("$states.errorOutput"))
        tell.next(fail)
        return tell


def _order(topic: sns.ITopic) -> dict[str, Any]:
    """What a FIFO topic wants to know: executions wait for no other one, and each is announced once."""
    execution = jsonata("$hash($states.context.Execution.Id, 'SHA-256')")
    if not topic.fifo:
        return {}
    return {"message_group_id": execution, "message_deduplication_id": execution}
