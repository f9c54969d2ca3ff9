"""What is deployed: the agent, its endpoint, and the function that watches over its tool calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_

from agentcore_constructs import Harness, Hook, Memory, Model, Tool, Version

from .orders import TOOLS

if TYPE_CHECKING:
    from constructs import Construct

    from agentcore_constructs import HarnessMemoryConfiguration

GUARD = Path(__file__).with_name("guard")


class SupportAgent(Stack):
    """Answers questions about orders; refunds are small, or a person gives them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prompt: str = "You answer questions about orders, briefly and with the order number.",
        memory: HarnessMemoryConfiguration | None = None,
    ) -> None:
        """Makes the stack.

        Args:
            scope: The app.
            construct_id: Name of the stack.
            prompt: What the agent is told to be.
            memory: Where it remembers; a memory of its own unless given.
        """
        super().__init__(scope, construct_id)
        guard = lambda_.Function(
            self,
            "Guard",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(GUARD)),
            timeout=Duration.seconds(5),
        )
        self.agent = Harness(
            self,
            "Agent",
            harness_name="support_agent",
            model=Model.bedrock("global.anthropic.claude-sonnet-4-6", temperature=0.2),
            system_prompt=prompt,
            tools=[
                Tool.inline(name, description=tool.description, input_schema=tool.input_schema)
                for name, tool in TOOLS.items()
            ],
            memory=memory or Memory.managed(expiry=Duration.days(30)),
            hooks=[Hook.before_tool_call("guard", guard, timeout=Duration.seconds(10))],
            max_iterations=10,
        )
        self.agent.add_endpoint("PROD", version=Version.latest())
        self.agent.add_outputs()
