"""What the emulated tools have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from strands.types.tools import AgentTool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from strands.types.tools import ToolSpec, ToolUse


class ToolFailed(Exception):  # noqa: N818 - not a fault of the program: the tool says to the model why it did not work
    """A tool's call did not work; the sentence goes to the model as an error result."""


@dataclass(frozen=True, slots=True)
class Described:
    """How a tool presents itself to the model.

    Attributes:
        name: The name the model calls.
        kind: ``HarnessToolType``, or ``builtin``.
        description: When and how to use it.
        schema: JSON schema of its arguments.
    """

    name: str
    kind: str
    description: str
    schema: Mapping[str, Any]


class HarnessTool(AgentTool):
    """A tool of the harness: answers a call with one text, or fails in words."""

    def __init__(self, described: Described) -> None:
        super().__init__()
        self._described = described

    @property
    def tool_name(self) -> str:
        """The name the model calls."""
        return self._described.name

    @property
    def tool_type(self) -> str:
        """``HarnessToolType``, or ``builtin``."""
        return self._described.kind

    @property
    def described(self) -> Described:
        """How it presents itself."""
        return self._described

    @property
    def tool_spec(self) -> ToolSpec:
        """What the model is told."""
        described = self._described
        spec = {
            "name": described.name,
            "description": described.description,
            "inputSchema": {"json": dict(described.schema)},
        }
        return cast("ToolSpec", spec)

    @abstractmethod
    async def call(self, arguments: dict[str, Any]) -> str:
        """Do the work.

        Raises:
            ToolFailed: with a sentence for the model.
        """

    async def stream(
        self,
        tool_use: ToolUse,
        invocation_state: dict[str, Any],  # noqa: ARG002 - Strands' signature
        **_kwargs: Any,
    ) -> AsyncGenerator[Any, None]:
        """Answer one call; what is yielded last is the result."""
        arguments = tool_use["input"]
        try:
            if not isinstance(arguments, dict):
                raise ToolFailed(f"The arguments must be a JSON object; received {type(arguments).__name__}.")
            status, text = "success", await self.call(arguments)
        except ToolFailed as failure:
            status, text = "error", str(failure)
        yield {"toolUseId": tool_use["toolUseId"], "status": status, "content": [{"text": text}]}


class Answered(AgentTool):
    """A tool whose result is there already: the caller has sent it."""

    def __init__(self, tool: AgentTool, result: dict[str, Any]) -> None:
        super().__init__()
        self._tool = tool
        self._result = result

    @property
    def tool_name(self) -> str:
        """The tool's name."""
        return self._tool.tool_name

    @property
    def tool_spec(self) -> ToolSpec:
        """The tool's specification."""
        return self._tool.tool_spec

    @property
    def tool_type(self) -> str:
        """The tool's type."""
        return self._tool.tool_type

    async def stream(
        self,
        tool_use: ToolUse,  # noqa: ARG002 - Strands' signature
        invocation_state: dict[str, Any],  # noqa: ARG002
        **_kwargs: Any,
    ) -> AsyncGenerator[Any, None]:
        """Give the result."""
        yield self._result


def argument(arguments: dict[str, Any], name: str, kind: type, *, required: bool = True) -> Any:
    """An argument of a tool's call, checked.

    Raises:
        ToolFailed: when it is missing or of another type.
    """
    value = arguments.get(name)
    if value is None:
        if required:
            raise ToolFailed(f"The argument {name} is missing.")
        return None
    # JSON has one kind of number for both; True is an int to Python, not to JSON.
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ToolFailed(f"The argument {name} must be of type {kind.__name__}; received {type(value).__name__}.")
    return value
