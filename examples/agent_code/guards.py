"""Hooks of the reference agents."""

from __future__ import annotations

import re

from agentcore_lambdas import hooks

_WRITES = re.compile(r"/mnt/data\b[^|;&]*>|>\s*/mnt/data|\b(rm|mv|truncate)\b[^|;&]*/mnt/data")


def keep_data(event: hooks.BeforeToolCall) -> hooks.Decision:
    """Keeps an agent from changing the data it is to read, with a sentence it can act on."""
    if _WRITES.search(str(event.arguments)):
        return hooks.deny("The data below /mnt/data is read-only; write your results to /tmp.")
    return hooks.allow()


def count_stops(event: hooks.AfterInvocation) -> hooks.Decision:
    """Lets the metrics of hooks count invocations by why they stopped."""
    return hooks.allow(event.context.stop_reason)
