"""Two agents in a row: one finds out, the other writes it up.

`research_and_write.asl.json` is the definition by itself, with `${ResearcherArn}` and `${WriterArn}` to be filled in
(`DefinitionSubstitutions` in CloudFormation and SAM); a test holds it against what the construct renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_stepfunctions as sfn

from agentcore_stepfunctions.expressions import RESULT_TEXT, RESULT_USAGE, jsonata, text
from agentcore_stepfunctions.invoke_harness import InvokeHarness
from agentcore_stepfunctions.sessions import SessionId

from .base import Workflow

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from agentcore_constructs import IHarness

COMMENT = "One agent researches a topic, another writes a brief from what was found."
_TOPIC = jsonata("$topic")
_TOTALS = ", ".join(
    f"'{name}Tokens': $sum([$researchUsage.{name}Tokens, $states.result.Usage.{name.title()}Tokens])"
    for name in ("input", "output", "total")
)


class ResearchAndWrite(Workflow):
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
        start = self._text_given("topic", research.next(found))
        self._make(start, comment=COMMENT, log_group=log_group, timeout=timeout)
