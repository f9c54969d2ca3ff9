"""InvokeAgentRuntimeCommand on the local cloud: on the session's machine, past the agent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import wire
from support.behaviours import behaviour

from agentcore_local import agents
from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from agentcore_local import Account

TOPIC = "Commands in sessions"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeAgentRuntimeCommand.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html",
)
SESSION = "a-session-of-at-least-33-characters-x"


def run(account: Account, arn: str, command: str, **more: Any) -> tuple[str, str, dict[str, Any]]:
    body = {"command": command, **more}
    client = account.client("bedrock-agentcore")
    stream = client.invoke_agent_runtime_command(agentRuntimeArn=arn, runtimeSessionId=SESSION, body=body)["stream"]
    chunks = [event["chunk"] for event in stream]
    assert chunks[0] == {"contentStart": {}}
    pieces = [chunk["contentDelta"] for chunk in chunks[1:-1]]
    texts = ("".join(piece.get(name, "") for piece in pieces) for name in ("stdout", "stderr"))
    return *texts, chunks[-1]["contentStop"]  # type: ignore[return-value]  # two texts


@pytest.fixture
def arn(account: Account) -> str:
    return wire.created(account)


@behaviour(
    "InvokeAgentRuntimeCommand takes a harness' ARN and runs in the session's microVM, where the agent works",
    status="approximated",
    note="In the directories that stand for it, as a user without rights; on AWS as root.",
)
def test_runs_where_the_agent_works(account: Account, arn: str) -> None:
    assert run(account, arn, "echo one > note; echo said; echo warned >&2; exit 3") == (
        "said\n",
        "warned\n",
        {"exitCode": 3, "status": "COMPLETED"},
    )
    turns = [Turn(tool_calls=[ToolCall("shell", {"command": "cat note; echo two > answer"})]), "$tool_result"]
    account.cloud.script(arn, lambda call: turns[min(call.turn, 2) - 1])
    client = account.client("bedrock-agentcore")
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    stream = client.invoke_harness(harnessArn=arn, runtimeSessionId=SESSION, messages=messages)["stream"]
    assert "one" in str(list(stream))
    assert run(account, arn, "cat answer")[0] == "two\n"


@behaviour("What takes longer than `timeout` (1 to 3600 seconds, 300 unless set) ends with `TIMED_OUT`, exit code -1")
def test_ends_what_takes_too_long_and_what_it_has_started(account: Account, arn: str) -> None:
    said, _, stop = run(account, arn, "echo begun; (sleep 3; echo late > late) & sleep 30", timeout=1)
    assert (said, stop) == ("begun\n", {"exitCode": -1, "status": "TIMED_OUT"})
    assert run(account, arn, "ls")[0] == ""


@behaviour("stdout and stderr come as they are written, then the exit code")
def test_passes_on_much_output_of_any_encoding(account: Account, arn: str) -> None:
    said, _, _ = run(account, arn, "head -c 300000 /dev/zero | tr '\\0' x; printf '\\303\\244\\377'")
    assert (len(said), said[-2:]) == (300_002, "ä\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"body": {"command": "ls", "timeout": 3601}}, "ValidationException", "1-3600 seconds; received 3601"),
        ({"qualifier": "nowhere"}, "ResourceNotFoundException", "nowhere"),
    ],
)
def test_refuses(account: Account, arn: str, given: dict[str, Any], code: str, words: str) -> None:
    request = {"agentRuntimeArn": arn, "runtimeSessionId": SESSION, "body": {"command": "ls"}, **given}
    with pytest.raises(ClientError, match=words) as refused:
        account.client("bedrock-agentcore").invoke_agent_runtime_command(**request)
    assert refused.value.response["Error"]["Code"] == code


@behaviour("It starts the session if there is none: without what that takes of the role it is refused, HTTP 424")
def test_starts_the_session_with_the_role(account: Account, arn: str) -> None:
    account.client("iam").delete_role_policy(RoleName="agent", PolicyName="all")
    with pytest.raises(
        ClientError, match=r"its image could not be pulled: .* ecr-public:GetAuthorizationToken"
    ) as denied:
        run(account, arn, "echo hello")
    assert denied.value.response["Error"]["Code"] == "RuntimeClientError"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424

    account.client("iam").delete_role(RoleName="agent")
    with pytest.raises(ClientError, match="cannot be assumed"):
        run(account, arn, "echo hello")
    assert not any(session.visitors for session in agents.sessions)


@behaviour("A harness with a JWT authorizer refuses it with SigV4: 403, authorization method mismatch")
def test_one_method(account: Account, arn: str) -> None:
    authorizer = {
        "customJWTAuthorizer": {
            "discoveryUrl": "https://id.example.com/.well-known/openid-configuration",
            "allowedAudience": ["me"],
        }
    }
    account.client("bedrock-agentcore-control").update_harness(
        harnessId=arn.rpartition("/")[2], authorizerConfiguration={"optionalValue": authorizer}
    )
    with pytest.raises(ClientError, match="Authorization method mismatch") as refused:
        run(account, arn, "ls")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@behaviour(
    "A caller that hangs up",
    status="approximated",
    note="The command ends with it. What the service does is not documented.",
)
def test_ends_with_its_caller(account: Account, arn: str) -> None:
    body = {"command": "while :; do date +%s%N > beat; echo on; sleep 0.05; done"}
    client = account.client("bedrock-agentcore")
    stream = client.invoke_agent_runtime_command(agentRuntimeArn=arn, runtimeSessionId=SESSION, body=body)["stream"]
    next(event for event in stream if "contentDelta" in event["chunk"])
    stream.close()

    end = time.monotonic() + 10
    while any(session.visitors for session in agents.sessions):
        assert time.monotonic() < end
        time.sleep(0.05)
    last = run(account, arn, "cat beat")[0]
    time.sleep(0.3)
    assert run(account, arn, "cat beat")[0] == last
