"""Step Functions: who runs executions, tasks and Distributed Maps, their records, and task tokens."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Protocol

from .base import Seam, internals
from .checked_resources import name_resource
from .lambdas import sent_with
from .states_language import task_error, variables_in_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from .checked_resources import Asked

_STEP_FUNCTIONS = "ministack.services.stepfunctions"
_RECORDS = "keep the records of executions"
_TOKENS = "wait for task tokens"

SEAMS: tuple[Seam, ...] = (
    Seam(_STEP_FUNCTIONS, "_SERVICE_DISPATCH", "add service integrations"),
    Seam(_STEP_FUNCTIONS, "_run_execution", "run executions", ("exec_arn",)),
    Seam(_STEP_FUNCTIONS, "_run_sub_machine", "run branches", ("states", "start_at", "input_data", "execution", "ctx")),
    Seam(_STEP_FUNCTIONS, "_execute_task", "run tasks", ("state_def", "raw_input", "execution", "ctx")),
    Seam(_STEP_FUNCTIONS, "_invoke_resource", "call what a task names", ("resource", "input_data")),
    Seam(_STEP_FUNCTIONS, "_state_machines", "know the role of a state machine"),
    Seam(_STEP_FUNCTIONS, "_executions", _RECORDS),
    Seam(_STEP_FUNCTIONS, "_map_runs", _RECORDS),
    Seam(_STEP_FUNCTIONS, "_add_event", _RECORDS, ("execution", "event_type", "details")),
    Seam(_STEP_FUNCTIONS, "_emit_execution_status_event", _RECORDS, ("execution",)),
    Seam(_STEP_FUNCTIONS, "_start_execution", "start nested executions, and check what others start", ("data",)),
    Seam(_STEP_FUNCTIONS, "_resolve_state_machine_arn", "know what is started again", ("arn",)),
    Seam(_STEP_FUNCTIONS, "_start_sync_execution", "check an execution before it starts", ("data",)),
    Seam(_STEP_FUNCTIONS, "_stop_execution", "stop nested executions", ("data",)),
    Seam(_STEP_FUNCTIONS, "_nested_start_execution_request", "start nested executions", ("input_data",)),
    Seam(_STEP_FUNCTIONS, "_task_tokens", _TOKENS),
    Seam(_STEP_FUNCTIONS, "_send_task_success", _TOKENS, ("data",)),
    Seam(_STEP_FUNCTIONS, "_send_task_failure", _TOKENS, ("data",)),
    Seam(_STEP_FUNCTIONS, "_send_task_heartbeat", _TOKENS, ("data",)),
    Seam(_STEP_FUNCTIONS, "_create_state_machine", "check a state machine before it is made", ("data",)),
    Seam(_STEP_FUNCTIONS, "_update_state_machine", "check a state machine before it is changed", ("data",)),
    Seam("ministack.core.responses", "now_iso", _RECORDS, ()),
)

Record = dict[str, Any]


class Runner(Protocol):
    """What runs workflows in place of ministack's loops."""

    def execution(self, execution: Record, machine: Record) -> None:
        """Run an execution to its end, and record how it ended."""

    def states(self, states: Record, start: str, given: Any, execution: Record, context: Record) -> Any:
        """Run the states of a branch, an iteration or a child execution; return the output of the last."""

    def task(self, state: Record, given: Any, execution: Record, context: Record) -> tuple[Any, str | None]:
        """Run a Task state."""

    def nested(self, resource: str, arguments: Any) -> Any:
        """Start an execution of another state machine and wait for its end."""

    def sdk(self, resource: str, arguments: Any) -> Any:
        """Call an operation of a service."""


def task_integration(resource: str, run: Callable[[str, dict[str, Any]], Any]) -> None:
    """Serve a service integration; `run(resource, arguments)` works on the execution's own thread.

    It is called for the resource with `.sync` or `.waitForTaskToken` as well, which it may refuse.
    """
    internals(_STEP_FUNCTIONS)._SERVICE_DISPATCH[resource] = run


