"""The function behind the custom resources of a stack, and the CDK's framework around it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as cr
from constructs import Construct

from agentcore_constructs.functions import OwnFunction
from agentcore_constructs.harness import messages
from agentcore_constructs.harness.policy import INLINE_POLICIES_SIZE, size

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID = "AgentCoreCustomResources"
_TIMEOUT = cdk.Duration.minutes(10)
_POLLING = cdk.Duration.seconds(10)
_GIVING_UP = cdk.Duration.hours(1)
# Of the function's own: logs and traces.
_OWN_STATEMENTS = 400


class AgentCoreProvider(Construct):
    """One per stack: the function, its role, and the CDK's provider framework.

    Attributes:
        role: The function's role; each custom resource brings a policy of its own.
        service_token: What a custom resource of ours names as its service.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Makes them."""
        super().__init__(scope, construct_id)
        own = OwnFunction(
            self,
            "Handler",
            handler="custom_resources.main.handler",
            description="Does for agentcore-harness-cdk what CloudFormation cannot say.",
            timeout=_TIMEOUT,
        )
        self.role = own.role
        framework_logs = logs.LogGroup(
            self, "FrameworkLogs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self._framework = cr.Provider(
            self,
            "Framework",
            on_event_handler=own.function,
            is_complete_handler=own.function,
            query_interval=_POLLING,
            total_timeout=_GIVING_UP,
            log_group=framework_logs,
            # It writes every request to its log otherwise, and headers and addresses are among the properties.
            framework_lambda_logging_level=lambda_.ApplicationLogLevel.FATAL,
            disable_waiter_state_machine_logging=True,
        )
        self.service_token = self._framework.service_token
        self._size = _OWN_STATEMENTS
        resource = own.node.default_child
        assert resource is not None  # noqa: S101  (a function always has one)
        cdk.Aspects.of(resource).add(messages.AtSynthesis(self._measure))
        self._answer_nag(own.function)

    def policy(self, scope: Construct, construct_id: str, statements: Sequence[iam.PolicyStatement]) -> iam.Policy:
        """Makes an inline policy of the function's role.

        Args:
            scope: Where it belongs: what needs it.
            construct_id: Its id there.
            statements: What the function may do.
        """
        self._size += sum(size(statement.to_statement_json()) for statement in statements)
        return iam.Policy(scope, construct_id, statements=list(statements), roles=[self.role])

    def shared_policy(self, statements: Sequence[iam.PolicyStatement]) -> iam.Policy:
        """Returns an inline policy of the function's role that all who need the same statements share.

        It never changes, since its id follows from its statements; it goes when the last one who needs it has gone.
        """
        said = cdk.Stack.of(self).resolve([statement.to_statement_json() for statement in statements])
        construct_id = f"Shared{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]}"
        found = self.node.try_find_child(construct_id)
        return found if isinstance(found, iam.Policy) else self.policy(self, construct_id, statements)

    def _measure(self) -> None:
        if self._size > INLINE_POLICIES_SIZE:
            messages.custom_resource_policies(self, self._size)

    def _answer_nag(self, function: lambda_.Function) -> None:
        """Gives cdk-nag the reasons for what the CDK's framework is made of; nobody else could change it."""
        stack = cdk.Stack.of(self)
        calling = "The framework calls whatever version of the function is current."
        called = {
            f"IAM5[Resource::<{stack.get_logical_id(one)}.Arn>:*]": calling
            for one in (function.node.default_child, *_functions_of(self._framework))
            if isinstance(one, cdk.CfnElement)
        }
        basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        findings = {
            **called,
            f"IAM4[Policy::{basic}]": "The CDK's provider framework brings AWS' policy for writing logs.",
            "L1": "The runtime of the provider framework's functions is chosen by aws-cdk-lib.",
            "SF1": "The waiter of the provider framework handles no data; what it waits for is logged by the function.",
            "SF2": "The waiter of the provider framework only waits; the function itself is traced.",
        }
        cdk.Validations.of(self._framework).acknowledge(
            *(
                cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
                for finding, reason in findings.items()
            )
        )


def provider_of(scope: Construct) -> AgentCoreProvider:
    """Returns the provider of a construct's stack, made when it is asked for first."""
    stack = cdk.Stack.of(scope)
    found = stack.node.try_find_child(_ID)
    return found if isinstance(found, AgentCoreProvider) else AgentCoreProvider(stack, _ID)


def _functions_of(framework: cr.Provider) -> list[Construct]:
    return [node for node in framework.node.find_all() if isinstance(node, lambda_.CfnFunction)]
