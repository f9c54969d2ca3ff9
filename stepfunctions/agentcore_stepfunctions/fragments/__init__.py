"""Parts of workflows that take several states: agents with inline tools, approvals, commands."""

from __future__ import annotations

from .agent_turn import ANSWER, INPUT, RESULT, AgentTurn
from .human_approval import CALL, ApprovalDesk, HumanApproval
from .visible_agent_turn import VisibleAgentTurn

__all__ = ["ANSWER", "CALL", "INPUT", "RESULT", "AgentTurn", "ApprovalDesk", "HumanApproval", "VisibleAgentTurn"]
