"""An agent with a tool that does harm when it is wrong: a person says yes or no before it runs.

`approved_tool.asl.json` is the definition by itself; its functions are the tool loop's and the desk's of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import seconds
from agentcore_constructs.harness.given import path_of
from agentcore_constructs.tools.registry import inline_tools_of
from agentcore_stepfunctions.expressions import jsonata
from agentcore_stepfunctions.fragments import ANSWER, CALL, RESULT, AgentTurn, ApprovalDesk, HumanApproval
from agentcore_stepfunctions.fragments.tools import AtSynthesis
from agentcore_stepfunctions.sessions import SessionId

from .base import Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_events as events
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from agentcore_constructs import IHarness

COMMENT = "An agent works, and a person approves each call of a risky tool before it runs."
_WAITING = cdk.Duration.hours(24)
# Beside waiting for people, the agent works: so an execution gets more than one wait.
_WAITS = 3
_YEAR = 365 * 24 * 3600


class ApprovedTool(Workflow):
    """A state machine that has an agent do something, and asks a person before each call of a risky tool.

    Risky are the tools declared with `approval=True`. Input: `{"request": "…"}`. Output:
    `{"text", "stopReason", "usage", "toolCalls", "rejected"}`: `toolCalls` name and status of each call, `rejected` how
    many were refused. A rejection, or nobody's answer in time, is told to the agent with the comment, and the tool does
    not run. Fails with `ApprovedTool.NoRequest` and with what `AgentTurn` fails with.

    Attributes:
        desk: Who is asked, and where answers go; `desk.grant_respond(…)` lets somebody answer.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        channel: sns.ITopic | events.IEventBus | lambda_.IFunction | None = None,
        desk: ApprovalDesk | None = None,
        title: str = "An agent wants to use a tool",
        approval_timeout: cdk.Duration = _WAITING,
        log_group: logs.ILogGroup | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        """Makes the state machine.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: The agent; at least one of its tools wants approval.
            channel: Who is told: an SNS topic, an event bus or a function; or `desk`.
            desk: An `ApprovalDesk` that several workflows share.
            title: What is asked, in a line.
            approval_timeout: After which nobody's answer is a no; 24 hours unless given.
            log_group: Of the executions; one that keeps them for a month unless given.
            timeout: Of an execution; three times `approval_timeout` unless given, at most a year.

        Raises:
            HarnessConfigError: Neither or both of channel and desk, a tool that nobody runs, or an odd timeout.
        """
        longest = _longest(path_of(scope, construct_id), approval_timeout, timeout)
        super().__init__(scope, construct_id)
        self._harness = harness
        approval = HumanApproval(
            self, "Approval", title=title, channel=channel, desk=desk, request=jsonata(CALL), timeout=approval_timeout
        )
        self.desk = approval.desk
        turn = AgentTurn(
            self,
            "Turn",
            harness=harness,
            prompt=jsonata("$states.input.request"),
            session_id=SessionId.per_execution(),
            approval=approval,
            outputs={
                **{name: RESULT[name] for name in ("text", "stopReason", "usage", "toolCalls")},
                "rejected": jsonata(f"$count($filter({ANSWER}.toolCalls, function($c) {{$c.status = 'rejected'}}))"),
            },
        )
        self._called = [turn.loop.function, self.desk.ask]
        start = self._text_given("request", turn.next(sfn.Succeed(self, "Done")))
        self._make(start, comment=COMMENT, log_group=log_group, timeout=longest)
        self.node.add_validation(AtSynthesis(self._missing))

    def grant_respond(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal approve and reject."""
        return self.desk.grant_respond(grantee)

    def _functions(self) -> Sequence[lambda_.IFunction]:
        return self._called

    def _missing(self) -> list[str]:
        if any(tool.approval for tool in inline_tools_of(self._harness)):
            return []
        fix = "declare the risky one with approval=True, or use AgentTurn alone"
        return [f"harness: must have a tool that wants approval, or nobody is ever asked; received none; {fix}."]


def _longest(path: str, waiting: cdk.Duration, timeout: cdk.Duration | None) -> cdk.Duration:
    """How long an execution may take."""
    if timeout is not None:
        return timeout
    limit = seconds(waiting)
    if is_token(limit):
        must = "must be given next to an approval_timeout that is known at deployment only"
        fault = Fault("timeout", must, "nothing", "say how long an execution may take with all its approvals")
        raise HarnessConfigError([fault], f"The workflow {path}")
    # What is no whole number of seconds is refused by the approval itself.
    return cdk.Duration.seconds(min(_WAITS * limit, _YEAR)) if isinstance(limit, int) else waiting
