"""The Lambda side of lifecycle hooks: typed events in, `allow()` or `deny(reason)` out.

from agentcore_lambdas import hooks

@hooks.handler
def handler(event: hooks.BeforeToolCall) -> hooks.Decision:
    command = event.arguments.get("command", "")
    return hooks.deny("pushing to main needs a person") if "push origin main" in command else hooks.allow()
"""

from agentcore_lambdas.hooks.decisions import REASON_LIMIT, Decision, ReasonError, allow, deny
from agentcore_lambdas.hooks.events import (
    AfterInvocation,
    AfterInvocationContext,
    AfterToolCall,
    AfterToolCallContext,
    BeforeInvocation,
    BeforeInvocationContext,
    BeforeToolCall,
    BeforeToolCallContext,
    HookEvent,
    IncompleteContextError,
    Message,
    TokenUsage,
    Truncated,
)
from agentcore_lambdas.hooks.handling import (
    ErrorChoice,
    event_from_event_bridge,
    events_from_sns,
    handler,
    is_handler,
    parse,
    served_events,
)

__all__ = [
    "REASON_LIMIT",
    "AfterInvocation",
    "AfterInvocationContext",
    "AfterToolCall",
    "AfterToolCallContext",
    "BeforeInvocation",
    "BeforeInvocationContext",
    "BeforeToolCall",
    "BeforeToolCallContext",
    "Decision",
    "ErrorChoice",
    "HookEvent",
    "IncompleteContextError",
    "Message",
    "ReasonError",
    "TokenUsage",
    "Truncated",
    "allow",
    "deny",
    "event_from_event_bridge",
    "events_from_sns",
    "handler",
    "is_handler",
    "parse",
    "served_events",
]
