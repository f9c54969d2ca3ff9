"""Models that are no scripts, behind deployed harnesses: a server of OpenAI's protocol, with tools and keys."""

from __future__ import annotations

import http.server
import json
import threading
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from botocore.exceptions import EventStreamError

from agentcore_constructs import ApiKey, Harness, Memory, Model
from agentcore_local import agents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentcore_local import Account, LocalCloud


class ModelServer:
    """Answers chat completions as servers of open models do; what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status = 200
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append({**body, "path": self.path})
                owner.keys.append(self.headers["Authorization"])
                self.send_response(owner.status)
                if owner.status != 200:
                    content = json.dumps(
                        {"error": {"message": "no such key", "type": "invalid_request_error"}}
                    ).encode()
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                    return
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for chunk in owner.chunks(body):
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """First a call of the shell, then what it printed."""
        results = [one["content"] for one in body["messages"] if one["role"] == "tool"]
        base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        if results:
            yield chunk({"role": "assistant", "content": "It said "})
            yield chunk({"content": json.dumps(results[-1])})
            yield chunk({}, "stop")
        else:
            arguments = json.dumps({"command": "echo real work"})
            call = {
                "index": 0,
                "id": "call_1",
                "type": "function",
                "function": {"name": "shell", "arguments": arguments},
            }
            yield chunk({"role": "assistant", "tool_calls": [call]})
            yield chunk({}, "tool_calls")
        yield {**base, "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    made = ModelServer()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def say(account: Account, arn: str) -> tuple[str, list[str], dict[str, int]]:
    """The text of an invocation, its stop reasons and its tokens."""
    request = {"harnessArn": arn, "runtimeSessionId": "a-session-of-at-least-33-characters-x"}
    messages = [{"role": "user", "content": [{"text": "work"}]}]
    events = list(account.client("bedrock-agentcore").invoke_harness(**request, messages=messages)["stream"])
    deltas = [event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event]
    used = [event["metadata"]["usage"] for event in events if "metadata" in event]
    sums = {name: sum(one[name] for one in used) for name in ("inputTokens", "outputTokens")}
    return "".join(deltas), [event["messageStop"]["stopReason"] for event in events if "messageStop" in event], sums


@pytest.fixture
def deployed(account: Account, tmp_path: Path) -> Callable[[Callable[[cdk.Stack], Model]], str]:
    def deploy(model: Callable[[cdk.Stack], Model]) -> str:
        app = cdk.App(outdir=str(tmp_path))
        stack = cdk.Stack(app, "Stack")
        harness = Harness(stack, "Agent", model=model(stack), memory=Memory.disabled(), system_prompt="Be brief.")
        cdk.CfnOutput(stack, "Arn", value=harness.harness_arn)
        return account.deploy(app.synth().directory)["Stack"].outputs["Arn"]

    return deploy


def test_a_server_on_this_machine_in_place_of_any_model(
    server: ModelServer, deployed: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = deployed(lambda _stack: Model.bedrock("amazon.nova-pro-v1:0", temperature=0.5, max_tokens=200))
    agents.models.choose(server.url, arn)
    monkeypatch.setenv("AGENTCORE_LOCAL_MODEL_ID", "llama-local")

    text, stops, used = say(account, arn)
    assert "real work" in text
    assert stops == ["tool_use", "tool_result", "end_turn"]
    assert used == {"inputTokens": 22, "outputTokens": 14}

    first = server.asked[0]
    assert (first["path"], first["model"], first["temperature"]) == ("/v1/chat/completions", "llama-local", 0.5)
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {tool["function"]["name"] for tool in first["tools"]} == {"shell", "file_operations"}
    assert set(server.keys) == {"Bearer not-needed"}


def with_key(server: ModelServer) -> Callable[[cdk.Stack], Model]:
    def model(stack: cdk.Stack) -> Model:
        value = {"key": cdk.SecretValue.unsafe_plain_text("sk-of-the-stack")}
        secret = secretsmanager.Secret(stack, "Secret", secret_object_value=value)
        key = ApiKey(stack, "Key", secret, json_key="key")
        return Model.openai("gpt-x", api_key=key, api_base=server.url, api_format="chat_completions")

    return model


def test_the_harness_own_provider_with_the_key_of_its_stack(
    server: ModelServer, deployed: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = deployed(with_key(server))
    agents.models.choose("real", arn)
    assert "real work" in say(account, arn)[0]
    assert server.keys[-1] == "Bearer sk-of-the-stack"
    assert server.asked[-1]["model"] == "gpt-x"

    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")  # one in a stack is often a placeholder
    say(account, arn)
    assert server.keys[-1] == "Bearer sk-mine"


def test_a_provider_that_refuses_the_key(server: ModelServer, deployed: Any, account: Account) -> None:
    arn = deployed(with_key(server))
    agents.models.choose("real", arn)
    server.status = 401
    with pytest.raises(EventStreamError, match="runtimeClientError") as caught:
        say(account, arn)
    assert "no such key" in str(caught.value)
    assert "sk-of-the-stack" not in str(caught.value)
    server.status = 200
    assert "real work" in say(account, arn)[0]


def test_a_server_that_is_not_there(local_cloud: LocalCloud, deployed: Any, account: Account) -> None:
    arn = deployed(lambda _stack: Model.bedrock("amazon.nova-pro-v1:0"))
    agents.models.choose("http://127.0.0.1:9/v1", arn)
    with pytest.raises(EventStreamError, match=r"runtimeClientError.*onnect"):
        say(account, arn)
    agents.models.choose("scripted", arn)
    local_cloud.script(arn, lambda _call: "Here again.")
    assert say(account, arn)[0] == "Here again."
