"""A Lambda function of Python code that is packaged here: logs kept for a while, traces on, a role of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from agentcore_constructs.functions import ARCHITECTURE, RUNTIME
from agentcore_constructs.functions.own import TRACING

from .code import function_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TIMEOUT = cdk.Duration.seconds(60)
MEMORY = 256
RETENTION = logs.RetentionDays.ONE_MONTH
_NETWORK = "Lambda's network interfaces have ids of their own, which nobody knows before."


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class PythonFunction(Construct):
    """Python code in Lambda, with Powertools; grant to it what its code needs: `table.grant_read_data(function)`.

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
        packages: Sequence[Path | str],
        requirements: Sequence[str] | Path = (),
        description: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration = TIMEOUT,
        memory_size: int = MEMORY,
        architecture: lambda_.Architecture = ARCHITECTURE,
        log_retention: logs.RetentionDays = RETENTION,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        """Makes the function.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            handler: Module and name of the handler.
            packages: Files, folders, or names of importable modules.
            requirements: Lines as in a requirements file, or the path of one; pin them. boto3 comes with Lambda.
            description: For people who look at the function.
            environment: Variables. No place for secrets.
            timeout: Of one call, at most 15 minutes; 60 seconds unless given.
            memory_size: In MiB, 128–10240; 256 unless given. The share of processor follows it.
            architecture: ARM unless given; wheels are taken for it.
            log_retention: A month unless given.
            vpc: Where what it connects to is; none unless given.
            vpc_subnets: Private ones unless given.
            security_groups: One is made unless given.

        Raises:
            PackagingError: Code is not there, or requirements have no wheels for the platform.
        """
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(self, "Logs", retention=log_retention, removal_policy=cdk.RemovalPolicy.DESTROY)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=architecture,
            handler=handler,
            code=function_code(packages, requirements, architecture),
            role=self.role,
            timeout=timeout,
            memory_size=memory_size,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
            environment={"POWERTOOLS_SERVICE_NAME": construct_id, **(environment or {})},
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )
        self.node.default_child = self.function.node.default_child
        if vpc is not None:
            self._allow_network()
        self._acknowledge("AwsSolutions::AwsSolutions-IAM5[Resource::*]", TRACING if vpc is None else _NETWORK)

    @property
    def function_arn(self) -> str:
        """ARN of the function."""
        return self.function.function_arn

    @property
    def function_name(self) -> str:
        """Name of the function."""
        return self.function.function_name

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The function's role: what is granted to the function is granted to it."""
        return self.role

    @property
    def connections(self) -> ec2.Connections:
        """What the function may connect to; the CDK refuses it for a function outside of a VPC."""
        return self.function.connections

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal call the function."""
        return self.function.grant_invoke(grantee)

    def add_environment(self, key: str, value: str) -> None:
        """Adds a variable. No place for secrets."""
        self.function.add_environment(key, value)

    def _allow_network(self) -> None:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: none of these takes a resource that is
        # known before the function exists.
        actions = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface",
                   "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")  # fmt: skip
        statement = iam.PolicyStatement(
            sid="NetworkInterfaces", actions=[f"ec2:{action}" for action in actions], resources=["*"]
        )
        self.role.add_to_policy(statement)

    def _acknowledge(self, finding: str, reason: str) -> None:
        cdk.Validations.of(self.role).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def free_id(scope: Construct, wanted: str) -> str:
    """Returns an id that no child of a construct has.

    Two tools or hooks of one name are refused as such, together with all other faults, and not by the CDK before.
    """
    taken = 1
    construct_id = wanted
    while scope.node.try_find_child(construct_id) is not None:
        taken += 1
        construct_id = f"{wanted}{taken}"
    return construct_id
