"""Names of states: Step Functions takes 80 characters with the prefixes of fragments, and aws-cdk-lib does not look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_stepfunctions as sfn

from agentcore_constructs.config.primitives import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs import Construct

    from agentcore_constructs.config import Fault

STATE_NAME = Text("the name of a state", "shorten it", min=1, max=80)
"""https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html"""


def long_names(names: Iterable[str]) -> Iterator[Fault]:
    """Yields a fault for each name that is none."""
    for name in names:
        fault = STATE_NAME.fault(name, "construct_id")
        if fault is not None:
            yield fault


def states_of(fragment: Construct) -> list[str]:
    """The names of the states that a fragment has made itself."""
    return [child.state_id for child in fragment.node.children if isinstance(child, sfn.State)]
