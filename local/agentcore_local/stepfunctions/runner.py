"""Runs executions and branches: one state after the other, until the end, a failure, a timeout or a stop."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from agentcore_local.seams import states_language as language
from agentcore_local.seams import stepfunctions as seam

from . import map_runs, nested, quotas, sdk, tasks
from .lives import ACTING, Acting, Ended, ended, parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Runner:
    """Runs workflows; see `seams.stepfunctions.Runner`."""

    def execution(self, execution: Record, machine: Record) -> None:
        """Run an execution to its end, and record how it ended."""
        if not machine:
            return _end(execution, "FAILED", "States.Runtime", "The state machine no longer exists")
        token = ACTING.set(Acting(str(machine.get("roleArn") or ""), execution["stateMachineArn"], execution))
        try:
            self._run(execution, machine)
        except Ended:
            logger.debug("execution=<%s> | ended from outside", execution["executionArn"])
        except language.task_error_type() as failure:
            error: Any = failure
            _end(execution, "FAILED", error.error, error.cause)
        except Exception as failure:  # a bug of ours must not leave the execution running for ever
            logger.exception("execution=<%s> | failed unexpectedly", execution["executionArn"])
            _end(execution, "FAILED", "States.Runtime", str(failure))
        finally:
            ACTING.reset(token)

    def _run(self, execution: Record, machine: Record) -> None:
        definition, given = json.loads(machine["definition"]), json.loads(execution["input"])
        context = {
            "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
            "Execution": {
                "Id": execution["executionArn"],
                "Input": given,
                "Name": execution["name"],
                "RoleArn": machine.get("roleArn"),
                "StartTime": execution["startDate"],
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
            "variables": {},
        }
        with _time_limit(execution, definition.get("TimeoutSeconds")):
            output = self.states(definition.get("States", {}), definition.get("StartAt", ""), given, execution, context)
        if execution["status"] == "RUNNING":
            _end(execution, "SUCCEEDED", output=json.dumps(output))

    def states(self, states: Record, start: str, given: Any, execution: Record, context: Record) -> Any:
        """Run states from one on; return the output of the last.

        Branches get a context object of their own: their state, task token and variables are nobody else's.
        """
        own = {**context, "variables": dict(context.get("variables") or {})}
        name: str | None = start
        while name:
            if ended(execution):
                raise Ended(execution["executionArn"])
            state = states.get(name)
            if state is None:
                raise language.task_error("States.Runtime", f"State {name!r} is not in the definition")
            own["State"] = {"Name": name, "EnteredTime": seam.now(), "RetryCount": 0}
            kind = state.get("Type", "")
            entered = {"name": name, "input": json.dumps(given)}
            seam.add_event(execution, f"{kind}StateEntered", stateEnteredEventDetails=entered)
            language.use_variables(own["variables"])
            given, following = self._state(kind, state, given, execution, own)
            quotas.check(f"output of the state {name!r}", given)
            exited = {"name": name, "output": json.dumps(given)}
            seam.add_event(execution, f"{kind}StateExited", stateExitedEventDetails=exited)
            name = following
        return given

    def _state(self, kind: str, state: Record, given: Any, execution: Record, context: Record) -> language.Next:
        if kind == "Task":
            return self.task(state, given, execution, context)
        if kind == "Map" and map_runs.is_distributed(state):
            call = map_runs.Call(state, given, language.input_path(state, given, context), execution, context)
            return tasks.retrying(lambda: map_runs.run(call, self.states), state, given, execution, context)
        if kind == "Succeed":
            return language.succeed(state, given, context), None
        if kind == "Fail":
            raise language.task_error(*language.failure_of(state, given, context))
        if plain := language.plain_states().get(kind):
            done = plain(state, given, context)
            if not language.is_jsonata(state, context):
                _assign(kind, state, given, context)
            return done
        if nesting := language.nesting_states().get(kind):
            if "Assign" not in state or language.is_jsonata(state, context):
                return nesting(state, given, execution, context)
            bare = {name: value for name, value in state.items() if name not in _AFTERWARDS}

            def attempt() -> language.Next:
                return language.finish(state, given, nesting(bare, given, execution, context)[0], context)

            return tasks.retrying(attempt, state, given, execution, context)
        raise language.task_error("States.Runtime", f"State type {kind!r} is not known")

    def task(self, state: Record, given: Any, execution: Record, context: Record) -> language.Next:
        """Run a Task state, with its retries and catchers."""
        return tasks.run(state, given, execution, context)

    def nested(self, resource: str, arguments: Any) -> Any:
        """Start an execution of another state machine and wait for its end."""
        return nested.run(resource, arguments)

    def sdk(self, resource: str, arguments: Any) -> Any:
        """Call an operation of a service."""
        return sdk.call(resource, arguments)


# What a state with states in it does when these are done.
_AFTERWARDS = ("Retry", "Catch", "Assign", "ResultSelector", "ResultPath", "OutputPath")


def _assign(kind: str, state: Record, given: Any, context: Record) -> None:
    """Assign the variables of a JSONPath state that calls nothing; its paths begin at its result, or its input."""
    if kind == "Choice" and ("Assign" in state or any("Assign" in rule for rule in state.get("Choices", []))):
        raise language.task_error(
            "States.Runtime",
            f"Assign of the JSONPath state {context['State']['Name']!r} is not emulated by the local cloud for Choice; "
            "assign in the states that follow, or use JSONata in this state",
        )
    language.assign(state, state.get("Result", language.arguments(state, given, context)), context)


@contextlib.contextmanager
def _time_limit(execution: Record, seconds: Any) -> Iterator[None]:
    """End the execution after its state machine's TimeoutSeconds."""
    if not seconds:
        yield
        return

    def expire() -> None:
        cause = f"The execution ran for more than {seconds} seconds, the TimeoutSeconds of its state machine"
        _end(execution, "TIMED_OUT", "States.Timeout", cause)

    timer = threading.Timer(float(seconds), contextvars.copy_context().run, (expire,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_EVENTS = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed", "TIMED_OUT": "ExecutionTimedOut"}


def _end(execution: Record, status: str, error: str = "", cause: str = "", *, output: str | None = None) -> None:
    """Record the end of an execution that still runs."""
    if execution["status"] != "RUNNING":
        return
    details = {"output": output} if output is not None else {"error": error, "cause": cause}
    execution.update(status=status, stopDate=seam.now(), output=output)
    if error:
        execution.update(error=error, cause=cause)
    event = _EVENTS[status]
    seam.add_event(execution, event, **{f"{event[:1].lower()}{event[1:]}EventDetails": details})
    if parent_of(execution) is None:
        seam.tell_status(execution)
