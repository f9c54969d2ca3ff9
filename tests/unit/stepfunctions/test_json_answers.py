"""JSON in the answers of agents: found in prose, checked, and refused with the reason."""

from __future__ import annotations

import contextlib
import enum
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonata as engine
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from support.workflows import Machine, evaluate

from agentcore_constructs import Harness, HarnessConfigError
from agentcore_stepfunctions import InvokeHarness, Message, jsonata

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT = Path(__file__).resolve().parents[3]


class Mood(enum.Enum):
    """How somebody feels."""

    GOOD = "good"
    BAD = "bad"


class Verdict(BaseModel):
    """A verdict."""

    score: int
    mood: Mood
    kind: Literal["final"] = "final"
    comment: str | None = None
    details: dict[str, Any] = {}
    tags: list[str] = []


GOOD = {"score": 3, "mood": "good", "details": {"a": {"b": '}{"` \\'}}, "tags": ["x"], "comment": None}
VERDICT = InvokeHarness.parse_json(Verdict)
OPEN = InvokeHarness.parse_json({"type": "object", "properties": {"any": {}}})


def read(text: str | None, answer: Any = VERDICT) -> Any:
    content = [] if text is None else [{"Text": text}]
    return evaluate(answer.expression, result={"Output": {"Message": {"Role": "assistant", "Content": content}}})


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Here you are:\n{}\nAnything else?",
        "```json\n{}\n```",
        "``` \n{}\n```",
        "Sure {{ok}}:\n```json\n{}\n```\nI used {{x}}.",
        "<thinking>{{maybe}}, it's {{{{ok}}}}</thinking>\n{}\nSee {{x}}.",
        "```python\nd = {{'z': 1}}\n```\n```json\n{}\n```",
        'A draft: {{"score": 1, "mood": "bad"}} And now: {}',
        'It must fit {{"type": "object"}}: {} and not {{"score": "3"}}.',
        "[{}]",
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_object_is_found(around: str, indent: int | None) -> None:
    value = {**GOOD, "details": {"a": {"b": '}{" \\ é😀 `x` ```'}}}
    assert read(around.format(json.dumps(value, indent=indent))) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no text"),
        ("I cannot.", "there is no JSON object in the text"),
        ("{'score': 3}", "there is no JSON object in the text"),
        ('{"score": 3', "there is no JSON object in the text"),
        ('{"score": 3, "details": {"score": 3, "mood": "good"}, "to', "there is no JSON object in the text"),
        ('{"score": 3, "details": {"score": 3, "mood": "good"},}', "there is no JSON object in the text"),
        ('{score: 3, "details": {"score": 3, "mood": "good"}}', "there is no JSON object in the text"),
        ('{"mood": "good"}', "score is missing"),
        ('{"score": 3}', "mood is missing"),
        ('{"score": "3", "mood": "good"}', "score must be of type integer, not string"),
        ('{"score": 3.5, "mood": "good"}', "score must be of type integer, not number"),
        ('{"score": null, "mood": "good"}', "score must be of type integer, not null"),
        ('{"score": 3, "mood": "so-so"}', 'mood must be one of "good", "bad"'),
        ('{"score": 3, "mood": "good", "kind": "draft"}', 'kind must be one of "final"'),
        ('{"score": 3, "mood": "good", "comment": 4}', "comment must be of type string or null, not number"),
        ('{"score": 3, "mood": "good", "tags": {}}', "tags must be of type array, not object"),
        ('{"score": true}', "score must be of type integer, not boolean; mood is missing"),
    ],
)
def test_what_is_wrong_is_said(text: str | None, why: str) -> None:
    with pytest.raises(engine.jexception.JException) as raised:
        read(text)
    assert f"The answer is not as asked for: {why}" in str(raised.value)


@pytest.mark.parametrize("text", [None, "no", '{"score": 3}', "{,}"])
def test_a_fallback_stands_in(text: str | None) -> None:
    answer = InvokeHarness.parse_json(Verdict, fallback={"score": 0, "mood": "it's", "why": jsonata("$all")})
    assert read(text, answer) == {"score": 0, "mood": "it's", "why": text or ""}
    assert read(json.dumps(GOOD), answer)["score"] == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=3), st.sampled_from([None, 1]), st.booleans())
