"""The Lambda handler of a hook that was made from a Python function."""

from __future__ import annotations

import importlib
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from support.shop import guards

from agentcore_lambdas import hooks

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = SimpleNamespace(
    function_name="guard",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:guard",
    aws_request_id="request-1",
)


def event(kind: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "hookEventId": "1",
        "name": "guard",
        "event": kind,
        "harnessArn": "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/h-0123456789",
        "sessionId": "s" * 33,
        "context": context,
    }


CALL = event(
    "before_tool_call",
    {"toolName": "shell", "toolType": "builtin", "toolUseId": "1", "toolInput": {"command": "echo secret"}},
)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def load(entry: str) -> Any:
        monkeypatch.setenv("AGENTCORE_HOOK", entry)
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
        monkeypatch.delitem(sys.modules, "agentcore_lambdas.hooks.main", raising=False)
        return importlib.import_module("agentcore_lambdas.hooks.main").handler

    return load


def test_a_handler_is_taken_as_it_is(load: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    handler = load("support.shop.guards:guard")
    assert handler(CALL, CONTEXT) == {"decision": "deny", "reason": "No secrets in files."}
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "HookCalls" in line]
    assert [(line["hook"], line["HookCalls"], line["HookDenials"]) for line in told] == [("guard", [1.0], [1.0])]


def test_a_function_becomes_a_handler(load: Callable[[str], Any]) -> None:
    handler = load("support.shop.guards:watch")
    ended = event("after_invocation", {"stopReason": "end_turn", "usage": {}})
    assert handler(ended, CONTEXT) == {"decision": "allow", "reason": "after_invocation"}
    assert handler(CALL, CONTEXT)["decision"] == "deny"  # not one of its events


def test_a_trace_does_not_tell_the_reason(load: Callable[[str], Any]) -> None:
    handler = load("support.shop.guards:guard")
    traced = MagicMock()
    sys.modules["agentcore_lambdas.hooks.main"].tracer.provider.in_subsegment = traced
    assert handler(CALL, CONTEXT)["decision"] == "deny"
    told = traced.return_value.__enter__.return_value
    assert told.put_annotation.called
    told.put_metadata.assert_not_called()


def test_what_is_no_event_has_an_answer(load: Callable[[str], Any]) -> None:
    assert load("support.shop.guards:guard")(["nothing"], CONTEXT)["decision"] == "deny"


def test_a_function_tells_which_events_it_serves() -> None:
    assert hooks.served_events(guards.guard) == ("before_tool_call",)
    assert hooks.served_events(guards.watch) == ("before_invocation", "after_invocation")
    assert (hooks.is_handler(guards.guard), hooks.is_handler(guards.watch)) == (True, False)
    with pytest.raises(TypeError, match="careless must take one parameter"):
        hooks.served_events(guards.careless)
