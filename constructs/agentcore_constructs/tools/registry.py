"""Which inline tools a harness has taken, as the objects they are: with their functions and marks.

What CloudFormation is told about an inline tool is its name and schema; who runs the agent has to know the function
behind it, and whether a person must agree first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from agentcore_constructs.config.inline import InlineTool

_TAKEN: WeakKeyDictionary[Any, list[InlineTool]] = WeakKeyDictionary()


def note(harness: Any, tool: InlineTool) -> None:
    """Notes that a harness has taken a tool."""
    taken = _TAKEN.setdefault(harness, [])
    if tool not in taken:
        taken.append(tool)


def inline_tools_of(harness: Any) -> tuple[InlineTool, ...]:
    """Returns the inline tools a harness was given as `InlineTool`, in the order it took them."""
    return tuple(_TAKEN.get(harness, ()))
