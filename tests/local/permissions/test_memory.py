"""What the execution role may do with a memory, action by action: read it, resume a call, keep what was said."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EventStreamError

from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud

REFUND = {
    "type": "inline_function",
    "name": "refund",
    "config": {"inlineFunction": {"description": "d", "inputSchema": {"type": "object"}}},
}


class Talk:
    """One session with a harness whose role may lose an action on its memory."""

    def __init__(self, account: Account, arn: str) -> None:
        self._iam = account.client("iam")
        self._client = account.client("bedrock-agentcore")
        self._arn, self._session = arn, str(uuid.uuid4())

    def may_not(self, *actions: str) -> None:
        deny = {"Effect": "Deny", "Action": [f"bedrock-agentcore:{one}" for one in actions], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        self._iam.put_role_policy(RoleName="agent", PolicyName="Not", PolicyDocument=document)

    def may(self) -> None:
        self._iam.delete_role_policy(RoleName="agent", PolicyName="Not")

    def say(self, content: str | dict[str, Any]) -> list[dict[str, Any]]:
        block = {"text": content} if isinstance(content, str) else content
        messages = [{"role": "user", "content": [block]}]
        request = {"harnessArn": self._arn, "runtimeSessionId": self._session, "messages": messages}
        return list(self._client.invoke_harness(**request)["stream"])

    def refused(self, content: str | dict[str, Any], action: str) -> None:
        with pytest.raises(EventStreamError, match="runtimeClientError") as caught:
            self.say(content)
        assert f"not authorized to perform: bedrock-agentcore:{action} on" in str(caught.value)


@pytest.fixture
def talk(account: Account, create: Callable[..., dict[str, Any]], local_cloud: LocalCloud) -> Talk:
    arn = create(tools=[REFUND])["arn"]

    def script(call: Any) -> Turn | str:
        if call.prompt == "refund" and call.turn == 1:
            return Turn(tool_calls=[ToolCall("refund", {})])
        return f"{len(call.messages)} {call.tool_result or ''}".strip()

    local_cloud.script(arn, script)
    return Talk(account, arn)


def text(events: list[dict[str, Any]]) -> str:
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)


@pytest.mark.parametrize("action", ["ListEvents", "RetrieveMemoryRecords"])
def test_reading(talk: Talk, action: str) -> None:
    talk.may_not(action)
    talk.refused("hello", action)
    talk.may()
    assert text(talk.say("hello")) == "1"


def test_keeping(talk: Talk) -> None:
    """The model has answered; what was said is kept neither in the memory nor in the session."""
    talk.may_not("CreateEvent")
    talk.refused("hello", "CreateEvent")
    talk.may()
    assert text(talk.say("hello again")) == "1"
    assert text(talk.say("and again")) == "3"


@pytest.mark.parametrize("action", ["GetEvent", "DeleteEvent"])
def test_resuming_a_call(talk: Talk, action: str) -> None:
    talk.may_not(action)
    events = talk.say("refund")  # nothing to resume yet
    (call,) = [
        event["contentBlockStart"]["start"]["toolUse"]
        for event in events
        if "toolUse" in event.get("contentBlockStart", {}).get("start", {})
    ]
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "done"}], "status": "success"}}
    talk.refused(result, action)
    talk.may()
    assert text(talk.say(result)).endswith("done")
