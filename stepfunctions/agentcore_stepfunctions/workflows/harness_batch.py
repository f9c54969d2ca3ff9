"""Many items, one agent: a file in S3 in, a results file and a failures file in S3 out, and no item lost.

`harness_batch.asl.json` is the definition by itself, with `${HarnessArn}`, `${ReaderArn}` and `${CollectorArn}` (the
two functions), `${SourceBucket}` and `${ResultsBucket}` to fill in; a test holds it against what the construct renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from agentcore_constructs.config import Fault
from agentcore_constructs.functions import OwnFunction
from agentcore_constructs.harness.imported import bucket_of
from agentcore_constructs.harness.wildcards import answer, flattened
from agentcore_stepfunctions.expressions import jsonata, text
from agentcore_stepfunctions.fragments.agent_turn import AgentTurn
from agentcore_stepfunctions.harnesses import inline_tools, own_configuration, refuse
from agentcore_stepfunctions.invoke_harness import RETRIED_ERRORS, InvokeHarness
from agentcore_stepfunctions.sessions import SessionId

from .base import execution_logs
from .harness_batch_map import LABEL, ItemsMap
from .harness_batch_settings import LARGEST_ITEM, TOLERATED_PERCENTAGE, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3

    from agentcore_constructs import HarnessModelConfiguration, HarnessSkill, HarnessTool, IEndpoint, IHarness

COMMENT = "Asks an agent about every item of a file, and writes what it said and what failed."
ITEM = "$states.input.item"
"""JSONata of the item in the prompt and all overrides: `jsonata(f"{ITEM}.text")`."""
_CONCURRENCY = 25
_ATTEMPTS = 6
_FUNCTION_TIMEOUT = cdk.Duration.minutes(15)
_FUNCTION_MEMORY = 1769  # MiB: one whole processor
_TOO_MANY = "States.ExceedToleratedFailureThreshold"


class Overrides(TypedDict, total=False):
    """What the calls of a batch may change of the harness, as for `InvokeHarness`."""

    endpoint: IEndpoint
    qualifier: str
    actor_id: str
    model: HarnessModelConfiguration | str
    system_prompt: str | Sequence[str]
    tools: Sequence[HarnessTool]
    skills: Sequence[HarnessSkill] | str
    allowed_tools: Sequence[str] | str
    max_iterations: int
    max_tokens: int
    harness_timeout: cdk.Duration


class HarnessBatch(Construct):
    """A state machine that asks an agent about every item of a file in S3.

    Input: `{"key": "…"}`, the key of a file of JSON Lines (`.jsonl`, `.ndjson`) or CSV (`.csv`, the first row names the
    columns); or `{"retry": "…"}`, the key of an earlier execution's failures file, to try its items again.

    Output: `{items, succeeded, failed, mayFail, reasons, usage, results, failures}`; the last two say bucket and key of
    a file of JSON Lines. Every item is in exactly one of them: in the results `{line, item, text, stopReason, usage,
    execution}`, in the failures `{line, item or raw, reason, error, cause, execution}`, the reason being `unreadable`,
    `too_large`, `failed` (after its retries), `aborted`, `not_run` or `no_result`. The files are written also when the
    execution fails.

    Fails with `HarnessBatch.TooManyFailures`, `BatchInputInvalid` or `BatchTooLarge` (a function reads for 15 minutes
    at most, about 10 GB), and with what Step Functions says of a run that cannot go on.

    Each item is an execution of its own, one conversation unless `session_id` says otherwise. Executions are logged and
    traced; items and what the agent says are not logged.

    Attributes:
        state_machine: Start executions of it with `{"key": "…"}`.
        log_group: Where executions are logged.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        prompt: str,
        source: s3.IBucket | str,
        source_prefix: str = "",
        results: s3.IBucket | str | None = None,
        results_prefix: str = "batches/",
        concurrency: int = _CONCURRENCY,
        tolerated_failures: int | None = None,
        tolerated_failure_percentage: float | None = None,
        session_id: SessionId | str | None = None,
        max_item_size: cdk.Size = LARGEST_ITEM,
        delimiter: str = ",",
        retried_errors: Sequence[str] | None = None,
        max_attempts: int | None = None,
        log_group: logs.ILogGroup | None = None,
        timeout: cdk.Duration | None = None,
        **overrides: Unpack[Overrides],
    ) -> None:
        """Makes the state machine and its two functions.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: The agent. Inline tools are run by the fragment `AgentTurn`.
            prompt: What it is asked about each item: `text("Classify: ", jsonata("$states.input.item.text"))`.
            source: The bucket of the files with items, its name or its ARN.
            source_prefix: What their keys begin with; nothing else of the bucket can be read.
            results: The bucket to write to, its name or its ARN; `source` unless given.
            results_prefix: What all keys written begin with; a slash is added where it lacks one.
            concurrency: Items at once, 1 to 10,000. Mind the account's quotas: 25 new sessions per second.
            tolerated_failures: How many items may fail; unreadable ones count. A run with more ends early.
            tolerated_failure_percentage: How many of a hundred may fail; 10 where neither is given. With both, the
                smaller number counts.
            session_id: Which items share a conversation, such as `SessionId.from_input("$states.input.item.customer")`;
                two of them at the same time must not. One conversation per item unless given.
            max_item_size: Of one item as JSON with its line number, at most 240 KiB; larger ones are failures.
            delimiter: Between the columns of CSV.
            retried_errors: Errors that are tried again; `RETRIED_ERRORS` unless given. An agent with inline tools
                has the retries of `AgentTurn`.
            max_attempts: How often an item is tried again, with pauses that grow to a minute; 6 times unless given.
            log_group: Of the executions; one that keeps them for a month unless given.
            timeout: Of an execution; none unless given. An execution that runs out of time collects nothing.
            **overrides: What the calls change of the harness; see `InvokeHarness`.

        Raises:
            HarnessConfigError: With everything that is wrong with the batch, or with its call of the agent.
        """
        super().__init__(scope, construct_id)
        if tolerated_failures is None and tolerated_failure_percentage is None:
            tolerated_failure_percentage = TOLERATED_PERCENTAGE
        faults: list[Fault] = []
        bucket = bucket_of(self, source, "source", faults, "GivenSource")
        written = bucket if results is None else bucket_of(self, results, "results", faults, "GivenResults")
        refuse(self, f"The batch {self.node.path}", faults)
        self._settings = Settings(
            source=bucket,
            source_prefix=source_prefix,
            results=written,
            results_prefix=f"{results_prefix.rstrip('/')}/" if results_prefix else "",
            concurrency=concurrency,
            tolerated_count=tolerated_failures,
            tolerated_percentage=tolerated_failure_percentage,
            max_item_size=max_item_size,
            delimiter=delimiter,
        )
        has_tools = _calls_functions(harness, overrides)
        self._refuse(has_tools and (retried_errors is not None or max_attempts is not None))
        session = session_id or SessionId.per_execution()
        ask: sfn.IChainable
        self._called: list[lambda_.IFunction] = []
        if has_tools:
            turn = AgentTurn(self, "Ask", harness=harness, prompt=prompt, session_id=session, **overrides)
            self._called, ask = [turn.loop.function], turn
        else:
            ask = InvokeHarness(
                self,
                "Ask",
                harness=harness,
                prompt=prompt,
                session_id=session,
                retry_on_service_exceptions=False,
                **overrides,
            )
            _retry(ask, RETRIED_ERRORS if retried_errors is None else retried_errors, max_attempts)
        self._prepare = self._function("Reader", "prepare", "Reads the items of a batch.")
        self._collect = self._function("Collector", "collect", "Collects the results of a batch.")
        self._called += [self._prepare.function, self._collect.function]
        self._settings.grant(self._prepare.role, self._collect.role)
        self.log_group = log_group or execution_logs(self)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(self._states(ask)),
            query_language=sfn.QueryLanguage.JSONATA,
            comment=COMMENT,
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self.log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal start executions."""
        return self.state_machine.grant_start_execution(grantee)

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reasons for the wildcards in the roles of machine and functions."""
        answer(self, self._answer)

    def _answer(self) -> None:
        stack, machine = cdk.Stack.of(self), self.state_machine
        name = cdk.Arn.split(machine.state_machine_arn, cdk.ArnFormat.COLON_RESOURCE_NAME).resource_name
        children = [
            stack.format_arn(
                service="states",
                resource="execution",
                resource_name=f"{name}{of}:*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for of in ("", f"/{LABEL}")
        ]
        called = [f"{function.function_arn}:*" for function in self._called]
        reasons = {
            "X-Ray and the log delivery that Step Functions sets up have no resource to name: "
            "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html": ["*"],
            "Objects have keys that are known at run time only, below the prefixes.": self._settings.object_arns(),
            "aws-cdk-lib lets states call all versions of a function.": called,
            "A Distributed Map starts executions of its own machine; their names are made at run time.": children,
        }
        acknowledgments = [
            cdk.Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{flattened(stack.resolve(arn))}]", reason=reason
            )
            for reason, arns in reasons.items()
            for arn in arns
        ]
        cdk.Validations.of(self).acknowledge(*acknowledgments)

    def _states(self, ask: sfn.IChainable) -> sfn.IChainable:
        prepare = tasks.LambdaInvoke.jsonata(
            self,
            "Read the items",
            lambda_function=self._prepare.function,
            payload=sfn.TaskInput.from_object(
                {
                    "given": jsonata("$states.input"),
                    "execution": jsonata("$states.context.Execution.Id"),
                    "started": jsonata("$string($states.context.Execution.StartTime)"),
                    "settings": self._settings.for_function(),
                }
            ),
            assign={"batch": jsonata("$states.result.Payload")},
            outputs={},
        )
        collect = tasks.LambdaInvoke.jsonata(
            self,
            "Collect",
            lambda_function=self._collect.function,
            payload=sfn.TaskInput.from_object({"batch": jsonata("$batch"), "run": jsonata("$states.input")}),
            assign={"run": jsonata("$states.input")},
            outputs=jsonata("$states.result.Payload"),
        )
        each = ItemsMap(
            self,
            "Each item",
            bucket=self._settings.results,
            prefix=self._settings.results_prefix,
            concurrency=self._settings.concurrency,
        )
        each.item_processor(ask)
        why = {"error": jsonata("$states.errorOutput.Error"), "cause": jsonata("$states.errorOutput.Cause")}
        each.add_catch(collect, outputs=why)
        each.next(collect)
        enough = sfn.Choice(self, "Anything to ask?")
        enough.when(_if("$batch.runnable > 0 and $batch.tolerated >= 0"), each).otherwise(collect)
        ended = sfn.Choice(self, "Ended well?")
        ended.when(
            _if(f"$exists($run.error) and $run.error != '{_TOO_MANY}'"),
            sfn.Fail.jsonata(self, "Run failed", error=jsonata("$run.error"), cause=jsonata("$string($run.cause)")),
        )
        ended.when(
            _if("$states.input.failed > $states.input.mayFail"),
            sfn.Fail.jsonata(
                self,
                "Too many failures",
                error="HarnessBatch.TooManyFailures",
                cause=text(
                    jsonata("$string($states.input.failed)"),
                    " of ",
                    jsonata("$string($states.input.items)"),
                    " items failed, and ",
                    jsonata("$string($states.input.mayFail)"),
                    " may; see s3://",
                    jsonata("$states.input.failures.bucket & '/' & $states.input.failures.key"),
                ),
            ),
        )
        ended.otherwise(sfn.Succeed(self, "Done"))
        for state in (prepare, collect):
            state.add_retry(errors=["Lambda.TooManyRequestsException"], max_attempts=_ATTEMPTS)
        collect.next(ended)
        return prepare.next(enough)

    def _function(self, name: str, module: str, description: str) -> OwnFunction:
        return OwnFunction(
            self,
            name,
            handler=f"batch.{module}.handler",
            description=description,
            timeout=_FUNCTION_TIMEOUT,
            memory_size=_FUNCTION_MEMORY,
        )

    def _refuse(self, retries: bool) -> None:  # noqa: FBT001  (one caller, below)
        faults = list(self._settings.faults())
        if retries:
            must = "must be left out for an agent with inline tools, whose retries are those of AgentTurn"
            faults.append(Fault("retried_errors", must, "a value, or max_attempts", "leave both out"))
        refuse(self, f"The batch {self.node.path}", faults)


def _calls_functions(harness: IHarness, overrides: Overrides) -> bool:
    """Whether the agent may call inline tools, so that somebody has to answer."""
    configuration = own_configuration(harness) or {}
    # A tool that makes constructs of its own says its type only when it is bound.
    given = [getattr(tool, "type", "inline_function") for tool in overrides.get("tools", ())]
    return bool(inline_tools(configuration)) or "inline_function" in given


def _retry(state: InvokeHarness, errors: Sequence[str], attempts: int | None) -> None:
    state.add_retry(
        errors=list(errors),
        interval=cdk.Duration.seconds(2),
        max_attempts=_ATTEMPTS if attempts is None else attempts,
        backoff_rate=2,
        max_delay=cdk.Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )


def _if(condition: str) -> sfn.Condition:
    return sfn.Condition.jsonata(jsonata(condition))
