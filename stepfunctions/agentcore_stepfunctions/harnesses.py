"""What a state must know of the harness it invokes, and what it must tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_constructs.config import Deferred, Fault, HarnessConfig, HarnessConfigError, Node, is_token
from agentcore_constructs.config.cdk import offers
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.unique import unmatched_allowed_tools
from agentcore_constructs.harness import messages
from agentcore_constructs.harness.host import HarnessHost
from agentcore_constructs.harness.imported import harness_fault

from .expressions import is_expression, json_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from agentcore_constructs import IEndpoint, IHarness

OVERRIDE_PERMISSIONS = "@agentcore-harness-cdk:override-permissions"
_GRANTED = ("model", "tools", "skills")


def own_configuration(harness: IHarness) -> Mapping[str, Any] | None:
    """What a harness made in this app was given, in the API's shape; None for an imported one, which is not known."""
    if not offers(harness, "to_config"):
        return None
    to_config: Callable[[], dict[str, Any]] = harness.to_config  # type: ignore[attr-defined]  # of Harness, as just seen
    return to_config()


def must_be_harness(construct: Construct, subject: str, harness: object, endpoint: object = None) -> None:
    """Raises where something else than a harness, or than an endpoint of one, is to be called.

    Raises:
        HarnessConfigError: It is something else.
    """
    faults = [fault] if (fault := harness_fault(harness)) else []
    if endpoint is not None and not offers(endpoint, "endpoint_name"):
        fix = "pass the HarnessEndpoint, or the name of one as qualifier"
        faults.append(Fault("endpoint", "must be an endpoint of the harness", received(endpoint), fix))
    refuse(construct, subject, faults)


