"""The States Language as ministack evaluates it: paths, templates, JSONata, retries, and single states."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import contextvars
import re
from typing import TYPE_CHECKING, Any

from .base import Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_FUNCTIONS = "ministack.services.stepfunctions"
_STATE = "run single states of a workflow"
_FIELDS = "evaluate the fields of states"

SEAMS: tuple[Seam, ...] = (
    Seam(_STEP_FUNCTIONS, "_execute_pass", _STATE, ("state_def", "raw_input", "ctx")),
    Seam(_STEP_FUNCTIONS, "_execute_choice", _STATE, ("state_def", "raw_input", "ctx")),
    Seam(_STEP_FUNCTIONS, "_execute_wait", _STATE, ("state_def", "raw_input", "ctx")),
    Seam(_STEP_FUNCTIONS, "_execute_parallel", _STATE, ("state_def", "raw_input", "execution", "ctx")),
    Seam(_STEP_FUNCTIONS, "_execute_map", _STATE, ("state_def", "raw_input", "execution", "ctx")),
    Seam(_STEP_FUNCTIONS, "_fail_state_error", _STATE, ("state_def", "raw_input", "ctx")),
    Seam(_STEP_FUNCTIONS, "_state_query_language", "know a state's query language", ("state_def", "ctx")),
    Seam(_STEP_FUNCTIONS, "_jsonata_state_field", _FIELDS, ("state_def", "field", "expected", "raw_input", "ctx")),
    Seam(_STEP_FUNCTIONS, "_apply_jsonata_template", _FIELDS, ("value", "raw_input", "ctx", "result", "error_output")),
    Seam(
        _STEP_FUNCTIONS,
        "_apply_jsonata_output",
        _FIELDS,
        ("state_def", "raw_input", "ctx", "result", "error_output", "default"),
    ),
    Seam(_STEP_FUNCTIONS, "_apply_state_assign", _FIELDS, ("state_def", "raw_input", "ctx", "result", "error_output")),
    Seam(_STEP_FUNCTIONS, "_resolve_params_obj", _FIELDS, ("template", "data", "ctx")),
    Seam(_STEP_FUNCTIONS, "_resolve_path", "read variables by path", ("path", "data")),
    Seam(_STEP_FUNCTIONS, "_resolve_path_or_ctx", _FIELDS, ("path", "data", "ctx")),
    Seam(_STEP_FUNCTIONS, "_apply_input_path", _FIELDS, ("state_def", "data", "ctx")),
    Seam(_STEP_FUNCTIONS, "_apply_output_path", _FIELDS, ("state_def", "data", "ctx")),
    Seam(_STEP_FUNCTIONS, "_apply_parameters", _FIELDS, ("state_def", "data", "ctx")),
    Seam(_STEP_FUNCTIONS, "_apply_result_selector", _FIELDS, ("state_def", "data")),
    Seam(_STEP_FUNCTIONS, "_apply_result_path", _FIELDS, ("state_def", "original", "result")),
    Seam(_STEP_FUNCTIONS, "_next_or_end", _STATE, ("state_def",)),
    Seam(_STEP_FUNCTIONS, "_error_matches", "match errors as Step Functions does", ("error_equals", "error")),
    Seam(_STEP_FUNCTIONS, "_find_matching_retrier", "retry tasks", ("retriers", "error", "retry_counts")),
    Seam(_STEP_FUNCTIONS, "_find_matching_catcher", "catch errors of tasks", ("catchers", "error")),
    Seam(
        _STEP_FUNCTIONS,
        "_apply_catcher",
        "catch errors of tasks",
        ("catcher", "raw_input", "ctx", "query_language", "error_output"),
    ),
    Seam(_STEP_FUNCTIONS, "_ExecutionError", "fail a task with an error name", ("error", "cause")),
    Seam(_STEP_FUNCTIONS, "_SFN_WAIT_SCALE", "wait between retries"),
)

Context = dict[str, Any]
Next = tuple[Any, str | None]

_VARIABLES: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("agentcore_variables", default=None)
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)


def variables_in_paths() -> None:
    """Have paths such as `$name.member` lead to the variables of what runs; ministack reads them as `$.name`."""
    module = _module()
    original = getattr(module._resolve_path, "__wrapped__", module._resolve_path)

    def resolve_path(path: Any, data: Any) -> Any:
        match = _VARIABLE.fullmatch(path) if isinstance(path, str) else None
        if match is None:
            return original(path, data)
        name, rest = match.groups()
        variables = _VARIABLES.get() or {}
        if name not in variables:
            raise task_error("States.Runtime", f"The variable ${name} of the path {path} has no value here")
        return original(f"${rest}", variables[name])

    resolve_path.__wrapped__ = original  # type: ignore[attr-defined]
    module._resolve_path = resolve_path


def use_variables(variables: dict[str, Any]) -> None:
    """From now on, paths on this thread lead to these variables."""
    _VARIABLES.set(variables)


def assign(state: dict[str, Any], result: Any, context: Context) -> None:
    """Assign the variables of a JSONPath state (or catcher), whose paths begin at its result."""
    if "Assign" in state:
        context["variables"].update(payload(state["Assign"], result, context))


def task_error(error: str, cause: str) -> Exception:
    """The exception that fails a task with an error name that Retry and Catch match."""
    failure: Exception = _module()._ExecutionError(error, cause)
    return failure


def task_error_type() -> type[Exception]:
    """The class of `task_error`; its instances have `error` and `cause`."""
    kind: type[Exception] = _module()._ExecutionError
    return kind


def wait_scale() -> float:
    """What seconds of waits are multiplied with; 1 unless the environment says otherwise."""
    return float(_module()._SFN_WAIT_SCALE)


def plain_states() -> dict[str, Callable[[dict[str, Any], Any, Context], Next]]:
    """How states that call nothing run, by type: state, input and context object in; output and next out."""
    module = _module()
    return {"Pass": module._execute_pass, "Choice": module._execute_choice, "Wait": module._execute_wait}


def nesting_states() -> dict[str, Callable[[dict[str, Any], Any, dict[str, Any], Context], Next]]:
    """How states with states in them run, by type; they take the record of the execution as well."""
    module = _module()
    return {"Parallel": module._execute_parallel, "Map": module._execute_map}


def failure_of(state: dict[str, Any], given: Any, context: Context) -> tuple[str, str]:
    """Error and cause of a Fail state."""
    error, cause = _module()._fail_state_error(state, given, context)
    return error, cause


def is_jsonata(state: dict[str, Any], context: Context) -> bool:
    """Whether a state's fields are JSONata; otherwise they are JSONPath."""
    return bool(_module()._state_query_language(state, context) == "JSONata")


