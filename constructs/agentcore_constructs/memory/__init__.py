"""Memory that outlives the agent: one of its own, or the managed one kept when its harness goes."""

from __future__ import annotations

from .agent_memory import AgentMemory
from .retention import MemoryRetention

__all__ = ["AgentMemory", "MemoryRetention"]
