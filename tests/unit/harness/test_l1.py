"""What an L1 or a synth check that lags behind would lose or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_sns as sns
from support import synth
from support.all_fields import cloudformation_configs
from support.needs import API_KEY, TOPIC

from agentcore_constructs import Authorizer, Harness, HarnessConfig, HarnessModelConfiguration, Hook, Model
from agentcore_constructs.harness import l1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]

URL = "https://id.example.com/.well-known/openid-configuration"
LAGGING: dict[str, dict[str, Any]] = {
    "Hooks": {"hooks": [Hook.after_tool_call("tell", TOPIC)]},
    "ApiBase": {"model": Model.openai("gpt-5", api_key=API_KEY, api_base="https://m.example.com")},
    "AdditionalParams": {"model": Model.gemini("gemini-3-pro", api_key=API_KEY, additional_params={"a": 1})},
    "AdvertisedScopeMapping": {
        "authorizer": Authorizer.jwt(URL, scopes=["a"], advertised_scopes={"a": "api://a"}),
    },
}


def acknowledged(harness: Harness) -> list[str]:
    """Reasons given for F3002 anywhere in the app."""
    entries = (str(entry.data) for node in harness.node.root.node.find_all() for entry in node.node.metadata)
    return [entry for entry in entries if "F3002" in entry]


@pytest.mark.parametrize("prop", LAGGING)
def test_a_property_the_synth_check_does_not_know_yet_is_acknowledged(stack: cdk.Stack, prop: str) -> None:
    harness = Harness(stack, "Agent", **LAGGING[prop])

    (reason,) = acknowledged(harness)
    assert f"{prop}: in CloudFormation's schema of the resource" in reason
    stack.node.root.synth()  # type: ignore[attr-defined]  # with findings as errors


def test_nothing_else_is_acknowledged(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", model=Model.openai("gpt-5", api_key=API_KEY))

    assert acknowledged(harness) == []


def test_a_hook_that_is_added_is_acknowledged_once(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent")
    harness.add_hook(Hook.after_tool_call("tell", TOPIC))
    harness.add_hook(Hook.after_tool_call("too", TOPIC))

    assert len(acknowledged(harness)) == 1


def test_a_harness_of_someone_else_is_still_checked(stack: cdk.Stack) -> None:
    Harness(stack, "Ours", **LAGGING["Hooks"])
    agentcore.CfnHarness(
        stack,
        "Theirs",
        harness_name="theirs",
        execution_role_arn="arn:aws:iam::111122223333:role/x",
        model={"bedrockModelConfig": {"modelId": "m"}},
    ).add_property_override("Unknown", 1)

    with pytest.raises(RuntimeError, match="F3002"):
        stack.node.root.synth()  # type: ignore[attr-defined]


def test_everything_is_needed_of_the_list() -> None:
    """When aws-cdk-lib catches up, its line is taken out of the list."""
    for prop, config in LAGGING.items():
        stack = synth.new_stack()
        parsed = HarnessConfig.create(
            harness_name="x",
            execution_role_arn="arn:aws:iam::111122223333:role/x",
            model=config.get("model", Model.bedrock("m")),
            hooks=config.get("hooks"),
            authorizer_configuration=config.get("authorizer"),
        )
        resource = agentcore.CfnHarness(stack, "H", **parsed.to_l1())
        for path, value in l1.overrides(parsed).items():
            resource.add_property_override(path, value)
        with pytest.raises(RuntimeError, match="F3002"):
            stack.node.root.synth()  # type: ignore[attr-defined]
        assert l1.unknown_to_validation(parsed) == [prop]


@pytest.mark.parametrize("name", cloudformation_configs())
def test_what_the_l1_lacks_is_put_in(stack: cdk.Stack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an aws-cdk-lib that knows fewer fields."""
    config = HarnessConfig.parse(cloudformation_configs()[name])
    monkeypatch.setattr(l1, "_missing", lambda node: frozenset({"additional_params", "api_base", "name"}))

    expected = {}
    for path, value in l1.overrides(config).items():
        rendered: Any = config.to_cfn()
        for step in path.split("."):
            rendered = rendered[int(step)] if step.isdigit() else rendered[step]
        expected[path] = rendered == value

    assert expected
    assert all(expected.values())


def shapes(model: type) -> Iterator[type]:
    yield model
    for sub in model.__subclasses__():
        yield from shapes(sub)


def test_shapes_are_found_under_their_names_in_the_l1() -> None:
    known = [name for name in dir(agentcore.CfnHarness) if name.endswith("Property")]

    assert "HarnessOpenAiModelConfigProperty" in known
    assert "HarnessGeminiModelConfigProperty" in known
    assert "CustomJWTAuthorizerConfigurationProperty" in known
    assert HarnessModelConfiguration.__name__ + "Property" in known


def test_a_topic_of_the_app_works_as_a_hook(stack: cdk.Stack, synthesized: Read) -> None:
    topic = sns.Topic(stack, "Topic")
    Harness(stack, "Agent", hooks=[Hook.after_tool_call("tell", topic)])

    stack.node.root.synth()  # type: ignore[attr-defined]
    target = {"Sns": {"Arn": stack.resolve(topic.topic_arn)}}
    assert synthesized().harness["Hooks"] == [{"AfterToolCall": {"Name": "tell", "Target": target}}]
