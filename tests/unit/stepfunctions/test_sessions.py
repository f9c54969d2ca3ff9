"""Session ids are valid whatever the execution is named, and shared by exactly the states that should share them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsonata as engine
import pytest
from aws_cdk import aws_stepfunctions as sfn
from hypothesis import given
from hypothesis import strategies as st
from support.workflows import Machine, evaluate

from agentcore_constructs import HarnessConfigError
from agentcore_stepfunctions import InvokeHarness, SessionId, jsonata

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_constructs import Harness

# botocore 1.44.5, InvokeHarnessRequestRuntimeSessionIdString.
VALID = re.compile(r"(?=.{33,100}$)[a-zA-Z0-9][a-zA-Z0-9-_]*")
EXECUTION = "arn:aws:states:us-east-1:111122223333:execution:Review:{}"


def states(name: str = "abc", index: int | None = None, **given_input: Any) -> dict[str, Any]:
    context: dict[str, Any] = {"Execution": {"Id": EXECUTION.format(name), "Name": name}}
    if index is not None:
        context["Map"] = {"Item": {"Index": index}}
    return {"context": context, "input": given_input}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@given(name=st.text(min_size=1, max_size=80), index=st.integers(0, 10_000), key=st.text(min_size=1))
def test_ids_are_valid_whatever_the_execution_and_the_input_are_named(name: str, index: int, key: str) -> None:
    for session in (
        SessionId.fresh(),
        SessionId.per_execution(),
        SessionId.per_execution("writer"),
        SessionId.per_item(),
        SessionId.per_item(label="critic"),
        SessionId.per_item("$states.input.key"),
        SessionId.from_input("$states.input.key"),
        SessionId.from_input("{% $states.input.key %}", label="critic"),
    ):
        assert VALID.fullmatch(evaluate(session.to_jsonata(), **states(name, index, key=key)))


def test_fresh_ids_differ() -> None:
    assert len({evaluate(SessionId.fresh().to_jsonata()) for _ in range(5)}) == 5


def test_an_execution_has_one_conversation_unless_it_is_labelled() -> None:
    whole, writer = SessionId.per_execution().to_jsonata(), SessionId.per_execution("writer").to_jsonata()
    assert evaluate(whole, **states("a")) == evaluate(whole, **states("a")) == sha256(EXECUTION.format("a"))
    assert len({evaluate(whole, **states("a")), evaluate(whole, **states("b")), evaluate(writer, **states("a"))}) == 3


def test_items_have_a_conversation_each() -> None:
    session = SessionId.per_item().to_jsonata()
    ids = {evaluate(session, **states(name, index)) for name in ("a", "b") for index in range(3)}
    assert len(ids) == 6


def test_in_a_child_execution_of_a_distributed_map_the_execution_tells_items_apart() -> None:
    session = SessionId.per_item().to_jsonata()
    assert evaluate(session, **states("child-1")) != evaluate(session, **states("child-2"))


def test_a_value_of_the_input_has_its_conversation_across_executions() -> None:
    session = SessionId.from_input("$states.input.customer").to_jsonata()
    ids = {evaluate(session, **states("a", customer=42)), evaluate(session, **states("b", customer="42"))}
    assert ids == {sha256("42")}


@pytest.mark.parametrize("given_input", [{}, {"key": None}, {"key": ""}])
@pytest.mark.parametrize("kind", [SessionId.from_input, SessionId.per_item])
def test_a_missing_key_fails_instead_of_sharing_a_conversation(
    kind: Callable[[str], SessionId], given_input: dict[str, Any]
) -> None:
    with pytest.raises(engine.JException, match=r"no session id: \$states.input.key is missing, null or empty"):
        evaluate(kind("$states.input.key").to_jsonata(), **states("a", 0, **given_input))


def test_json_path_says_the_same(stack: cdk.Stack, harness: Harness) -> None:
    sessions = {
        "Fresh": SessionId.fresh(),
        "Execution": SessionId.per_execution(),
        "Labelled": SessionId.per_execution("writer"),
        "Item": SessionId.per_item(),
        "Key": SessionId.per_item("$.id", label="critic"),
        "Input": SessionId.from_input("$.customer"),
    }
    chain: Any = sfn.Pass(stack, "Start")
    for name, session in sessions.items():
        chain = chain.next(InvokeHarness.json_path(stack, name, harness=harness, prompt="Hi", session_id=session))
    machine = Machine(stack, chain, sfn.QueryLanguage.JSON_PATH)
    assert {name: machine.state(name)["Parameters"]["RuntimeSessionId.$"] for name in sessions} == {
        "Fresh": "States.UUID()",
        "Execution": "States.Hash(States.Format('{}', $$.Execution.Id), 'SHA-256')",
        "Labelled": "States.Hash(States.Format('{}/writer', $$.Execution.Id), 'SHA-256')",
        "Item": "States.Hash(States.Format('{}/item/{}', $$.Execution.Id, $$.Map.Item.Index), 'SHA-256')",
        "Key": "States.Hash(States.Format('{}/item/{}/critic', $$.Execution.Id, $.id), 'SHA-256')",
        "Input": "States.Hash(States.Format('{}', $.customer), 'SHA-256')",
    }
    assert evaluate(SessionId.per_item(label="critic").to_jsonata(), **states("a", 3)) == sha256(
        EXECUTION.format("a") + "/item/3/critic"
    )


@pytest.mark.parametrize(
    "given_id",
    ["a" * 33, "0" + "-_" * 49 + "z", jsonata("$states.input.session"), cdk.Fn.import_value("session")],
    ids=["shortest", "longest", "expression", "token"],
)
def test_an_id_is_used_as_it_is(stack: cdk.Stack, harness: Harness, given_id: str) -> None:
    state = InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", session_id=given_id)
    assert state.to_state_json()["Arguments"]["RuntimeSessionId"] == given_id


@pytest.mark.parametrize("given_id", ["a" * 32, "a" * 101, "-" + "a" * 40, "é" * 40, "a b" * 20, "review"])
def test_an_id_that_the_service_refuses_is_refused(stack: cdk.Stack, harness: Harness, given_id: str) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", session_id=given_id)
    (fault,) = caught.value.faults
    assert (fault.path, fault.must.endswith("33–100 characters")) == ("session_id", True)
    assert fault.fix.startswith("use SessionId.per_execution()")


@pytest.mark.parametrize("label", ["", "a b", "x" * 65, "a/b", "é"])
def test_a_label_is_a_plain_name(stack: cdk.Stack, harness: Harness, label: str) -> None:
    with pytest.raises(HarnessConfigError, match=r"session_id: must have a label of 1–64 letters, digits, '_' and '-'"):
        InvokeHarness(stack, "Ask", harness=harness, prompt="Hi", session_id=SessionId.per_execution(label))


def test_a_key_is_written_in_the_states_language(stack: cdk.Stack, harness: Harness) -> None:
    with pytest.raises(HarnessConfigError, match=r"key in the state's language, JSONata; received '\$.customer'"):
        InvokeHarness(stack, "A", harness=harness, prompt="Hi", session_id=SessionId.from_input("$.customer"))
    session = SessionId.from_input("$states.input.customer & 'x'")
    with pytest.raises(HarnessConfigError, match=r'key in the state\'s language, JSONPath.*write "\$.customer"'):
        InvokeHarness.json_path(stack, "B", harness=harness, prompt="Hi", session_id=session)
