"""Python functions as tools: of an agent directly, or behind a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcore_constructs.config.inline import InlineTool
from agentcore_constructs.lazy import loading

from .registry import inline_tools_of

if TYPE_CHECKING:
    from .function import ToolFunction as ToolFunction
    from .python_function import PythonFunction as PythonFunction

# What imports the CDK, which an `InlineTool` and the registry do without.
_CONSTRUCTS = {"PythonFunction": "python_function", "ToolFunction": "function"}

__all__ = ["InlineTool", "PythonFunction", "ToolFunction", "inline_tools_of"]

__getattr__ = loading(__name__, _CONSTRUCTS)
