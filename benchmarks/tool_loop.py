"""Times the tool loop, or a loop over a raw boto3 client, on the same stream: CPU seconds of one turn.

    python benchmarks/tool_loop.py ours|raw ROUNDS TOOLS

The stream comes from memory, below botocore's parser; running tools and noting turns, which are calls of AWS services,
cost nothing on either side. So what is left is what the loop itself adds to the SDK.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
os.environ |= {"POWERTOOLS_LOG_LEVEL": "ERROR", "POWERTOOLS_TRACE_DISABLED": "true"}

import boto3
from botocore.awsrequest import AWSResponse

from agentcore_lambdas.tool_loop import loop
from agentcore_lambdas.tool_loop.harness import Harness
from agentcore_lambdas.tool_loop.models import Result, ToolFunction, Turn
from agentcore_local.harness.events import CONTENT_TYPE, event_frame

TURNS = 40
PIECES = 60
ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/Bench-0123456789"
SESSION = "s" * 40


class Raw:
    """The body of an answer, in pieces as a socket gives them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        """Yields the body."""
        for start in range(0, len(self._content), 1024):
            yield self._content[start : start + 1024]

    def close(self) -> None:
        """Nothing is open."""


def answer(position: int, rounds: int) -> bytes:
    """One answer: some text, and a call of a tool unless it is the last one."""
    last = position == rounds
    events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    events += [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": f"word{piece} "}}) for piece in range(PIECES)
    ]
    events.append(("contentBlockStop", {"contentBlockIndex": 0}))
    if not last:
        use = {"toolUseId": f"call-{position}", "name": "tool-0"}
        events.append(("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": use}}))
        for piece in ('{"order', '_id": "A', '-1"}'):
            events.append(("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}}))
        events.append(("contentBlockStop", {"contentBlockIndex": 1}))
    events.append(("messageStop", {"stopReason": "end_turn" if last else "tool_use"}))
    usage = {"inputTokens": 100, "outputTokens": PIECES, "totalTokens": 100 + PIECES}
    events.append(("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}))
    return b"".join(event_frame(name, payload) for name, payload in events)


def client_of(rounds: int) -> Any:
    """A client whose answers come from memory, one after the other, and again from the beginning."""
    answers = [answer(position, rounds) for position in range(rounds + 1)]
    count = 0

    def respond(request: Any, **_: Any) -> AWSResponse:
        nonlocal count
        content, count = answers[count % len(answers)], count + 1
        return AWSResponse(request.url, 200, {"Content-Type": CONTENT_TYPE}, Raw(content))

    client = boto3.client("bedrock-agentcore")
    client.meta.events.register("before-send.bedrock-agentcore.InvokeHarness", respond)
    return client


def definitions(tools: int) -> list[dict[str, Any]]:
    """Inline tools, as every request of the loop has to name them."""
    schema = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
    inline = {"inlineFunction": {"description": "Looks up an order.", "inputSchema": schema}}
    return [{"type": "inline_function", "name": f"tool-{number}", "config": inline} for number in range(tools)]


def by_hand(client: Any, tools: list[dict[str, Any]]) -> str:
    """A turn as one writes it without the loop."""
    content: list[dict[str, Any]] = [{"text": "Where is order A-1?"}]
    while True:
        response = client.invoke_harness(
            harnessArn=ARN, runtimeSessionId=SESSION, tools=tools, messages=[{"role": "user", "content": content}]
        )
        words: list[str] = []
        given: list[str] = []
        call, stop = "", ""
        for event in response["stream"]:
            if "contentBlockDelta" in event:
                delta = event["contentBlockDelta"]["delta"]
                words.append(delta.get("text", ""))
                given.append(delta.get("toolUse", {}).get("input", ""))
            elif "contentBlockStart" in event:
                call = event["contentBlockStart"]["start"]["toolUse"]["toolUseId"]
            elif "messageStop" in event:
                stop = event["messageStop"]["stopReason"]
        if stop != "tool_use":
            return "".join(words)
        result = {"toolUseId": call, "content": [{"text": ran(json.loads("".join(given)))}]}
        content = [{"toolResult": result}]


def ran(given: Any) -> str:
    """The tool."""
    return json.dumps({"order": given["order_id"], "status": "sent"})


class Tools:
    """Runs the tool at once."""

    def run(self, _session_id: str, call: Any, _function: str) -> Result:
        """What the tool gives."""
        return Result(tool_use_id=call.tool_use_id, text=ran(call.input))


class Nowhere:
    """Remembers nothing."""

    def load(self, *_: Any) -> None:
        """There is nothing."""

    def save(self, *_: Any) -> None:
        """It is not kept."""


def driven(client: Any, tools: list[dict[str, Any]], number: int) -> str:
    """A turn with the loop."""
    function = "arn:aws:lambda:us-east-1:111122223333:function:tool"
    turn = Turn(
        harness_arn=ARN,
        session_id=SESSION,
        turn_id=str(number),
        prompt="Where is order A-1?",
        overrides={"tools": tools},
        functions={one["name"]: ToolFunction(function=function) for one in tools},
    )
    return loop.drive(turn, loop.Ports(Harness(client), Tools(), Nowhere(), lambda: 900.0)).text


def main(side: str, rounds: int, tools: int) -> None:
    """Prints CPU seconds of a turn: `rounds` calls of a tool, and the last answer."""
    client, given = client_of(rounds), definitions(tools)

    def turn(number: int) -> str:
        return driven(client, given, number) if side == "ours" else by_hand(client, given)

    expected = "".join(f"word{piece} " for piece in range(PIECES))
    for number in range(3):
        if turn(number) != expected:
            raise SystemExit("the turn did not end with the last answer")
    started = time.process_time()
    for number in range(TURNS):
        turn(number)
    print(json.dumps({"seconds": (time.process_time() - started) / TURNS}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
