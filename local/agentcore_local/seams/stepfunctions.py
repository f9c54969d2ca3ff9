"""Step Functions: integrations, Distributed Maps, and the roles of state machines."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from .base import Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_FUNCTIONS = "ministack.services.stepfunctions"

SEAMS: tuple[Seam, ...] = (
    Seam(_STEP_FUNCTIONS, "_SERVICE_DISPATCH", "add service integrations"),
    Seam(_STEP_FUNCTIONS, "_ExecutionError", "fail a task with an error name", ("error", "cause")),
    Seam(
        _STEP_FUNCTIONS,
        "_execute_task",
        "let an integration see that a state waits for a task token",
        ("state_def", "raw_input", "execution", "ctx"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_run_distributed_map",
        "evaluate a Distributed Map's JSONata fields",
        ("state_def", "raw_input", "effective", "iterator", "execution", "ctx"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_run_sub_machine",
        "give a child execution of a Distributed Map its own Execution.Id",
        ("states", "start_at", "input_data", "execution", "ctx"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_read_map_items",
        "read the items of a Distributed Map",
        ("reader", "effective", "ctx"),
    ),
    Seam(_STEP_FUNCTIONS, "_state_query_language", "know a state's query language", ("state_def", "ctx")),
    Seam(
        _STEP_FUNCTIONS,
        "_jsonata_state_field",
        "evaluate a Distributed Map's JSONata fields",
        ("state_def", "field", "expected", "raw_input", "ctx"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_apply_jsonata_template",
        "evaluate a Distributed Map's JSONata fields",
        ("value", "raw_input", "ctx", "result", "error_output"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_apply_jsonata_output",
        "evaluate a Distributed Map's JSONata output",
        ("state_def", "raw_input", "ctx", "result", "error_output", "default"),
    ),
    Seam(
        _STEP_FUNCTIONS,
        "_apply_state_assign",
        "assign a Distributed Map's variables",
        ("state_def", "raw_input", "ctx", "result", "error_output"),
    ),
    Seam(_STEP_FUNCTIONS, "_state_machines", "know the role of a state machine"),
    Seam(_STEP_FUNCTIONS, "_executions", "know the state machine of an execution"),
    Seam(_STEP_FUNCTIONS, "_run_execution", "run an execution with its role", ("exec_arn",)),
    Seam(_STEP_FUNCTIONS, "_invoke_resource", "check what a state machine may do", ("resource", "input_data")),
    Seam(
        _STEP_FUNCTIONS,
        "_invoke_with_callback",
        "check what a state machine may do",
        ("resource", "input_data", "token", "state_def"),
    ),
)


_INTEGRATIONS: dict[str, Callable[[str, dict[str, Any]], Any]] = {}
_MAP_NUMBERS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")
# ministack 1.5.33 passes over these without a word, and the workflow would see other items, or another result.
_MAP_REFUSED = ("ItemBatcher", "ResultWriter")
_STATE_MACHINE_ROLE: contextvars.ContextVar[str] = contextvars.ContextVar("agentcore_local_machine_role", default="")


def task_integration(resource: str, run: Callable[[str, dict[str, Any]], Any]) -> None:
    """Serve a Step Functions service integration; `run(resource, arguments)` works on the execution's own thread.

    Of a resource with `.sync` or `.waitForTaskToken` nothing is done but `run(resource, {})`, which may refuse it:
    ministack 1.5.33 cuts the ending off, and then waits for a token that nobody has.
    """
    module = internals(_STEP_FUNCTIONS)
    module._SERVICE_DISPATCH[resource] = run
    original = getattr(module._execute_task, "__wrapped__", module._execute_task)
    _INTEGRATIONS[resource] = run

    def execute_task(state_def: dict[str, Any], raw_input: Any, execution: Any, ctx: Any) -> Any:
        asked = str(state_def.get("Resource", ""))
        ours, _, pattern = asked.partition(".")
        if pattern and ours in _INTEGRATIONS:
            _INTEGRATIONS[ours](asked, {})
        return original(state_def, raw_input, execution, ctx)

    execute_task.__wrapped__ = original  # type: ignore[attr-defined]
    module._execute_task = execute_task


def distributed_maps() -> None:
    """Run Distributed Maps whose fields are JSONata, and give child executions a context object of their own.

    ministack 1.5.33 reads them as JSONPath: the state's whole input ran as one item, `Output` was left out.
    """
    module = internals(_STEP_FUNCTIONS)
    run_map = getattr(module._run_distributed_map, "__wrapped__", module._run_distributed_map)
    run_states = getattr(module._run_sub_machine, "__wrapped__", module._run_sub_machine)

    def distributed_map(  # noqa: PLR0917 - ministack's signature
        state: dict[str, Any], raw_input: Any, effective: Any, iterator: Any, execution: dict[str, Any], ctx: Any
    ) -> Any:
        if refused := [name for name in _MAP_REFUSED if name in state]:
            raise task_error(
                "States.Runtime",
                f"{' and '.join(refused)} of a Distributed Map are not emulated by the local cloud; leave them out "
                "for local runs, or use an AWS account",
            )
        if module._state_query_language(state, ctx) != "JSONata":
            return run_map(state, raw_input, effective, iterator, execution, ctx)
        plain = {name: value for name, value in state.items() if name not in ("Items", "ItemSelector", "Output")}
        for name in _MAP_NUMBERS:
            if name in state:
                plain[name] = module._jsonata_state_field(state, name, "number", raw_input, ctx)
        items = raw_input
        if "ItemReader" in plain:
            reader = plain.pop("ItemReader")
            arguments = module._apply_jsonata_template(reader.get("Arguments") or {}, raw_input, ctx)
            config = module._apply_jsonata_template(reader.get("ReaderConfig") or {}, raw_input, ctx)
            items = module._read_map_items({**reader, "Arguments": arguments, "ReaderConfig": config}, raw_input, ctx)
        elif "Items" in state:
            items = module._jsonata_state_field(state, "Items", "array", raw_input, ctx)
        if not isinstance(items, list):
            items = [items]
        if "ItemSelector" in state:
            selector = state["ItemSelector"]
            items = [
                module._apply_jsonata_template(
                    selector, raw_input, {**ctx, "Map": {"Item": {"Index": index, "Value": item}}}
                )
                for index, item in enumerate(items)
            ]
        results, following = run_map(plain, raw_input, items, iterator, execution, ctx)
        output = module._apply_jsonata_output(state, raw_input, ctx, result=results, default=results)
        module._apply_state_assign(state, raw_input, ctx, result=results)
        return output, following

    def sub_machine(states: Any, start_at: Any, input_data: Any, execution: dict[str, Any], ctx: Any) -> Any:
        if execution.get("mapRunArn") and ctx["Execution"]["Id"] != execution["executionArn"]:
            ctx["Execution"] = {
                "Id": execution["executionArn"],
                "Input": input_data,
                "Name": execution["name"],
                "StartTime": execution["startDate"],
            }
        return run_states(states, start_at, input_data, execution, ctx)

    distributed_map.__wrapped__ = run_map  # type: ignore[attr-defined]
    sub_machine.__wrapped__ = run_states  # type: ignore[attr-defined]
    module._run_distributed_map, module._run_sub_machine = distributed_map, sub_machine


def task_error(error: str, cause: str) -> Exception:
    """The exception that fails a task with an error name that Retry and Catch match."""
    failure: Exception = internals(_STEP_FUNCTIONS)._ExecutionError(error, cause)
    return failure


def state_machine_roles(check: Callable[[str, str, Any], None]) -> None:
    """Call `check(role_arn, resource, arguments)` before each task of an execution; what it raises fails the task."""
    module = internals(_STEP_FUNCTIONS)
    run, invoke, wait = (
        getattr(getattr(module, name), "__wrapped__", getattr(module, name))
        for name in ("_run_execution", "_invoke_resource", "_invoke_with_callback")
    )

    def run_execution(exec_arn: str) -> Any:
        execution = module._executions.get(exec_arn) or {}
        machine = module._state_machines.get(execution.get("stateMachineArn")) or {}
        token = _STATE_MACHINE_ROLE.set(str(machine.get("roleArn") or ""))
        try:
            return run(exec_arn)
        finally:
            _STATE_MACHINE_ROLE.reset(token)

    def invoke_resource(resource: str, input_data: Any) -> Any:
        check(_STATE_MACHINE_ROLE.get(), resource, input_data)
        return invoke(resource, input_data)

    def invoke_with_callback(resource: str, input_data: Any, token: Any, state_def: Any) -> Any:
        check(_STATE_MACHINE_ROLE.get(), resource, input_data)
        return wait(resource, input_data, token, state_def)

    wrapped: tuple[tuple[str, Any, Any], ...] = (
        ("_run_execution", run_execution, run),
        ("_invoke_resource", invoke_resource, invoke),
        ("_invoke_with_callback", invoke_with_callback, wait),
    )
    for name, ours, original in wrapped:
        ours.__wrapped__ = original
        setattr(module, name, ours)
