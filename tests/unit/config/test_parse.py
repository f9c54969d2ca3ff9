"""Dicts, JSON and YAML files in the API's shape, and what is said of keys that do not belong."""

from __future__ import annotations

import builtins
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.all_fields import all_configs

from agentcore_constructs.config import HarnessConfig, HarnessConfigError

if TYPE_CHECKING:
    from pathlib import Path


def faults(source: Any) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.parse(source)
    return [str(fault) for fault in caught.value.faults]


def by_path(source: Any) -> dict[str, str]:
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.parse(source)
    return {fault.path: fault.fix for fault in caught.value.faults}


def test_name_role_and_model_may_be_missing() -> None:
    assert HarnessConfig.parse({}).to_api() == {}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("modle", "model"),
        ("system_prompt", "systemPrompt"),
        ("SystemPrompt", "systemPrompt"),
        ("system-prompt", "systemPrompt"),
        ("systemprompt", "systemPrompt"),
        ("maxIteration", "maxIterations"),
        ("max_tokens", "maxTokens"),
        ("allowedTool", "allowedTools"),
        ("env_variables", "environmentVariables"),
        ("timeout", "timeoutSeconds"),
        ("Tags", "tags"),
    ],
)
def test_a_misspelt_key_is_told_the_right_name(written: str, meant: str) -> None:
    said = faults({written: {}})[0]
    path = written if written.isidentifier() else f'["{written}"]'
    assert said == f"{path}: must be a field of the API; received the key '{written}'; write '{meant}'."


def test_misspelt_keys_at_any_depth_are_told_at_once() -> None:
    config = {
        "model": {"bedrock_model_config": {"model_id": "m", "top_p": 0.5, "maxToken": 1}},
        "tools": [
            {"type": "remote_mcp", "name": "x", "config": {"remoteMCP": {"URL": "https://x", "header": {"A": "b"}}}},
        ],
        "hooks": [{"before_invocation": {"Name": "h", "target": {"Lambda": {"ARN": "x"}}}}],
        "memory": {"agentCoreMemoryConfiguration": {"arn": "x", "retrievalConfig": {"/a/": {"top_k": 1, "topk": 2}}}},
        "authorizerConfiguration": {"customJwtAuthorizer": {"discoveryUri": "x"}},
    }
    fixes = by_path(config)
    assert {path: fix for path, fix in fixes.items() if fix.startswith("write '")} == {
        "model.bedrock_model_config": "write 'bedrockModelConfig'",
        "model.bedrockModelConfig.model_id": "write 'modelId'",
        "model.bedrockModelConfig.top_p": "write 'topP'",
        "model.bedrockModelConfig.maxToken": "write 'maxTokens'",
        "tools[0].config.remoteMCP": "write 'remoteMcp'",
        "tools[0].config.remoteMcp.URL": "write 'url'",
        "tools[0].config.remoteMcp.header": "write 'headers'",
        "hooks[0].before_invocation": "write 'beforeInvocation'",
        "hooks[0].beforeInvocation.Name": "write 'name'",
        "hooks[0].beforeInvocation.target.Lambda": "write 'lambda'",
        "hooks[0].beforeInvocation.target.lambda.ARN": "write 'arn'",
        'memory.agentCoreMemoryConfiguration.retrievalConfig["/a/"].top_k': "write 'topK'",
        'memory.agentCoreMemoryConfiguration.retrievalConfig["/a/"].topk': "write 'topK'",
        "authorizerConfiguration.customJwtAuthorizer": "write 'customJWTAuthorizer'",
        "authorizerConfiguration.customJWTAuthorizer.discoveryUri": "write 'discoveryUrl'",
    }


def test_a_key_written_elsewhere_is_told_its_place() -> None:
    assert by_path({"networkMode": "VPC"}) == {
        "networkMode": "move it to environment.agentCoreRuntimeEnvironment.networkConfiguration.networkMode"
    }
    assert by_path({"modelId": "m"})["modelId"].startswith("move it to model.bedrockModelConfig.modelId or model.open")


def test_a_key_of_nowhere_is_told_what_there_is() -> None:
    assert by_path({"memory": {"disabled": {"qqq": 1}}}) == {
        "memory.disabled.qqq": "remove it: it has no fields, write {}"
    }
    assert by_path({"truncation": {"strategy": "none", "qqq": 1}}) == {
        "truncation.qqq": "remove it: its fields are strategy, config"
    }


@pytest.mark.parametrize(
    "key", ["clientToken", "harnessId", "arn", "status", "createdAt", "updatedAt", "harnessVersion"]
)
def test_what_is_no_configuration_is_refused_with_the_reason(key: str) -> None:
    (said,) = faults({key: "x"})
    assert said.startswith(f"{key}: must not be written here: it ")
    assert said.endswith("; received the key; remove it.")


def test_the_answer_of_get_harness_is_told_from_a_configuration() -> None:
    (said,) = faults({"harness": {"harnessName": "a"}})
    assert "it is the answer of GetHarness and not a request; received the key; write what is inside it" in said


def test_what_the_service_answers_about_the_runtime_is_refused() -> None:
    said = faults({"environment": {"agentCoreRuntimeEnvironment": {"agentRuntimeArn": "arn:x"}}})
    assert said == [
        (
            "environment.agentCoreRuntimeEnvironment.agentRuntimeArn: must not be written here: it is read-only: the "
            "service answers with it; received the key; remove it."
        )
    ]


