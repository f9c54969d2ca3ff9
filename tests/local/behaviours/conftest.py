"""Fixtures for behaviour tests: a harness, and somebody who talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.behaviours import Agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud


@pytest.fixture
def agent(account: Account, create: Callable[..., dict[str, Any]], local_cloud: LocalCloud) -> Callable[..., Agent]:
    """Makes a harness that says `script`, or what that function says; other arguments are members of CreateHarness."""

    def make(name: str = "helper", *, script: Any = None, **members: Any) -> Agent:
        made = Agent(account, create(name, **members))
        if script is not None:
            local_cloud.script(made.arn, (lambda call: script) if isinstance(script, str) else script)
        return made

    return make


def inline_tool(name: str = "refund", **schema: Any) -> dict[str, Any]:
    """An inline function as CreateHarness takes it."""
    config = {"description": f"Runs {name}.", "inputSchema": schema or {"type": "object", "properties": {}}}
    return {"type": "inline_function", "name": name, "config": {"inlineFunction": config}}


@pytest.fixture
def inline() -> Callable[..., dict[str, Any]]:
    return inline_tool


def run_in_shell(command: str) -> Callable[[Any], Any]:
    """A script that runs a command and says what it printed."""
    from agentcore_local.agents.scripts import ToolCall, Turn  # noqa: PLC0415 - loads the agents

    def script(call: Any) -> Any:
        return Turn(tool_calls=[ToolCall("shell", {"command": command})]) if call.turn == 1 else call.tool_result

    return script


@pytest.fixture
def shell() -> Callable[[str], Callable[[Any], Any]]:
    return run_in_shell
