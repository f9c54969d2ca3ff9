"""Stacks with the ready-made workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .patterns import PATTERNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct


def _capability(name: str) -> Callable[[Construct], None]:
    def made(scope: Construct) -> None:
        PATTERNS[name](scope)

    made.__name__ = f"pattern_{name}"
    return made


CAPABILITIES = tuple(_capability(name) for name in PATTERNS)
