"""The loop itself: ask, run what is called, send the lone result back, until the agent is done or time is up.

Protocol: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html, inline functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from aws_lambda_powertools import Logger

from agentcore_lambdas.tool_loop import errors
from agentcore_lambdas.tool_loop.execution import NotRun, read_output
from agentcore_lambdas.tool_loop.models import Answer, Call, Decision, Ran, Result, State, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from agentcore_lambdas.tool_loop.stream import Reply

logger = Logger(child=True)

MARGIN_SECONDS = 30
"""The loop stops asking so long before the function would be ended."""
_SHORTEST_SECONDS = 15  # an agent that gets less has no time to do anything
_UNKNOWN_TOOL_SECONDS = 300  # a tool whose function's limit is not known
_TIMEOUT = "timeout_exceeded"
_GO_ON = "You were interrupted because time was up. Go on where you stopped."
_LOST = "The connection was lost. Say again what you said last, or go on."


class Asks(Protocol):
    """Asks the harness."""

    def ask(self, request: Mapping[str, Any], inline: Collection[str], answered: Collection[str]) -> Reply:
        """Sends a request and reads the reply."""


class Runs(Protocol):
    """Runs tools."""

    def run(self, session_id: str, call: Call, function: str) -> Result:
        """Runs a call once."""


class Remembers(Protocol):
    """Remembers where turns are."""

    def load(self, turn_id: str) -> State | None:
        """Returns where a turn was."""

    def save(self, turn_id: str, state: State) -> None:
        """Notes where a turn is."""


@dataclass(frozen=True)
class Ports:
    """What the loop reaches the world through.

    Attributes:
        harness: The harness.
        tools: The tools' functions.
        progress: What was begun before.
        remaining_seconds: How long the function may still run.
    """

    harness: Asks
    tools: Runs
    progress: Remembers
    remaining_seconds: Callable[[], float]


def drive(turn: Turn, ports: Ports) -> Answer:
    """Takes a turn as far as this invocation can.

    Raises:
        ToolLoopError: The turn failed.
    """
    if not _is_time_left(ports):
        # Whoever comes back would have as little time, and so on for ever.
        least = MARGIN_SECONDS + _SHORTEST_SECONDS
        raise errors.TooLittleTime(f"the loop was given less than {least} seconds: raise the timeout of its function")
    state = _begun(turn, ports)
    decision, given, is_fresh = turn.decision, _given(turn, state), True
    while not _is_done(state):
        if state.pending is not None:
            if given is None and not is_fresh and not _is_time_for(turn, state.pending, ports):
                # A tool that is ended in the middle is lost: the next invocation has all its time for it.
                return _answer("more", turn, state, state=state)
            result = _result(turn, state.pending, decision, given, ports)
            if isinstance(result, Answer):
                return _with(result, turn, state)
            message = _result_message(result)
            ran = _ran(state.pending, result, decision)
            decision = given = None
            is_fresh = False
        else:
            message, ran = _next_message(turn, state), None
        if not _is_time_left(ports):
            # The result of the call is on record: whoever comes back with this state gets it again.
            return _answer("more", turn, state, state=state)
        state = _asked(turn, state, message, ran, ports)
        is_fresh = False
    return _answer("done", turn, state)


def _is_done(state: State) -> bool:
    """Whether the agent has nothing more to say. A turn that is invoked again after that gets the same answer."""
    return state.asked and state.pending is None and not state.cut


def _is_time_for(turn: Turn, call: Call, ports: Ports) -> bool:
    """Whether a tool can finish before this function is ended."""
    function = turn.functions.get(call.name)
    if function is None or function.function is None or turn.mode == "step":
        return True
    return ports.remaining_seconds() >= MARGIN_SECONDS + (function.timeout_seconds or _UNKNOWN_TOOL_SECONDS)


def _given(turn: Turn, state: State) -> Result | None:
    """What somebody else's run of the pending call gave."""
    if turn.output is None or state.pending is None:
        return turn.result
    return read_output(state.pending.name, turn.output)


def _begun(turn: Turn, ports: Ports) -> State:
    """Returns where the turn is: what the workflow says, or what an invocation that was ended has left."""
    noted = ports.progress.load(turn.turn_id)
    known = turn.state or State()
    if noted is not None and len(noted.tool_calls) >= len(known.tool_calls) and (noted.asked or not known.asked):
        known = noted
    for told in (turn.decision, turn.result, turn.output):
        if told is None:
            continue
        waiting = None if known.pending is None else known.pending.tool_use_id
        if told.tool_use_id != waiting and told.tool_use_id not in {ran.tool_use_id for ran in known.tool_calls}:
            raise errors.TurnOutOfStep(
                f"what was said is about the call {told.tool_use_id}, and the turn waits for {waiting or 'none'}"
            )
    return known


