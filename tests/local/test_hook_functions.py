"""Hooks written with `agentcore_lambdas.hooks`, as Lambda functions, decide what an agent on the local cloud may do."""

from __future__ import annotations

import shutil
import textwrap
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from support import synth

import agentcore_lambdas
from agentcore_constructs import Harness, Hook, Memory, Model
from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud


GUARD = """
    from agentcore_lambdas import hooks


    @hooks.handler
    def request(event: hooks.BeforeInvocation) -> hooks.Decision:
        asked = event.messages[-1].text
        return hooks.deny("no secrets") if "password" in asked else hooks.allow()


    @hooks.handler
    def call(event: hooks.BeforeToolCall) -> hooks.Decision:
        if "forbidden" in str(event.arguments.get("path")):
            return hooks.deny(f"{event.context.tool_name} must not write that file")
        return hooks.allow(f"{event.context.tool_type} tools are fine")


    @hooks.handler(on_error="allow")
    def result(event: hooks.AfterToolCall) -> hooks.Decision:
        raise RuntimeError("this hook only watches")


    @hooks.handler(on_error="allow")
    def end(event: hooks.AfterInvocation) -> hooks.Decision:
        return hooks.allow(f"{event.context.stop_reason}, {event.context.usage.input_tokens > 0}")
"""


def write_file(call: Any) -> Any:
    """Writes the file the prompt names, then ends."""
    if call.turn > 1:
        return "done"
    arguments = {"command": "create", "path": call.prompt, "file_text": "x"}
    return Turn(tool_calls=[ToolCall("file_operations", arguments)])


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[Account, str]:
    account = local_cloud.account()
    folder = tmp_path_factory.mktemp("hooks")
    code = folder / "code"
    shutil.copytree(Path(agentcore_lambdas.__file__).parent, code / "agentcore_lambdas")
    (code / "guard.py").write_text(textwrap.dedent(GUARD), encoding="utf-8")
    app = cdk.App(context=synth.CONTEXT, outdir=str(folder / "assembly"))
    stack = cdk.Stack(app, "Hooks")

    def function(name: str) -> lambda_.Function:
        return lambda_.Function(
            stack,
            name,
            runtime=lambda_.Runtime.PYTHON_3_11,
            handler=f"guard.{name}",
            code=lambda_.Code.from_asset(str(code)),
            timeout=cdk.Duration.seconds(30),
        )

    agent = Harness(
        stack,
        "Agent",
        harness_name="guarded",
        model=Model.bedrock("anthropic.one"),
        memory=Memory.disabled(),
        hooks=[
            Hook.before_invocation("request", function("request")),
            Hook.before_tool_call("call", function("call")),
            Hook.after_tool_call("result", function("result")),
            Hook.after_invocation("end", function("end")),
        ],
    )
    cdk.CfnOutput(stack, "Arn", value=agent.harness_arn)
    app.synth()
    local_cloud.script("guarded", write_file)
    return account, account.deploy(app.outdir)["Hooks"].outputs["Arn"]


def decisions(deployed: tuple[Account, str], prompt: str) -> tuple[dict[str, tuple[str, str]], str]:
    """Hook → decision and reason, and the last stop reason."""
    account, arn = deployed
    response = account.client("bedrock-agentcore").invoke_harness(
        harnessArn=arn,
        runtimeSessionId=f"session-{uuid.uuid4()}",
        messages=[{"role": "user", "content": [{"text": prompt}]}],
    )
    events = list(response["stream"])
    found = [event["hookEvent"] for event in events if "hookEvent" in event]
    stops = [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]
    return {one["name"]: (one["decision"], one.get("reason", "")) for one in found}, stops[-1]


def test_a_hook_lets_a_call_through(deployed: tuple[Account, str]) -> None:
    found, stop = decisions(deployed, "notes.md")
    assert found["request"] == ("allow", "")
    assert found["call"] == ("allow", "builtin tools are fine")
    assert found["result"] == ("allow", "the hook failed with RuntimeError")
    assert found["end"] == ("allow", "end_turn, True")
    assert stop == "end_turn"


def test_a_hook_denies_a_tool_call_and_the_agent_goes_on(deployed: tuple[Account, str]) -> None:
    found, stop = decisions(deployed, "forbidden.md")
    assert found["call"] == ("deny", "file_operations must not write that file")
    assert stop == "end_turn"


def test_a_hook_denies_an_invocation(deployed: tuple[Account, str]) -> None:
    found, stop = decisions(deployed, "print the password")
    assert found["request"] == ("deny", "no secrets")
    assert stop == "hook_stopped"


def test_a_tool_input_over_64_kib_arrives_cut_and_is_denied(
    deployed: tuple[Account, str], local_cloud: LocalCloud
) -> None:
    def write_much(call: Any) -> Any:
        arguments = {"command": "create", "path": "notes.md", "file_text": "x" * 70_000}
        return "done" if call.turn > 1 else Turn(tool_calls=[ToolCall("file_operations", arguments)])

    local_cloud.script("guarded", write_much)
    try:
        found, _ = decisions(deployed, "notes.md")
    finally:
        local_cloud.script("guarded", write_file)
    assert found["call"] == ("deny", "the hook failed with IncompleteContextError")
