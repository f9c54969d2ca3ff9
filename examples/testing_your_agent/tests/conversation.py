"""Talking to a deployed agent as any program does, through boto3."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support_agent import orders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcore_local import Account


@dataclass
class Reply:
    """What one invocation streamed.

    Attributes:
        text: Everything the agent said.
        tool_calls: The tools it called, with their arguments and ids.
        hooks: Hooks that fired, with their decisions.
        stop_reason: Why it stopped; `tool_use` when it waits for a tool of ours.
    """

    text: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = ""

    @classmethod
    def of(cls, stream: Iterable[dict[str, Any]]) -> Reply:
        """Reads a stream to its end."""
        reply, arguments = cls(), ""
        for event in stream:
            match event:
                case {"contentBlockStart": {"start": {"toolUse": call}}}:
                    reply.tool_calls.append(dict(call))
                    arguments = ""
                case {"contentBlockDelta": {"delta": {"text": text}}}:
                    reply.text += text
                case {"contentBlockDelta": {"delta": {"toolUse": {"input": part}}}}:
                    arguments += part
                    reply.tool_calls[-1]["input"] = arguments
                case {"messageStop": {"stopReason": reason}}:
                    reply.stop_reason = reason
                case {"hookEvent": hook}:
                    reply.hooks.append(hook)
        for call in reply.tool_calls:
            call["input"] = json.loads(call.get("input") or "{}")
        return reply


@dataclass
class Conversation:
    """One session with an agent."""

    account: Account
    harness_arn: str
    endpoint: str = "PROD"
    session_id: str = field(default_factory=lambda: f"test-{uuid.uuid4()}")

    def say(self, text: str) -> Reply:
        """Says something."""
        return self._send({"text": text})

    def run_tool(self, reply: Reply) -> Reply:
        """Runs the tool that a reply waits for, and sends its result."""
        return self._send(orders.answer(reply.tool_calls[-1]))

    def _send(self, content: dict[str, Any]) -> Reply:
        response = self.account.client("bedrock-agentcore").invoke_harness(
            harnessArn=self.harness_arn,
            qualifier=self.endpoint,
            runtimeSessionId=self.session_id,
            messages=[{"role": "user", "content": [content]}],
        )
        return Reply.of(response["stream"])
