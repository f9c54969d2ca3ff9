"""`agentcore-harness chat` over the wire: what each turn sends, what is shown, how it ends."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import streams
from support.fake_service import ARN, Wire

from agentcore_cli.errors import FAILED, INCOMPLETE, INTERRUPTED, MISUSED, OK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Run

SESSION = "s" * 33
TWO_CALLS = [
    *streams.message(
        "assistant",
        streams.call("t7", "refund", '{"order": "12"}'),
        streams.call("t8", "notify", "{}"),
        stop="tool_use",
    ),
    streams.usage(50, 9, 200),
]
SECOND_CALL = [
    *streams.message("user", streams.result("t7", {"text": "20 EUR"}), stop="tool_result"),
    *streams.message("assistant", streams.call("t8", "notify", "{}"), stop="tool_use"),
]


@pytest.fixture(autouse=True)
def answers(cloud: Wire) -> None:
    cloud.events = streams.ANSWERED


def contents(cloud: Wire) -> list[Any]:
    """What each turn has sent."""
    return [invocation["messages"][0]["content"][0] for invocation in cloud.invocations()]


def test_each_line_is_a_turn_of_one_session(cloud: Wire, run: Run) -> None:
    result = run("chat", "research", "--session", SESSION, "--actor", "ann", stdin="one\n\ntwo\n")

    assert (result.exit_code, result.stdout) == (OK, "Bees dance.\nBees dance.\n")
    assert contents(cloud) == [{"text": "one"}, {"text": "two"}]
    assert [invocation["actorId"] for invocation in cloud.invocations()] == ["ann", "ann"]
    sessions = {headers.get("X-Amzn-Bedrock-AgentCore-Runtime-Session-Id") for *_, headers in cloud.requests[-2:]}
    assert sessions == {SESSION}
    assert result.stderr.splitlines() == [
        f"research · local cloud {cloud.endpoint}, account 000000000000, us-east-1 · session {SESSION}",
        *["end_turn · 104 in + 4 out tokens · 1.3 s"] * 2,
    ]


def test_without_a_session_a_new_one_holds_for_all_turns(cloud: Wire, run: Run) -> None:
    run("chat", "research", stdin="one\ntwo\n")

    first, second = (
        headers["X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"]
        for _, path, _, headers in cloud.requests
        if path.startswith("/harnesses/invoke")
    )
    assert first == second
    assert len(first) == 36


def test_the_name_is_looked_up_once(cloud: Wire, run: Run) -> None:
    run("chat", "research", stdin="one\ntwo\nthree\n")

    assert len([path for _, path, *_ in cloud.requests if path.startswith("/harnesses?")]) == 1


def test_commands_change_what_the_next_turns_send(cloud: Wire, run: Run) -> None:
    result = run(
        "chat",
        "research",
        stdin="/model some.model\none\n/endpoint PROD\n/actor bob\ntwo\n/model default\n/new\nthree\n",
    )

    one, two, three = cloud.invocations()
    assert one["model"] == two["model"] == {"bedrockModelConfig": {"modelId": "some.model"}}
    assert "model" not in three
    assert two["actorId"] == "bob"
    paths = [path for _, path, *_ in cloud.requests if path.startswith("/harnesses/invoke")]
    assert ["qualifier=PROD" in path for path in paths] == [False, True, True]
    sessions = [
        headers["X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"]
        for _, path, _, headers in cloud.requests
        if path.startswith("/harnesses/invoke")
    ]
    assert sessions[0] == sessions[1] != sessions[2]
    assert "Model: some.model.\n" in result.stderr
    assert f"New session: {sessions[2]}.\n" in result.stderr


def test_exit_leaves_what_is_behind_it_unread(cloud: Wire, run: Run) -> None:
    assert run("chat", "research", stdin="one\n/exit\ntwo\n").exit_code == OK
    assert contents(cloud) == [{"text": "one"}]


def test_an_endpoint_in_the_arn_is_where_the_chat_begins(cloud: Wire, run: Run) -> None:
    run("chat", f"{ARN}/harness-endpoint/PROD", stdin="one\n/endpoint BETA\ntwo\n")

    paths = [path for _, path, *_ in cloud.requests if path.startswith("/harnesses/invoke")]
    assert ["PROD" in paths[0], "BETA" in paths[1], "PROD" in paths[1]] == [True, True, False]


def test_two_endpoints_are_refused(cloud: Wire, run: Run) -> None:
    result = run("chat", f"{ARN}/harness-endpoint/PROD", "--endpoint", "BETA", stdin="one\n")

    assert (result.exit_code, cloud.invocations()) == (MISUSED, [])
    assert "--endpoint BETA contradicts the endpoint PROD that HARNESS names; give one of them." in result.stderr


def test_inline_functions_are_answered_in_order(cloud: Wire, run: Run) -> None:
    cloud.streams = [TWO_CALLS, SECOND_CALL, streams.ANSWERED]

    result = run("chat", "research", stdin="refund 12\n20 EUR\n/error no mail today\nthanks\n")

    assert (result.exit_code, result.stdout) == (OK, "Bees dance.\nBees dance.\n")
    assert contents(cloud) == [
        {"text": "refund 12"},
        {"toolResult": {"toolUseId": "t7", "content": [{"text": "20 EUR"}], "status": "success"}},
        {"toolResult": {"toolUseId": "t8", "content": [{"text": "no mail today"}], "status": "error"}},
        {"text": "thanks"},
    ]


def test_a_result_may_have_several_lines(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.HANDED_OVER]

    run("chat", "research", stdin='refund 12\n"""\n{"refunded": true}\n\n/done\n"""\n')

    assert contents(cloud)[1]["toolResult"]["content"] == [{"text": '{"refunded": true}\n\n/done'}]


def test_the_model_override_is_sent_with_the_result_too(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.HANDED_OVER]

    run("chat", "research", "--model", "some.model", stdin="refund 12\n20 EUR\n")

    assert [invocation["model"] for invocation in cloud.invocations()] == [
        {"bedrockModelConfig": {"modelId": "some.model"}}
    ] * 2


def test_a_call_nobody_answers_is_explained_at_the_end(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.HANDED_OVER]

    result = run("chat", "research", "--session", SESSION, stdin="refund 12\n")

    assert result.exit_code == OK
    assert result.stderr.splitlines()[-2:] == [
        'The agent waits for the result of the inline function refund({"order": "12"}).',
        (f"Answer it: agentcore-harness invoke research --session {SESSION} --region us-east-1 --answer t7 'RESULT'"),
    ]


def test_a_session_that_is_left_waits_for_nothing_here(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.HANDED_OVER]

    run("chat", "research", stdin="refund 12\n/new\nhello\n")

    assert contents(cloud)[1] == {"text": "hello"}


def test_json_is_a_document_for_each_answer(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.ANSWERED, streams.HANDED_OVER]

    result = run("chat", "research", "--session", SESSION, "--json", stdin="one\n/endpoint PROD\ntwo\n")

    first, second = [json.loads(line) for line in result.stdout.splitlines()]
    assert (first["text"], first["endpoint"], first["sessionId"]) == ("Bees dance.", "DEFAULT", SESSION)
    assert (second["endpoint"], second["pendingToolUses"][0]["name"]) == ("PROD", "refund")


def test_events_are_lines_for_every_turn(cloud: Wire, run: Run) -> None:
    shown = [json.loads(line) for line in run("chat", "research", "--events", stdin="one\ntwo\n").stdout.splitlines()]

    invocation, *events = shown[: len(shown) // 2]
    assert invocation["invocation"]["harnessArn"] == ARN
    assert events == streams.ANSWERED
    assert shown[len(shown) // 2 :] == [invocation, *events]


def test_json_and_events_exclude_each_other(run: Run) -> None:
    result = run("chat", "research", "--json", "--events")

    assert result.exit_code == MISUSED
    assert "--json and --events exclude each other; give one of them." in result.stderr


def test_from_a_pipe_the_first_failure_ends_it(cloud: Wire, run: Run) -> None:
    cloud.streams = [[{"exception:runtimeClientError": {"message": "The container stopped"}}]]

    result = run("chat", "research", "--json", stdin="one\ntwo\n")

    assert result.exit_code == FAILED
    assert len(cloud.invocations()) == 1
    assert json.loads(result.stdout)["error"]["code"] == "runtimeClientError"
    assert "failed with runtimeClientError: The container stopped; see `agentcore-harness logs`" in result.stderr


def test_from_a_pipe_an_incomplete_answer_ends_it(cloud: Wire, run: Run) -> None:
    cloud.streams = [streams.message("assistant", streams.text("Be"), stop="max_iterations_exceeded")]

    assert run("chat", "research", stdin="one\ntwo\n").exit_code == INCOMPLETE
    assert len(cloud.invocations()) == 1


def test_from_a_pipe_a_command_that_is_none_ends_it(cloud: Wire, run: Run) -> None:
    result = run("chat", "research", "--json", stdin="/bogus\ntwo\n")

    assert (result.exit_code, cloud.invocations()) == (MISUSED, [])
    assert json.loads(result.stdout)["error"]["code"] == "UnknownCommand"
    assert result.stderr.endswith("Begin the line with // to send it.\n")


def test_a_broken_connection_does_not_speak_of_options(cloud: Wire, run: Run) -> None:
    cloud.events, cloud.breaks_off = streams.ANSWERED[:2], True

    result = run("chat", "research", stdin="one\n")

    assert result.exit_code == FAILED
    assert result.stderr.endswith("it may still be working. The session is kept: just go on.\n")


def test_what_cannot_be_right_is_said_before_a_cloud_is_asked(cloud: Wire, run: Run) -> None:
    for words, says in (
        (("--session", "short"), "--session must have 33-100"),
        (("--endpoint", "a-b"), "--endpoint must be letters"),
        (("--model", "{"), "--model must be a Bedrock model id"),
    ):
        result = run("chat", "research", *words, stdin="one\n")
        assert (result.exit_code, says in result.stderr) == (MISUSED, True)
    assert cloud.requests == []


def test_ctrl_c_on_a_pipe_ends_it(cloud: Wire) -> None:
    cloud.events, cloud.holds_seconds = streams.ANSWERED[:2], 2
    words = [sys.executable, "-m", "agentcore_cli", "chat", "research", "--session", SESSION]
    command = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdin is not None
    assert command.stdout is not None

    command.stdin.write(b"one\ntwo\n")
    command.stdin.flush()
    early = os.read(command.stdout.fileno(), 100)
    command.send_signal(signal.SIGINT)
    late, err = command.communicate(timeout=20)

    assert (early, late) == (b"Bees ", b"\n")
    assert command.returncode == INTERRUPTED
    assert err.decode().splitlines()[1:] == [
        "agentcore-harness: Interrupted; the agent may still be working. The session is kept: just go on."
    ]
    assert len(cloud.invocations()) == 1


# --- on a terminal ------------------------------------------------------------------------------------------------


@dataclass
class Terminal:
    """A chat on a pseudo terminal, with stdout and stderr on it."""

    process: subprocess.Popen[bytes]
    handle: int
    shown: str = ""
    _read: int = field(default=0)

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """What has been shown since the last call, up to and with a text."""
        end = time.monotonic() + seconds
        while text not in self.shown[self._read :]:
            readable, _, _ = select.select([self.handle], [], [], max(0.0, end - time.monotonic()))
            assert readable, self.shown
            self.shown += os.read(self.handle, 4096).decode(errors="replace").replace("\r\n", "\n")
        start, self._read = self._read, self.shown.index(text, self._read) + len(text)
        return self.shown[start : self._read]

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    def interrupt_line(self) -> None:
        """Types Ctrl-C into a line once the chat waits for its next key.

        Python's readline looks at signals when they interrupt that wait; one that comes just before it is seen with the
        next key.
        """
        state = Path(f"/proc/{self.process.pid}/stat")
        end = time.monotonic() + 20
        while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < end, self.shown
            time.sleep(0.005)
        self.type("\x03")


@pytest.fixture
def terminal(cloud: Wire) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    # A session of its own with the terminal as its controlling one: Ctrl-C is then a signal, as for a person.
    code = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "os.execv(sys.executable, [sys.executable, '-m', 'agentcore_cli', *sys.argv[1:]])"
    )
    words = [sys.executable, "-c", code, "chat", "research", "--session", SESSION]
    env = {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
    child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    yield Terminal(child, ours)
    child.kill()
    child.wait()
    os.close(ours)


def test_a_person_is_greeted_asked_and_told_how_to_come_back(cloud: Wire, terminal: Terminal) -> None:
    greeting = terminal.wait_for("you> ")
    terminal.type("one\n")
    answer = terminal.wait_for("you> ")
    terminal.type("\x04")
    farewell = terminal.wait_for("--region us-east-1\n")

    assert "/help shows the commands, Ctrl-D leaves." in greeting
    assert "Bees dance.\nend_turn · 104 in + 4 out tokens · 1.3 s\n" in answer
    assert farewell.strip() == f"Go on: agentcore-harness chat research --session {SESSION} --region us-east-1"
    assert terminal.process.wait(10) == OK


def test_what_a_person_is_told_to_type_can_be_typed(cloud: Wire, terminal: Terminal) -> None:
    model = {"bedrockModelConfig": {"modelId": "m", "temperature": 0}}
    terminal.wait_for("you> ")
    terminal.type('/model {"bedrockModelConfig": \\\n{"modelId": "m", "temperature": 0}}\none\n')
    terminal.wait_for("Bees dance.")
    terminal.wait_for("you> ")
    terminal.type("\x04")
    farewell = terminal.wait_for("--region us-east-1\n")

    words = shlex.split(farewell.rpartition("Go on: ")[2])
    assert json.loads(words[words.index("--model") + 1]) == model


def test_a_chat_without_a_word_says_nothing_at_the_end(cloud: Wire, terminal: Terminal) -> None:
    terminal.wait_for("you> ")
    terminal.type("/exit\n")

    assert terminal.process.wait(10) == OK
    assert "Go on:" not in terminal.shown


def test_a_person_is_told_whose_result_the_next_line_is(cloud: Wire, terminal: Terminal) -> None:
    cloud.streams = [TWO_CALLS, SECOND_CALL]
    terminal.wait_for("you> ")
    terminal.type("refund 12\n")
    asked = terminal.wait_for("refund> ")
    terminal.type("20 EUR\n")
    then = terminal.wait_for("notify> ")
    terminal.type("sent\n")
    terminal.wait_for("you> ")

    assert "Your line is the result of refund; /error MESSAGE says that it failed. After it: notify.\n" in asked
    assert "Your line is the result of notify; /error MESSAGE says that it failed.\n" in then
    assert [content["toolResult"]["toolUseId"] for content in contents(cloud)[1:]] == ["t7", "t8"]


def test_ctrl_c_stops_the_answer_and_keeps_the_chat(cloud: Wire, terminal: Terminal) -> None:
    cloud.streams, cloud.holds_seconds = [streams.ANSWERED[:2]], 3
    terminal.wait_for("you> ")
    terminal.type("one\n")
    terminal.wait_for("Bees ")
    terminal.type("\x03")
    stopped = terminal.wait_for("you> ")
    cloud.holds_seconds = 0
    terminal.type("two\n")
    terminal.wait_for("Bees dance.")

    assert (
        "agentcore-harness: Interrupted; the agent may still be working. The session is kept: just go on.\n" in stopped
    )
    assert contents(cloud) == [{"text": "one"}, {"text": "two"}]


def test_ctrl_c_at_the_prompt_drops_the_line_and_keeps_the_chat(cloud: Wire, terminal: Terminal) -> None:
    terminal.wait_for("you> ")
    terminal.type("never mi")
    terminal.wait_for("never mi")
    terminal.interrupt_line()
    terminal.wait_for("Ctrl-D or /exit leaves.")
    terminal.wait_for("you> ")
    terminal.type("one\n")
    terminal.wait_for("Bees dance.")

    assert contents(cloud) == [{"text": "one"}]


def test_a_failure_keeps_the_chat_of_a_person(cloud: Wire, terminal: Terminal) -> None:
    cloud.streams = [[{"exception:runtimeClientError": {"message": "The container stopped"}}]]
    terminal.wait_for("you> ")
    terminal.type("one\n")
    failed = terminal.wait_for("you> ")
    terminal.type("/bogus\n")
    refused = terminal.wait_for("you> ")
    terminal.type("two\n")
    terminal.wait_for("Bees dance.")

    assert "The container stopped" in failed
    assert "The chat has no command /bogus" in refused
    assert len(cloud.invocations()) == 2


def test_a_call_whose_answer_failed_is_asked_for_again(cloud: Wire, terminal: Terminal) -> None:
    cloud.streams = [streams.HANDED_OVER, [{"exception:internalServerException": {"message": "Oops"}}]]
    terminal.wait_for("you> ")
    terminal.type("refund 12\n")
    terminal.wait_for("refund> ")
    terminal.type("20 EUR\n")
    terminal.wait_for("refund> ")
    terminal.type("20 EUR\n")
    terminal.wait_for("you> ")

    assert [content["toolResult"]["toolUseId"] for content in contents(cloud)[1:]] == ["t7", "t7"]
