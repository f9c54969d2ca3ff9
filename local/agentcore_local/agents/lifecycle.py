"""Lifecycle hooks of the harness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentcore_local.agents.events import Stream
    from agentcore_local.agents.plan import Plan


class Lifecycle:
    """Fires the harness' hooks around one invocation."""

    def __init__(self, plan: Plan, stream: Stream) -> None:
        self._plan = plan
        self._stream = stream

    async def before_invocation(self, messages: list[dict[str, Any]]) -> str | None:
        """Why the invocation must stop, or None."""

    async def before_tool_call(self, tool_use: dict[str, Any], kind: str) -> str | None:
        """Why the tool must be skipped, or None."""

    async def after_tool_call(self, tool_use: dict[str, Any], kind: str, result: dict[str, Any]) -> str | None:
        """Why the invocation must stop, or None."""

    async def after_invocation(self, stop_reason: str, usage: dict[str, int]) -> None:
        """Report the end."""
