"""Which inline tools a turn has, what runs them, and what is missing to run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from constructs import IValidation

from agentcore_constructs.config import Fault
from agentcore_constructs.tools.registry import inline_tools_of
from agentcore_stepfunctions.harnesses import inline_tools, own_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from constructs import Construct

    from agentcore_constructs import IHarness, InlineTool


@jsii.implements(IValidation)
class AtSynthesis:
    """Tells at synthesis what has become wrong since a construct was made: tools can be added to a harness later."""

    def __init__(self, faults: Callable[[], list[str]]) -> None:
        self._faults = faults

    def validate(self) -> list[str]:
        """Returns what is wrong."""
        return self._faults()


def functions_of(scope: Construct, harness: IHarness) -> dict[str, InlineTool]:
    """Returns the inline tools that are known as objects: those of the harness, and those of the call, which win."""
    return {tool.name: tool for place in (harness, scope) for tool in inline_tools_of(place)}


def faults(
    harness: IHarness,
    overrides: Mapping[str, Any],
    known: Mapping[str, InlineTool],
    *,
    approvals: bool,
    rendered: Collection[str] | None = None,
) -> Iterator[Fault]:
    """Yields a fault for each inline tool the agent may call that this workflow cannot answer.

    Args:
        harness: As it is now.
        overrides: What the call changes, in the API's shape.
        known: Tools known as objects.
        approvals: Whether somebody is asked about tools that want approval.
        rendered: Tools that the states are made for already; None while there are no states.
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
        elif rendered is not None and name not in rendered:
            yield Fault(
                "harness",
                f"must have the inline tool '{name}' before the turn is made, which has states for the tools it finds",
                "one that was added afterwards",
                "make the turn later, or leave the tool out with allowed_tools",
            )
