"""How a stream looks: what goes to stdout, what to stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import streams
from support.streams import Event, call, message, reasoning, result, text

from agentcore_cli.render import Piece, Renderer, shorten, usage_line, waiting_lines
from agentcore_cli.stream import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable


def pieces(events: Iterable[Event]) -> list[Piece]:
    renderer = Renderer()
    return [piece for event in events for piece in renderer.feed(event)] + list(renderer.finish())


def written(events: Iterable[Event], channel: str) -> str:
    return "".join(piece.text for piece in pieces(events) if piece.channel == channel)


def both(events: Iterable[Event]) -> str:
    """What a terminal shows, where both channels meet."""
    return "".join(piece.text for piece in pieces(events))


def test_text_arrives_piece_by_piece() -> None:
    assert [piece.text for piece in pieces(streams.ANSWERED)] == ["Bees ", "dance.", "\n"]


def test_stdout_holds_the_answer_and_nothing_else() -> None:
    assert written(streams.WORKED, "out") == "I look.\nYou are in /work.\n"


def test_a_terminal_shows_every_step_on_a_line_of_its_own() -> None:
    assert both(streams.WORKED).splitlines() == [
        "I look.",
        '→ shell {"command": "pwd"}',
        "← /work",
        "hook audit after_tool_call: allow",
        "You are in /work.",
    ]


def test_a_call_shows_before_its_input_is_complete() -> None:
    events = message("assistant", call("t1", "shell", '{"command": '), stop="tool_use")[:3]

    assert both(events) == "→ shell \n"


def test_a_failed_tool_is_red_and_says_so() -> None:
    found = pieces(message("user", result("t", {"text": "no such file"}, status="error"), stop="tool_result"))

    assert Piece("err", "← error: no such file", "red") in found


def test_a_result_may_be_json_several_blocks_or_nothing() -> None:
    blocks = (result("a", {"json": {"n": 1}}, {"text": "two"}), result("b"))

    assert both(message("user", *blocks, stop="tool_result")).splitlines() == ['← {"n": 1} two', "← "]


def test_a_tool_of_a_server_is_named_with_it() -> None:
    events = message("assistant", call("t", "search", "{}", serverName="web"), stop="tool_use")

    assert both(events) == "→ web/search {}\n"


def test_reasoning_is_set_apart_and_signatures_are_not_shown() -> None:
    thought = reasoning({"text": "Hm, "}, {"text": "bees."}, {"signature": "c2ln"})

    assert both(message("assistant", thought, text("Bees."), stop="end_turn")) == "thinking: Hm, bees.\nBees.\n"
    assert written(message("assistant", thought, stop="end_turn"), "out") == ""
    assert both(message("assistant", reasoning({"redactedContent": b"x"}), stop="end_turn")) == "thinking: [redacted]\n"


def test_a_hook_that_denies_stands_out() -> None:
    event = {
        "hookEvent": {
            "hookEventId": "x",
            "name": "gate",
            "type": "before_tool_call",
            "decision": "deny",
            "reason": "no",
        }
    }

    assert pieces([event])[0] == Piece("err", "hook gate before_tool_call: deny (no)", "yellow")


def test_a_hook_between_a_call_and_its_input_leaves_both_readable() -> None:
    events = message("assistant", call("t1", "shell", "{}"), stop="tool_use")
    hook = {"hookEvent": {"hookEventId": "x", "name": "audit", "type": "before_tool_call"}}

    assert both([*events[:3], hook, *events[3:]]).splitlines() == ["→ shell ", "hook audit before_tool_call", "{}"]


def test_metadata_of_a_result_is_shown() -> None:
    assert "  metadata {}" in both(message("user", result("t", metadata="{}"), stop="tool_result"))


def test_what_this_version_does_not_know_is_shown() -> None:
    events = [{"surprise": {"a": 1}}, {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"video": 1}}}]

    assert both(events) == '? surprise {"a": 1}\n? {"video": 1}\n'


@pytest.mark.parametrize(("length", "cut"), [(300, False), (301, True)])
def test_long_inputs_are_cut_with_their_true_length(length: int, cut: bool) -> None:
    shown = shorten("x" * length)

    assert shown.endswith("… (301 characters)") is cut
    assert shown.startswith("x" * 300)


def test_lines_are_joined() -> None:
    assert shorten("a\n  b\tc") == "a b c"


def test_the_last_line_sums_up() -> None:
    assert usage_line(Reply.of(streams.WORKED)) == "end_turn · 300 in + 30 out tokens (90 from the cache) · 1.2 s"
    assert usage_line(Reply.of(streams.HANDED_OVER)).endswith(" · 200 ms")
    assert usage_line(Reply()) == "no stop reason"


def test_the_way_to_answer_an_inline_function_is_a_command() -> None:
    pending = Reply.of(streams.HANDED_OVER).pending

    assert waiting_lines(pending, ["agentcore-harness", "invoke", "support", "--session", "s 1"]) == [
        'The agent waits for the result of the inline function refund({"order": "12"}).',
        "Answer it: agentcore-harness invoke support --session 's 1' --answer t7 'RESULT'",
    ]


def test_calls_that_wait_behind_the_first_are_named() -> None:
    pending = [{"toolUseId": identifier, "name": identifier, "input": {}} for identifier in ("a", "b", "c")]

    assert waiting_lines(pending, ["x"])[1] == "After it: b, c; they are answered one at a time."
