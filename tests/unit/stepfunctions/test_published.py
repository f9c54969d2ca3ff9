"""Workflows that others published, rebuilt with the constructs and compared state by state; definitions held valid.

- Developer guide, https://docs.aws.amazon.com/step-functions/latest/dg/connect-bedrockagentcore.html: "basic invocation
  with model override and system prompt", "invocation with tools (browser)" and "Error handling".
- aws-samples/serverless-patterns, `sfn-bedrockagentcore-harness-cdk`
  (https://serverlessland.com/patterns/sfn-bedrockagentcore-harness-cdk): retries on
  `BedrockAgentCore.ThrottlingException`, catches `BedrockAgentCore.ResourceNotFoundException`.
"""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_stepfunctions as sfn
from support.workflows import Machine

from agentcore_constructs import Harness, IHarness, Model, Tool
from agentcore_stepfunctions import InvokeHarness, jsonata

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = ROOT / "node_modules" / ".bin" / "asl-validator"
NAMES = ("BedrockAgentCore.ThrottlingException",)
THROTTLED = {"ErrorEquals": [*NAMES], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2}
RETRY: dict[str, Any] = {
    "errors": [*NAMES], "interval": cdk.Duration.seconds(2), "max_attempts": 3, "backoff_rate": 2,
}  # fmt: skip
RESULT = ("Output", "StopReason", "Usage", "Metrics")
RESOURCE = "arn:aws:states:::bedrockagentcore:invokeHarness"


@pytest.fixture
def known(stack: cdk.Stack) -> IHarness:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/MyAgentHarness-0123456789"
    return Harness.from_harness_arn(stack, "Known", arn)


