"""The shop's hooks."""

from __future__ import annotations

from agentcore_lambdas import hooks


@hooks.handler
def guard(event: hooks.BeforeToolCall) -> hooks.Decision:
    """Keeps secrets out of files."""
    return hooks.deny("No secrets in files.") if "secret" in str(event.arguments) else hooks.allow()


def watch(event: hooks.BeforeInvocation | hooks.AfterInvocation) -> hooks.Decision:
    """Lets everything pass, and says what it was."""
    return hooks.allow(event.event)


def careless(event):  # type: ignore[no-untyped-def]
    """Says nothing of its event."""
