"""One private name of ministack, and how it is looked up and checked."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any

MINISTACK_VERSION = "1.5.33"

Scope = tuple[str, str]


class SeamBrokenError(RuntimeError):
    """ministack is not the version, or not the shape, that this package composes with."""


@dataclass(frozen=True)
class Seam:
    """One private name of ministack: where it is, what we do with it, and the parameters a function must have."""

    module: str
    name: str
    use: str
    parameters: tuple[str, ...] | None = None

    def problem(self) -> str | None:
        """What is not as assumed, as the end of a sentence; None when all is well."""
        module = importlib.import_module(self.module)
        found: Any = module
        for part in self.name.split("."):
            if not hasattr(found, part):
                return f"{self.module}.{self.name} is gone; it is used to {self.use}"
            found = getattr(found, part)
        if self.parameters is None:
            return None
        actual = tuple(inspect.signature(inspect.unwrap(found)).parameters)
        if actual != self.parameters:
            return (
                f"{self.module}.{self.name} takes ({', '.join(actual)}), not ({', '.join(self.parameters)}); "
                f"it is used to {self.use}"
            )
        return None


@cache
def internals(name: str) -> Any:
    """A module of ministack, with all it has."""
    return importlib.import_module(name)
