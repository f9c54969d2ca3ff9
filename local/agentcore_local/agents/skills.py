"""Skills of the harness. They are not fetched yet: the model works without them, and the log says so."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcore_local.agents.plan import Plan

logger = logging.getLogger(__name__)


def note(plan: Plan) -> None:
    """Say once for each version of a harness that its skills are left out."""
    if plan.skills:
        _note(plan.harness_arn, plan.version, len(plan.skills))


@lru_cache(maxsize=1024)
def _note(harness_arn: str, version: str, count: int) -> None:
    logger.warning(
        "harness=<%s>, version=<%s>, skills=<%d> | the local cloud does not fetch skills yet, the agent works without",
        harness_arn,
        version,
        count,
    )
