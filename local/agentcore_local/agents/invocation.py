"""What the server hands to the agents for one InvokeHarness call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Invocation:
    """One validated InvokeHarness request together with the harness version that serves it.

    Attributes:
        harness: GetHarness' ``harness`` object of the serving version, camelCase.
        request: The InvokeHarness input, camelCase, already checked against botocore's shapes.
        account: 12-digit account id the harness lives in.
        region: Region the harness lives in.
        endpoint: Base URL of this local cloud, for what the agent calls on the user's behalf (hooks).
    """

    harness: dict[str, Any]
    request: dict[str, Any]
    account: str
    region: str
    endpoint: str
