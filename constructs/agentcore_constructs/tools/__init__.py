"""Python functions as tools: of an agent directly, or behind a gateway."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config.inline import InlineTool

from .registry import inline_tools_of

if TYPE_CHECKING:
    from .function import ToolFunction as ToolFunction
    from .python_function import PythonFunction as PythonFunction

# What imports the CDK, which an `InlineTool` and the registry do without.
_CONSTRUCTS = {"PythonFunction": "python_function", "ToolFunction": "function"}

__all__ = ["InlineTool", "PythonFunction", "ToolFunction", "inline_tools_of"]


def __getattr__(name: str) -> Any:
    """Loads the constructs, and with them the CDK, when the first one is asked for."""
    if name not in _CONSTRUCTS:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = globals()[name] = getattr(import_module(f"{__name__}.{_CONSTRUCTS[name]}"), name)
    return value
