"""`@tool`: marks a function as a tool, and leaves it the function it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from types import ModuleType

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "__agentcore_tool__"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a decorator says about a tool.

    Attributes:
        name: The function's own unless given.
        description: The docstring's unless given.
        approval: Whether a person has to agree before it runs.
    """

    name: str | None = None
    description: str | None = None
    approval: bool = False


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(*, name: str | None = None, description: str | None = None, approval: bool = False) -> Callable[[F], F]: ...


def tool(
    function: F | None = None, /, *, name: str | None = None, description: str | None = None, approval: bool = False
) -> F | Callable[[F], F]:
    """Marks a function as a tool. It stays an ordinary function: call it, test it.

    Args:
        function: With type hints, and a docstring in Google's style.
        name: What the model calls it: 1–64 of letters, digits, '_' and '-'; the function's own unless given.
        description: When to use it, at most 4096 characters; the docstring up to its first section unless given.
        approval: Whether a person has to agree before it runs.
    """

    def marked(given: F) -> F:
        setattr(given, _ATTRIBUTE, Mark(name, description, approval))
        return given

    return marked if function is None else marked(function)


def mark_of(function: object) -> Mark | None:
    """Returns what the decorator said; None for a function without one."""
    mark = getattr(function, _ATTRIBUTE, None)
    return mark if isinstance(mark, Mark) else None


def marked_in(module: ModuleType) -> list[Callable[..., Any]]:
    """Returns the marked functions of a module, in the order they are written; not those it imports."""
    return [
        value
        for value in vars(module).values()
        if mark_of(value) is not None and getattr(value, "__module__", None) == module.__name__
    ]
