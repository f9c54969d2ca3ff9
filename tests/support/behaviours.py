"""States what a test proves of the service's behaviour; docs/local-behaviours.md is written from these statements.

A module of such tests has a `TOPIC`, the heading of its table, and `SOURCES`, the AWS pages it is held against. The
page is written by reading the source (docs/_behaviours.py), so what a decorator is given must be literal.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

    Test = TypeVar("Test", bound=Callable[..., None])

Event = dict[str, Any]
Status = Literal["emulated", "approximated", "refused"]


def behaviour(says: str, *, status: Status = "emulated", note: str = "") -> Callable[[Test], Test]:
    """One behaviour of the service, which the decorated test proves of the local cloud.

    Args:
        says: What the service does, as a sentence without its full stop.
        status: `emulated` as it is, `approximated` (the test asserts what happens here, the note says how the service
            differs), or `refused` (the test asserts the sentence it is refused with).
        note: What a reader must know beside it.

    Raises:
        ValueError: A difference from the service has no note.
    """
    if status != "emulated" and not note:
        raise ValueError(f"{says}: what is {status} needs a note")

    def mark(test: Test) -> Test:
        return test

    return mark


def error_of(call: Callable[..., object], **arguments: object) -> tuple[str, str]:
    """Error code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@dataclass
class Answer:
    """The events of one invocation."""

    events: list[Event] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [name for event in self.events for name in event]

    @property
    def text(self) -> str:
        return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in self.events)

    @property
    def stops(self) -> list[str]:
        return [event["messageStop"]["stopReason"] for event in self.events if "messageStop" in event]

    @property
    def stop(self) -> str:
        return self.stops[-1]

    @property
    def calls(self) -> list[dict[str, Any]]:
        starts = [event["contentBlockStart"]["start"] for event in self.events if "contentBlockStart" in event]
        return [start["toolUse"] for start in starts if "toolUse" in start]

    @property
    def hooks(self) -> list[dict[str, Any]]:
        return [event["hookEvent"] for event in self.events if "hookEvent" in event]


class Agent:
    """One harness, invoked in one session unless another is named."""

    def __init__(self, account: Account, created: dict[str, Any]) -> None:
        self.account = account
        self.created = created
        self.arn: str = created["arn"]
        self.id: str = created["harnessId"]
        self.session = f"session-{uuid.uuid4()}"
        self.control = account.client("bedrock-agentcore-control")
        self.runtime = account.client("bedrock-agentcore")

    def say(self, prompt: str = "hello", **request: Any) -> Answer:
        """Send a text and read the whole stream."""
        return self.send({"text": prompt}, **request)

    def give(self, tool_use_id: str, *content: dict[str, Any], **request: Any) -> Answer:
        """Send the result of an inline function."""
        result = {"toolUseId": tool_use_id, "content": list(content) or [{"text": "done"}], "status": "success"}
        return self.send({"toolResult": result}, **request)

    def send(self, *content: dict[str, Any], **request: Any) -> Answer:
        """Send the blocks of one message of the user."""
        whole = {
            "harnessArn": self.arn,
            "runtimeSessionId": self.session,
            "messages": [{"role": "user", "content": list(content)}],
            **request,
        }
        answer = Answer()
        for event in self.runtime.invoke_harness(**whole)["stream"]:
            answer.events.append(event)
        return answer

    def update(self, **members: Any) -> dict[str, Any]:
        """UpdateHarness."""
        updated: dict[str, Any] = self.control.update_harness(harnessId=self.id, **members)["harness"]
        return updated

    def read(self, **members: Any) -> dict[str, Any]:
        """GetHarness."""
        found: dict[str, Any] = self.control.get_harness(harnessId=self.id, **members)["harness"]
        return found
