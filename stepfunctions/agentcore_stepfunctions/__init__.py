"""Agents in AWS Step Functions: the InvokeHarness state and ready-made workflows."""

from __future__ import annotations

from .expressions import RESULT_TEXT, RESULT_USAGE, jsonata, text
from .fragments import AgentTurn, ApprovalDesk, HumanApproval, VisibleAgentTurn
from .invoke_harness import DEFAULT_OUTPUTS, DEFAULT_RESULT_SELECTOR, RETRIED_ERRORS, InvokeHarness
from .json_answers import JsonAnswer
from .messages import Message
from .run_command import CommandRunner, RunHarnessCommand
from .sessions import SessionId
from .tool_loop import ToolLoop
from .workflows import (
    ApprovedTool,
    EvaluatorOptimizer,
    HarnessBatch,
    PlanImplementReview,
    ResearchAndWrite,
    ScheduledAgent,
    TriageAndRoute,
    Workflow,
)

__all__ = [
    "DEFAULT_OUTPUTS",
    "DEFAULT_RESULT_SELECTOR",
    "RESULT_TEXT",
    "RESULT_USAGE",
    "RETRIED_ERRORS",
    "AgentTurn",
    "ApprovalDesk",
    "ApprovedTool",
    "CommandRunner",
    "EvaluatorOptimizer",
    "HarnessBatch",
    "HumanApproval",
    "InvokeHarness",
    "JsonAnswer",
    "Message",
    "PlanImplementReview",
    "ResearchAndWrite",
    "RunHarnessCommand",
    "ScheduledAgent",
    "SessionId",
    "ToolLoop",
    "TriageAndRoute",
    "VisibleAgentTurn",
    "Workflow",
    "jsonata",
    "text",
]
