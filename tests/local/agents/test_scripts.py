"""Scripts of the scripted model: from Python and YAML, and what is wrong with malformed ones."""

from __future__ import annotations

import pytest

from agentcore_local import agents
from agentcore_local.agents.scripts import ModelCall, ScriptError, Turn, parse
from agentcore_local.faults import StreamFailed

YAML = """
rules:
  - when: {prompt: refund, tools: [refund]}
    turns:
      - text: Let me see.
        tool_calls: [{name: refund, input: {order: A1}}]
      - "The tool said: $tool_result"
  - when: {model: gemini}
    turns: ["$model heard $prompt for $$5"]
  - turns:
      - {text: cut off, stop_reason: max_tokens}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "script.yaml"

    def write(text: str) -> str:
        path.write_text(text)
        return str(path)

    return write


def test_a_script_from_yaml(caller, inline, file):
    agents.scripts.register("support", file(YAML))
    client = caller(name="support", tools=[inline("refund")])
    first = client.say("Please REFUND me")
    assert first.text == "Let me see."
    assert client.answer(first.calls[0]["toolUseId"], {"text": "done"}).text == "The tool said: done"


def test_rules_are_tried_in_order(caller, file):
    agents.scripts.register("support", file(YAML))
    client = caller(name="support")
    gemini = {"geminiModelConfig": {"modelId": "gemini-2.5-pro", "apiKeyArn": "arn"}}
    assert client.say("refund", model=gemini).text == "gemini-2.5-pro heard refund for $5"
    assert client.say("hello").stop == "max_tokens"


def test_a_file_may_hold_scripts_for_several_harnesses(caller, file):
    agents.scripts.registry.load(file("harnesses: {one: [turns: [I am one]]}\nrules: [turns: [I am another]]"))
    assert caller(name="one").say().text == "I am one"
    assert caller(name="two").say().text == "I am another"


def test_a_file_named_in_the_environment_is_used(caller, file, monkeypatch):
    monkeypatch.setenv("AGENTCORE_LOCAL_SCRIPT", file("- turns: [from the file]"))
    assert caller().say().text == "from the file"


def test_a_broken_file_named_in_the_environment_is_said_at_the_first_call(caller, file, monkeypatch):
    monkeypatch.setenv("AGENTCORE_LOCAL_SCRIPT", file("- turns: []"))
    with pytest.raises(StreamFailed, match=r"rules\[0\].turns must be a list of at least one turn"):
        caller().say()


def test_the_most_particular_script_speaks(caller):
    client = caller(name="one")
    agents.scripts.register(None, lambda _call: "any")
    assert client.say().text == "any"
    agents.scripts.register("one", lambda _call: "name")
    assert client.say().text == "name"
    agents.scripts.register(client.harness["arn"], lambda _call: "arn")
    assert client.say().text == "arn"
    assert caller(name="two").say().text == "any"


def test_a_script_may_be_a_coroutine(caller, script):
    async def speak(call: ModelCall) -> Turn:
        return Turn(text=call.session_id[:7])

    script(speak)
    assert caller().say().text == "session"


def test_a_script_knows_where_it_speaks(caller, script):
    seen: list[ModelCall] = []
    script(lambda call: seen.append(call) or "ok")
    client = caller(name="support")
    client.say("one", actorId="ann")
    client.say("two", actorId="ann")
    call = seen[1]
    assert (call.harness_name, call.session_id, call.actor_id) == ("support", client.session, "ann")
    assert (call.prompt, call.turn, len(call.messages)) == ("two", 1, 3)


def test_turns_are_counted_from_the_prompt_also_across_invocations(caller, script, inline, calling):
    turns = []

    def speak(call):
        turns.append(call.turn)
        return calling("refund") if call.turn == 1 else "ok"

    script(speak)
    client = caller(tools=[inline("refund")])
    client.answer(client.say().calls[0]["toolUseId"])
    client.answer(client.say().calls[0]["toolUseId"])
    assert turns == [1, 2, 1, 2]


def test_the_same_conversation_has_the_same_ids(caller, script, inline, calling):
    script(calling("refund", n=1))
    ids = []
    for _ in range(2):
        agents.sessions.clear()
        ids.append(caller(session="s" * 33, tools=[inline("refund")]).say("x").calls[0]["toolUseId"])
    assert ids[0] == ids[1]


def test_each_call_of_a_conversation_has_an_id_of_its_own(caller, script, calling):
    listing = {"command": "list", "path": "."}
    script(lambda call: calling("file_operations", **listing) if call.turn < 4 else "ok")
    client = caller(truncation={"strategy": "sliding_window", "config": {"slidingWindow": {"messagesCount": 4}}})
    ids = [call["toolUseId"] for _ in range(3) for call in client.say("same").calls]
    assert len(set(ids)) == len(ids) == 9


def test_a_script_that_runs_out_of_turns_says_so(caller, inline, file):
    agents.scripts.register(None, [{"turns": [{"tool_calls": [{"name": "file_operations", "input": {}}]}]}])
    with pytest.raises(StreamFailed, match=r"rules\[0\] has 1 turn\(s\), and the agent asks for turn 2"):
        caller().say()


def test_a_prompt_no_rule_matches_is_said(caller):
    agents.scripts.register(None, [{"when": {"prompt": "^x$"}, "turns": ["ok"]}])
    with pytest.raises(StreamFailed, match="No rule matches the prompt 'hello'; add a last rule without 'when'"):
        caller().say("hello")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([], "A script must be a list of rules"),
        ({}, "A script must be a list of rules"),
        ("text that is no file", "The script text that is no file cannot be read"),
        ([{"turn": ["x"]}], "rules[0] must hold only turns, when; received turn."),
        ([{"turns": "x"}], "rules[0].turns must be a list of at least one turn."),
        (
            [{"turns": ["x"], "when": {"promt": "x"}}],
            "rules[0].when must hold only model, prompt, tools; received promt.",
        ),
        (
            [{"turns": ["x"], "when": {"prompt": "("}}],
            "rules[0].when.prompt must be a regular expression; received '('",
        ),
        ([{"turns": [3]}], "rules[0].turns[0] must be a mapping; received int."),
        ([{"turns": [{"txt": "x"}]}], "rules[0].turns[0] must hold only delay, error, reasoning,"),
        ([{"turns": [{"tool_calls": [{}]}]}], "rules[0].turns[0].tool_calls[0].name is missing."),
        ([{"turns": [{"error": "fire"}]}], "rules[0].turns[0].error.kind must be one of throttling,"),
    ],
)
def test_malformed_scripts_are_refused_with_their_place(script, message):
    with pytest.raises(ScriptError) as caught:
        parse(script)
    assert str(caught.value).startswith(message)


def test_yaml_that_does_not_parse_is_refused(file):
    with pytest.raises(ScriptError, match="cannot be read"):
        parse(file("a: [b"))


def test_errors_can_be_written_in_yaml():
    rule = {"turns": [{"text": "a b", "error": {"kind": "drop", "message": "gone", "after_tokens": 1}}]}
    turn = parse([rule])(ModelCall("x", 1, [], "", {}, [], "m", "h", "s", "a"))
    assert turn.error.after_tokens == 1
