"""What every ready-made workflow has: the state machine, its log group and tracing, and who may start it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from agentcore_stepfunctions.expressions import jsonata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_lambda as lambda_

# An agent step takes at most 900 seconds and is tried at most four times; most executions take a few minutes.
_TIMEOUT = cdk.Duration.minutes(60)
_TOKENS = ("input", "output", "total")


class Workflow(Construct):
    """A state machine in JSONata that is logged and traced; what agents say is not logged."""

    _machine: sfn.StateMachine
    _log_group: logs.ILogGroup

    @property
    def state_machine(self) -> sfn.StateMachine:
        """The state machine."""
        return self._machine

    @property
    def log_group(self) -> logs.ILogGroup:
        """Where executions are logged."""
        return self._log_group

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal start executions."""
        return self._machine.grant_start_execution(grantee)

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reasons for the wildcards in the machine's role."""
        reason = (
            "X-Ray and the log delivery that Step Functions sets up have no resource to name: "
            "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
        )
        self._acknowledge("IAM5[Resource::*]", reason)
        for function in self._functions():
            name = cdk.Stack.of(self).get_logical_id(cast("cdk.CfnElement", function.node.default_child))
            self._acknowledge(f"IAM5[Resource::<{name}.Arn>:*]", "The state calls whatever version is current.")

    def _functions(self) -> Sequence[lambda_.IFunction]:
        """The functions that states of it call."""
        return ()

    def _acknowledge(self, finding: str, reason: str) -> None:
        answer = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
        cdk.Validations.of(self._machine.role).acknowledge(answer)

    def _make(
        self,
        start: sfn.IChainable,
        *,
        comment: str,
        log_group: logs.ILogGroup | None,
        timeout: cdk.Duration | None,
    ) -> None:
        self._log_group = log_group or execution_logs(self)
        self._machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(start),
            query_language=sfn.QueryLanguage.JSONATA,
            comment=comment,
            timeout=timeout or _TIMEOUT,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self._log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        )

    def _choice(self, name: str, condition: str, then: sfn.IChainable, otherwise: sfn.IChainable) -> sfn.Choice:
        choice = sfn.Choice(self, name)
        choice.when(sfn.Condition.jsonata(jsonata(condition)), then)
        choice.otherwise(otherwise)
        return choice

    def _text_given(self, member: str, then: sfn.IChainable) -> sfn.Choice:
        """Goes on when the input has a text of that name, and fails with `.No<Member>` otherwise."""
        name = member.title()
        nothing = self._fail(f"No{name}", f'the input must be {{"{member}": "…"}} with a text in it')
        value = f"$states.input.{member}"
        return self._choice(f"{name} given?", f"$type({value}) = 'string' and $trim({value}) != ''", then, nothing)

    def _fail(self, name: str, cause: str) -> sfn.Fail:
        return sfn.Fail(self, name, error=f"{type(self).__name__}.{name}", cause=cause)


def execution_logs(scope: Construct) -> logs.LogGroup:
    """Makes the log group of a state machine.

    Step Functions lets itself write to it in a resource policy of CloudWatch Logs that all machines of a Region share,
    with room for some dozens of groups; groups with this prefix take none of it
    (https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
    """
    name = cdk.Names.unique_resource_name(scope, max_length=128, separator="-")
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/vendedlogs/states/{name}",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def usage_sum(*usages: str) -> str:
    """JSONata of the sum of usages, each an object `{inputTokens, outputTokens, totalTokens}` or JSONata of one.

    Args:
        usages: JSONata that gives a usage; what is missing counts as nothing.
    """
    return f"{{{', '.join(_sum(name, usages) for name in _TOKENS)}}}"


def _sum(name: str, usages: Sequence[str]) -> str:
    return f"'{name}Tokens': $sum([{', '.join(f'{usage}.{name}Tokens' for usage in usages)}])"
