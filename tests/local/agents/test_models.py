"""Which model an invocation talks to, and the mapping of a harness' configuration to Strands' providers."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from strands.models.bedrock import BedrockModel
from strands.models.openai import OpenAIModel
from strands.models.openai_responses import OpenAIResponsesModel

from agentcore_local import agents
from agentcore_local.agents import Invocation, models, providers
from agentcore_local.agents import plan as plans
from agentcore_local.faults import StreamFailed
from agentcore_local.gateway import vault

KEY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/x"


@pytest.fixture
def plan(caller):
    def make(model: dict) -> plans.Plan:
        client = caller(model=model)
        request = {"runtimeSessionId": client.session, "messages": [{"role": "user", "content": [{"text": "x"}]}]}
        return plans.resolve(Invocation(client.harness, request, client.account, "eu-west-1", "http://x"))

    return make


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for variable in ("OPENAI_API_KEY", "GEMINI_API_KEY", "LITELLM_API_KEY", "AGENTCORE_LOCAL_MODEL_ID"):
        monkeypatch.delenv(variable, raising=False)

    def empty(arn: str) -> str:
        raise vault.VaultError(f"{arn} is unknown")

    monkeypatch.setattr(vault, "api_key", empty)


def test_a_bedrock_model(plan, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    guardrail = {"guardrailIdentifier": "gr", "guardrailVersion": "1", "trace": "enabled"}
    config = {
        "modelId": "global.anthropic.claude-sonnet-4-6",
        "maxTokens": 100,
        "temperature": 0.2,
        "topP": 0.9,
        "additionalParams": {"guardrailConfig": guardrail, "top_k": 5},
    }
    provider = providers.real(plan({"bedrockModelConfig": config}))
    assert isinstance(provider.model, BedrockModel)
    assert provider.model.client.meta.endpoint_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    settings = provider.model.config
    assert settings["model_id"] == "global.anthropic.claude-sonnet-4-6"
    assert (settings["max_tokens"], settings["temperature"], settings["top_p"]) == (100, 0.2, 0.9)
    assert (settings["guardrail_id"], settings["guardrail_version"], settings["guardrail_trace"]) == (
        "gr",
        "1",
        "enabled",
    )
    assert settings["additional_request_fields"] == {"top_k": 5}
    provider.cap(7)
    assert provider.model.config["max_tokens"] == 7
    assert (provider.max_tokens, provider.attempts) == (100, 6)


@pytest.mark.parametrize(
    ("api_format", "kind"), [("chat_completions", OpenAIModel), ("responses", OpenAIResponsesModel)]
)
def test_bedrock_by_way_of_mantle(plan, api_format, kind):
    model = {"bedrockModelConfig": {"modelId": "openai.gpt-oss-120b", "apiFormat": api_format}}
    provider = providers.real(plan(model))
    assert type(provider.model) is kind
    assert provider.model._bedrock_mantle_config == {"region": "eu-west-1"}


@pytest.mark.parametrize(
    ("api_format", "kind", "limit"),
    [
        (None, OpenAIResponsesModel, "max_output_tokens"),
        ("responses", OpenAIResponsesModel, "max_output_tokens"),
        ("chat_completions", OpenAIModel, "max_completion_tokens"),
    ],
)
def test_an_openai_model(plan, monkeypatch, api_format, kind, limit):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    config = {"modelId": "gpt-5", "apiKeyArn": KEY, "maxTokens": 9, "topP": 0.5, "additionalParams": {"seed": 1}}
    config |= {"apiFormat": api_format} if api_format else {}
    provider = providers.real(plan({"openAiModelConfig": config}))
    assert type(provider.model) is kind
    assert provider.model.client_args == {"api_key": "sk-1"}
    assert provider.model.config["params"] == {limit: 9, "top_p": 0.5, "seed": 1}
    provider.cap(3)
    assert provider.model.config["params"] == {limit: 3, "top_p": 0.5, "seed": 1}


def test_an_openai_model_with_a_base_of_its_own(plan):
    config = {"modelId": "m", "apiKeyArn": KEY, "apiBase": "http://localhost:11434/v1", "apiFormat": "chat_completions"}
    provider = providers.real(plan({"openAiModelConfig": config}))
    assert provider.model.client_args == {"api_key": "not-needed", "base_url": "http://localhost:11434/v1"}


def test_a_missing_key_is_said(plan):
    with pytest.raises(providers.Unavailable, match=f"variable OPENAI_API_KEY .* nor in the token vault: {KEY}"):
        providers.real(plan({"openAiModelConfig": {"modelId": "gpt-5", "apiKeyArn": KEY}}))


@pytest.mark.parametrize(
    ("member", "package"), [("geminiModelConfig", "google-genai"), ("liteLlmModelConfig", "litellm")]
)
def test_a_missing_sdk_is_said(plan, monkeypatch, member, package):
    for module in ("strands.models.gemini", "strands.models.litellm"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(providers.Unavailable, match=f"pip install {package}"):
        providers.real(plan({member: {"modelId": "m", "apiKeyArn": KEY}}))


def test_an_unusable_model_fails_the_invocation_in_words(caller):
    models.choose("real")
    model = {"openAiModelConfig": {"modelId": "gpt-5", "apiKeyArn": KEY}}
    with pytest.raises(StreamFailed, match="cannot be used: The model's API key is neither in the environment"):
        caller(model=model).say()


@pytest.mark.parametrize(
    ("value", "one", "two"),
    [
        ("", "scripted", "scripted"),
        ("real", "real", "real"),
        ("one=real", "real", "scripted"),
        ("http://localhost:11434/v1, two=scripted", "http://localhost:11434/v1", "scripted"),
        ("http://h/v1?a=b", "http://h/v1?a=b", "http://h/v1?a=b"),
    ],
)
def test_the_environment_chooses(monkeypatch, value, one, two):
    monkeypatch.setenv("AGENTCORE_LOCAL_MODEL", value)
    choices = models.Choices()
    assert (choices.of("arn1", "one"), choices.of("arn2", "two")) == (one, two)


def test_a_choice_by_arn_wins_over_one_by_name():
    choices = models.Choices()
    choices.choose("real", "one")
    choices.choose("scripted", "arn")
    assert choices.of("arn", "one") == "scripted"


def test_a_choice_that_cannot_be_understood_is_refused(monkeypatch, caller):
    with pytest.raises(models.ChoiceError, match="must be scripted, real or a URL; received 'ollama'"):
        models.choose("ollama")
    monkeypatch.setenv("AGENTCORE_LOCAL_MODEL", "ollama")
    with pytest.raises(StreamFailed, match="received 'ollama'"):
        caller().say()


# --- a server that speaks the OpenAI protocol, as Ollama, llama.cpp and vLLM do --------------------------------------


@pytest.fixture
def server():
    """Answers chat completions; `requests` holds what it was asked, `answers` what it says next."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = answers.pop(0)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if isinstance(answer, int):
                self.wfile.write(json.dumps({"error": {"message": "out of order"}}).encode())
                return
            for chunk in answer:
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *arguments):
            pass

    requests: list[dict] = []
    answers: list = []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    httpd.requests, httpd.answers = requests, answers
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def chunk(delta: dict, finish: str | None = None, **extra) -> dict:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **extra}


USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def said(*words: str) -> list[dict]:
    chunks = [chunk({"role": "assistant", "content": word}) for word in words]
    last = {**chunk({}, "stop"), "choices": [], "usage": USAGE}
    return [*chunks, chunk({}, "stop"), last]


def test_any_openai_compatible_server_can_speak_for_a_bedrock_harness(caller, server, monkeypatch):
    monkeypatch.setenv("AGENTCORE_LOCAL_MODEL_ID", "llama3.2")
    models.choose(server.url)
    server.answers.append(said("Hel", "lo"))
    config = {"modelId": "global.anthropic.claude-sonnet-4-6", "temperature": 0.1, "maxTokens": 64}
    stream = caller(model={"bedrockModelConfig": config}, systemPrompt=[{"text": "Be kind."}]).say("Hi")
    assert stream.text == "Hello"
    assert stream.names.count("contentBlockDelta") == 2
    assert stream.named("metadata")[0]["usage"] == {"inputTokens": 11, "outputTokens": 5, "totalTokens": 16}
    (request,) = server.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("llama3.2", 0.1, 64)
    assert request["messages"][0]["role"] == "system"
    assert {tool["function"]["name"] for tool in request["tools"]} == {"shell", "file_operations"}


def test_its_tool_calls_are_run_and_answered(caller, server):
    models.choose(server.url)
    call = {"index": 0, "id": "call_1", "type": "function"}
    function = {"name": "file_operations", "arguments": '{"command": "list", "path": "."}'}
    server.answers.append(
        [
            chunk({"role": "assistant", "tool_calls": [{**call, "function": function}]}),
            chunk({}, "tool_calls"),
            {**chunk({}), "choices": [], "usage": USAGE},
        ]
    )
    server.answers.append(said("Empty."))
    stream = caller().say("List")
    assert stream.results == [("success", "[empty]")]
    assert stream.text == "Empty."
    assert stream.stops == ["tool_use", "tool_result", "end_turn"]


def test_a_budget_limits_each_request_to_what_is_left(caller, server):
    models.choose(server.url)
    server.answers.append(said("x"))
    caller().say(maxTokens=40)
    assert server.requests[0]["max_tokens"] == 40


def test_a_server_that_fails_fails_the_invocation(caller, server):
    models.choose(server.url)
    server.answers.extend([400] * 5)
    with pytest.raises(StreamFailed, match="The model provider failed: BadRequestError") as caught:
        caller().say()
    assert caught.value.kind == "runtimeClientError"


def test_a_server_that_is_not_there_fails_the_invocation(caller):
    models.choose("http://127.0.0.1:1/v1")
    with pytest.raises(StreamFailed, match="The model provider failed: APIConnectionError"):
        caller().say()


def test_a_session_can_switch_from_the_script_to_a_real_model(caller, script, server):
    script("scripted words")
    client = caller()
    client.say("one")
    models.choose(server.url)
    server.answers.append(said("real words"))
    assert client.say("two").text == "real words"
    assert [message["role"] for message in server.requests[0]["messages"]] == ["user", "assistant", "user"]


def test_reset_forgets_the_choice(caller, script):
    models.choose("http://127.0.0.1:1/v1")
    agents.reset()
    script("ok")
    assert caller().say().text == "ok"
