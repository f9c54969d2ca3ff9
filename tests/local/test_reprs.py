"""What is secret, or said in confidence, does not get into a traceback, an assertion or a log by way of a repr."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from agentcore_local.agents.invocation import Invocation
from agentcore_local.agents.plan import resolve
from agentcore_local.agents.sessions import Conversation, Pending
from agentcore_local.cfn.builtin import Answer, Call
from agentcore_local.cfn.generic import Record
from agentcore_local.harness.routes import Request
from agentcore_local.harness.store import Endpoint, Harness

SECRET = "planted-secret"
ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/agent-aB3dE5gH7j"
SHAPE: dict[str, Any] = {
    "arn": ARN,
    "harnessName": "agent",
    "environmentVariables": {"TOKEN": SECRET},
    "systemPrompt": [{"text": SECRET}],
    "model": {"liteLlmModelConfig": {"modelId": "m", "additionalParams": {"api_key": SECRET}}},
    "skills": [{"git": {"url": f"https://user:{SECRET}@example.com/skill"}}],
    "tools": [
        {
            "type": "remote_mcp",
            "name": "mcp",
            "config": {"remoteMcp": {"url": "https://example.com", "headers": {"Authorization": SECRET}}},
        }
    ],
}
INVOCATION = Invocation(
    SHAPE,
    {"runtimeSessionId": "s" * 33, "messages": [{"role": "user", "content": [{"text": SECRET}]}]},
    "111122223333",
    "us-east-1",
    "http://127.0.0.1:1",
)
PLAN = resolve(INVOCATION)
PENDING = Pending("interrupt", {"toolUseId": "t", "name": "pay", "input": {"card": SECRET}})
ENDPOINT = Endpoint("DEFAULT", f"{ARN}/harness-endpoint/DEFAULT", 1, 1, "now", "now")
VALUES: list[Any] = [
    INVOCATION,
    PLAN,
    PLAN.tools[0],
    PENDING,
    Conversation([{"role": "user", "content": [{"text": SECRET}]}], {"state": SECRET}, PENDING),
    Harness("111122223333", "us-east-1", "agent-x", "agent", ARN, "runtime", "now", {1: SHAPE}, {"DEFAULT": ENDPOINT}),
    Request("POST", "/harnesses", {"authorization": SECRET}, SECRET.encode(), {"X-Amz-Security-Token": [SECRET]}),
    Record("111122223333", "us-east-1", "AWS::X::Y", "id", {"Password": SECRET}, {"Token": SECRET}),
    Call("Update", "Thing", {"Password": SECRET}, "id", {"Password": SECRET}, "111122223333", "us-east-1"),
    Answer("id", {"Token": SECRET}),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_secret_is_in_the_value_and_not_in_its_repr(value: Any) -> None:
    assert SECRET in str(asdict(value))
    assert SECRET not in repr(value)
