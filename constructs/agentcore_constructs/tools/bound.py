"""Inline tools that a harness takes: what it is told about them, and the Lambda functions of those in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from agentcore_constructs.config import HarnessConfigError, HarnessTool, Tool
from agentcore_lambdas.tools import ToolDefinitionError

from . import registry
from .function import ToolFunction
from .python_function import free_id
from .sources import faults_of, of_function, place_of

if TYPE_CHECKING:
    from agentcore_constructs.config import Host
    from agentcore_constructs.config.inline import InlineTool, PythonTool


def taken(host: Host, tool: InlineTool) -> HarnessTool:
    """Notes that the harness has the tool, and returns what it is told about it.

    Raises:
        HarnessConfigError: It can be no tool.
    """
    if tool.faults:
        raise HarnessConfigError(tool.faults)
    registry.note(host.scope, tool)
    return Tool.inline(tool.name, description=tool.description, input_schema=tool.input_schema)


def made(host: Host, tool: PythonTool) -> HarnessTool:
    """Makes the Lambda function, once per stack, and returns what the harness is told about the tool.

    Raises:
        HarnessConfigError: The function can be no tool, or Lambda could not import it.
    """
    stack = cdk.Stack.of(host.scope).node.addr
    if stack not in tool.made:
        try:
            source = of_function(tool.python, tool.defined())
        except ToolDefinitionError as error:
            raise HarnessConfigError([*faults_of(error), *place_of(tool.python)[2]]) from None
        function = ToolFunction(host.scope, free_id(host.scope, f"Tool{tool.name}"), source, **tool.options)
        tool.made[stack] = function.inline_tool(tool.name)
    # What the harness remembers is the tool with the function of its own stack; another stack may take it as well.
    here = tool.made[stack]
    tool.function = here.function
    return taken(host, here)
