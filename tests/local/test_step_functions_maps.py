"""Step Functions as the local cloud runs it where ministack alone differs: Distributed Maps, task tokens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

INVOKE = "arn:aws:states:::bedrockagentcore:invokeHarness"
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@pytest.fixture
def run(account: Account) -> Callable[..., dict[str, Any]]:
    """Creates a state machine of one state and runs it to its end."""

    def run(state: dict[str, Any], given: Any = None, *, language: str = "JSONata") -> dict[str, Any]:
        client = account.client("stepfunctions")
        role = account.client("iam").create_role(
            RoleName="machine", AssumeRolePolicyDocument=json.dumps(stacks.trust("states.amazonaws.com"))
        )["Role"]["Arn"]
        definition = {"QueryLanguage": language, "StartAt": "Only", "States": {"Only": {**state, "End": True}}}
        machine = client.create_state_machine(name="machine", definition=json.dumps(definition), roleArn=role)
        started = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))
        end = time.monotonic() + 15
        while time.monotonic() < end:
            execution: dict[str, Any] = client.describe_execution(executionArn=started["executionArn"])
            if execution["status"] in ENDED:
                return execution
            time.sleep(0.05)
        raise AssertionError("the execution did not end")

    return run


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Distributed Map over one state."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    states = {"Each": {**processor, "End": True}}
    return {
        "Type": "Map",
        "ItemProcessor": {"ProcessorConfig": config, "StartAt": "Each", "States": states},
        **fields,
    }


class TestDistributedMap:
    def test_jsonata_items_selector_concurrency_and_output(self, run: Callable[..., dict[str, Any]]) -> None:
        state = distributed(
            {"Type": "Pass", "Output": "{% $states.input.n * 10 %}"},
            Items="{% $states.input.numbers %}",
            ItemSelector={"n": "{% $states.context.Map.Item.Value %}", "i": "{% $states.context.Map.Item.Index %}"},
            MaxConcurrency="{% $states.input.at_once %}",
            Output={"all": "{% $states.result %}"},
        )
        execution = run(state, {"numbers": [1, 2, 3], "at_once": 2})
        assert execution["status"] == "SUCCEEDED", execution
        assert json.loads(execution["output"]) == {"all": [10, 20, 30]}

    def test_jsonata_without_items_maps_over_the_input(self, run: Callable[..., dict[str, Any]]) -> None:
        execution = run(distributed({"Type": "Pass", "Output": "{% $states.input + 1 %}"}), [1, 2])
        assert json.loads(execution["output"]) == [2, 3]

    def test_items_that_are_no_array_fail_with_the_services_error(self, run: Callable[..., dict[str, Any]]) -> None:
        execution = run(distributed({"Type": "Pass"}, Items="{% $states.input.n %}"), {"n": 1})
        assert (execution["status"], execution["error"]) == ("FAILED", "States.QueryEvaluationError")

    def test_each_child_has_its_own_execution_id(self, run: Callable[..., dict[str, Any]]) -> None:
        child = {"Type": "Pass", "Output": "{% $states.context.Execution.Id %}"}
        execution = run(distributed(child), [1, 2])
        ids = json.loads(execution["output"])
        assert len({*ids, execution["executionArn"]}) == 3

    def test_children_of_a_jsonpath_map_too(self, run: Callable[..., dict[str, Any]]) -> None:
        child = {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}}
        execution = run(distributed(child, ItemsPath="$.items"), {"items": [1, 2]}, language="JSONPath")
        ids = [item["id"] for item in json.loads(execution["output"])]
        assert len({*ids, execution["executionArn"]}) == 3

    @pytest.mark.parametrize("field", ["ItemBatcher", "ResultWriter"])
    def test_what_is_not_emulated_fails_with_a_sentence(self, run: Callable[..., dict[str, Any]], field: str) -> None:
        execution = run(distributed({"Type": "Pass"}, **{field: {"MaxItemsPerBatch": 2}}), [1])
        assert execution["status"] == "FAILED"
        assert f"{field} of a Distributed Map are not emulated" in execution["cause"]


@pytest.mark.parametrize("suffix", [".sync", ".waitForTaskToken"])
@pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
def test_invoke_harness_is_request_response_only(
    run: Callable[..., dict[str, Any]], suffix: str, language: str
) -> None:
    given = {"Arguments" if language == "JSONata" else "Parameters": {"HarnessArn": "arn"}}
    execution = run({"Type": "Task", "Resource": INVOKE + suffix, **given}, {}, language=language)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")
    assert "the integration is request/response only" in execution["cause"]
