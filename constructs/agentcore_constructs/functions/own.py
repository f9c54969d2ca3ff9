"""A function of our own code: logs kept for a month, traces on, a role that gets what it is granted and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .code import ARCHITECTURE, RUNTIME, own_code

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACING = "X-Ray has no resources to name for sending segments."
"""Why the role of a function that is traced has a wildcard."""


@jsii.implements(iam.IGrantable)
class OwnFunction(Construct):
    """A Lambda function of `agentcore_lambdas`.

    Attributes:
        function: The function itself.
        log_group: Where it logs to.
        role: What it runs as.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        timeout: cdk.Duration,
        memory_size: int = 512,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the function.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            handler: Module and name of the handler, below `agentcore_lambdas`.
            description: For people who look at the function.
            timeout: Of one invocation, at most 15 minutes.
            memory_size: In MiB. The share of processor follows it, and with it how long a cold start takes.
            environment: Variables. No place for secrets.
        """
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=description
        )
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=f"agentcore_lambdas.{handler}",
            code=own_code(),
            role=self.role,
            timeout=timeout,
            memory_size=memory_size,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            environment={"POWERTOOLS_SERVICE_NAME": _service(handler), **(environment or {})},
        )
        self.node.default_child = self.function.node.default_child
        acknowledgment = cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason=TRACING)
        cdk.Validations.of(self.role).acknowledge(acknowledgment)

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The function's role: what is granted to the function is granted to it."""
        return self.role


def _service(handler: str) -> str:
    """What logs, traces and metrics call it. From the environment, so that loggers of all modules find each other."""
    return f"agentcore-{handler.partition('.')[0].replace('_', '-')}"
