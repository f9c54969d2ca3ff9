"""A caller of the agent loop that checks every event against botocore's shapes."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local import agents
from agentcore_local.agents.scripts import ModelCall, Script, ToolCall, Turn
from agentcore_local.harness.routes import service_model
from agentcore_local.harness.validation import validate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ACCOUNT, REGION = "111122223333", "us-east-1"
_OUTPUT = service_model("bedrock-agentcore").shape_for("InvokeHarnessStreamOutput")
_sessions = itertools.count(1)


@dataclass
class Stream:
    """The events of one invocation."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def add(self, name: str, payload: dict[str, Any]) -> None:
        faults = validate(_OUTPUT.members[name], payload, name)
        assert not faults, faults
        self.events.append((name, payload))

    def named(self, name: str) -> list[dict[str, Any]]:
        return [payload for event, payload in self.events if event == name]

    @property
    def names(self) -> list[str]:
        return [name for name, _payload in self.events]

    @property
    def stops(self) -> list[str]:
        return [payload["stopReason"] for payload in self.named("messageStop")]

    @property
    def stop(self) -> str:
        return self.stops[-1]

    @property
    def text(self) -> str:
        """All text of the assistant."""
        return "".join(payload["delta"].get("text", "") for payload in self.named("contentBlockDelta"))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The toolUse blocks that started, in order."""
        starts = [payload["start"] for payload in self.named("contentBlockStart")]
        return [start["toolUse"] for start in starts if "toolUse" in start]

    @property
    def results(self) -> list[tuple[str, str]]:
        """Status and text of each tool result."""
        found: list[tuple[str, str]] = []
        for name, payload in self.events:
            if name == "contentBlockStart" and "toolResult" in payload["start"]:
                found.append((payload["start"]["toolResult"]["status"], ""))
            elif name == "contentBlockDelta" and "toolResult" in payload["delta"]:
                text = "\n".join(part["text"] for part in payload["delta"]["toolResult"])
                found[-1] = (found[-1][0], text)
        return found

    def usage(self, name: str) -> int:
        return sum(int(payload["usage"][name]) for payload in self.named("metadata"))


@dataclass
class Caller:
    """Calls one harness in one session."""

    harness: dict[str, Any]
    session: str
    account: str = ACCOUNT

    def say(self, text: str = "hello", **request: Any) -> Stream:
        """Send a text."""
        return self.send([{"role": "user", "content": [{"text": text}]}], **request)

    def answer(self, tool_use_id: str, *content: dict[str, Any], status: str = "success", **request: Any) -> Stream:
        """Send the result of an inline call."""
        result = {"toolUseId": tool_use_id, "content": list(content) or [{"text": "ok"}], "status": status}
        return self.send([{"role": "user", "content": [{"toolResult": result}]}], **request)

    def send(self, messages: list[dict[str, Any]], **request: Any) -> Stream:
        """Send messages and read the whole stream."""
        return asyncio.run(self.collect(messages, Stream(), **request))

    async def collect(self, messages: list[dict[str, Any]], into: Stream, **request: Any) -> Stream:
        """The same, within a running loop; what came before an error is in `into`."""
        async for name, payload in self.start(messages, **request):
            into.add(name, payload)
        return into

    def start(self, messages: list[dict[str, Any]], **request: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Begin an invocation."""
        whole = {"harnessArn": self.harness["arn"], "runtimeSessionId": self.session, "messages": messages, **request}
        invocation = agents.Invocation(self.harness, whole, self.account, REGION, "http://127.0.0.1:1")
        return agents.invoke(invocation)


@pytest.fixture(autouse=True)
def clean_agents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No scripts, choices, sessions or directories of another test; no model of the user's."""
    for variable in ("AGENTCORE_LOCAL_MODEL", "AGENTCORE_LOCAL_SCRIPT"):
        monkeypatch.delenv(variable, raising=False)
    agents.reset()
    yield
    agents.reset()


@pytest.fixture(scope="session", autouse=True)
def stop_agents() -> Iterator[None]:
    yield
    agents.shutdown()


def inline_tool(name: str = "refund", **schema: Any) -> dict[str, Any]:
    config = {"description": f"Runs {name}.", "inputSchema": schema or {"type": "object", "properties": {}}}
    return {"type": "inline_function", "name": name, "config": {"inlineFunction": config}}


@pytest.fixture
def inline() -> Callable[..., dict[str, Any]]:
    return inline_tool


@pytest.fixture
def caller() -> Callable[..., Caller]:
    """Makes a caller of a harness with the given configuration, in a session of its own."""

    def make(
        *, name: str = "agent", session: str | None = None, account: str = ACCOUNT, **configuration: Any
    ) -> Caller:
        arn = f"arn:aws:bedrock-agentcore:{REGION}:{account}:harness/{name}-aB3dE5gH7j"
        harness = {"arn": arn, "harnessName": name, "harnessVersion": "1", **configuration}
        return Caller(harness, session or f"session-{next(_sessions):026d}", account)

    return make


@pytest.fixture
def script() -> Callable[..., Script]:
    """Registers a script for all harnesses: a function, or the turns of every conversation."""

    def register(*turns: Turn | str | Callable[[ModelCall], Turn | str]) -> Script:
        if len(turns) == 1 and callable(turns[0]):
            chosen: Script = turns[0]
        else:

            def chosen(call: ModelCall) -> Turn | str:
                return turns[call.turn - 1]  # type: ignore[return-value]

        agents.scripts.register(None, chosen)
        return chosen

    return register


@pytest.fixture
def calling() -> Callable[..., Turn]:
    """A turn that calls tools: ``calling("shell", command="ls")``, or several as ToolCall objects."""

    def turn(*tools: str | ToolCall, text: str = "", **arguments: Any) -> Turn:
        calls = [tool if isinstance(tool, ToolCall) else ToolCall(tool, arguments) for tool in tools]
        return Turn(text=text, tool_calls=calls)

    return turn
