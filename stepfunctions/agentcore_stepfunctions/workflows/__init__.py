"""Ready-made workflows; each ships its definition in Amazon States Language next to it."""

from __future__ import annotations

from .harness_batch import HarnessBatch
from .research_and_write import ResearchAndWrite

__all__ = ["HarnessBatch", "ResearchAndWrite"]
