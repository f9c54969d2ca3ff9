"""How a chat reads what is typed: lines, continuations, blocks, commands; from a pipe and from a terminal."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from agentcore_cli import turns
from agentcore_cli.errors import MISUSED, CliError
from agentcore_cli.turns import Turn

if TYPE_CHECKING:
    from collections.abc import Callable


def lines(*typed: str) -> tuple[Callable[[str], str], list[str]]:
    """A source of lines, and the prompts it was given."""
    waiting, prompts = list(typed), []

    def line(prompt: str) -> str:
        prompts.append(prompt)
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return line, prompts


def read(*typed: str) -> Turn:
    return turns.read(lines(*typed)[0], "you> ")


def test_a_line_is_a_turn() -> None:
    assert read("hello there", "next") == Turn("hello there")


def test_blank_lines_between_turns_are_nothing() -> None:
    assert read("", "  ", "hello") == Turn("hello")


def test_the_end_of_the_input_is_no_turn() -> None:
    with pytest.raises(EOFError):
        read("", "")


def test_a_backslash_goes_on_in_the_next_line() -> None:
    line, prompts = lines("one\\", "two\\", "three", "four")

    assert turns.read(line, "you> ") == Turn("one\ntwo\nthree")
    assert prompts == ["you> ", "... ", "... "]


def test_the_end_of_the_input_ends_a_continuation() -> None:
    assert read("one\\") == Turn("one")


def test_a_block_is_one_turn_as_it_stands() -> None:
    assert read('"""', "/one", "", "two\\", '  """', "three") == Turn("/one\n\ntwo\\")


def test_the_end_of_the_input_ends_a_block() -> None:
    assert read('"""', "one", "two") == Turn("one\ntwo")


def test_a_paste_of_several_lines_is_one_turn_and_no_command() -> None:
    assert read("/one\ntwo\\\n") == Turn("/one\ntwo\\")


@pytest.mark.parametrize(
    ("typed", "turn"),
    [
        ("/new", Turn("", "new")),
        ("/model  some.model ", Turn("some.model", "model")),
        ('/model {"a": 1}', Turn('{"a": 1}', "model")),
        ("//tmp is full", Turn("/tmp is full")),
        ("/", Turn("", "")),
        (" /new", Turn(" /new")),
    ],
)
def test_a_slash_begins_a_command(typed: str, turn: Turn) -> None:
    assert read(typed) == turn


def test_a_command_may_go_on_in_the_next_line() -> None:
    assert read("/model {\\", '"a": 1}') == Turn('{\n"a": 1}', "model")


def test_a_pipe_is_read_without_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\r\ntwo"))
    line = turns.source()

    assert [line("you> "), line("you> ")] == ["one", "two"]
    with pytest.raises(EOFError):
        line("you> ")
    assert capsys.readouterr() == ("", "")


def test_a_prompt_does_not_get_into_a_file_of_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = io.StringIO("hello\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)

    assert turns.source()("you> ") == "hello"
    assert capsys.readouterr() == ("", "you> ")


def test_what_is_no_text_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), encoding="utf-8"))

    with pytest.raises(CliError, match=r"^The input must be text in UTF-8; 'utf-8' codec can't decode") as caught:
        turns.source()("")
    assert caught.value.exit_code == MISUSED


def test_a_paste_on_a_terminal_is_one_turn() -> None:
    code = (
        "from agentcore_cli import turns; line = turns.source(); "
        "print(turns.read(line, 'you> ')); print(turns.read(line, 'you> '))"
    )
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    shown = until(ours, "you> ")
    os.write(ours, b"\x1b[200~one\ntwo\x1b[201~\r")
    shown += until(ours, "you> ")
    os.write(ours, b"three\r")
    shown += until(ours, "Turn(text='three', command=None)")
    child.wait(10)
    os.close(ours)

    assert "Turn(text='one\\ntwo', command=None)" in shown


def until(terminal: int, text: str, seconds: float = 20) -> str:
    """What a terminal shows until a text is there."""
    shown, end = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < end, shown
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
