"""From the raw Lambda event to the decision: parse, call the user's function, answer; a failure answers too."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, overload

from pydantic import ValidationError

from agentcore_lambdas.hooks.decisions import Decision, ReasonError
from agentcore_lambdas.hooks.events import (
    ANY_EVENT,
    AfterInvocation,
    AfterToolCall,
    AnyHookEvent,
    BeforeInvocation,
    BeforeToolCall,
)

_powertools_parse: Callable[..., Any] | None
try:
    from aws_lambda_powertools.utilities.parser import parse as _imported_parse
except ImportError:  # Powertools comes as a Lambda layer: absent where a hook is tested on its own.
    _powertools_parse = None
else:
    _powertools_parse = _imported_parse

logger = logging.getLogger(__name__)

ErrorChoice = Literal["deny", "allow"]
EventT = TypeVar("EventT", bound=AnyHookEvent)
HookFunction = Callable[[EventT], Decision]
LambdaHandler = Callable[..., dict[str, str]]

_EVENTS: tuple[type[AnyHookEvent], ...] = (BeforeInvocation, BeforeToolCall, AfterToolCall, AfterInvocation)
_SERVED = "__agentcore_hook__"
_EVENT_BRIDGE_SOURCE = "bedrock-agentcore.harness"


def parse(event: object) -> AnyHookEvent:
    """Reads the payload of a hook, with the Powertools parser where that is installed.

    Args:
        event: The Lambda event: a JSON object, or its text.

    Raises:
        pydantic.ValidationError: It is no lifecycle event; the message names fields, never their values.
    """
    if _powertools_parse is not None:
        parsed: AnyHookEvent = _powertools_parse(event=event, model=ANY_EVENT)
        return parsed
    return ANY_EVENT.validate_json(event) if isinstance(event, str) else ANY_EVENT.validate_python(event)


def event_from_event_bridge(event: Mapping[str, Any]) -> AnyHookEvent:
    """The lifecycle event inside what EventBridge delivers for a hook whose target is an event bus.

    Raises:
        ValueError: The event comes from another source; narrow the rule's pattern to `bedrock-agentcore.harness`.
    """
    if event.get("source") != _EVENT_BRIDGE_SOURCE:
        raise ValueError(f"the event's source must be {_EVENT_BRIDGE_SOURCE}; received {event.get('source')!r}")
    return parse(event.get("detail"))


def events_from_sns(event: Mapping[str, Any]) -> list[AnyHookEvent]:
    """The lifecycle events inside what SNS delivers to Lambda for a hook whose target is a topic.

    Raises:
        ValueError: The event is not SNS's, or a message is no lifecycle event.
    """
    try:
        messages = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    except (KeyError, TypeError) as error:
        raise ValueError("the event must hold Records[].Sns.Message, as SNS delivers it to Lambda") from error
    return [parse(message) for message in messages]


@overload
def handler(function: HookFunction[EventT], /) -> LambdaHandler: ...


@overload
def handler(*, on_error: ErrorChoice = "deny") -> Callable[[HookFunction[EventT]], LambdaHandler]: ...


def handler(
    function: HookFunction[EventT] | None = None, /, *, on_error: ErrorChoice = "deny"
) -> LambdaHandler | Callable[[HookFunction[EventT]], LambdaHandler]:
    """Makes a Lambda handler of a function that takes a typed event and returns `allow()` or `deny(reason)`.

    The annotation of the function's parameter says which events it serves: one of the four classes, a union of them,
    or `HookEvent` for all. The handler answers in every case: when the event cannot be read, is of a kind that the
    function does not serve, is incomplete where the function needs all of it, or when the function raises or returns
    no decision, the answer is `on_error` with a reason that names the kind of failure, and the log says more. Only
    running out of time or memory is left to the hook's `failure_mode`.

    Args:
        function: Takes the event, returns the decision.
        on_error: `deny` (default) for hooks that guard, `allow` for hooks that only watch.

    Raises:
        TypeError: The function does not take one annotated event. Raised where the function is defined.
    """
    if on_error not in ("deny", "allow"):
        raise TypeError(f'on_error must be "deny" or "allow"; received {on_error!r}')

    def decorate(hook: HookFunction[EventT]) -> LambdaHandler:
        served = _served_events(hook)

        @functools.wraps(hook)
        def lambda_handler(event: object, context: object = None) -> dict[str, str]:  # noqa: ARG001  # Lambda passes it
            return _decided(hook, event, served, on_error).to_response()

        # wraps() copied the hook's own annotations, which are not those of a Lambda handler.
        lambda_handler.__annotations__ = {"event": object, "context": object, "return": dict[str, str]}
        setattr(lambda_handler, _SERVED, served)
        return lambda_handler

    return decorate if function is None else decorate(function)


def is_handler(function: object) -> bool:
    """Tells whether `handler` has made something of a function already."""
    return hasattr(function, _SERVED)


def served_events(function: Callable[..., object]) -> tuple[str, ...]:
    """Returns the events that a hook serves, as the service calls them: `before_tool_call`, ….

    Args:
        function: What `handler` made, or what it would take.

    Raises:
        TypeError: The function does not take one annotated event.
    """
    served: tuple[type[AnyHookEvent], ...] | None = getattr(function, _SERVED, None)
    types = _served_events(function) if served is None else served
    return tuple(str(event.model_fields["event"].default) for event in types)


def _decided(
    hook: HookFunction[Any], event: object, served: tuple[type[AnyHookEvent], ...], on_error: ErrorChoice
) -> Decision:
    try:
        parsed = parse(event)
    except Exception as error:  # noqa: BLE001  # whatever the parser stumbles over, the hook still answers
        logger.error("decision=<%s>, problem=<%s> | hook event not readable", on_error, _problem(error))
        return Decision(on_error, "the hook could not read its event")
    if not isinstance(parsed, served):
        names = ", ".join(event_type.__name__ for event_type in served)
        logger.error("decision=<%s>, event=<%s>, serves=<%s> | hook not made for event", on_error, parsed.event, names)
        return Decision(on_error, f"the hook does not serve {parsed.event}")
    try:
        decision = hook(parsed)
    except ReasonError:
        raise  # Only outside Lambda: the developer must see it, not a decision made in its place.
    except Exception as error:
        where = (parsed.name, parsed.event, parsed.hook_event_id)
        logger.exception("decision=<%s>, hook=<%s>, event=<%s>, hook_event_id=<%s> | hook failed", on_error, *where)
        return Decision(on_error, f"the hook failed with {type(error).__name__}")
    if not isinstance(decision, Decision):
        logger.error("decision=<%s>, returned=<%s> | hook gave no decision", on_error, type(decision).__name__)
        return Decision(on_error, "the hook gave no decision")
    return decision


def _problem(error: Exception) -> str:
    """What is wrong with an event, by field and kind of fault; never a value of it."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['type']}" for fault in faults)


def _served_events(hook: Callable[..., object]) -> tuple[type[AnyHookEvent], ...]:
    """The events that the annotation of the hook's one parameter names."""
    name = getattr(hook, "__qualname__", repr(hook))
    must = f"{name} must take one parameter annotated with an event class, a union of them, or HookEvent"
    try:
        hints = typing.get_type_hints(hook)
    except NameError as error:
        fix = "import the event classes at run time, not under TYPE_CHECKING"
        raise TypeError(f"{must}; its annotation names {error.name}, which is not defined; {fix}") from error
    parameters = list(inspect.signature(hook).parameters)
    annotation = hints.get(parameters[0]) if len(parameters) == 1 else None
    members = typing.get_args(annotation) or (annotation,)
    if not all(member in _EVENTS for member in members):
        raise TypeError(f"{must}; received {name}{inspect.signature(hook)}")
    return members
