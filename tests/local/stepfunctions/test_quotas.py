"""What Step Functions does not take: names, inputs, definitions, and payloads that are too large."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.behaviours import behaviour, error_of

from agentcore_local.deploy import DeploymentError
from agentcore_local.stepfunctions import quotas

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "Quotas and definitions of workflows"
SOURCES = (
    "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
MOST = quotas.PAYLOAD_BYTES
PASS = {"Type": "Pass", "End": True}
# An output of so many bytes: what is around the text is {"t": ""}.
GROWN = {"Type": "Pass", "Output": "{% {'t': $pad('', $states.input.n, 'x')} %}", "End": True}
AROUND = len(json.dumps({"t": ""}))


@behaviour("An output of more than 262,144 bytes fails the execution with `States.DataLimitExceeded`")
@pytest.mark.parametrize(("more", "error"), [(0, None), (1, "States.DataLimitExceeded")])
def test_an_output_at_the_limit_and_beyond(machines: Any, more: int, error: str | None) -> None:
    found = machines.run(GROWN, {"n": MOST - AROUND + more})
    assert found.get("error") == error
    assert (found["status"] == "SUCCEEDED") is (error is None)


def test_bytes_count_and_not_characters(machines: Any) -> None:
    state = {**GROWN, "Output": "{% {'t': $pad('', $states.input.n, 'ü')} %}"}
    found = machines.run(state, {"n": MOST // 2})
    assert found["error"] == "States.DataLimitExceeded"
    assert f"output of the state 'Only' has {MOST + AROUND:,} bytes" in found["cause"]


def task(machines: Any, size: int, **state: Any) -> dict[str, Any]:
    """A task whose arguments have so many bytes and more."""
    inner = machines.make({"In": PASS})
    arguments = {"StateMachineArn": inner, "Input": "{% {'t': $pad('', " + str(size) + ", 'x')} %}"}
    return {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Arguments": arguments, **state}


@behaviour("`States.ALL` and `States.TaskFailed` catch neither `States.DataLimitExceeded` nor `States.Runtime`")
@pytest.mark.parametrize(
    ("caught", "status"),
    [("States.ALL", "FAILED"), ("States.TaskFailed", "FAILED"), ("States.DataLimitExceeded", "SUCCEEDED")],
)
def test_what_catches_it(machines: Any, caught: str, status: str) -> None:
    catch = [{"ErrorEquals": [caught], "Next": "Caught"}]
    states = {"Only": task(machines, MOST, Catch=catch, End=True), "Caught": PASS}
    found = machines.start(states).wait()
    assert found["status"] == status
    if status == "FAILED":
        assert found["error"] == "States.DataLimitExceeded"
        assert "input of the task arn:aws:states:::states:startExecution has" in found["cause"]


@behaviour("An execution is refused whose input is no JSON, or too large, or whose name has characters it may not have")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * (MOST - 1))}, "ValidationException"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "a/b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
    ],
    ids=["no JSON", "too large", "a blank", "a slash", "too long"],
)
def test_what_cannot_be_started(machines: Any, request_: dict[str, Any], code: str) -> None:
    arn = machines.make({"Only": PASS})
    assert error_of(machines.client.start_execution, stateMachineArn=arn, **request_)[0] == code


@behaviour("The same execution started again, while it runs, is that one; another input or a closed one is refused")
def test_an_execution_is_started_once(machines: Any) -> None:
    start, arn = machines.client.start_execution, machines.make({"Only": {"Type": "Wait", "Seconds": 60, "End": True}})
    first = start(stateMachineArn=arn, name="abc", input='{"n": 1}')
    again = start(stateMachineArn=arn, name="abc", input='{"n": 1}')
    assert [again[key] for key in ("executionArn", "startDate")] == [first["executionArn"], first["startDate"]]
    same = {"stateMachineArn": arn, "name": "abc"}
    assert error_of(start, **same, input='{"n": 2}')[0] == "ExecutionAlreadyExists"
    machines.client.stop_execution(executionArn=first["executionArn"])
    assert error_of(start, **same, input='{"n": 1}')[0] == "ExecutionAlreadyExists"


def test_an_execution_that_names_no_machine_or_no_name(machines: Any) -> None:
    arn = machines.make({"Only": {"Type": "Wait", "Seconds": 60, "End": True}})
    one, other = (machines.client.start_execution(stateMachineArn=arn) for _ in range(2))
    assert one["executionArn"] != other["executionArn"]
    gone = error_of(machines.client.start_execution, stateMachineArn=f"{arn}x", name="abc")
    assert gone[0] == "StateMachineDoesNotExist"
    for each in (one, other):
        machines.client.stop_execution(executionArn=each["executionArn"])


def test_what_can_be_started_at_the_limit(machines: Any) -> None:
    arn = machines.make({"Only": PASS})
    given = json.dumps("x" * (MOST - 2))
    assert machines.client.start_execution(stateMachineArn=arn, name="ä" * 80, input=given)["executionArn"]


BROKEN: dict[str, tuple[Any, str]] = {
    "no object": ([PASS], "The definition must be a JSON object at /"),
    "no states": ({"StartAt": "A", "States": {}}, "The field 'States' must be an object of states at /"),
    "no start": ({"States": {"A": PASS}}, "Missing 'StartAt' target: None at /StartAt"),
    "start elsewhere": ({"StartAt": "B", "States": {"A": PASS}}, "Missing 'StartAt' target: B at /StartAt"),
    "next elsewhere": (
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}},
        "Missing 'Next' target: B at /States/A/Next",
    ),
    "choice elsewhere": (
        {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Next": "B"}], "Default": "A"}}},
        "Missing 'Next' target: B at /States/A/Choices[0]/Next",
    ),
    "catch elsewhere": (
        {"StartAt": "A", "States": {"A": {"Type": "Task", "Catch": [{"Next": "B"}], "End": True}}},
        "Missing 'Next' target: B at /States/A/Catch[0]/Next",
    ),
    "a type that is none": (
        {"StartAt": "A", "States": {"A": {"Type": "Zap", "End": True}}},
        "Type must be one of Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map, not 'Zap' at /States/A/Type",
    ),
    "a name of 81": (
        {"StartAt": "x" * 81, "States": {"x" * 81: PASS}},
        "The name of a state has at most 80 characters",
    ),
    "within a branch": (
        {
            "StartAt": "A",
            "States": {"A": {"Type": "Parallel", "End": True, "Branches": [{"StartAt": "B", "States": {"C": PASS}}]}},
        },
        "Missing 'StartAt' target: B at /States/A/StartAt",
    ),
}


@behaviour(
    "A definition is refused that is no States Language: targets that are missing, types and names that are none"
)
@pytest.mark.parametrize(("definition", "sentence"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_definition(machines: Any, definition: Any, sentence: str) -> None:
    create = machines.client.create_state_machine
    code, message = error_of(create, name="broken", definition=json.dumps(definition), roleArn=machines.role)
    assert (code, sentence in message) == ("InvalidDefinition", True), message


def test_a_definition_that_is_no_json(machines: Any) -> None:
    code, message = error_of(machines.client.create_state_machine, name="broken", definition="{", roleArn=machines.role)
    assert (code, "INVALID_JSON_DESCRIPTION" in message) == ("InvalidDefinition", True)


def test_a_broken_definition_fails_its_stack(machines: Any, tmp_path: Any) -> None:
    definition, sentence = BROKEN["next elsewhere"]
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": json.dumps(definition), "RoleArn": machines.role},
    }
    template = {"Resources": {"Machine": machine}}
    with pytest.raises(DeploymentError, match=sentence):
        machines.account.deploy(stacks.assembly(tmp_path, template, "Broken"))


def test_a_name_with_a_blank(machines: Any) -> None:
    make: Callable[..., object] = machines.client.create_state_machine
    definition = json.dumps({"StartAt": "A", "States": {"A": PASS}})
    assert error_of(make, name="a b", definition=definition, roleArn=machines.role)[0] == "InvalidName"