def test_companion_facts_are_no_keys_of_a_file() -> None:
    config = {"skills": [{"s3": {"uri": "s3://bucket/x", "encryptionKeyArn": "arn:x"}}]}
    assert list(by_path(config)) == ["skills[0].s3.encryptionKeyArn"]


def test_null_is_refused() -> None:
    assert faults({"tools": None, "memory": {"disabled": None}}) == [
        "tools: must have a value; received null; give it a value, or remove the key.",
        "memory.disabled: must have a value; received null; write {} to choose it without settings, or remove the key.",
    ]


def test_keys_must_be_strings() -> None:
    assert faults({1: "x"}) == ["the configuration: must have strings as keys; received 1; quote the key."]
    (said,) = faults({"environmentVariables": {1: "x"}})
    assert said.startswith('environmentVariables["1"]: must be a variable name, 1–100 characters; received 1')


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model": "m"}, "model: must be a model, made by Model.bedrock, "),
        ({"model": ["m"]}, "model: must be a model, made by Model.bedrock, "),
        ({"tools": {}}, "tools: must be a list of tools; received an object with 0 keys; pass a list."),
        ({"tools": ["browser"]}, "tools[0]: must be a tool, made by Tool.gateway"),
        (
            {"systemPrompt": "text"},
            "systemPrompt: must be a list of texts; received a value of 4 characters; pass a list.",
        ),
        ({"systemPrompt": ["text"]}, "systemPrompt[0]: must be a string, or {'text': …}"),
        ({"tags": [{"Key": "a", "Value": "b"}]}, "tags: must be an object of tags, 0–50; received a list of 1 item"),
        ({"memory": {"disabled": True}}, "memory.disabled: must be an empty object {}"),
        (
            {"maxIterations": "5"},
            "maxIterations: must be a whole number of iterations, at least 1; received '5' (1 char",
        ),
        (
            {"maxIterations": 5.0},
            "maxIterations: must be a whole number of iterations, at least 1; received 5.0; write",
        ),
    ],
)
def test_values_of_another_type(config: dict[str, Any], said: str) -> None:
    assert faults(config)[0].startswith(said)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(("name", "config"), all_configs().items())
def test_files_hold_what_dicts_hold(written: Any, name: str, config: dict[str, Any]) -> None:
    text = json.dumps(config)
    assert HarnessConfig.parse(written("harness.json", text)).to_api() == config
    assert HarnessConfig.parse(str(written("harness.yaml", text))).to_api() == config, "JSON is YAML"


def test_a_yaml_file(written: Any) -> None:
    path = written(
        "harness.yml",
        "harnessName: Research\nmodel:\n  bedrockModelConfig:\n    modelId: a\nsystemPrompt:\n  - text: |\n      Hi.\n",
    )
    assert HarnessConfig.parse(path).to_api() == {
        "harnessName": "Research",
        "model": {"bedrockModelConfig": {"modelId": "a"}},
        "systemPrompt": [{"text": "Hi.\n"}],
    }


def test_the_heading_names_the_file(written: Any) -> None:
    path = written("harness.json", '{"maxTokens": 0}')
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.parse(path)
    assert str(caught.value).startswith(f"{path} has 1 fault:\n  maxTokens: ")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.json",
            "{",
            "must be JSON; received Expecting property name enclosed in double quotes at line 1, column 2; ",
        ),
        (
            "a.json",
            "model: x",
            "must be JSON; received Expecting value at line 1, column 1; correct the file, or name it",
        ),
        ("a.json", "[1]", "must hold an object; received a list of 1 item; write the fields of CreateHarness"),
        ("a.json", '{"a": {"b": 1, "b": 2}}', "must hold each key of an object once; received the key 'b' twice"),
        ("a.json", '{"maxTokens": NaN}', "must hold JSON numbers; received NaN; write a number"),
        (
            "a.yaml",
            "a: [",
            "must be YAML; received expected the node content, but found '<stream end>' at line 1, column 5",
        ),
        (
            "a.yaml",
            "a: 1\nb: 2\na: 3",
            "must hold each key once; received the key 'a' twice, at line 3; remove one of them",
        ),
        ("a.yaml", "", "must hold an object; received null; write the fields of CreateHarness"),
        ("a.yaml", "a: !!python/object:os.system {}", "must be YAML; received could not determine a constructor"),
        (
            "a.yaml",
            "? [1]\n: x",
            "must be YAML with plain keys; received a key that is a collection, at line 1; quote it",
        ),
    ],
)
def test_files_that_cannot_be_read(written: Any, name: str, text: str, said: str) -> None:
    path = written(name, text)
    (fault,) = faults(path)
    assert fault.startswith(f"{path}: {said}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    assert faults(path) == [
        f"{path}: must be a readable UTF-8 file; received No such file or directory; correct the path."
    ]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xff\xfe")
    assert faults(path) == [f"{path}: must be a readable UTF-8 file; received not UTF-8; correct the path."]


def test_yaml_without_pyyaml(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_yaml(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_yaml)
    (said,) = faults(written("a.yaml", "{}"))
    assert "must be JSON unless PyYAML is installed; received YAML; install agentcore-harness-cdk[yaml]" in said
