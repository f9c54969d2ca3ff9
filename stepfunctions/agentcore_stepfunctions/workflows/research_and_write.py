"""Two agents in a row: one finds out, the other writes it up.

`research_and_write.asl.json` is the definition by itself, with `${ResearcherArn}` and `${WriterArn}` to be filled in
(`DefinitionSubstitutions` in CloudFormation and SAM); a test holds it against what the construct renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from agentcore_stepfunctions.expressions import RESULT_TEXT, RESULT_USAGE, jsonata, text
from agentcore_stepfunctions.invoke_harness import InvokeHarness
from agentcore_stepfunctions.sessions import SessionId

if TYPE_CHECKING:
    from agentcore_constructs import IHarness

COMMENT = "One agent researches a topic, another writes a brief from what was found."
_TOPIC = jsonata("$topic")
# An agent step takes at most 900 seconds and is tried at most four times; most executions take a few minutes.
_TIMEOUT_MINUTES = 60
_TOTALS = ", ".join(
    f"'{name}Tokens': $sum([$researchUsage.{name}Tokens, $states.result.Usage.{name.title()}Tokens])"
    for name in ("input", "output", "total")
)


class ResearchAndWrite(Construct):
    """A state machine that turns a topic into a brief.

    Input: `{"topic": "…"}`. Output: `{"topic", "findings", "brief", "usage"}`, the usage being that of both agents.
    Fails with `ResearchAndWrite.NoTopic`, `.NothingFound` or `.NothingWritten`, and with the errors of the harnesses.
    Each agent has one conversation per execution. Executions are logged and traced; what agents say is not logged.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        researcher: IHarness,
        writer: IHarness,
        researcher_qualifier: str | None = None,
        writer_qualifier: str | None = None,
        log_group: logs.ILogGroup | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        """Makes the state machine.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            researcher: Finds out about the topic.
            writer: Writes the brief; may be the same harness.
            researcher_qualifier: Endpoint of the researcher; DEFAULT unless given.
            writer_qualifier: Endpoint of the writer; DEFAULT unless given.
            log_group: Of the executions; one that keeps them for a month unless given.
            timeout: Of an execution; 60 minutes unless given.

        Raises:
            HarnessConfigError: A state cannot invoke one of the harnesses; see `InvokeHarness`.
        """
        super().__init__(scope, construct_id)
        research = InvokeHarness(
            self,
            "Research",
            harness=researcher,
            qualifier=researcher_qualifier,
            session_id=SessionId.per_execution("research"),
            prompt=text(
                "Research this topic. Give facts with their sources, say where they disagree, and do not write prose."
                "\n\nTopic: ",
                jsonata("$states.input.topic"),
            ),
            assign={
                "topic": jsonata("$states.input.topic"),
                "findings": RESULT_TEXT,
                "researchUsage": RESULT_USAGE,
                "researchStop": jsonata("$join([$states.result.StopReason])"),
            },
            outputs={},
        )
        write = InvokeHarness(
            self,
            "Write",
            harness=writer,
            qualifier=writer_qualifier,
            session_id=SessionId.per_execution("write"),
            prompt=text(
                "Write a brief of at most one page on the topic, from the findings alone. Keep their links.\n\nTopic: ",
                _TOPIC,
                "\n\n<findings>\n",
                jsonata("$findings"),
                "\n</findings>",
            ),
            assign={"writeStop": jsonata("$join([$states.result.StopReason])")},
            outputs={
                "topic": _TOPIC,
                "findings": jsonata("$findings"),
                "brief": RESULT_TEXT,
                "usage": jsonata(f"{{{_TOTALS}}}"),
            },
        )
        nothing_written = self._fail(
            "NothingWritten", text("the writer stopped without a text: ", jsonata("$writeStop"))
        )
        written = self._choice("Written?", "$states.input.brief != ''", sfn.Succeed(self, "Done"), nothing_written)
        nothing_found = self._fail(
            "NothingFound", text("the researcher stopped without a text: ", jsonata("$researchStop"))
        )
        found = self._choice("Found?", "$findings != ''", write.next(written), nothing_found)
        no_topic = self._fail("NoTopic", 'the input must be {"topic": "…"} with a text in it')
        topic_given = "$type($states.input.topic) = 'string' and $trim($states.input.topic) != ''"
        start = self._choice("Topic given?", topic_given, research.next(found), no_topic)
        self._log_group = log_group or logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self._machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(start),
            query_language=sfn.QueryLanguage.JSONATA,
            comment=COMMENT,
            timeout=timeout or cdk.Duration.minutes(_TIMEOUT_MINUTES),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self._log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )

    @property
    def state_machine(self) -> sfn.StateMachine:
        """The state machine: `start_execution` it with `{"topic": "…"}`."""
        return self._machine

    @property
    def log_group(self) -> logs.ILogGroup:
        """Where executions are logged."""
        return self._log_group

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal start executions."""
        return self._machine.grant_start_execution(grantee)

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for the one wildcard in the machine's role."""
        reason = (
            "X-Ray and the log delivery that Step Functions sets up have no resource to name: "
            "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
        )
        answer = cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason=reason)
        cdk.Validations.of(self._machine.role).acknowledge(answer)

    def _choice(self, name: str, condition: str, then: sfn.IChainable, otherwise: sfn.IChainable) -> sfn.Choice:
        choice = sfn.Choice(self, name)
        choice.when(sfn.Condition.jsonata(jsonata(condition)), then)
        choice.otherwise(otherwise)
        return choice

    def _fail(self, name: str, cause: str) -> sfn.Fail:
        return sfn.Fail(self, name, error=f"ResearchAndWrite.{name}", cause=cause)
