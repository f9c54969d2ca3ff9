"""How long the state waits and how long the harness may work: the harness must stop first. Pure.

When the state gives up, the harness goes on to its own limit, and is paid for. Step Functions gives up after 900
seconds whatever the state says (https://docs.aws.amazon.com/step-functions/latest/dg/connect-bedrockagentcore.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config.cdk import seconds
from agentcore_constructs.config.errors import Fault, Refused, received
from agentcore_constructs.config.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_LIMIT = 900
"""Longest run of an InvokeHarness state in seconds."""

_SHORTEST = 2
_MARGIN = 30


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The two limits of one state, in seconds; any of them may be a CDK token, which is compared as far as that goes.

    Attributes:
        state: What the state is given; 900 unless said.
        override: What the state gives the harness for this call; None when the harness keeps its own.
        configured: The harness' own limit; None when it has none or is not known.
    """

    state: Any
    override: Any
    configured: Any

    @staticmethod
    def chosen(state: Any, override: Any, configured: Any) -> Timeouts:
        """Fills in what was not said; durations become seconds.

        A harness without a limit of its own would work for 3600 seconds, so the call limits it to the state's timeout
        less a margin of 10 %, at most 30 seconds, in which the answer travels back.
        """
        given = STATE_LIMIT if state is None else seconds(state)
        limit = seconds(override)
        if limit is None and configured is None and isinstance(given, int) and _SHORTEST <= given <= STATE_LIMIT:
            limit = given - min(_MARGIN, max(1, given // 10))
        return Timeouts(given, limit, configured)

    @property
    def limit(self) -> Any:
        """What the call says to the harness; nothing while that is no number of seconds."""
        return self.override if unmeasured("harness_timeout", self.override) is None else None

    def faults(self) -> Iterator[Fault]:
        """Yields what is wrong with them."""
        measures = [("timeout", self.state), ("harness_timeout", self.override)]
        odd = [fault for path, value in measures if (fault := unmeasured(path, value)) is not None]
        yield from odd
        if odd:
            return
        if not is_token(self.state) and not _SHORTEST <= self.state <= STATE_LIMIT:
            must = (
                f"must be {_SHORTEST}–{STATE_LIMIT} seconds: Step Functions ends the state after {STATE_LIMIT} anyway"
            )
            fix = "split the work over several states, or wait for the harness in a Lambda function"
            yield Fault("timeout", must, f"{self.state} seconds", fix)
            return
        harness = self.configured if self.override is None else self.override
        if harness is None and is_token(self.state):
            must = "must be given next to a timeout that is known at deployment only, or the harness works for an hour"
            fix = "say what is under every timeout that may be deployed, or write the timeout as a literal"
            yield Fault("harness_timeout", must, "nothing", fix)
            return
        # A state whose timeout is not known yet is over after its limit at the latest.
        state = STATE_LIMIT if is_token(self.state) else self.state
        if harness is None or is_token(harness) or harness < state:
            return
        must = (
            f"must be under the state's timeout of {state} seconds:"
            " after it, the harness works on and is paid for, but nobody gets its answer"
        )
        if self.override is not None:
            fix = f"set harness_timeout to at most {state - 1} seconds"
            yield Fault("harness_timeout", must, f"{harness} seconds", fix)
        else:
            fix = "give the state a harness_timeout for this call, or the harness a shorter timeout"
            yield Fault("harness_timeout", must, f"{harness} seconds from the harness", fix)


def unmeasured(path: str, value: Any) -> Fault | None:
    """What is wrong with a value that is no number of seconds."""
    if isinstance(value, Refused):
        return Fault(path, value.must, value.received, value.fix)
    if value is None or is_token(value) or (isinstance(value, int) and not isinstance(value, bool)):
        return None
    return Fault(path, "must be a Duration or whole seconds", received(value), "write Duration.minutes(…)")
