"""The function that drives a harness with inline tools, for the fragments of workflows that need one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.functions import OwnFunction
from agentcore_constructs.harness.base import ENDPOINT_SEGMENT, INVOKE_ACTIONS

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from agentcore_constructs import IHarness

TIMEOUT = cdk.Duration.minutes(15)
"""Of one invocation of the loop; longer turns are taken up by the next one."""
_TABLE = "TOOL_LOOP_TABLE"
_CONTENT = "TOOL_LOOP_LOGS_CONTENT"


class ToolLoop(Construct):
    """A Lambda function that invokes one harness and runs its inline tools, and the table that keeps each call single.

    Fragments such as `AgentTurn` share one per harness and stack. What the function may do is what they need: invoke
    this harness, the endpoints that are named, and the functions of the tools.

    The table holds, for a day, which calls were run and what they gave, so that no retry runs a tool twice. It is
    encrypted with a key of AWS unless you pass one; it goes with the stack.

    Metrics go to the namespace `AgentCoreHarness`, by harness: `Turns`, `TurnFailures`, `ToolCalls`, `ToolErrors`,
    `Tokens`. What is said is not logged unless `log_content` asks for it.

    Attributes:
        function: The function.
        table: The table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        log_content: bool = False,
        memory_size: int = 512,
    ) -> None:
        """Makes function and table.

        Args:
            scope: Where they belong.
            construct_id: Their id there.
            harness: The harness to drive.
            log_content: Whether the agent's answers are logged: for finding faults, not for production.
            memory_size: Of the function, in MiB.
        """
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Calls",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expiration",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        own = OwnFunction(
            self,
            "Function",
            handler="tool_loop.main.handler",
            description="Drives an agent with inline tools: reads its stream, runs the tools it calls.",
            timeout=TIMEOUT,
            memory_size=memory_size,
            environment={_TABLE: self.table.table_name, _CONTENT: str(log_content).lower()},
        )
        self.function: lambda_.Function = own.function
        self._role = own.role
        self._harness_arn = harness.harness_arn
        self._granted: set[str] = set()
        # Powertools notes, looks up and takes back calls; turns are read and written.
        self.table.grant(
            self._role, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"
        )
        self._role.add_to_policy(
            iam.PolicyStatement(sid="InvokeHarness", actions=list(INVOKE_ACTIONS), resources=[self._harness_arn])
        )

    @staticmethod
    def of(scope: Construct, harness: IHarness) -> ToolLoop:
        """Returns the loop of a harness in the stack of a construct, made when it is asked for first."""
        stack = cdk.Stack.of(scope)
        construct_id = f"ToolLoop{harness.node.addr}"
        found = stack.node.try_find_child(construct_id)
        return found if isinstance(found, ToolLoop) else ToolLoop(stack, construct_id, harness=harness)

    def allow(self, tools: dict[str, lambda_.IFunction], qualifier: str | None = None) -> None:
        """Lets the loop run tools, and call a named endpoint; each is granted once.

        Args:
            tools: Name of a tool → its function.
            qualifier: Name of an endpoint.
        """
        for function in tools.values():
            if function.node.path not in self._granted:
                self._granted.add(function.node.path)
                self._role.add_to_policy(_invocation(function))
        endpoint = None if qualifier is None else f"{self._harness_arn}/{ENDPOINT_SEGMENT}/{qualifier}"
        if endpoint is not None and endpoint not in self._granted:
            self._granted.add(endpoint)
            self._role.add_to_policy(iam.PolicyStatement(sid=None, actions=list(INVOKE_ACTIONS), resources=[endpoint]))


def _invocation(function: Any) -> iam.PolicyStatement:
    # `grant_invoke` would allow all versions of the function (":*"); the loop calls the ARN it is given.
    return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