def evaluate(template: Any, given: Any, context: Context) -> Any:
    """A JSONata state's template, its expressions evaluated."""
    return _module()._apply_jsonata_template(template, given, context)


def field(state: dict[str, Any], name: str, kind: str, given: Any, context: Context) -> Any:
    """A JSONata state's field, which must be of a JSON type (`array`, `number`, …)."""
    return _module()._jsonata_state_field(state, name, kind, given, context)


def payload(template: Any, given: Any, context: Context) -> Any:
    """A JSONPath state's payload template, its references resolved."""
    return _module()._resolve_params_obj(template, given, context)


def path(reference: str, given: Any, context: Context) -> Any:
    """What a reference path of a JSONPath state leads to."""
    return _module()._resolve_path_or_ctx(reference, given, context)


def input_path(state: dict[str, Any], given: Any, context: Context) -> Any:
    """A JSONPath state's input after InputPath; that of a JSONata state as it is."""
    return _module()._apply_input_path(state, given, context)


def arguments(state: dict[str, Any], given: Any, context: Context) -> Any:
    """What a task is called with: Arguments, or InputPath and Parameters."""
    if is_jsonata(state, context):
        return evaluate(state["Arguments"], given, context) if "Arguments" in state else given
    return _module()._apply_parameters(state, input_path(state, given, context), context)


def finish(state: dict[str, Any], given: Any, result: Any, context: Context) -> Next:
    """Output and next state, from what a state has done; variables are assigned."""
    module = _module()
    if is_jsonata(state, context):
        output = module._apply_jsonata_output(state, given, context, result=result, default=result)
        module._apply_state_assign(state, given, context, result=result)
        return output, module._next_or_end(state)
    assign(state, result, context)
    selected = module._apply_result_selector(state, result)
    output = module._apply_result_path(state, given, selected)
    return module._apply_output_path(state, output, context), module._next_or_end(state)


def succeed(state: dict[str, Any], given: Any, context: Context) -> Any:
    """The output of a Succeed state."""
    module = _module()
    if is_jsonata(state, context):
        return module._apply_jsonata_output(state, given, context, default=given)
    return module._apply_output_path(state, module._apply_input_path(state, given, context), context)


def retrier(state: dict[str, Any], error: str, counts: dict[int, int]) -> tuple[dict[str, Any] | None, int]:
    """The retrier that speaks for an error and has attempts left, and its position."""
    found, position = _module()._find_matching_retrier(state.get("Retry", []), error, counts)
    return found, position


def caught(state: dict[str, Any], given: Any, error: tuple[str, str], context: Context) -> Next | None:
    """Output and next state of the catcher that speaks for an error; None when none does."""
    module = _module()
    catcher = module._find_matching_catcher(state.get("Catch", []), error[0])
    if catcher is None:
        return None
    language = module._state_query_language(state, context)
    told = {"Error": error[0], "Cause": error[1]}
    if language != "JSONata":
        assign(catcher, told, context)
    return module._apply_catcher(catcher, given, context, language, told), catcher["Next"]


def match_by_name_only(errors: frozenset[str]) -> None:
    """Let no wildcard of a retrier or a catcher speak for these errors."""
    module = _module()
    original = getattr(module._error_matches, "__wrapped__", module._error_matches)

    def matches(error_equals: list[str], error: str) -> bool:
        return error in error_equals if error in errors else bool(original(error_equals, error))

    matches.__wrapped__ = original  # type: ignore[attr-defined]
    module._error_matches = matches


def _module() -> Any:
    return internals(_STEP_FUNCTIONS)
