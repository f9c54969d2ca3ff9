"""The loop by itself: what is asked, what is run, what is noted, and what happens when any of it breaks off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.execution import NotRun
from agentcore_lambdas.tool_loop.loop import Ports, drive
from agentcore_lambdas.tool_loop.models import Call, Decision, Output, Result, State, ToolFunction, Turn, Usage
from agentcore_lambdas.tool_loop.stream import Reply

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HARNESS = "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/clerk-0123456789"
SESSION = "a-session-of-at-least-33-characters-x"
ORDER = Call(tool_use_id="t1", name="order", input={"id": 1})
REFUND = Call(tool_use_id="t2", name="refund", input={"id": 1})
FUNCTIONS = {
    "order": ToolFunction(function="arn:order", timeout_seconds=60),
    "refund": ToolFunction(function="arn:refund", approval=True),
}


def says(text: str, stop_reason: str = "end_turn") -> Reply:
    return Reply(text=text, stop_reason=stop_reason, usage=Usage(input_tokens=2, output_tokens=1, total_tokens=3))


def calls(call: Call) -> Reply:
    return Reply(stop_reason="tool_use", call=call, usage=Usage(input_tokens=2, output_tokens=1, total_tokens=3))


class Killed(BaseException):
    """The function is ended."""


@dataclass
class World:
    """A harness with prepared replies, tools that count their runs, a note book and a clock."""

    replies: list[Reply | BaseException]
    remaining: float = 900
    costs: dict[str, float] = field(default_factory=dict)
    fails: dict[str, BaseException] = field(default_factory=dict)
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    known: list[tuple[list[str], list[str]]] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    notes: dict[str, State] = field(default_factory=dict)

    def ask(self, request: Mapping[str, Any], inline: Collection[str], answered: Collection[str]) -> Reply:
        self.asked.append(request)
        self.known.append((sorted(inline), sorted(answered)))
        self.remaining -= self.costs.get("ask", 1)
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def run(self, session_id: str, call: Call, function: str) -> Result:
        assert (session_id, function) == (SESSION, f"arn:{call.name}")
        self.ran.append(call.tool_use_id)
        self.remaining -= self.costs.get(call.name, 1)
        if call.name in self.fails:
            raise self.fails.pop(call.name)
        return Result(tool_use_id=call.tool_use_id, text=f"{call.name} done")

    def load(self, turn_id: str) -> State | None:
        return self.notes.get(turn_id)

    def save(self, turn_id: str, state: State) -> None:
        self.notes[turn_id] = State.model_validate_json(state.model_dump_json())

    @property
    def ports(self) -> Ports:
        return Ports(self, self, self, lambda: self.remaining)

    @property
    def messages(self) -> list[Any]:
        return [request["messages"][0]["content"][0] for request in self.asked]


def turn(**given: Any) -> Turn:
    known = {"harness_arn": HARNESS, "session_id": SESSION, "turn_id": "turn", "prompt": "Hi", "functions": FUNCTIONS}
    return Turn(**{**known, **given})


def result(call: Call, text: str, status: str = "success") -> dict[str, Any]:
    return {"toolResult": {"toolUseId": call.tool_use_id, "content": [{"text": text}], "status": status}}


def test_answers_at_once_when_nothing_is_called() -> None:
    world = World([says("Hello")])
    answer = drive(turn(), world.ports)
    assert (answer.status, answer.text, answer.stop_reason, answer.state) == ("done", "Hello", "end_turn", None)
    assert world.messages == [{"text": "Hi"}]
    assert world.asked[0]["timeoutSeconds"] == 870


def test_runs_several_calls_in_order_and_sends_each_result_alone() -> None:
    again = ORDER.model_copy(update={"tool_use_id": "t3"})
    world = World([calls(ORDER), calls(again), says("Done")])
    overrides = {"tools": [{"type": "inline_function", "name": "order"}], "allowedTools": ["order"]}
    answer = drive(turn(overrides=overrides, qualifier="live", actor_id="anna"), world.ports)
    assert world.ran == ["t1", "t3"]
    assert world.messages == [{"text": "Hi"}, result(ORDER, "order done"), result(again, "order done")]
    assert all(len(request["messages"][0]["content"]) == 1 for request in world.asked)
    # The harness forgets what a call overrides, so every request says it again.
    assert all(request["tools"] == overrides["tools"] for request in world.asked)
    assert {(r["qualifier"], r["actorId"], r["runtimeSessionId"]) for r in world.asked} == {("live", "anna", SESSION)}
    assert world.known[-1] == (["order", "refund"], ["t1", "t3"])
    assert [(ran.name, ran.status) for ran in answer.tool_calls] == [("order", "success")] * 2
    assert answer.usage.total_tokens == 9


def test_tells_the_agent_when_the_input_of_a_call_is_no_json() -> None:
    broken = ORDER.model_copy(update={"fault": "The input of the call is no JSON: x."})
    world = World([calls(broken), says("Sorry")])
    assert drive(turn(), world.ports).tool_calls[0].status == "error"
    assert world.ran == []
    assert world.messages[1] == result(ORDER, "The input of the call is no JSON: x.", "error")


def test_hands_out_what_a_person_must_approve_and_goes_on_with_a_yes() -> None:
    world = World([calls(REFUND), says("Refunded")])
    asked = drive(turn(), world.ports)
    assert (asked.status, asked.call, world.ran) == ("approval", REFUND, [])
    decision = Decision(tool_use_id="t2", approved=True)
    answer = drive(turn(state=asked.state, decision=decision), world.ports)
    assert (answer.status, answer.text, world.ran) == ("done", "Refunded", ["t2"])


@pytest.mark.parametrize(("comment", "text"), [("too much", ": too much"), ("", ".")])
def test_tells_the_agent_of_a_no(comment: str, text: str) -> None:
    world = World([calls(REFUND), says("Sorry")])
    asked = drive(turn(), world.ports)
    answer = drive(
        turn(state=asked.state, decision=Decision(tool_use_id="t2", approved=False, comment=comment)), world.ports
    )
    assert (world.ran, answer.tool_calls[0].status) == ([], "rejected")
    assert world.messages[1] == result(REFUND, f"A person has rejected this call{text}", "error")


@pytest.mark.parametrize(
    "told",
    [
        {"decision": Decision(tool_use_id="other", approved=True)},
        {"result": Result(tool_use_id="other", text="")},
        {"output": Output(tool_use_id="other")},
    ],
)
def test_refuses_what_is_said_about_another_call(told: dict[str, Any]) -> None:
    world = World([calls(REFUND)])
    asked = drive(turn(), world.ports)
    with pytest.raises(errors.TurnOutOfStep, match="about the call other, and the turn waits for t2"):
        drive(turn(state=asked.state, **told), world.ports)


def test_step_mode_hands_every_call_out_and_takes_what_the_function_answered() -> None:
    world = World([calls(ORDER), calls(REFUND), says("Done")])
    first = drive(turn(mode="step"), world.ports)
    assert (first.status, first.call) == ("tool", ORDER)
    output = Output(tool_use_id="t1", payload={"at": "sea"})
    second = drive(turn(mode="step", state=first.state, output=output), world.ports)
    assert (second.status, second.call) == ("approval", REFUND)
    yes = Decision(tool_use_id="t2", approved=True)
    third = drive(turn(mode="step", state=second.state, decision=yes), world.ports)
    assert (third.status, third.call) == ("tool", REFUND)
    failed = Output(tool_use_id="t2", failed=True, payload={"errorType": "KeyError", "errorMessage": "secret"})
    done = drive(turn(mode="step", state=third.state, output=failed), world.ports)
    assert world.messages[1:] == [result(ORDER, '{"at": "sea"}'), result(REFUND, "The tool failed.", "error")]
    assert (done.status, [ran.status for ran in done.tool_calls], world.ran) == ("done", ["success", "error"], [])


def test_says_which_tool_it_has_no_function_for() -> None:
    world = World([calls(Call(tool_use_id="t9", name="fly"))])
    with pytest.raises(errors.InlineToolUnknown, match="'fly'; there are functions for order, refund"):
        drive(turn(), world.ports)


def test_a_throttled_tool_ends_the_invocation_and_runs_in_the_next() -> None:
    world = World([calls(ORDER), says("Done")], fails={"order": NotRun("TooManyRequestsException")})
    with pytest.raises(errors.InlineToolThrottled, match="TooManyRequests"):
        drive(turn(), world.ports)
    assert drive(turn(), world.ports).text == "Done"
    assert len(world.asked) == 2


@pytest.mark.parametrize("kept", ["in the state", "in the notes"])
def test_stops_in_time_and_goes_on(kept: str) -> None:
    world = World([calls(ORDER), says("Done")], remaining=100, costs={"order": 60})
    stopped = drive(turn(functions={"order": ToolFunction(function="arn:order", timeout_seconds=60)}), world.ports)
    assert (stopped.status, len(world.asked)) == ("more", 1)
    world.remaining = 900
    answer = drive(turn(state=stopped.state if kept == "in the state" else None), world.ports)
    assert (answer.status, answer.text) == ("done", "Done")
    # The run is asked for again; `execution` answers it from its record.
    assert world.messages == [{"text": "Hi"}, result(ORDER, "order done")]


def test_leaves_a_tool_to_the_next_invocation_when_it_could_not_finish_in_this_one() -> None:
    world = World([calls(ORDER), says("Done")], costs={"ask": 820})
    stopped = drive(turn(), world.ports)
    assert (stopped.status, world.ran) == ("more", [])
    # Nothing has been done in this one yet: there will be no better time.
    world.costs = {}
    world.remaining = 60
    drive(turn(state=stopped.state), world.ports)
    assert world.ran == ["t1"]


def test_goes_on_when_the_agent_was_cut_off_by_the_loops_own_deadline() -> None:
    world = World([says("I was", "timeout_exceeded"), says("done")], costs={"ask": 860})
    stopped = drive(turn(), world.ports)
    assert (stopped.status, stopped.stop_reason) == ("more", "timeout_exceeded")
    world.remaining = 900
    answer = drive(turn(state=stopped.state), world.ports)
    assert answer.status == "done"
    assert "Go on" in world.messages[1]["text"]


def test_a_limit_the_caller_has_set_ends_the_turn() -> None:
    world = World([says("I was", "timeout_exceeded")])
    answer = drive(turn(overrides={"timeoutSeconds": 60}), world.ports)
    assert (answer.status, answer.stop_reason, world.asked[0]["timeoutSeconds"]) == ("done", "timeout_exceeded", 60)


def test_a_turn_that_is_invoked_again_after_its_end_says_the_same_and_asks_nobody() -> None:
    world = World([calls(ORDER), says("Done")])
    first = drive(turn(), world.ports)
    assert drive(turn(), world.ports) == first
    assert len(world.asked) == 2


def test_takes_a_killed_invocation_up_where_it_was() -> None:
    world = World([calls(ORDER), says("Done")], fails={"order": Killed()})
    with pytest.raises(Killed):
        drive(turn(), world.ports)
    answer = drive(turn(), world.ports)
    assert answer.text == "Done"
    assert world.messages == [{"text": "Hi"}, result(ORDER, "order done")]


REFUSAL = errors.HarnessInvalidRequest("stale toolUseId")


@pytest.mark.parametrize("taken", [[Killed()], [calls(ORDER), Killed()]], ids=["prompt", "result"])
def test_asks_anew_when_the_answer_to_what_was_taken_is_lost(taken: list[Reply | BaseException]) -> None:
    world = World([*taken, REFUSAL, says("Hello again")])
    with pytest.raises(Killed):
        drive(turn(), world.ports)
    answer = drive(turn(), world.ports)
    assert (answer.status, answer.text) == ("done", "Hello again")
    assert "connection was lost" in world.messages[-1]["text"]


def test_asks_anew_when_a_second_try_within_one_invocation_is_refused() -> None:
    world = World([errors.HarnessHasTakenIt("the session waits for nothing"), says("Hello again")])
    assert drive(turn(), world.ports).text == "Hello again"


def test_a_call_that_was_lost_with_the_connection_ends_the_turn_and_says_what_to_do() -> None:
    world = World([calls(ORDER), Killed()])
    with pytest.raises(Killed):
        drive(turn(), world.ports)
    world.replies = [REFUSAL, errors.HarnessInvalidRequest("this session waits for the result of another call")]
    with pytest.raises(errors.HarnessConnectionLost, match="ask in another session"):
        drive(turn(), world.ports)
    assert world.ran == ["t1", "t1"]  # once and from the record, which the real one keeps


def test_a_first_request_that_is_refused_fails() -> None:
    world = World([errors.HarnessInvalidRequest("no such model")])
    with pytest.raises(errors.HarnessInvalidRequest, match="no such model"):
        drive(turn(), world.ports)


def test_states_that_travel_have_no_text() -> None:
    world = World([Reply(text="x" * 1000, stop_reason="tool_use", call=REFUND)])
    answer = drive(turn(), world.ports)
    assert answer.state is not None
    assert (answer.state.text, world.notes["turn"].text, len(answer.text)) == ("", "", 1000)
