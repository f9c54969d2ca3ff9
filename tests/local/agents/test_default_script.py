"""The scripted model without a script: visible work, the same every time."""

from __future__ import annotations

import pytest


def names(stream) -> list[str]:
    return [call["name"] for call in stream.calls]


def test_a_coding_agent_writes_code_and_runs_its_test(caller):
    stream = caller(name="coding_agent").say("Implement the identifiers")
    assert names(stream) == ["file_operations"] * 3 + ["shell"]
    assert "Ran 2 tests\n\nOK" in stream.text
    assert stream.stop == "end_turn"


def test_a_data_agent_computes_with_the_numbers_of_the_prompt(caller):
    stream = caller(name="analytics_agent").say("What is the average of 3, 5 and 8.5?")
    assert "rows 3, sum 16.5, mean 5.50, min 3, max 8.5" in stream.text


def test_a_research_agent_outlines_its_notes(caller):
    stream = caller(name="research_agent").say("Report on quantum error correction")
    assert "## Quantum" in stream.text
    assert "## Correction" in stream.text


def test_it_says_that_it_is_scripted_and_in_whose_place(caller):
    stream = caller(allowedTools=["@none"]).say("Hello there")
    assert stream.text.startswith("You said: Hello there")
    assert "(Scripted answer of the local cloud in place of global.anthropic.claude-sonnet-4-6.)" in stream.text


def test_of_a_long_prompt_it_repeats_the_beginning(caller):
    client = caller(allowedTools=["@none"])
    stream = client.say("x" * 1_000_000)
    assert stream.text.startswith(f"You said: {'x' * 10_000}… (1,000,000 characters)\n")
    assert f"began with: {'x' * 10_000}… (1,000,000 characters)" in client.say("And now?").text


def test_the_same_conversation_has_the_same_answers(caller):
    one, two = (caller(name="coding_agent").say("Fix the bug") for _ in range(2))
    assert one.text == two.text
    assert one.results == two.results


def test_it_works_with_the_shell_alone(caller):
    stream = caller(allowedTools=["shell"]).say("Look around")
    assert names(stream) == ["shell"]
    assert "/workspace" in stream.text


def test_it_calls_an_inline_function_the_prompt_names(caller, inline):
    schema = {
        "type": "object",
        "properties": {
            "order": {"type": "string"},
            "amount": {"type": "number"},
            "count": {"type": "integer"},
            "reason": {"type": "string", "enum": ["late", "broken"]},
            "flags": {"type": "array"},
            "urgent": {"type": "boolean"},
            "who": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        },
    }
    client = caller(tools=[inline("refund_order", **schema)])
    stream = client.say("Please refund order 'A-17' with 20.5 for 3 items")
    assert stream.stop == "tool_use"
    pieces = [p["delta"]["toolUse"]["input"] for p in stream.named("contentBlockDelta") if "toolUse" in p["delta"]]
    assert "".join(pieces) == (
        '{"order": "A-17", "amount": 20.5, "count": 3, "reason": "late", "flags": [], "urgent": true, '
        '"who": {"name": "example"}}'
    )
    assert (
        "Done. The last step gave:\n\nrefunded"
        in client.answer(stream.calls[0]["toolUseId"], {"text": "refunded"}).text
    )


def test_it_tells_when_a_tool_did_not_work(caller):
    client = caller(tools=[{"type": "agentcore_browser", "name": "browser"}], allowedTools=["@browser"])
    assert "A tool did not work: The argument url is missing." in client.say("Use the browser").text


def test_it_remembers_how_the_session_began(caller):
    client = caller(name="research_agent")
    client.say("Report on tea")
    stream = client.say("thanks")
    assert names(stream) == []
    assert "This session began with: Report on tea (1 message(s) before this one.)" in stream.text


@pytest.mark.parametrize("prompt", ["$x ${y} $$", "it's; rm -rf / #", "'''", '"""\\', "é \u2028 😀", "---\n# x"])
def test_awkward_prompts_do_no_harm(caller, prompt):
    for name in ("coding_agent", "analytics_agent", "research_agent"):
        stream = caller(name=name).say(prompt)
        assert stream.stop == "end_turn"
        assert all(status == "success" for status, _text in stream.results)


def test_a_message_without_text_is_answered(caller):
    stream = caller(allowedTools=["@none"]).send(
        [{"role": "user", "content": [{"reasoningContent": {"reasoningText": {"text": "hm"}}}]}]
    )
    assert stream.text.startswith("There is nothing to answer.")
