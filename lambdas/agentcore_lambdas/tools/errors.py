"""What goes wrong with tools: where they are written, and where they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ToolError(Exception):
    """Raise it in a tool to tell the model, in a sentence, why the call did not work and what to do instead.

    The sentence reaches the model as it is, and through it perhaps the user. Of any other exception the model learns
    no more than that the tool failed, since its text may hold what nobody outside must see.
    """


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a function cannot be a tool.

    Attributes:
        path: Which part of the function: `parameters.amount`; empty for the function as a whole.
        must: What it must be, beginning with "must".
        received: What it is instead.
        fix: What to do about it.
    """

    path: str
    must: str
    received: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.must}; received {self.received}; {self.fix}."


class ToolDefinitionError(ValueError):
    """A function cannot be a tool.

    Attributes:
        tool: The function.
        problems: Every reason why.
    """

    def __init__(self, tool: str, problems: Iterable[Problem]) -> None:
        self.tool = tool
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{tool} cannot be a tool:", *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[ToolDefinitionError], tuple[str, tuple[Problem, ...]]]:
        """Lets the error cross process boundaries."""
        return type(self), (self.tool, self.problems)
