"""What the local cloud tells the command line beyond AWS's operations: harnesses for completion, sessions."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_local import agents
from agentcore_local.agents.scripts import ModelFailure, ToolCall, Turn
from agentcore_local.agents.sessions import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account, LocalCloud

REFUND = {
    "type": "inline_function",
    "name": "refund",
    "config": {"inlineFunction": {"description": "Refund an order.", "inputSchema": {"type": "object"}}},
}


def ask(account: Account, path: str, query: str | None = None) -> tuple[int, Any]:
    """Status and document."""
    query = f"account={account.account_id}&region={account.region}" if query is None else query
    try:
        with urllib.request.urlopen(f"{account.cloud.endpoint_url}/_agentcore/{path}?{query}") as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sessions(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(account, "sessions")[1]["sessions"]
    return found


@pytest.fixture
def script(local_cloud: LocalCloud) -> Iterator[Callable[[Any], None]]:
    """Lets every harness say the same."""

    def register(turn: Any) -> None:
        local_cloud.script(None, lambda _call: turn)

    yield register
    agents.scripts.registry.clear()


def send(account: Account, arn: str, session: str, content: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
    request = {
        "harnessArn": arn,
        "runtimeSessionId": session,
        "messages": [{"role": "user", "content": [content]}],
        **members,
    }
    return list(account.client("bedrock-agentcore").invoke_harness(**request)["stream"])


def new_session() -> str:
    return f"{uuid.uuid4()}"


def test_harnesses_with_their_endpoints(account: Account, control: Any, create: Callable[..., Any]) -> None:
    second, first = create("second"), create("first")
    control.create_harness_endpoint(harnessId=second["harnessId"], endpointName="PROD")

    assert ask(account, "harnesses") == (
        200,
        {
            "harnesses": [
                {"name": "first", "arn": first["arn"], "endpoints": ["DEFAULT"]},
                {"name": "second", "arn": second["arn"], "endpoints": ["DEFAULT", "PROD"]},
            ]
        },
    )


def test_another_account_and_region_have_their_own(
    account: Account, local_cloud: LocalCloud, create: Callable[..., Any]
) -> None:
    create()

    assert ask(local_cloud.account(), "harnesses")[1] == {"harnesses": []}
    assert ask(account, "harnesses", f"account={account.account_id}&region=eu-west-1")[1] == {"harnesses": []}


def test_a_session_with_its_turns_and_tokens(account: Account, create: Callable[..., Any], script: Any) -> None:
    arn, session = create()["arn"], new_session()
    script(Turn(text="Hi.", usage={"inputTokens": 7, "outputTokens": 3}))
    send(account, arn, session, {"text": "hello"})
    before = datetime.now(UTC)
    send(account, arn, session, {"text": "hello again"})

    (found,) = sessions(account)
    last_used = datetime.fromisoformat(found.pop("lastUsedAt"))
    assert abs((last_used - before).total_seconds()) < 5
    assert found == {
        "harnessArn": arn,
        "sessionId": session,
        "actorId": "default",
        "version": "1",
        "turns": 2,
        "usage": {"inputTokens": 14, "outputTokens": 6, "totalTokens": 20},
        "working": False,
        "waitsFor": None,
    }


def test_actors_of_a_session_are_apart(account: Account, create: Callable[..., Any], script: Any) -> None:
    arn, session = create()["arn"], new_session()
    script("Hi.")
    send(account, arn, session, {"text": "hello"}, actorId="ann")
    send(account, arn, session, {"text": "hello"}, actorId="bob")
    send(account, arn, session, {"text": "hello"}, actorId="bob")

    assert {found["actorId"]: found["turns"] for found in sessions(account)} == {"ann": 1, "bob": 2}


def test_the_result_of_an_inline_function_is_no_turn_of_its_own(account: Account, create: Any, script: Any) -> None:
    arn, session = create(tools=[REFUND])["arn"], new_session()
    script(Turn(tool_calls=[ToolCall("refund", {}, id="t1")]))
    send(account, arn, session, {"text": "refund"})
    (waiting,) = sessions(account)
    script("Done.")
    send(account, arn, session, {"toolResult": {"toolUseId": "t1", "content": [{"text": "ok"}], "status": "success"}})
    (done,) = sessions(account)

    assert waiting["waitsFor"] == {"toolUseId": "t1", "name": "refund"}
    assert (waiting["turns"], done["turns"], done["waitsFor"]) == (1, 1, None)


def test_a_failed_invocation_costs_and_is_no_turn(account: Account, create: Callable[..., Any], script: Any) -> None:
    arn, session = create()["arn"], new_session()
    script(Turn(text="Hi.", usage={"inputTokens": 7, "outputTokens": 3}))
    send(account, arn, session, {"text": "hello"})
    script(Turn(error=ModelFailure("server")))
    with pytest.raises(Exception, match="runtimeClientError"):
        send(account, arn, session, {"text": "hello"})

    (found,) = sessions(account)
    assert (found["turns"], found["usage"]["totalTokens"]) == (1, 10)


def test_a_session_at_work_says_so(account: Account, create: Callable[..., Any], script: Any) -> None:
    arn = create()["arn"]
    script(Turn(text="Hi.", delay=1.5))
    working = threading.Thread(target=send, args=(account, arn, new_session(), {"text": "hello"}))
    working.start()
    end = time.monotonic() + 10
    while not (found := sessions(account)) and time.monotonic() < end:
        time.sleep(0.02)
    working.join()

    assert (found[0]["working"], found[0]["turns"]) == (True, 0)
    assert sessions(account)[0]["working"] is False


def test_a_session_that_was_only_refused_is_none(account: Account, create: Callable[..., Any]) -> None:
    arn = create()["arn"]
    result = {"toolResult": {"toolUseId": "t1", "content": [{"text": "ok"}], "status": "success"}}
    with pytest.raises(Exception, match="ValidationException"):
        send(account, arn, new_session(), result)

    assert sessions(account) == []


def test_counts_are_kept_with_the_conversation() -> None:
    conversation = Conversation(turns=2)
    conversation.count({"inputTokens": 1, "outputTokens": 2, "totalTokens": 3})

    kept = Conversation.from_json(json.loads(json.dumps(conversation.to_json())))
    assert (kept.turns, kept.usage) == (2, {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3})
    assert Conversation.from_json({"messages": []}).usage["totalTokens"] == 0


def test_what_is_missing_in_the_question_is_named(account: Account) -> None:
    assert ask(account, "sessions", "account=1") == (
        400,
        {"message": "/_agentcore/sessions needs the query parameter(s) region"},
    )


def test_what_is_none_of_them_is_named(account: Account) -> None:
    assert ask(account, "secrets") == (
        404,
        {"message": "/_agentcore/secrets is none of /_agentcore/harnesses, /_agentcore/sessions"},
    )


def test_nothing_can_be_changed_there(account: Account) -> None:
    request = urllib.request.Request(f"{account.cloud.endpoint_url}/_agentcore/sessions", method="DELETE")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request)
