"""The runtime behind a harness, and the defaults of its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "Defaults, and the runtime behind a harness"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html",
)


def runtime(found: dict[str, Any]) -> dict[str, Any]:
    environment: dict[str, Any] = found["environment"]["agentCoreRuntimeEnvironment"]
    return environment


@behaviour("Each harness owns a runtime named `harness_<harnessName>`, with an id and an ARN of its own")
def test_the_runtime(agent: Callable[..., Agent]) -> None:
    found = runtime(agent("helper").created)
    assert found["agentRuntimeName"] == "harness_helper"
    assert found["agentRuntimeId"].startswith("harness_helper-")
    assert found["agentRuntimeArn"].endswith(f":runtime/{found['agentRuntimeId']}")


@behaviour(
    "The tags of a harness are on its runtime and its managed memory as well",
    status="approximated",
    note="Those two cannot be tagged by themselves here.",
)
def test_tags_flow(agent: Callable[..., Agent], control: Any) -> None:
    made = agent(tags={"team": "a"})
    control.tag_resource(resourceArn=made.arn, tags={"cost": "1"})
    arns = (made.created["memory"]["managedMemoryConfiguration"]["arn"], runtime(made.created)["agentRuntimeArn"])
    for arn in (*arns, f"{arns[1]}/runtime-endpoint/DEFAULT"):
        assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a", "cost": "1"}
        code, message = error_of(control.tag_resource, resourceArn=arn, tags={"x": "y"})
        assert (code, f"tag {made.arn}" in message) == ("ConflictException", True)


@behaviour("Without a model it is `global.anthropic.claude-sonnet-4-6`")
def test_default_model(agent: Callable[..., Agent]) -> None:
    assert agent().created["model"] == {"bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}}


@behaviour("75 iterations, 3600 seconds, no limit of tokens")
def test_default_limits(agent: Callable[..., Agent]) -> None:
    created = agent().created
    assert (created["maxIterations"], created["timeoutSeconds"], "maxTokens" in created) == (75, 3600, False)


@behaviour("Public network; a session's machine stops after 900 idle seconds and lives at most 28800")
def test_default_environment(agent: Callable[..., Agent]) -> None:
    found = runtime(agent().created)
    assert found["networkConfiguration"] == {"networkMode": "PUBLIC"}
    assert found["lifecycleConfiguration"] == {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800}


@behaviour(
    "A harness' session lives 60 to 28800 seconds, and its idle time is not above that, whatever a runtime may have"
)
def test_lifecycle_limits(create: Callable[..., Any]) -> None:
    for number, lifecycle in enumerate(({"maxLifetime": 28801}, {"idleRuntimeSessionTimeout": 70, "maxLifetime": 60})):
        environment = {"agentCoreRuntimeEnvironment": {"lifecycleConfiguration": lifecycle}}
        assert error_of(create, name=f"h{number}", environment=environment)[0] == "ValidationException"


@behaviour("The conversation is truncated with a sliding window, all tools are allowed, no hooks and no tools are set")
def test_other_defaults(agent: Callable[..., Agent]) -> None:
    created = agent().created
    assert created["truncation"] == {"strategy": "sliding_window"}
    assert (created["allowedTools"], created["tools"], created["skills"]) == (["*"], [], [])
    assert "hooks" not in created


@behaviour("The built-in tools `shell` and `file_operations` are on")
def test_built_in_tools(agent: Callable[..., Agent]) -> None:
    made = agent(script=lambda call: ",".join(sorted(call.tools)))
    assert made.say().text == "file_operations,shell"


@behaviour("Exactly one model provider is configured")
def test_one_provider(create: Callable[..., Any]) -> None:
    both = {"bedrockModelConfig": {"modelId": "a"}, "liteLlmModelConfig": {"modelId": "b"}}
    assert error_of(create, model=both)[0] == "ValidationException"


@behaviour("A guardrail works with `apiFormat` `converse_stream` only")
def test_guardrails(create: Callable[..., Any]) -> None:
    guardrail = {"guardrailIdentifier": "gr-1", "guardrailVersion": "1"}
    model = {"modelId": "a", "additionalParams": {"guardrailConfig": guardrail}}
    create("fits", model={"bedrockModelConfig": model})
    code, message = error_of(create, name="other", model={"bedrockModelConfig": {**model, "apiFormat": "responses"}})
    assert (code, "only supported with apiFormat converse_stream" in message) == ("ValidationException", True)


@behaviour("Keys of other providers are ARNs of the token vault's API key providers, in partition `aws`")
def test_api_key_arns(create: Callable[..., Any], account: Account) -> None:
    provider = f"bedrock-agentcore:us-east-1:{account.account_id}:token-vault/default/apikeycredentialprovider/key-1"
    create("fits", model={"openAiModelConfig": {"modelId": "gpt", "apiKeyArn": f"arn:aws:{provider}"}})
    other = {"openAiModelConfig": {"modelId": "gpt", "apiKeyArn": f"arn:aws-us-gov:{provider}"}}
    assert error_of(create, name="other", model=other)[0] == "ValidationException"


@behaviour(
    "Rates and the number of agents, sessions and memories are limited per account and Region",
    status="approximated",
    note="Of the quotas only the ten endpoints of a harness are kept; nothing is throttled.",
)
def test_quotas(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    for number in range(9):
        control.create_harness_endpoint(harnessId=made.id, endpointName=f"E{number}")
    assert error_of(control.create_harness_endpoint, harnessId=made.id, endpointName="E9")[0] == (
        "ServiceQuotaExceededException"
    )