def run_workflows(runner: Runner, check: Callable[[str, Any], None]) -> None:
    """Have executions, tasks and Distributed Maps run by `runner`, and `check(resource, arguments)` before each call.

    ministack 1.5.33's own loops share one context object (and with it one task token) between parallel branches, wait
    for ever for a token whose function has failed, know no heartbeats, and stop no Map Run.
    """
    module = internals(_STEP_FUNCTIONS)
    invoke = _original("_invoke_resource")

    def run_execution(exec_arn: str) -> None:
        execution = module._executions.get(exec_arn)
        if execution is not None:
            runner.execution(execution, module._state_machines.get(execution["stateMachineArn"]) or {})

    def invoke_resource(resource: str, input_data: Any) -> Any:
        check(resource, input_data)
        if ":states:startExecution.sync" in resource:
            return runner.nested(resource, input_data)
        if ":aws-sdk:" in resource:
            return runner.sdk(resource, input_data)
        if isinstance(input_data, dict) and ":lambda:invoke" in resource and "ClientContext" in input_data:
            # ministack leaves out what the state says of it.
            with sent_with(json.loads(base64.b64decode(input_data["ClientContext"]))):
                return invoke(resource, input_data)
        return invoke(resource, input_data)

    variables_in_paths()
    _replace("_run_execution", run_execution)
    _replace("_run_sub_machine", runner.states)
    _replace("_execute_task", runner.task)
    _replace("_invoke_resource", invoke_resource)


def on_state_machine(refuse: Callable[[str, Record], tuple[str, str] | None]) -> None:
    """Call `refuse(arn, request)` before a state machine is made or changed; an error code and message refuse it.

    Stacks change machines the same way, and make them without it: see `cfn.registry`.
    """
    responses = internals("ministack.core.responses")

    def guard(name: str, arn_of: Callable[[Record], str]) -> None:
        _ahead(name, lambda data: _refused(refuse(arn_of(data), data)))

    def arn_of_name(data: Record) -> str:
        scope = f"{responses.get_region()}:{responses.get_account_id()}"
        return f"arn:aws:states:{scope}:stateMachine:{data.get('name', '')}"

    guard("_create_state_machine", arn_of_name)
    guard("_update_state_machine", lambda data: str(data.get("stateMachineArn", "")))


def on_start(refuse: Callable[[Record], tuple[str, str] | None]) -> None:
    """Call `refuse(request)` before an execution starts; an error code and message refuse it.

    A Standard execution that runs already, by that name and with that input, is answered again instead of refused:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    responses = internals("ministack.core.responses")

    def started(data: Record) -> Any:
        if refusal := _refused(refuse(data)):
            return refusal
        running = _running(data)
        return running and responses.json_response({key: running[key] for key in ("executionArn", "startDate")})

    _ahead("_start_execution", started)
    _ahead("_start_sync_execution", lambda data: _refused(refuse(data)))


def _running(data: Record) -> Record | None:
    """The execution that a request to start one asks for and that runs already; None when there is none."""
    module = internals(_STEP_FUNCTIONS)
    machine = module._state_machines.get(module._resolve_state_machine_arn(str(data.get("stateMachineArn")))) or {}
    if machine.get("type") == "EXPRESS" or "name" not in data:
        return None
    arn = f"{machine.get('stateMachineArn')}:{data['name']}".replace(":stateMachine:", ":execution:", 1)
    execution: Record = module._executions.get(arn) or {}
    same = execution.get("status") == "RUNNING" and execution["input"] == data.get("input", "{}")
    return execution if same else None


class Tokens(Protocol):
    """What answers SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat: an error code and message, or None."""

    def success(self, data: Record) -> tuple[str, str] | None:
        """The task has succeeded."""

    def failure(self, data: Record) -> tuple[str, str] | None:
        """The task has failed."""

    def heartbeat(self, data: Record) -> tuple[str, str] | None:
        """The task is still being worked on."""

    def machine(self, token: str) -> str | None:
        """The state machine whose task has this token."""


def task_tokens(tokens: Tokens) -> None:
    """Have `tokens` answer the calls about task tokens; callers need the permission on the token's state machine."""
    responses = internals("ministack.core.responses")

    def answered(name: str, answer: Callable[[Record], tuple[str, str] | None]) -> None:
        def handle(data: Record) -> Any:
            if data.get("taskToken") in internals(_STEP_FUNCTIONS)._task_tokens:  # of an activity
                return None
            return _refused(answer(data)) or responses.json_response({})

        _ahead(name, handle)

    answered("_send_task_success", tokens.success)
    answered("_send_task_failure", tokens.failure)
    answered("_send_task_heartbeat", tokens.heartbeat)

    def machine_of(asked: Asked) -> str:
        if asked.resource != "*" or b"taskToken" not in asked.body:
            return asked.resource
        return tokens.machine(str(asked.members().get("taskToken"))) or asked.resource

    name_resource("states", machine_of)


