"""Ready-made workflows; each ships its definition in Amazon States Language next to it."""

from __future__ import annotations

from .approved_tool import ApprovedTool
from .base import Workflow
from .evaluator_optimizer import EvaluatorOptimizer
from .harness_batch import HarnessBatch
from .plan_implement_review import PlanImplementReview
from .research_and_write import ResearchAndWrite
from .scheduled_agent import ScheduledAgent
from .triage_and_route import TriageAndRoute

__all__ = [
    "ApprovedTool",
    "EvaluatorOptimizer",
    "HarnessBatch",
    "PlanImplementReview",
    "ResearchAndWrite",
    "ScheduledAgent",
    "TriageAndRoute",
    "Workflow",
]
