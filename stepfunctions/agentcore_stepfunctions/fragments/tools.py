"""Which inline tools a turn has, what runs them, and what is missing to run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from constructs import IValidation

from agentcore_constructs.config import Deferred, Fault
from agentcore_constructs.harness.host import HarnessHost
from agentcore_constructs.tools.registry import inline_tools_of
from agentcore_stepfunctions.harnesses import inline_tools, own_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from constructs import Construct

    from agentcore_constructs import HarnessTool, IHarness, InlineTool


@jsii.implements(IValidation)
class AtSynthesis:
    """Tells at synthesis what has become wrong since a construct was made: tools can be added to a harness later."""

    def __init__(self, faults: Callable[[], list[str]]) -> None:
        self._faults = faults

    def validate(self) -> list[str]:
        """Returns what is wrong."""
        return self._faults()


def bound(scope: Construct, harness: IHarness, tools: Sequence[HarnessTool | Deferred] | None) -> Any:
    """Returns the tools of a call as configuration; functions they need are made below a construct."""
    if tools is None:
        return None
    host = HarnessHost(scope, harness.harness_name, lambda: _no_role(harness))
    taken = host.bound(list(tools), "tools")
    host.checked(lambda: None)
    return taken


def _no_role(harness: IHarness) -> Any:
    return harness.grant_principal


def functions_of(scope: Construct, harness: IHarness) -> dict[str, InlineTool]:
    """Returns the inline tools that are known as objects: those of the harness, and those of the call, which win."""
    return {tool.name: tool for place in (harness, scope) for tool in inline_tools_of(place)}


def faults(
    harness: IHarness, overrides: Mapping[str, Any], known: Mapping[str, InlineTool], *, approvals: bool
) -> Iterator[Fault]:
    """Yields a fault for each inline tool the agent may call that this workflow cannot answer.

    Args:
        harness: As it is now.
        overrides: What the call changes, in the API's shape.
        known: Tools known as objects.
        approvals: Whether somebody is asked about tools that want approval.
    """
    for name in inline_tools({**(own_configuration(harness) or {}), **overrides}):
        tool = known.get(name)
        if tool is None or tool.is_client_side:
            yield Fault(
                "harness",
                f"must have a function for the inline tool '{name}', since the workflow has to run it",
                "a tool that only its caller can run",
                "declare it with InlineTool.from_function or .from_lambda, or leave it out with allowed_tools",
            )
        elif tool.approval and not approvals:
            yield Fault(
                "approval",
                f"must be given, since the tool '{name}' wants a person's approval",
                "nothing",
                "pass approval=HumanApproval(…), which says how people are asked",
            )
