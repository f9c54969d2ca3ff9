"""What an error says, and what it never says."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import Any

import pytest
from support.all_fields import all_configs
from support.paths import places, replaced

from agentcore_constructs.config import Environment, Fault, HarnessConfig, HarnessConfigError, Hook, Memory, Model, Tool
from agentcore_constructs.config.errors import ABSENT, received

SECRET = "s3cr3t-" + "x" * 20
SENSITIVE = [
    "environmentVariables{}",
    "tools[].config.remoteMcp.headers{}",
    "tools[].config.remoteMcp.url",
    "tools[].config.agentCoreGateway.outboundAuth.oauth.customParameters{}",
    "tools[].config.agentCoreGateway.outboundAuth.oauth.providerArn",
    "tools[].config.agentCoreGateway.outboundAuth.oauth.defaultReturnUrl",
    "tools[].config.inlineFunction.description",
    "skills[].git.url",
    "skills[].git.auth.credentialArn",
    "skills[].git.auth.username",
    "model.openAiModelConfig.apiKeyArn",
    "model.openAiModelConfig.apiBase",
    "model.geminiModelConfig.apiKeyArn",
    "model.liteLlmModelConfig.apiKeyArn",
    "model.liteLlmModelConfig.apiBase",
    "systemPrompt[].text",
    "truncation.config.summarization.summarizationSystemPrompt",
    "authorizerConfiguration.customJWTAuthorizer.discoveryUrl",
    "authorizerConfiguration.customJWTAuthorizer.certificateConfigurations[].secretsManager.secretArn",
]


def refused(source: Any) -> HarnessConfigError:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.parse(source)
    return caught.value


def everything_told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.args)


WRONG: dict[str, Any] = {
    "text": SECRET + " " + "y" * 20_000,
    "list": [SECRET],
    "object": {"deep": {"er": SECRET}},
}


@pytest.mark.parametrize("path", SENSITIVE)
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_secret_is_never_told(path: str, wrong: Any) -> None:
    name, place = next((name, place) for name, config in all_configs().items() for place in places(config, path))
    config = replaced(all_configs()[name], place, wrong)
    # A fault of its own, since a text without limits would be accepted.
    error = refused({**config, "maxTokens": 0})
    assert SECRET not in everything_told(error)


@pytest.mark.parametrize(
    "make",
    [
        lambda: HarnessConfig.create(model=Model.openai("m", api_key=SECRET)),
        lambda: HarnessConfig.create(model=Model.litellm("m", api_base=SECRET + "y" * 20_000)),
        lambda: HarnessConfig.create(tools=[Tool.remote_mcp(f"user:{SECRET}@host", name="x", headers={"A": SECRET})]),
        lambda: HarnessConfig.create(environment_variables={"A": SECRET + "y" * 5_000}),
        lambda: HarnessConfig.create(environment_variables=[SECRET]),  # type: ignore[arg-type]
        lambda: HarnessConfig.create(model=Model.bedrock("m", additional_params=[SECRET])),  # type: ignore[arg-type]
        lambda: HarnessConfig.create(model=Model.bedrock("m", additional_params={"a": {SECRET}})),
        lambda: HarnessConfig.create(memory=SECRET),  # type: ignore[arg-type]
        lambda: HarnessConfig.create(system_prompt=[{"txt": SECRET}]),  # type: ignore[list-item]
    ],
)
def test_no_factory_tells_a_secret(make: Any) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        make()
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None, "an error of pydantic behind it would tell the input"


def test_all_faults_are_told_at_once_in_the_order_of_the_configuration() -> None:
    error = refused(
        {
            "harnessName": "with-hyphen",
            "model": {"bedrockModelConfig": {"modelId": "m", "temperature": 3, "topP": 2}},
            "tools": [{"type": "inline_function", "name": "a b"}],
            "memory": {"managedMemoryConfiguration": {"eventExpiryDuration": 2}},
            "maxIterations": 0,
        }
    )
    assert [fault.path for fault in error.faults] == [
        "harnessName",
        "model.bedrockModelConfig.temperature",
        "model.bedrockModelConfig.topP",
        "tools[0].name",
        "memory.managedMemoryConfiguration.eventExpiryDuration",
        "maxIterations",
        "tools[0].config",
    ]
    assert str(error).splitlines()[0] == "The harness configuration has 7 faults:"
    assert len(str(error).splitlines()) == 8


def test_what_factories_made_is_told_at_once_too() -> None:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(
            model=Model.bedrock("", temperature=9),
            tools=[Tool.inline("x y", description="", input_schema={})],
            memory=Memory.managed(expiry=400),
            environment=Environment.public(idle_timeout=1),
            hooks=[Hook.before_invocation("", "arn:aws:sns:us-east-1:123456789012:t")],
            timeout_seconds=-1,
        )
    assert len(caught.value.faults) == 9


def test_the_heading_names_what_is_configured() -> None:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(max_tokens=0, subject="Harness Stack/Research")
    assert str(caught.value) == (
        "Harness Stack/Research has 1 fault:\n"
        "  maxTokens: must be a whole number of tokens, at least 1; received 0; choose a number in that range."
    )
    other = caught.value.about("Harness Other")
    assert str(other).startswith("Harness Other has 1 fault:")
    assert other.faults == caught.value.faults


def test_an_error_is_a_value_error_that_crosses_processes() -> None:
    error = HarnessConfigError([Fault("a", "must be x", "1", "write x")], "Harness A")
    assert isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.faults, again.subject, str(again)) == (error.faults, error.subject, str(error))


def test_a_fault_is_one_sentence() -> None:
    assert str(Fault("a.b", "must be x", "1", "write x")) == "a.b: must be x; received 1; write x."


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (ABSENT, "nothing"),
        (None, "null"),
        ("", "'' (0 characters)"),
        ("a", "'a' (1 character)"),
        ("a" * 61, f"'{'a' * 60}…' (61 characters)"),
        (1.5, "1.5"),
        (True, "True"),
        ({"a": 1}, "an object with 1 key"),
        ([1, 2], "a list of 2 items"),
        ({1}, "a list of 1 item"),
        (object(), "an object of class object"),
    ],
)
def test_what_was_received(value: Any, told: str) -> None:
    assert received(value) == told


@pytest.mark.parametrize(
    ("value", "told"), [("", "'' (0 characters)"), ("abc", "a value of 3 characters"), (12, "a number or a flag")]
)
def test_what_was_received_where_secrets_may_be(value: Any, told: str) -> None:
    assert received(value, sensitive=True) == told


def test_a_configuration_does_not_show_secrets_when_printed() -> None:
    config = HarnessConfig.create(
        environment_variables={"A": SECRET},
        tools=[Tool.remote_mcp("https://x", name="x", headers={"A": SECRET})],
        model=Model.litellm("m", api_base=SECRET),
    )
    assert SECRET not in repr(config)
    assert SECRET not in str(config)
    assert SECRET in json.dumps(config.to_api())
