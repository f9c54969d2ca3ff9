"""Parts of workflows that take several states: agents with inline tools, approvals, commands."""

from __future__ import annotations

from .agent_turn import AgentTurn

__all__ = ["AgentTurn"]
