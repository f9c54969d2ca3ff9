"""Python functions as tools of an agent: what the model is told about them, and how its calls reach them.

from agentcore_lambdas.tools import tool

@tool
def refund(order_id: str, amount: float) -> dict[str, str]:
    'Refunds an order, in part or as a whole.'
    return {"refund": payments.refund(order_id, amount)}
"""

from agentcore_lambdas.tools.context import ToolContext
from agentcore_lambdas.tools.definition import DESCRIPTION_LIMIT, NAME_PATTERN, InputError, ToolDefinition, define
from agentcore_lambdas.tools.errors import Problem, ToolDefinitionError, ToolError
from agentcore_lambdas.tools.marks import mark_of, marked_in, tool

__all__ = [
    "DESCRIPTION_LIMIT",
    "NAME_PATTERN",
    "InputError",
    "Problem",
    "ToolContext",
    "ToolDefinition",
    "ToolDefinitionError",
    "ToolError",
    "define",
    "mark_of",
    "marked_in",
    "tool",
]