class Bound:
    """What a call overrides, with the constructs that it needs made below the state or the fragment.

    Attributes:
        overrides: By the names of `HarnessConfig`; what could not be bound is in it as something to be refused.
    """

    def __init__(self, scope: Construct, harness: IHarness, given: Mapping[str, Any]) -> None:
        """Binds each value that is not plain configuration."""

        def role() -> iam.IRole:
            return harness.grant_principal  # type: ignore[return-value]  # a harness' own is its role

        self._host = HarnessHost(scope, harness.harness_name, role)
        self.overrides = {name: self._bound(value, name) for name, value in given.items() if value is not None}

    def _bound(self, value: Any, path: str) -> Any:
        if isinstance(value, (list, tuple)) and not is_token(value):
            return [self._bound(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, Deferred) and not isinstance(value, Node):
            return self._host.bound(value, path)
        return value

    def refuse(self, construct: Construct, subject: str, faults: Sequence[Fault]) -> None:
        """Raises what is wrong, as `refuse` does, with what was found while binding.

        Raises:
            HarnessConfigError: There are faults.
        """

        def raised() -> None:
            if faults:
                raise HarnessConfigError(list(faults))

        try:
            self._host.checked(raised)
        except HarnessConfigError as error:
            refuse(construct, subject, error.faults)


def refuse(construct: Construct, subject: str, faults: Sequence[Fault]) -> None:
    """Raises what is wrong with a construct, if anything.

    Whoever catches the error goes on without the construct, so it is not left half-made in the tree.

    Args:
        construct: What is being made.
        subject: What it is, as the beginning of a sentence.
        faults: What is wrong with it.

    Raises:
        HarnessConfigError: There are faults.
    """
    if not faults:
        return
    if construct.node.scope is not None:
        construct.node.scope.node.try_remove_child(construct.node.id)
    raise HarnessConfigError(list(faults), subject)


def own_timeout(harness: IHarness) -> Any:
    """The harness' own limit of one invocation in seconds, where it was set."""
    return (own_configuration(harness) or {}).get("timeoutSeconds")


def caller_faults(scope: Construct, harness: IHarness) -> Iterator[Fault]:
    """Yields a fault when a workflow cannot call a harness: it is elsewhere, or takes no callers with IAM.

    Args:
        scope: The state or the fragment.
        harness: What it calls.
    """
    stack, theirs = cdk.Stack.of(scope), getattr(harness, "env", None)
    places = {"Region": ("region", stack.region), "account": ("account", stack.account)}
    for what, (name, ours) in places.items():
        place = getattr(theirs, name, ours)
        if not is_token(ours) and not is_token(place) and ours != place:
            must = f"must be in the {what} of its workflow, {ours}: calls go to no other"
            yield Fault("harness", must, f"a harness in {place}", "put the workflow into a stack there")
    if getattr(harness, "is_jwt_authorized", False):
        yield Fault(
            "harness",
            "must take callers with IAM: Step Functions signs its requests and has no token",
            "a harness with a JWT authorizer, which refuses IAM",
            "use a second harness without authorizer in workflows, which the fragment AgentTurn needs as well, or "
            "invoke this one from code that gets a token",
        )


def inline_tool_faults(harness: IHarness, overrides: Mapping[str, Any]) -> Iterator[Fault]:
    """Yields a fault when the agent may ask for a tool that a bare state cannot run.

    Args:
        harness: The harness as it is now; tools may be added to it later.
        overrides: What the call changes, in the API's shape.
    """
    effective = {**(own_configuration(harness) or {}), **overrides}
    inline = inline_tools(effective)
    if inline:
        yield Fault(
            "harness",
            "must have no inline tools: a state gets the stop reason tool_use without the call, and cannot answer it",
            f"the inline tool{'s' if len(inline) > 1 else ''} {', '.join(inline)}",
            "use the fragment AgentTurn, which runs them, offer the function through a gateway, or leave the tool out "
            "of this call with allowed_tools",
        )


def allowed_tools_faults(harness: IHarness, overrides: Mapping[str, Any]) -> Iterator[Fault]:
    """Yields a fault for each tool the call allows that neither the harness nor the call has.

    Nothing is known of an imported harness, nor while the call's tools are an expression.
    """
    try:
        _allowed_tools(harness, overrides)
    except HarnessConfigError as error:
        yield from (fault for fault in error.faults if fault.path.startswith("allowedTools["))


def warn_of_allowed_tools(state: Construct, harness: IHarness, overrides: Mapping[str, Any]) -> None:
    """Warns of what the call allows and no tool answers to, as a harness does of its own.

    An inline tool that an entry could name must be there before the state is, so nothing comes later.
    """
    try:
        config = _allowed_tools(harness, overrides)
    except HarnessConfigError:
        return  # refused at synthesis, with a sentence
    if config is not None:
        for tool in unmatched_allowed_tools(config.allowed_tools, config.tools):
            messages.allowed_tool(state, tool)


def _allowed_tools(harness: IHarness, overrides: Mapping[str, Any]) -> HarnessConfig | None:
    """The tools of a call and which are allowed; None when it allows none of its own, or little is known of either.

    Raises:
        HarnessConfigError: They do not fit.
    """
    config, allowed = own_configuration(harness), overrides.get("allowedTools")
    if config is None or not isinstance(allowed, list):
        return None
    return HarnessConfig.parse({"tools": overrides.get("tools", config.get("tools", [])), "allowedTools": allowed})


def endpoint_faults(harness: IHarness, endpoint: IEndpoint) -> Iterator[Fault]:
    """Yields a fault when an endpoint is another harness'."""
    owner = getattr(endpoint, "harness", None)
    if owner is not None and owner.node.path != harness.node.path:
        fix = "pass an endpoint of this harness, or the other harness"
        yield Fault("endpoint", f"must be an endpoint of {harness.node.path}", f"one of {owner.node.path}", fix)


def allow_overrides(state: Construct, harness: IHarness, overrides: Mapping[str, Any]) -> None:
    """Lets the harness' execution role do what the call overrides: a model or tool it lacks would end in AccessDenied.

    Where that is not possible, because the harness is imported or the value is known at run time only, the state warns.
    """
    given = {name: overrides[name] for name in _GRANTED if name in overrides}
    granted = {name: value for name, value in given.items() if not is_dynamic(value)} if _can_allow(harness) else {}
    if granted:
        harness.allow_override(**granted)  # type: ignore[attr-defined]  # of Harness, as `_can_allow` saw
    left = [name for name in given if name not in granted]
    if left:
        why = "their values are known at run time only" if _can_allow(harness) else "the harness is imported"
        text = (
            f"This state overrides {', '.join(left)}, and its execution role is not changed for that, since {why}. "
            "Make sure the role may use them: Harness.allow_override(…) grants what calls may override."
        )
        cdk.Annotations.of(state).add_warning_v2(OVERRIDE_PERMISSIONS, text)


def is_dynamic(value: Any) -> bool:
    """Tells whether a value of an override holds an expression or a JSONPath, so that it is known at run time only."""
    if isinstance(value, (list, tuple)) and not is_token(value):
        return any(is_dynamic(item) for item in value)
    if isinstance(value, Node):
        return is_dynamic(list(vars(value).values()))
    if isinstance(value, Mapping):
        return is_dynamic(list(value.values()))
    return is_expression(value) or bool(json_paths(value))


def _can_allow(harness: IHarness) -> bool:
    return offers(harness, "allow_override")


def inline_tools(effective: Mapping[str, Any]) -> list[str]:
    """Returns the names of the inline tools an agent may call.

    Args:
        effective: The configuration it works with, in the API's shape.
    """
    tools = effective.get("tools")
    listed = tools if isinstance(tools, list) else []
    names = [tool.get("name", "without a name") for tool in listed if tool.get("type") == "inline_function"]
    return [name for name in names if _may_be_called(name, effective.get("allowedTools"))]


def _may_be_called(name: str, allowed: Any) -> bool:
    """Whether allowed tools admit an inline tool. Sources differ on `name` or `@name`, so either form counts."""
    if not isinstance(allowed, list) or is_token(allowed) or is_token(name):
        return True
    return any(is_token(entry) or fnmatchcase(name, entry.removeprefix("@")) for entry in allowed)