# --- records ------------------------------------------------------------------------------------------------------


def now() -> str:
    """The moment, as records of executions have it."""
    return str(internals("ministack.core.responses").now_iso())


def keep_execution(execution: Record) -> None:
    """Add the record of an execution."""
    internals(_STEP_FUNCTIONS)._executions[execution["executionArn"]] = execution


def find_execution(arn: str) -> Record | None:
    """The record of an execution of the account and Region that act now."""
    found: Record | None = internals(_STEP_FUNCTIONS)._executions.get(arn)
    return found


def abort_executions() -> None:
    """End what runs, in every account, without telling anybody: their threads end at the next step."""
    for execution in list(internals(_STEP_FUNCTIONS)._executions._data.values()):
        if execution["status"] == "RUNNING":
            execution["status"] = "ABORTED"


def find_machine(arn: str) -> Record | None:
    """The record of a state machine of the account and Region that act now."""
    found: Record | None = internals(_STEP_FUNCTIONS)._state_machines.get(arn)
    return found


def keep_map_run(run: Record) -> None:
    """Add the record of a Map Run."""
    internals(_STEP_FUNCTIONS)._map_runs[run["mapRunArn"]] = run


def add_event(execution: Record, kind: str, **details: Any) -> None:
    """Add an event to an execution's history."""
    internals(_STEP_FUNCTIONS)._add_event(execution, kind, details)


def tell_status(execution: Record) -> None:
    """Publish the status of an execution to the default event bus, as Standard workflows do."""
    internals(_STEP_FUNCTIONS)._emit_execution_status_event(execution)


def invoke(resource: str, arguments: Any) -> Any:
    """Call what a task names, with the permissions of its state machine checked."""
    return internals(_STEP_FUNCTIONS)._invoke_resource(resource, arguments)


def start_execution(arguments: Any) -> str:
    """Start an execution from the arguments of `states:startExecution`; returns its ARN.

    Raises:
        Exception: A `task_error`, as Step Functions words it.
    """
    module = internals(_STEP_FUNCTIONS)
    status, _, body = module._start_execution(module._nested_start_execution_request(arguments))
    answer = json.loads(body)
    if status >= 400:  # noqa: PLR2004 - HTTP
        name = str(answer.get("__type", "StepFunctionsException"))
        raise task_error(f"StepFunctions.{name}Exception", str(answer.get("message", "")))
    return str(answer["executionArn"])


def stop_execution(arn: str, error: str, cause: str) -> None:
    """Stop an execution, if it still runs."""
    internals(_STEP_FUNCTIONS)._stop_execution({"executionArn": arn, "error": error, "cause": cause})


def _ahead(name: str, answer: Callable[[Record], Any]) -> None:
    """Have `answer(request)` answer an operation; what it answers None to is ministack's."""
    original = _original(name)

    def handle(data: Record) -> Any:
        found = answer(data)
        return original(data) if found is None else found

    _replace(name, handle)


def _refused(refusal: tuple[str, str] | None) -> Any:
    """The answer that refuses a request with an error code and a message; None without them."""
    return refusal and internals("ministack.core.responses").error_response_json(*refusal, 400)


def _original(name: str) -> Any:
    found = getattr(internals(_STEP_FUNCTIONS), name)
    return getattr(found, "__wrapped__", found)


def _replace(name: str, ours: Any) -> None:
    def standing_in(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs)

    standing_in.__wrapped__ = _original(name)  # type: ignore[attr-defined]  # what the seams are checked against
    setattr(internals(_STEP_FUNCTIONS), name, standing_in)
