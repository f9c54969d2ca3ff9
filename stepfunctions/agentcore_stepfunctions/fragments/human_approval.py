"""A person's yes or no in a workflow: asked through a topic, an event bus or a function, heard by a responder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import found, seconds
from agentcore_constructs.config.errors import received
from agentcore_constructs.functions import OwnFunction
from agentcore_stepfunctions.expressions import jsonata, quoted
from agentcore_stepfunctions.harnesses import refuse
from agentcore_stepfunctions.names import long_names, states_of
from agentcore_stepfunctions.timeouts import unmeasured

from .logged_tokens import warn_of_logged_tokens
from .tools import AtSynthesis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_events as events
    from aws_cdk import aws_sns as sns

_TABLE = "APPROVALS_TABLE"
_CHANNEL = "APPROVALS_CHANNEL"
_RESPONDER = "APPROVALS_RESPONDER"
_TIMEOUT = cdk.Duration.hours(24)
_LONGEST = cdk.Duration.days(365)  # an execution of Step Functions lives a year
_FUNCTION_TIMEOUT = cdk.Duration.seconds(30)
CALL = "$states.input.answer.call"
"""JSONata of what is to be approved inside an `AgentTurn`: the call, with `name` and `input`."""


class ApprovalDesk(Construct):
    """Where approvals are asked for and answered: two functions, and the table that keeps task tokens.

    Make one where several approvals share channel and responder; `HumanApproval` makes one otherwise.

    People get an approval id, never the task token: that stays in the table, which is encrypted, and appears in no log.
    They answer with a signed request (IAM) to `responder_url`: `{"approvalId", "approved", "comment"}`; let them with
    `grant_respond`.

    Attributes:
        responder: The function behind the URL; it can be invoked directly with the same body, too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        channel: sns.ITopic | events.IEventBus | lambda_.IFunction,
    ) -> None:
        """Makes the desk.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            channel: Who is told: a topic, an event bus (source `agentcore.approvals`), or a function that is invoked
                asynchronously. They get `{approvalId, title, request, respondTo, expiresAfterSeconds, execution}`.

        Raises:
            HarnessConfigError: The channel is none of these.
        """
        super().__init__(scope, construct_id)
        arn, action = _channel(self, channel)
        table = dynamodb.TableV2(
            self,
            "Waiting",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        respond = OwnFunction(
            self,
            "Respond",
            handler="approvals.respond.handler",
            description="Hears whether people approve, and lets the workflow go on.",
            timeout=_FUNCTION_TIMEOUT,
            environment={_TABLE: table.table_name},
        )
        table.grant(respond.role, "dynamodb:GetItem", "dynamodb:UpdateItem")
        # The token in the table names the execution; the action takes no other resource than "*":
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
        tokens = iam.PolicyStatement(sid="AnswerTask", actions=["states:SendTaskSuccess"], resources=["*"])
        respond.role.add_to_policy(tokens)
        self.responder = respond.function
        self._url = self.responder.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        ask = OwnFunction(
            self,
            "Ask",
            handler="approvals.ask.handler",
            description="Asks people for approval, and keeps the task token.",
            timeout=_FUNCTION_TIMEOUT,
            environment={_TABLE: table.table_name, _CHANNEL: arn, _RESPONDER: self._url.url},
        )
        table.grant(ask.role, "dynamodb:PutItem")
        ask.role.add_to_policy(iam.PolicyStatement(sid="Tell", actions=[action], resources=[arn]))
        if (key := found(channel, "master_key")) is not None:
            key.grant(ask.role, "kms:GenerateDataKey", "kms:Decrypt")
        self.ask = ask.function

    @property
    def responder_url(self) -> str:
        """Where answers go, signed with SigV4 for the service `lambda`."""
        return self._url.url

    def grant_respond(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal answer approvals, through the URL or by invoking the responder."""
        return iam.Grant.add_to_principal(
            grantee=grantee,
            # A function URL asks for both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
            actions=["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
            resource_arns=[self.responder.function_arn],
        )


class HumanApproval(sfn.StateMachineFragment):
    """Waits until a person says yes or no, at most for a time; nobody's answer is a no.

    Output: its input with `decision`: `{approved, comment, by}`; `by` is the ARN of whoever answered. Go on with a
    Choice on `$states.input.decision.approved`, or pass it to an `AgentTurn` as `approval`.

    Only in Standard workflows: an Express one cannot wait. Fails with `NotNotified` when the channel refuses the
    message; catch it with `add_catch`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        title: str,
        channel: sns.ITopic | events.IEventBus | lambda_.IFunction | None = None,
        desk: ApprovalDesk | None = None,
        request: Any = None,
        timeout: cdk.Duration = _TIMEOUT,
    ) -> None:
        """Makes the states.

        Args:
            scope: Where it belongs.
            construct_id: Its id there; the names of its states begin with it.
            title: What is asked, in a line; a JSONata expression too.
            channel: Who is told; or `desk`.
            desk: An `ApprovalDesk` that several share.
            request: What is to be approved: a JSONata expression, or an object with some. The input unless given;
                inside an `AgentTurn` write `jsonata(CALL)`.
            timeout: How long it waits, 1 second to 365 days; 24 hours unless given.

        Raises:
            HarnessConfigError: Neither or both of channel and desk, or a timeout beyond its limits.

        A machine whose log includes execution data is warned of at synthesis: Step Functions writes the token there.
        """
        super().__init__(scope, construct_id)
        limit = seconds(timeout)
        self._refuse(channel, desk, limit)
        self.desk = desk if desk is not None else ApprovalDesk(self, "Desk", channel=channel)  # type: ignore[arg-type]
        told = {
            "token": jsonata("$states.context.Task.Token"),
            "execution": jsonata("$states.context.Execution.Id"),
            "title": title,
            "request": jsonata("$states.input") if request is None else request,
            "timeoutSeconds": limit,
        }
        self._ask = tasks.LambdaInvoke.jsonata(
            self,
            "Ask",
            lambda_function=self.desk.ask,
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            payload=sfn.TaskInput.from_object(told),
            task_timeout=sfn.Timeout.duration(timeout),
            outputs=jsonata("$merge([$states.input, {'decision': $states.result}])"),
            state_name=f"{construct_id}: Ask",
        )
        comment = quoted(f"Nobody answered within {cdk.Tokenization.stringify_number(limit)} seconds.")
        nobody = f"{{'approved': false, 'comment': {comment}, 'by': null}}"
        late = sfn.Pass.jsonata(
            self,
            "Nobody",
            outputs=jsonata(f"$merge([$states.input, {{'decision': {nobody}}}])"),
            state_name=f"{construct_id}: Nobody answered",
        )
        self._ask.add_catch(late, errors=["States.Timeout"], outputs=jsonata("$states.input"))
        self._end = sfn.Pass.jsonata(self, "Decided", state_name=f"{construct_id}: Decided")
        self._ask.next(self._end)
        late.next(self._end)
        self.node.add_validation(AtSynthesis(self._faults_at_synthesis))

    @property
    def start_state(self) -> sfn.State:
        """The first state."""
        return self._ask

    @property
    def end_states(self) -> list[sfn.INextable]:
        """The state that is left with the decision."""
        return [self._end]

    def add_catch(self, handler: sfn.IChainable, *, errors: Sequence[str] | None = None, outputs: Any = None) -> Self:
        """Goes on elsewhere when nobody can be asked: `NotNotified`, or what Lambda says of the function that asks.

        Args:
            handler: What comes then.
            errors: Names of errors; all of them unless given. Nobody's answer in time is none: it is a no.
            outputs: What it gets; `$states.errorOutput` unless given.
        """
        self._ask.add_catch(handler, errors=None if errors is None else list(errors), outputs=outputs)
        return self

    def _faults_at_synthesis(self) -> list[str]:
        warn_of_logged_tokens(self, self._ask.state_id)
        return [str(fault) for fault in long_names(states_of(self))]

    def _refuse(self, channel: Any, desk: Any, limit: Any) -> None:
        faults = []
        if (channel is None) == (desk is None):
            given, fix = ("nothing", "give one") if channel is None else ("both", "keep the one that is meant")
            faults.append(Fault("channel", "must be given, or a desk instead", given, fix))
        if (too_odd := unmeasured("timeout", limit)) is not None:
            faults.append(too_odd)
        elif not is_token(limit) and not 1 <= limit <= _LONGEST.to_seconds():
            fix = "an execution of Step Functions lives a year at most"
            faults.append(Fault("timeout", "must be 1 second to 365 days", f"{limit} seconds", fix))
        refuse(self, f"The approval {self.node.path}", faults)


def _channel(desk: Construct, channel: Any) -> tuple[str, str]:
    kinds = {"topic_arn": "sns:Publish", "event_bus_arn": "events:PutEvents", "function_arn": "lambda:InvokeFunction"}
    for name, action in kinds.items():
        if (arn := found(channel, name)) is not None:
            return str(arn), action
    fault = Fault(
        "channel", "must be a topic, an event bus or a function", received(channel), "pass the construct itself"
    )
    raise HarnessConfigError([fault], f"The approvals {desk.node.path}")
