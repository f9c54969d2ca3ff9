"""What the server hands to the agents for one InvokeHarness call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Invocation:
    """One validated InvokeHarness request together with the harness version that serves it.

    The repr shows neither of them, nor a token: environment variables, headers and what the user says are in there.

    Attributes:
        harness: GetHarness' ``harness`` object of the serving version, camelCase.
        request: The InvokeHarness input, camelCase, already checked against botocore's shapes.
        account: 12-digit account id the harness lives in.
        region: Region the harness lives in.
        endpoint: Base URL of this local cloud, for what the agent calls on the user's behalf (hooks).
        caller_token: What the caller came with; None for one who signed with SigV4.
    """

    harness: dict[str, Any] = field(repr=False)
    request: dict[str, Any] = field(repr=False)
    account: str
    region: str
    endpoint: str
    caller_token: str | None = field(default=None, repr=False)
