"""What the agents log, read back from CloudWatch Logs of the local cloud."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local import agents, seams
from agentcore_local.agents import logs
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.faults import StreamFailed
from agentcore_local.harness.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud

RUNTIME = {"agentCoreRuntimeEnvironment": {"agentRuntimeId": "harness_agent-aB3dE5gH7j"}}
GROUP = "/aws/bedrock-agentcore/runtimes/harness_agent-aB3dE5gH7j-DEFAULT"


@pytest.fixture(autouse=True)
def cloud(local_cloud: LocalCloud) -> None:
    """CloudWatch Logs are those of a running local cloud."""


@pytest.fixture
def agent(caller: Callable[..., Any], account: Account) -> Any:
    """A caller of a harness that has a runtime, in an account of its own."""
    return caller(account=account.account_id, environment=RUNTIME)


def events(account: Account, group: str = GROUP) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("logs").filter_log_events(logGroupName=group)["events"]
    return found


def records(account: Account, group: str = GROUP) -> list[dict[str, Any]]:
    return [json.loads(event["message"]) for event in events(account, group)]


def told(account: Account) -> list[str]:
    return [record["event"] for record in records(account)]


def test_an_invocation_begins_and_ends(agent: Any, account: Account, script: Any) -> None:
    script(Turn(text="Hello.", usage={"inputTokens": 7, "outputTokens": 3}))
    agent.say("hello", actorId="ann")

    began, ended = records(account)
    about = {
        "level": "INFO",
        "harness": "agent",
        "version": "1",
        "endpoint": "DEFAULT",
        "sessionId": agent.session,
        "actorId": "ann",
    }
    assert began == {
        **about,
        "timestamp": began["timestamp"],
        "event": "invocation_started",
        "model": "global.anthropic.claude-sonnet-4-6",
    }
    assert ended == {
        **about,
        "timestamp": ended["timestamp"],
        "event": "invocation_ended",
        "stopReason": "end_turn",
        "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
        "modelCalls": 1,
        "durationMs": ended["durationMs"],
    }


def test_records_are_there_when_the_stream_has_ended(agent: Any, account: Account) -> None:
    for number in range(1, 6):
        agent.say("hello")
        assert told(account).count("invocation_ended") == number


def test_every_endpoint_has_a_group_of_its_own(agent: Any, account: Account, script: Any) -> None:
    script("Hi.", "Hi.")
    agent.say()
    agent.say(qualifier="PROD")

    group = GROUP.replace("DEFAULT", "PROD")
    assert {record["endpoint"] for record in records(account)} == {"DEFAULT"}
    assert {record["endpoint"] for record in records(account, group)} == {"PROD"}


def test_a_group_that_is_there_keeps_its_settings(agent: Any, account: Account, script: Any) -> None:
    script("Hi.")
    client = account.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.put_retention_policy(logGroupName=GROUP, retentionInDays=7)

    agent.say()

    assert client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["retentionInDays"] == 7
    assert told(account) == ["invocation_started", "invocation_ended"]


def test_tools_are_told_with_what_they_took(agent: Any, account: Account, script: Any, calling: Any) -> None:
    script(calling("shell", command="sleep 0.3"), calling("shell", command="false"), "Done.")
    agent.say("secret words")

    tools = [record for record in records(account) if record["event"].startswith("tool_")]
    called, answered, _, failed = tools
    assert (called["event"], called["tool"]) == ("tool_called", "shell")
    assert (answered["event"], answered["status"], answered["level"]) == ("tool_answered", "success", "INFO")
    assert called["toolUseId"] == answered["toolUseId"]
    assert answered["durationMs"] >= 300
    assert failed["durationMs"] < answered["durationMs"]


def test_what_is_said_is_not_logged(agent: Any, account: Account, script: Any, calling: Any) -> None:
    script(calling("shell", text="Aha.", command="echo treasure"), "It is treasure.")
    agent.say("where is the treasure?")

    assert "treasure" not in json.dumps(records(account))
    assert "Aha" not in json.dumps(records(account))


def test_what_is_said_is_logged_when_asked_for(
    agent: Any, account: Account, script: Any, calling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(logs.CONTENT_VARIABLE, "1")
    script(calling("shell", text="Aha.", command="echo treasure"), "It is " + "t" * 20_000)
    agent.say("where is it?")

    found = {record["event"]: record for record in records(account)}
    assert found["invocation_started"]["prompt"] == "where is it?"
    assert json.loads(found["tool_called"]["input"]) == {"command": "echo treasure"}
    assert found["tool_answered"]["result"].startswith("treasure")
    assert [record["text"][:6] for record in records(account) if record["event"] == "model_said"] == ["Aha.", "It is "]
    assert len(found["model_said"]["text"]) == logs.CONTENT_CHARACTERS


def test_content_stays_out_with_the_variable_at_zero(
    agent: Any, account: Account, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(logs.CONTENT_VARIABLE, "0")
    script("Hi.")
    agent.say("secret")

    assert "secret" not in json.dumps(records(account))


def test_a_call_that_is_handed_out_and_its_result(caller: Any, account: Account, script: Any, inline: Any) -> None:
    agent = caller(account=account.account_id, environment=RUNTIME, tools=[inline()])
    script(Turn(tool_calls=[ToolCall("refund", {}, id="t1")]), "Done.")
    agent.say()
    agent.answer("t1", status="error")

    found = records(account)
    assert told(account) == [
        *("invocation_started", "tool_called", "invocation_ended"),
        *("invocation_started", "tool_answered", "invocation_ended"),
    ]
    assert found[2]["stopReason"] == "tool_use"
    # What it took is known to the caller only.
    assert (found[4]["level"], found[4]["status"], "durationMs" in found[4]) == ("WARNING", "error", False)


def test_a_failure_is_an_error_with_the_words_of_the_stream(agent: Any, account: Account, script: Any) -> None:
    script(Turn(error=ModelFailure("access_denied", "You may not.")))
    with pytest.raises(StreamFailed) as caught:
        agent.say()

    failed = records(account)[-1]
    assert (failed["event"], failed["level"], failed["error"]) == ("invocation_failed", "ERROR", "runtimeClientError")
    assert failed["message"] == caught.value.message


def test_a_client_that_goes_away_is_told(agent: Any, account: Account, script: Any) -> None:
    script(Turn(text="one two three", token_delay=0.2))

    async def leave_early() -> None:
        async with aclosing(agent.start([{"role": "user", "content": [{"text": "hello"}]}])) as stream:
            async for name, _payload in stream:
                if name == "contentBlockDelta":
                    return

    asyncio.run(leave_early())

    assert told(account) == ["invocation_started", "invocation_cancelled"]
    assert records(account)[-1]["level"] == "WARNING"


def test_a_long_invocation_is_told_while_it_runs(agent: Any, account: Account, script: Any) -> None:
    said = threading.Event()

    async def speak(_call: Any) -> str:
        assert await asyncio.to_thread(said.wait, 30)
        return "Hello."

    script(speak)
    working = threading.Thread(target=agent.say)
    working.start()
    end = time.monotonic() + 20
    while not account.client("logs").describe_log_groups()["logGroups"] and time.monotonic() < end:
        time.sleep(0.02)
    early = told(account)
    said.set()
    working.join()

    assert early == ["invocation_started"]
    assert told(account) == ["invocation_started", "invocation_ended"]


def test_a_hook_that_fires_is_told() -> None:
    heard: list[Any] = []
    listener = logs._Listener(lambda event, **members: heard.append((event, members)), content=False)
    listener.event("hookEvent", {"hookEventId": "1", "name": "audit", "type": "before_tool_call", "decision": "deny"})

    assert heard == [("hook_fired", {"hook": "audit", "type": "before_tool_call", "decision": "deny"})]


def test_a_harness_without_a_runtime_logs_nowhere(caller: Any, account: Account, script: Any) -> None:
    script("Hi.")
    caller(account=account.account_id).say()

    assert account.client("logs").describe_log_groups()["logGroups"] == []


def test_logs_that_cannot_be_written_do_not_stop_the_agent(
    agent: Any, account: Account, script: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise ServiceError("ServiceUnavailableException", "No.")

    monkeypatch.setattr(seams, "call_logs", refuse)
    script("Hi.")

    assert agent.say().text == "Hi."
    assert f"group=<{GROUP}> | log events not written" in caplog.text


def test_a_group_that_was_deleted_is_made_again(agent: Any, account: Account, script: Any) -> None:
    script("Hi.")
    agent.say()
    account.client("logs").delete_log_group(logGroupName=GROUP)

    agent.say()

    assert told(account) == ["invocation_started", "invocation_ended"]


def test_invocations_at_the_same_time_stay_in_order(caller: Any, account: Account, script: Any) -> None:
    script(Turn(text="one two three four", token_delay=0.02))
    callers = [caller(account=account.account_id, environment=RUNTIME) for _ in range(20)]
    working = [threading.Thread(target=one.say) for one in callers]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()

    found = events(account)
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)
    assert len({event["logStreamName"] for event in found}) == 1
    for one in callers:
        mine = [record["event"] for record in records(account) if record["sessionId"] == one.session]
        assert mine == ["invocation_started", "invocation_ended"]


def test_of_a_group_only_the_newest_two_streams_are_kept(
    agent: Any, account: Account, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "EVENTS_PER_STREAM", 4)
    script("Hi.")
    for _ in range(7):
        agent.say()

    streams = account.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert len(streams) == 2
    assert all("[runtime-logs]" in stream["logStreamName"] for stream in streams)
    assert len(records(account)) == 6


def test_what_is_held_back_is_written_as_one_ordered_batch(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log service takes that as it is; it sorts a whole stream for one event that comes late."""
    writer, scope, batches = logs.Writer(), (account.account_id, "us-east-1"), []

    def written(_scope: Any, operation: str, request: dict[str, Any]) -> None:
        if operation == "PutLogEvents":
            batches.append([event["timestamp"] for event in request["logEvents"]])

    async def write() -> None:
        for moment in range(1, 7):
            writer.add(scope, "group", "x" * 300, moment)
            if moment % 3 == 0:
                writer.flush(scope, "group")

    monkeypatch.setattr(seams, "call_logs", written)
    asyncio.run(write())

    assert batches == [[1000, 2000, 3000], [4000, 5000, 6000]]


def test_nothing_outlives_a_stop(agent: Any, account: Account, script: Any) -> None:
    begun = threading.Event()

    async def speak(_call: Any) -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    script(speak)
    failed: list[ConnectionAbortedError] = []

    def say() -> None:
        try:
            agent.say()
        except ConnectionAbortedError as error:
            failed.append(error)

    working = threading.Thread(target=say)
    working.start()
    assert begun.wait(20)
    agents.shutdown()
    working.join(10)

    assert len(failed) == 1
    assert told(account) == ["invocation_started", "invocation_cancelled"]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("agent")] == ["agentcore-local"]