def _result(turn: Turn, call: Call, decision: Decision | None, given: Result | None, ports: Ports) -> Result | Answer:
    """Returns the result of a call; or the answer that hands it out, to a person or to whoever runs it."""
    if given is not None and given.tool_use_id == call.tool_use_id:
        return given
    if call.fault is not None:
        return Result(tool_use_id=call.tool_use_id, text=call.fault, is_error=True)
    decided = decision if decision is not None and decision.tool_use_id == call.tool_use_id else None
    if decided is not None and not decided.approved:
        why = f": {decided.comment}" if decided.comment else "."
        return Result(tool_use_id=call.tool_use_id, text=f"A person has rejected this call{why}", is_error=True)
    function = turn.functions.get(call.name)
    if function is None:
        known = ", ".join(sorted(turn.functions)) or "none"
        raise errors.InlineToolUnknown(
            f"the agent called the inline tool {call.name!r}; there are functions for {known}"
        )
    if function.approval and decided is None:
        return _answer("approval", turn, State(), call=call)
    if turn.mode == "step" or function.function is None:
        return _answer("tool", turn, State(), call=call)
    logger.info("running a tool", tool=call.name, tool_use_id=call.tool_use_id)
    try:
        return ports.tools.run(turn.session_id, call, function.function)
    except NotRun as error:
        raise errors.InlineToolThrottled(f"the function of the tool {call.name!r} is throttled: {error}") from None


def _ran(call: Call, result: Result, decision: Decision | None) -> Ran:
    status: Literal["success", "error", "rejected"] = "error" if result.is_error else "success"
    if decision is not None and decision.tool_use_id == call.tool_use_id and not decision.approved:
        status = "rejected"
    return Ran(tool_use_id=call.tool_use_id, name=call.name, status=status)


def _next_message(turn: Turn, state: State) -> list[dict[str, Any]]:
    if state.cut:
        return _said(_GO_ON)
    return turn.messages if turn.messages is not None else _said(str(turn.prompt))


def _said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"text": text}]}]


def _result_message(result: Result) -> list[dict[str, Any]]:
    """The lone result: anything beside it is refused."""
    told = {
        "toolUseId": result.tool_use_id,
        "content": [{"text": result.text}],
        "status": "error" if result.is_error else "success",
    }
    return [{"role": "user", "content": [{"toolResult": told}]}]


def _asked(turn: Turn, state: State, message: list[dict[str, Any]], ran: Ran | None, ports: Ports) -> State:
    """Sends a message, reads the reply, and notes both: before, that it was sent, and after, what came."""
    limit, is_ours = _limit(turn, ports)
    ports.progress.save(turn.turn_id, state.model_copy(update={"in_flight": True}))
    calls = (*state.tool_calls, ran) if ran is not None else state.tool_calls
    answered = {call.tool_use_id for call in calls}
    request = _request(turn, message, limit)
    try:
        reply = ports.harness.ask(request, turn.functions, answered)
    except errors.HarnessInvalidRequest as error:
        if not (state.in_flight or isinstance(error, errors.HarnessHasTakenIt)):
            raise
        # The same was sent before, and taken; the answer to it was lost.
        reply = _asked_anew(_request(turn, _said(_LOST), limit), turn, answered, ports)
    after = State(
        pending=reply.call,
        asked=True,
        cut=is_ours and reply.stop_reason == _TIMEOUT,
        text=reply.text,
        stop_reason=reply.stop_reason,
        usage=state.usage.plus(reply.usage),
        tool_calls=calls,
    )
    # The text counts when the turn is done, and may be long; before that, the note is smaller without.
    ports.progress.save(turn.turn_id, after if _is_done(after) else after.model_copy(update={"text": ""}))
    return after


def _asked_anew(request: Mapping[str, Any], turn: Turn, answered: set[str], ports: Ports) -> Reply:
    try:
        return ports.harness.ask(request, turn.functions, answered)
    except errors.HarnessInvalidRequest:
        # An id that was lost with the connection can be learned nowhere.
        text = "the connection was lost when the agent called a tool, and its session waits for that call"
        raise errors.HarnessConnectionLost(f"{text}: ask in another session") from None


def _request(turn: Turn, messages: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    named = {"qualifier": turn.qualifier, "actorId": turn.actor_id}
    return {
        "harnessArn": turn.harness_arn,
        "runtimeSessionId": turn.session_id,
        "messages": messages,
        **{name: value for name, value in named.items() if value is not None},
        **turn.overrides,
        "timeoutSeconds": limit,
    }


def _limit(turn: Turn, ports: Ports) -> tuple[int, bool]:
    """Returns how long the agent may work, and whether that is because this function has to end."""
    left = int(ports.remaining_seconds()) - MARGIN_SECONDS
    wanted = turn.overrides.get("timeoutSeconds")
    return (left, True) if wanted is None or left < wanted else (wanted, False)


def _is_time_left(ports: Ports) -> bool:
    return ports.remaining_seconds() >= MARGIN_SECONDS + _SHORTEST_SECONDS


def _with(answer: Answer, turn: Turn, state: State) -> Answer:
    return _answer(answer.status, turn, state, call=answer.call, state=state)


def _answer(status: Any, turn: Turn, known: State, *, call: Call | None = None, state: State | None = None) -> Answer:
    return Answer(
        status=status,
        text=known.text,
        stop_reason=known.stop_reason,
        usage=known.usage,
        tool_calls=known.tool_calls,
        session_id=turn.session_id,
        call=call,
        state=None if state is None else state.model_copy(update={"text": ""}),
    )
