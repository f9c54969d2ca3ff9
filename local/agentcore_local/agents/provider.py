"""A model to talk to, whoever provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from strands.models.model import Model


@dataclass(frozen=True, slots=True)
class Provider:
    """A model of Strands and how to limit it.

    Attributes:
        model: The model.
        max_tokens: The limit of one answer by the harness' configuration; None without one.
        cap: Sets the limit of the next answer.
        attempts: How often a throttled call is tried.
    """

    model: Model
    max_tokens: int | None
    cap: Callable[[int], None]
    attempts: int
