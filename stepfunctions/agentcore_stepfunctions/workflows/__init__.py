"""Ready-made workflows; each ships its definition in Amazon States Language next to it."""

from __future__ import annotations

from .research_and_write import ResearchAndWrite

__all__ = ["ResearchAndWrite"]