def differences(published: dict[str, Any], rebuilt: dict[str, Any], *, expected: Iterable[str] = ()) -> dict[str, Any]:
    """Members that differ, but for those that are meant to: name → (published, rebuilt)."""
    names = (set(published) | set(rebuilt)) - set(expected)
    pairs = {name: (published.get(name), rebuilt.get(name)) for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_the_developer_guides_basic_invocation(stack: cdk.Stack, known: IHarness) -> None:
    published: dict[str, Any] = {
        "Type": "Task",
        "Resource": RESOURCE,
        "Arguments": {
            "HarnessArn": known.harness_arn,
            "RuntimeSessionId": "{% $uuid() %}",
            "Messages": [{"Content": [{"Text": "{% $states.input.userMessage %}"}], "Role": "user"}],
            "SystemPrompt": [{"Text": "You are a helpful customer service agent."}],
            "Model": {"BedrockModelConfig": {"Temperature": 0.7, "ModelId": "global.anthropic.claude-sonnet-4-6"}},
            "MaxIterations": 75,
            "TimeoutSeconds": 600,
        },
        "End": True,
    }
    ask = InvokeHarness(
        stack,
        "Ask",
        harness=known,
        prompt=jsonata("$states.input.userMessage"),
        system_prompt="You are a helpful customer service agent.",
        model=Model.bedrock("global.anthropic.claude-sonnet-4-6", temperature=0.7),
        max_iterations=75,
        harness_timeout=600,
        retry_on_service_exceptions=False,
    )
    rebuilt = Machine(stack, ask).state("Ask")
    # Ours says how long the state waits, and gives an output that holds when there is no text.
    assert differences(published, rebuilt, expected=("TimeoutSeconds", "Output")) == {}


def test_the_developer_guides_invocation_with_tools(stack: cdk.Stack, known: IHarness) -> None:
    browser = "arn:aws:bedrock-agentcore:us-east-1:aws:browser/aws.browser.v1"
    published: dict[str, Any] = {
        "Type": "Task",
        "Resource": RESOURCE,
        "Arguments": {
            "HarnessArn": known.harness_arn,
            "RuntimeSessionId": "{% $uuid() %}",
            "Messages": [{"Content": [{"Text": "What is the status of order #12345?"}], "Role": "user"}],
            "Tools": [
                {
                    "Type": "agentcore_browser",
                    "Name": "aws_browser_v1",
                    "Config": {"AgentCoreBrowser": {"BrowserArn": browser}},
                }
            ],
            "MaxIterations": 10,
            "TimeoutSeconds": 300,
        },
        "End": True,
    }
    ask = InvokeHarness(
        stack,
        "Ask",
        harness=known,
        prompt="What is the status of order #12345?",
        tools=[Tool.browser(browser, name="aws_browser_v1")],
        max_iterations=10,
        harness_timeout=300,
        retry_on_service_exceptions=False,
    )
    rebuilt = Machine(stack, ask).state("Ask")
    assert differences(published, rebuilt, expected=("TimeoutSeconds", "Output")) == {}


def test_the_developer_guides_error_handling(stack: cdk.Stack, known: IHarness) -> None:
    published: dict[str, Any] = {
        "Type": "Task",
        "Resource": RESOURCE,
        "Arguments": {
            "HarnessArn": known.harness_arn,
            "Messages": [{"Content": [{"Text": "{% $states.input.userMessage %}"}], "Role": "user"}],
        },
        "Retry": [THROTTLED],
        "Catch": [
            {"ErrorEquals": ["BedrockAgentCore.ResourceNotFoundException"], "Next": "HandleNotFound"},
            {"ErrorEquals": ["States.ALL"], "Next": "HandleError"},
        ],
        "End": True,
    }
    ask = InvokeHarness(
        stack,
        "Ask",
        harness=known,
        prompt=jsonata("$states.input.userMessage"),
        retry_on_service_exceptions=False,
    )
    ask.add_retry(**RETRY)
    ask.add_catch(sfn.Pass(stack, "HandleNotFound"), errors=["BedrockAgentCore.ResourceNotFoundException"])
    ask.add_catch(sfn.Pass(stack, "HandleError"))
    rebuilt = Machine(stack, ask).state("Ask")
    arguments = rebuilt["Arguments"]
    # The API requires a session id, which this example leaves out; and the harness must not outlive the state.
    assert set(arguments) - set(published["Arguments"]) == {"RuntimeSessionId", "TimeoutSeconds"}
    rebuilt["Arguments"] = {name: arguments[name] for name in published["Arguments"]}
    assert differences(published, rebuilt, expected=("TimeoutSeconds", "Output")) == {}


def test_the_serverless_pattern_in_json_path(stack: cdk.Stack, known: IHarness) -> None:
    published: dict[str, Any] = {
        "InvokeHarness": {
            "Type": "Task",
            "Resource": RESOURCE,
            "Parameters": {
                "HarnessArn": known.harness_arn,
                "Messages": [{"Content": [{"Text.$": "$.prompt"}], "Role": "user"}],
                "SystemPrompt": [{"Text": "You are a helpful AI assistant. Answer concisely and accurately."}],
                "MaxIterations": 50,
                "TimeoutSeconds": 600,
            },
            "Retry": [THROTTLED],
            "Catch": [
                {"ErrorEquals": ["BedrockAgentCore.ResourceNotFoundException"], "Next": "HarnessNotFound"},
                {"ErrorEquals": ["States.ALL"], "Next": "HandleError"},
            ],
            "Next": "FormatResponse",
        },
        "FormatResponse": {
            "Type": "Pass",
            "Parameters": {
                "response.$": "$.Output.Message.Content[0].Text",
                "stopReason.$": "$.StopReason",
                "tokensUsed.$": "$.Usage.TotalTokens",
                "latencyMs.$": "$.Metrics.LatencyMs",
            },
            "End": True,
        },
        "HarnessNotFound": {
            "Type": "Fail",
            "Error": "HarnessNotFound",
            "Cause": ("The specified Amazon Bedrock AgentCore harness was not found. Verify the HarnessArn parameter."),
        },
        "HandleError": {
            "Type": "Fail",
            "Error": "InvocationFailed",
            "Cause": "Amazon Bedrock AgentCore harness invocation failed.",
        },
    }
    ask = InvokeHarness.json_path(
        stack,
        "InvokeHarness",
        harness=known,
        prompt=sfn.JsonPath.string_at("$.prompt"),
        system_prompt="You are a helpful AI assistant. Answer concisely and accurately.",
        max_iterations=50,
        harness_timeout=600,
        retry_on_service_exceptions=False,
        result_selector={name: sfn.JsonPath.object_at(f"$.{name}") for name in RESULT},
    )
    ask.add_retry(**RETRY)
    wrong = {name: published[name] for name in ("HarnessNotFound", "HandleError")}
    fails = {name: sfn.Fail(stack, name, error=told["Error"], cause=told["Cause"]) for name, told in wrong.items()}
    ask.add_catch(fails["HarnessNotFound"], errors=["BedrockAgentCore.ResourceNotFoundException"])
    ask.add_catch(fails["HandleError"])
    formatted = published["FormatResponse"]["Parameters"]
    form = {name.removesuffix(".$"): sfn.JsonPath.string_at(path) for name, path in formatted.items()}
    machine = Machine(stack, ask.next(sfn.Pass(stack, "FormatResponse", parameters=form)), sfn.QueryLanguage.JSON_PATH)
    definition = machine.definition
    states = definition["States"]
    assert (definition["StartAt"], set(states)) == ("InvokeHarness", set(published))
    # The whole result, as there is without a selector.
    assert states["InvokeHarness"]["ResultSelector"] == {f"{name}.$": f"$.{name}" for name in RESULT}
    # The published id is the execution's name, which fails when somebody calls an execution "abc"; ours is a UUID.
    assert states["InvokeHarness"]["Parameters"].pop("RuntimeSessionId.$") == "States.UUID()"
    for name, state in published.items():
        expected = ("TimeoutSeconds", "ResultSelector") if name == "InvokeHarness" else ()
        assert differences(state, states[name], expected=expected) == {}, name


def test_all_that_ships_is_valid_by_asl_validator(tmp_path: Path) -> None:
    """https://www.npmjs.com/package/asl-validator; substitutions stand for ARNs."""
    shipped: Any = resources.files("agentcore_stepfunctions.workflows")
    files = [str(file) for file in shipped.iterdir() if file.name.endswith(".asl.json")]
    assert len(files) > 5
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"StartAt": "Gone", "States": {"A": {"Type": "Tusk"}}}), encoding="utf-8")

    def told(*paths: str) -> subprocess.CompletedProcess[str]:
        given = [word for path in paths for word in ("--json-path", path)]
        return subprocess.run([VALIDATOR, "--no-arn-check", *given], capture_output=True, text=True, check=False)

    said = told(*files)
    assert said.returncode == 0, said.stdout + said.stderr
    assert told(str(broken)).returncode != 0