def test_whatever_is_json_is_taken(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json.dumps(read(written, OPEN), sort_keys=True) == json.dumps(value, sort_keys=True)


@settings(max_examples=150)
@given(st.text(alphabet='{}[]",:0-1.e ntrueflas\\', max_size=12))
def test_whatever_is_not_json_is_refused_and_not_parsed(text: str) -> None:
    written = "{" + text + "}"
    found = read(written, InvokeHarness.parse_json({"type": "object", "properties": {"any": {}}}, fallback="fallback"))
    try:
        expected: Any = json.loads(written)
    except ValueError:
        # It may consist of several objects.
        expected = found if found in objects_in(written) else "fallback"
    assert found == expected


def objects_in(text: str) -> list[Any]:
    """Whatever can be decoded from any brace on."""
    found = []
    for start in (index for index, character in enumerate(text) if character == "{"):
        with contextlib.suppress(ValueError):
            found.append(json.JSONDecoder().raw_decode(text, start)[0])
    return found


@pytest.mark.parametrize("inner", [{}, {"any": {"any": 1}}])
def test_what_is_cut_off_is_never_half_taken(inner: dict[str, Any]) -> None:
    whole = json.dumps({"any": inner, "more": [inner, '"}{']})
    answer = InvokeHarness.parse_json({"type": "object", "properties": {"any": {}}}, fallback="fallback")
    assert {json.dumps(read(whole[:length], answer)) for length in range(len(whole))} == {'"fallback"'}
    assert read(whole, answer) == json.loads(whole)


def test_the_reference_implementation_of_jsonata_reads_the_same() -> None:
    """https://www.npmjs.com/package/jsonata, which counts characters and recurses otherwise than the one in Python."""
    texts = [
        "😀 {x} says: " + json.dumps(GOOD, ensure_ascii=False) + " 😀 {y}",
        "```json\n" + json.dumps(GOOD, indent=1) + "\n```",
        json.dumps(GOOD)[:-1],
        json.dumps(GOOD | {"tags": ["x" * 40] * 3000}),
        "{" * 3000,
    ]
    answer = InvokeHarness.parse_json(Verdict, fallback="none")
    script = """
        const jsonata = require("jsonata"), given = JSON.parse(require("fs").readFileSync(0));
        const expression = jsonata(given.expression);
        expression.registerFunction("parse", JSON.parse);
        const read = Text => expression.evaluate(null, {states: {result: {Output: {Message: {Content: [{Text}]}}}}});
        Promise.all(given.texts.map(read)).then(found => console.log(JSON.stringify(found)));
    """
    given = json.dumps({"expression": answer.expression[2:-2], "texts": texts})
    done = subprocess.run(
        ["node", "-e", script], input=given, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [read(text, answer) for text in texts]
    assert json.loads(done.stdout)[0] == GOOD


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "object"}, "string", int])
def test_the_schema_is_that_of_an_object(schema: Any) -> None:
    with pytest.raises(HarnessConfigError, match="the JSON Schema of an object with properties"):
        InvokeHarness.parse_json(schema)


def test_a_state_tells_the_agent_and_gives_the_object(stack: cdk.Stack, harness: Harness) -> None:
    state = Machine(stack, InvokeHarness(stack, "Ask", harness=harness, prompt="Judge.", answer=VERDICT)).state("Ask")
    (block,) = state["Arguments"]["Messages"][0]["Content"]
    assert block["Text"] == f"Judge.\n\n{VERDICT.instruction}"
    assert set(state["Output"]) == {"answer", "stopReason", "usage"}
    assert state["Output"]["answer"] == VERDICT.expression


def test_the_last_message_of_several_has_the_instruction(stack: cdk.Stack, harness: Harness) -> None:
    said = [Message.user("One."), Message.user("Two.", jsonata("$states.input.x"))]
    state = Machine(stack, InvokeHarness(stack, "Ask", harness=harness, messages=said, answer=VERDICT)).state("Ask")
    assert [len(message["Content"]) for message in state["Arguments"]["Messages"]] == [1, 3]
    assert state["Arguments"]["Messages"][1]["Content"][2]["Text"] == VERDICT.instruction


def test_an_expression_in_the_prompt_is_joined(stack: cdk.Stack, harness: Harness) -> None:
    asked = InvokeHarness(
        stack, "Ask", harness=harness, prompt=jsonata("$states.input.x"), answer=VERDICT, outputs={"mine": 1}
    )
    state = Machine(stack, asked).state("Ask")
    said = evaluate(state["Arguments"]["Messages"][0]["Content"][0]["Text"], input={"x": "Judge."})
    assert said == f"Judge.\n\n{VERDICT.instruction}"
    assert state["Output"] == {"mine": 1}


def test_a_json_path_state_cannot_parse(stack: cdk.Stack, harness: Harness) -> None:
    with pytest.raises(HarnessConfigError, match="in a JSONPath state, which cannot parse it"):
        InvokeHarness.json_path(stack, "Ask", harness=harness, prompt="Judge.", answer=VERDICT)


def test_messages_that_are_an_expression_have_no_place_for_the_instruction(stack: cdk.Stack, harness: Harness) -> None:
    with pytest.raises(HarnessConfigError, match="next to messages that are an expression"):
        InvokeHarness(stack, "Ask", harness=harness, messages=jsonata("$states.input.m"), answer=VERDICT)
