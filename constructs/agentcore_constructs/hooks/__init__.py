"""Python functions as lifecycle hooks."""

from __future__ import annotations

from .function import HookFunction

__all__ = ["HookFunction"]
