"""What is told, or asked, while the agent works.

Limits are those of botocore's `HarnessHook`; semantics are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-lifecycle-hooks.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, PrivateAttr

from .cdk import (
    HasEventBusArn,
    HasFunctionArn,
    HasKeyArn,
    HasTopicArn,
    IsDuration,
    attribute,
    found,
    key_arn,
    offers,
    seconds,
)
from .deferred import Wanted
from .errors import Refused
from .node import Node, OneOf
from .primitives import Choice, Companion, Int, Text
from .tokens import is_token

HookFailureMode = Literal["allow", "deny"]

HookName = Annotated[
    str,
    Text("a name of letters, digits, '_' and '-'", "choose a name that fits", min=1, max=64, pattern=r"[a-zA-Z0-9_-]+"),
]


class HarnessHookLambdaTarget(Node):
    """A Lambda function that is asked, and may deny.

    Attributes:
        arn: Of the function, a version or an alias.
        timeout_seconds: How long to wait for its answer, 1–900; 60 unless given.
        failure_mode: What a failing function means; `deny` unless given.
    """

    arn: Annotated[
        str,
        Text(
            "the ARN of a Lambda function",
            "pass the function or its ARN",
            min=20,
            max=2048,
            pattern=r"arn:aws(-[^:]+)?:lambda:[a-z0-9-]+:[0-9]{12}:function:.+",
        ),
    ]
    timeout_seconds: Annotated[int, Int(ge=1, le=900, unit="seconds")] | None = None
    failure_mode: Annotated[HookFailureMode, Choice(get_args(HookFailureMode))] | None = None


class HarnessHookSnsTarget(Node):
    """An SNS topic that is told.

    Attributes:
        arn: Of the topic.
        encryption_key_arn: Of the customer key that encrypts it, so that the role may publish.
    """

    arn: Annotated[
        str,
        Text(
            "the ARN of an SNS topic",
            "pass the topic or its ARN",
            min=20,
            max=2048,
            pattern=r"arn:aws(-[^:]+)?:sns:[a-z0-9-]+:[0-9]{12}:.+",
        ),
    ]
    encryption_key_arn: Annotated[str | None, Companion("lets the role publish to an encrypted topic")] = Field(
        None, exclude=True
    )


class HarnessHookEventBridgeTarget(Node):
    """An EventBridge bus that is told.

    Attributes:
        arn: Of the bus.
        encryption_key_arn: Of the customer key that encrypts it, so that the role may put events.
    """

    arn: Annotated[
        str,
        Text(
            "the ARN of an event bus",
            "pass the event bus or its ARN",
            min=20,
            max=2048,
            pattern=r"arn:aws(-[^:]+)?:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+",
        ),
    ]
    encryption_key_arn: Annotated[str | None, Companion("lets the role put events on an encrypted bus")] = Field(
        None, exclude=True
    )


class HarnessHookTarget(OneOf):
    """Who is told or asked; made by `HookTarget`."""

    expects: ClassVar[str] = "a Lambda function, an SNS topic, an event bus, or the ARN of one"

    lambda_: HarnessHookLambdaTarget | None = None
    sns: HarnessHookSnsTarget | None = None
    event_bridge: HarnessHookEventBridgeTarget | None = None


class HarnessHookEvent(Node):
    """A hook on one event; the API has one structure of this form per event.

    Attributes:
        name: Unique within the harness, 1–64 of letters, digits, '_' and '-'.
        target: Who is told or asked.
    """

    name: HookName
    target: HarnessHookTarget


class HarnessHook(OneOf):
    """A hook of a harness; made by `Hook`."""

    expects: ClassVar[str] = (
        "a hook, made by Hook.before_invocation, Hook.before_tool_call, Hook.after_tool_call or Hook.after_invocation"
    )

    before_invocation: HarnessHookEvent | None = None
    after_invocation: HarnessHookEvent | None = None
    before_tool_call: HarnessHookEvent | None = None
    after_tool_call: HarnessHookEvent | None = None

    @property
    def event(self) -> HarnessHookEvent | None:
        """The name and target, whichever the event is; None while no single one is set."""
        given = (self.before_invocation, self.after_invocation, self.before_tool_call, self.after_tool_call)
        return next((event for event in given if isinstance(event, HarnessHookEvent)), None)


AnyHookTarget = str | HasFunctionArn | HasTopicArn | HasEventBusArn | HarnessHookTarget | Callable[..., Any]


@dataclass(frozen=True)
class PythonTarget:
    """A Python function that a hook calls, and what is said about the calls.

    Attributes:
        function: At the top of a module; it takes an event of `agentcore_lambdas.hooks`.
        timeout: How long to wait for its answer.
        failure_mode: What its failure means.
    """

    function: Callable[..., Any]
    timeout: int | IsDuration | None
    failure_mode: HookFailureMode | None


class PythonHook(HarnessHook, Wanted):
    """A hook whose target is a Python function, which becomes a Lambda function when a harness takes it."""

    _served: str = PrivateAttr()
    _python: PythonTarget = PrivateAttr()

    @classmethod
    def of(cls, event: str, name: Any, target: PythonTarget) -> PythonHook:
        """Notes what the hook is made of.

        Args:
            event: What it serves: `before_tool_call`.
            name: Its name.
            target: What it calls.
        """
        must = "must be taken by a harness, which makes the Lambda function"
        waiting = Refused(must, "it alone", "pass it to a Harness")
        hook = cls.draft(**{event: HarnessHookEvent.draft(name=name, target=waiting)})
        hook._served, hook._python = event, target  # noqa: SLF001  (its own; a draft has no other way in)
        return hook

    @property
    def served(self) -> str:
        """The event it serves: `before_tool_call`."""
        return self._served

    @property
    def python(self) -> PythonTarget:
        """What it calls."""
        return self._python


class HookTarget:
    """Makes the target of a hook; needed only where the kind of an ARN is not known at synthesis."""

    @staticmethod
    def function(
        function: str | HasFunctionArn,
        *,
        timeout: int | IsDuration | None = None,
        failure_mode: HookFailureMode | None = None,
    ) -> HarnessHookTarget:
        """A Lambda function that is asked, and may deny.

        Args:
            function: The function, or its ARN.
            timeout: How long to wait for its answer: a `Duration` or seconds, 1–900; 60 unless given.
            failure_mode: What a failing function means; `deny` unless given.
        """
        return HarnessHookTarget.draft(
            lambda_=HarnessHookLambdaTarget.draft(
                arn=attribute(function, "function_arn"), timeout_seconds=seconds(timeout), failure_mode=failure_mode
            )
        )

    @staticmethod
    def topic(topic: str | HasTopicArn, *, encryption_key: str | HasKeyArn | None = None) -> HarnessHookTarget:
        """An SNS topic that is told.

        Args:
            topic: The topic, or its ARN.
            encryption_key: The customer key that encrypts it; that of a topic object is found by itself.
        """
        key = encryption_key or found(topic, "master_key")
        return HarnessHookTarget.draft(
            sns=HarnessHookSnsTarget.draft(
                arn=attribute(topic, "topic_arn", "attr_topic_arn"), encryption_key_arn=key_arn(key)
            )
        )

    @staticmethod
    def event_bus(bus: str | HasEventBusArn, *, encryption_key: str | HasKeyArn | None = None) -> HarnessHookTarget:
        """An EventBridge bus that is told.

        Args:
            bus: The bus, or its ARN.
            encryption_key: The customer key that encrypts it.
        """
        return HarnessHookTarget.draft(
            event_bridge=HarnessHookEventBridgeTarget.draft(
                arn=attribute(bus, "event_bus_arn"), encryption_key_arn=key_arn(encryption_key)
            )
        )


class Hook:
    """Makes the hooks of a harness."""

    @staticmethod
    def before_invocation(
        name: str | AnyHookTarget,
        target: AnyHookTarget | None = None,
        *,
        timeout: int | IsDuration | None = None,
        failure_mode: HookFailureMode | None = None,
    ) -> HarnessHook:
        """Before an invocation; a denying function stops it.

        Args:
            name: Unique within the harness, 1–64 of letters, digits, '_' and '-'. It may be left out: then it is that
                of the Python function, the construct, or the last part of the ARN.
            target: A function, a topic, an event bus, or the ARN of one. Or a Python function that takes an event of
                `agentcore_lambdas.hooks` and returns its decision: it becomes a Lambda function; a `HookFunction` is
                one too, and takes requirements, variables and more.
            timeout: For a function: how long to wait, a `Duration` or 1–900 seconds; 60 unless given.
            failure_mode: For a function: what its failure means; `deny` unless given.
        """
        return _hook("before_invocation", name, target, timeout, failure_mode)

    @staticmethod
    def after_invocation(
        name: str | AnyHookTarget,
        target: AnyHookTarget | None = None,
        *,
        timeout: int | IsDuration | None = None,
        failure_mode: HookFailureMode | None = None,
    ) -> HarnessHook:
        """After an invocation; a denial is reported only. Arguments as in `before_invocation`."""
        return _hook("after_invocation", name, target, timeout, failure_mode)

    @staticmethod
    def before_tool_call(
        name: str | AnyHookTarget,
        target: AnyHookTarget | None = None,
        *,
        timeout: int | IsDuration | None = None,
        failure_mode: HookFailureMode | None = None,
    ) -> HarnessHook:
        """Before each tool call; a denying function skips the tool. Arguments as in `before_invocation`."""
        return _hook("before_tool_call", name, target, timeout, failure_mode)

    @staticmethod
    def after_tool_call(
        name: str | AnyHookTarget,
        target: AnyHookTarget | None = None,
        *,
        timeout: int | IsDuration | None = None,
        failure_mode: HookFailureMode | None = None,
    ) -> HarnessHook:
        """After each tool call; a denying function stops the invocation. Arguments as in `before_invocation`."""
        return _hook("after_tool_call", name, target, timeout, failure_mode)


def _hook(event: str, name: Any, target: Any, timeout: Any, failure_mode: Any) -> HarnessHook:
    if target is None:
        name, target = _name_of(name), name
    if _is_python(target):
        return PythonHook.of(event, name, PythonTarget(target, timeout, failure_mode))
    made = HarnessHookEvent.draft(name=name, target=_target(target, timeout, failure_mode))
    return HarnessHook.draft(**{event: made})


def _is_python(target: Any) -> bool:
    return callable(target) and not isinstance(target, type) and _kind(target) is None


def _name_of(target: Any) -> Any:
    """A name for a target that was given without one."""
    if isinstance(target, str):
        shown: Any = None if is_token(target) else re.split(r"[:/]", target)[-1]
    elif isinstance(target, HarnessHookTarget):
        shown = None
    else:
        shown = getattr(target, "__name__", None) or getattr(found(target, "node"), "id", None)
    if not shown:
        fix = "write a name before the target"
        return Refused("must be given where the target does not tell one", "nothing", fix)
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", str(shown)).strip("-")[:_NAME_LIMIT]


_NAME_LIMIT = 64


def _target(target: Any, timeout: Any, failure_mode: Any) -> Any:
    kind = _kind(target)
    if kind == "lambda":
        return HookTarget.function(target, timeout=timeout, failure_mode=failure_mode)
    if timeout is not None or failure_mode is not None:
        return Refused(
            "must be a Lambda function for timeout and failureMode to apply",
            "another target",
            "set them in HookTarget.function(…), or leave them out: topics and event buses are told and not asked",
        )
    if kind == "sns":
        return HookTarget.topic(target)
    return HookTarget.event_bus(target) if kind == "events" else target


_SERVICE = 2
_KINDS = {"function_arn": "lambda", "topic_arn": "sns", "event_bus_arn": "events"}


def _kind(target: Any) -> str | None:
    if isinstance(target, str):
        # Tokens within an ARN hold no colon, so the service is found even where partition, Region and account are not.
        parts = target.split(":")
        return parts[_SERVICE] if len(parts) > _SERVICE and parts[0] == "arn" else None
    return next((kind for name, kind in _KINDS.items() if offers(target, name)), None)
