"""The only module that touches ministack's private names.

The local cloud composes ministack's services with ours by replacing or reading a few of its internals, in process.
Every such internal is listed in `SEAMS` with the reason and, for functions, the parameters we rely on. `check()`
verifies the list when the cloud starts and fails with a sentence that names what changed: ministack is pinned
exactly, and an upgrade means reading these lines again (tests/local/test_seams.py has one test per assumption).

Nothing here decides anything: rules live in the modules that call it. `load()` imports ministack, which reads its
settings from the environment at import: `process.prepare` must have run before.
"""

# ruff: noqa: SLF001 - private names are what this module is for
from __future__ import annotations

import contextlib
import contextvars
import http
import importlib
import importlib.metadata
import inspect
import json
import logging
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .harness.errors import ServiceError

MINISTACK_VERSION = "1.5.33"

Scope = tuple[str, str]
HttpResponse = tuple[int, dict[str, Any], Any]
HttpHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[HttpResponse]]


class SeamBrokenError(RuntimeError):
    """ministack is not the version, or not the shape, that this package composes with."""


@dataclass(frozen=True)
class Seam:
    """One private name of ministack: where it is, what we do with it, and the parameters a function must have."""

    module: str
    name: str
    use: str
    parameters: tuple[str, ...] | None = None

    def problem(self) -> str | None:
        """What is not as assumed, as the end of a sentence; None when all is well."""
        module = importlib.import_module(self.module)
        found: Any = module
        for part in self.name.split("."):
            if not hasattr(found, part):
                return f"{self.module}.{self.name} is gone; it is used to {self.use}"
            found = getattr(found, part)
        if self.parameters is None:
            return None
        actual = tuple(inspect.signature(inspect.unwrap(found)).parameters)
        if actual != self.parameters:
            return (
                f"{self.module}.{self.name} takes ({', '.join(actual)}), not ({', '.join(self.parameters)}); "
                f"it is used to {self.use}"
            )
        return None


_AGENTCORE = "ministack.services.bedrock_agentcore"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_ENGINE = "ministack.services.cloudformation.engine"
_STACKS = "ministack.services.cloudformation.stacks"
_EVALUATOR = "ministack.core.iam_evaluator"
_RESPONSES = "ministack.core.responses"
_PERSISTENCE = "ministack.core.persistence"
_LAMBDA = "ministack.services.lambda_svc"
_LAMBDA_RUNTIME = "ministack.core.lambda_runtime"
_CUSTOM_RESOURCE = "ministack.services.cloudformation.custom_resource"
_STEP_FUNCTIONS = "ministack.services.stepfunctions"
_CFN_HANDLERS = "ministack.services.cloudformation.handlers"
_LOGS = "ministack.services.cloudwatch_logs"

SEAMS: tuple[Seam, ...] = (
    Seam("ministack.app", "app", "serve HTTP", ("scope", "receive", "send")),
    Seam("ministack.app", "_reset_all_state", "reset every service", ()),
    Seam(_PERSISTENCE, "PERSIST_STATE", "clear memory but not what is on disk"),
    Seam("ministack.app", "_docker_socket_present", "keep away from Docker", ()),
    Seam("ministack.app", "_reset_lock", "serve again in the same process after a stop"),
    Seam(
        _AGENTCORE,
        "handle_request",
        "add the harness routes to the AgentCore services",
        ("method", "path", "headers", "body", "query_params"),
    ),
    Seam(_AGENTCORE, "_memories", "create managed memories"),
    Seam(_AGENTCORE, "_memory_strategies", "record the strategies of a managed memory", ("inputs", "now")),
    Seam(_AGENTCORE, "_create_memory", "create the memories of templates", ("body",)),
    Seam(_AGENTCORE, "_update_memory", "update the memories of templates", ("memory_id", "body")),
    Seam(_AGENTCORE, "_delete_memory", "delete a managed memory with its data", ("memory_id",)),
    Seam(_RESPONSES, "StreamingResponse", "stream events", ("runner",)),
    Seam(_RESPONSES, "request_scope", "act for an account and Region", ("account_id", "region")),
    Seam(_RESPONSES, "get_account_id", "know the caller's account", ()),
    Seam(_RESPONSES, "get_region", "know the caller's Region", ()),
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", "add CloudFormation types"),
    Seam(_PROVISIONERS, "_REPLACING_PROPERTIES", "declare which properties replace a resource"),
    Seam(_PROVISIONERS, "_CUSTOM_NAME_REPLACEMENT", "refuse replacing a custom-named resource"),
    Seam(_PROVISIONERS, "_STACK_TAG_PROPERTY", "hand stack tags to a resource"),
    Seam(_ENGINE, "_evaluate_conditions", "evaluate every function in conditions", ("template", "params")),
    Seam(
        _ENGINE,
        "_resolve_refs",
        "evaluate every function in conditions",
        ("value", "resources", "params", "conditions", "mappings", "stack_name", "stack_id"),
    ),
    Seam(_STACKS, "_runs_on_worker_thread", "run handlers off the event loop", ("resource_type",)),
    Seam(_LAMBDA_RUNTIME, "reset", "end the Lambda worker processes", ()),
    Seam(_LAMBDA_RUNTIME, "os.environ", "give Lambda workers an environment of their own"),
    Seam(_LAMBDA_RUNTIME, "tempfile.mkdtemp", "unpack Lambda code into a folder of our own"),
    Seam(_LAMBDA_RUNTIME, "Worker._spawn", "know that a worker starts from os.environ", ("self",)),
    Seam(_LAMBDA, "os.environ", "give Lambda workers an environment of their own"),
    Seam(_LAMBDA, "tempfile.TemporaryDirectory", "unpack Lambda code into a folder of our own"),
    Seam(
        _LAMBDA,
        "_execute_function_with_config_scope",
        "see a custom resource's function fail before it answers",
        ("func", "event"),
    ),
    Seam(
        _CUSTOM_RESOURCE,
        "invoke_custom_resource",
        "serve custom resources whose functions cannot run here",
        (
            "request_type",
            "logical_id",
            "props",
            "stack_name",
            "stack_id",
            "resource_type",
            "physical_id",
            "old_props",
        ),
    ),
    Seam(_CUSTOM_RESOURCE, "deliver_response", "answer for a function that failed", ("token", "response")),
    Seam(_CUSTOM_RESOURCE, "_pending", "see whether a function that failed had answered"),
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
    Seam(_LOGS, "_create_log_group", "log what agents do", ("data",)),
    Seam(_LOGS, "_create_log_stream", "log what agents do", ("data",)),
    Seam(_LOGS, "_delete_log_stream", "forget what agents logged long ago", ("data",)),
    Seam(_LOGS, "_put_log_events", "log what agents do", ("data",)),
    Seam("ministack.app", "pin_request_origin", "count loopback as TLS", ("source_ip", "secure_transport")),
    Seam("ministack.services.iam", "_roles", "read roles"),
    Seam("ministack.app", "AUTH", "have callers and Lambda functions act with their own permissions"),
    Seam(_EVALUATOR, "_service_principal_matches", "evaluate role trust", ("principal", "service")),
    Seam(_EVALUATOR, "_conditions_met", "evaluate role trust", ("conditions", "ctx")),
    Seam(_EVALUATOR, "EvalContext", "evaluate role trust"),
    Seam(_EVALUATOR, "parse_policy_document", "evaluate what a role may do", ("doc",)),
    Seam(_EVALUATOR, "evaluate", "evaluate what a role may do", ("ctx", "policies", "limits")),
    Seam(
        _EVALUATOR,
        "_resolve_managed_policy_document",
        "evaluate what a role may do",
        ("policy_arn", "account_id"),
    ),
    Seam(_EVALUATOR, "_resource_policy", "evaluate the policies of resources", ("service", "resource_arn")),
    Seam(
        _EVALUATOR,
        "combine_resource_policy",
        "evaluate the policies of resources",
        ("identity", "ctx", "policy", "owner_account", "required", "limits"),
    ),
    Seam(_EVALUATOR, "_POLICY_REQUIRED", "evaluate the policies of resources"),
    Seam(
        _EVALUATOR,
        "enforce",
        "check what a caller may do",
        ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    ),
    Seam("ministack.core.router", "extract_access_key_id", "know the caller", ("headers", "query_params")),
    Seam("ministack.services.s3", "_bucket_encryption", "know the key of a bucket"),
    Seam("ministack.services.sns", "_topics", "know the key of a topic"),
    Seam("ministack.services.efs", "_access_points", "know the file system of an access point"),
    Seam("ministack.services.eventbridge", "_event_buses", "know the key of an event bus"),
    Seam("ministack.services.kms", "key_policy_for_arn", "know who may use a key", ("resource_arn",)),
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
    Seam("ministack.services.cloudformation", "_stacks", "know the keys of what stacks have made"),
    Seam(_CFN_HANDLERS, "_ACTION_HANDLERS", "know the role a stack is deployed with"),
)


def check() -> None:
    """Verify every assumption about ministack.

    Raises:
        SeamBrokenError: A sentence that names the version or the symbols that differ.
    """
    version = importlib.metadata.version("ministack")
    if version != MINISTACK_VERSION:
        raise SeamBrokenError(
            f"agentcore_local composes ministack {MINISTACK_VERSION}, but {version} is installed; "
            f"install ministack=={MINISTACK_VERSION}"
        )
    problems = [problem for seam in SEAMS if (problem := seam.problem())]
    if problems:
        raise SeamBrokenError(
            f"ministack {version} is not what agentcore_local composes with: {'; '.join(problems)}; "
            "reinstall ministack or report it with this sentence"
        )


def load() -> None:
    """Import ministack without letting it configure the process' logging."""
    configure = logging.basicConfig
    logging.basicConfig = lambda **_: None
    try:
        importlib.import_module("ministack.app")
        importlib.import_module(_STACKS)
    finally:
        logging.basicConfig = configure


def _module(name: str) -> Any:
    return importlib.import_module(name)


# --- the server ---------------------------------------------------------------------------------------------------


def asgi_app() -> Any:
    """Ministack's ASGI application."""
    return _module("ministack.app").app


def reset_all(*, keep_files: bool = False) -> None:
    """Wipe every ministack service, in every account; with `keep_files`, only what is in memory."""
    if not keep_files:
        _module("ministack.app")._reset_all_state()
        return
    persistence, kept = _module(_PERSISTENCE), os.environ.pop("S3_PERSIST", None)
    was, persistence.PERSIST_STATE = persistence.PERSIST_STATE, False
    try:
        _module("ministack.app")._reset_all_state()
    finally:
        persistence.PERSIST_STATE = was
        if kept is not None:
            os.environ["S3_PERSIST"] = kept


def forget_loop() -> None:
    """Drop what is bound to the event loop of a stopped server."""
    _module("ministack.app")._reset_lock = None


def end_lambda_workers() -> None:
    """End every Lambda worker process and remove its folder."""
    _module(_LAMBDA_RUNTIME).reset()


def keep_away_from_docker() -> None:
    """Lambda, ECS and the container reaper must not reach a Docker daemon that happens to run here."""
    _module("ministack.app")._docker_socket_present = lambda: False


def streaming(runner: Callable[[Any, Any], Awaitable[None]]) -> Any:
    """A response body that `runner(send, receive)` writes frame by frame."""
    return _module(_RESPONSES).StreamingResponse(runner)


def route_agentcore(handler: Callable[[HttpHandler], HttpHandler]) -> None:
    """Put a handler in front of ministack's AgentCore services; it gets the original to delegate to."""
    module = _module(_AGENTCORE)
    original = getattr(module.handle_request, "__wrapped__", module.handle_request)
    wrapped = handler(original)
    wrapped.__wrapped__ = original  # type: ignore[attr-defined]
    module.handle_request = wrapped


# --- account and Region -------------------------------------------------------------------------------------------


def current_scope() -> Scope:
    """Account and Region of the request or the stack operation that runs now."""
    responses = _module(_RESPONSES)
    return responses.get_account_id(), responses.get_region()


@contextlib.contextmanager
def acting_for(scope: Scope) -> Iterator[None]:
    """Act for an account and Region within the block."""
    with _module(_RESPONSES).request_scope(*scope):
        yield


# --- memories -----------------------------------------------------------------------------------------------------


def create_memory(
    scope: Scope,
    *,
    memory_id: str,
    name: str,
    expiry_days: int,
    strategies: list[dict[str, Any]],
    managed_by: str | None,
    encryption_key_arn: str | None,
) -> str:
    """Create a memory under an id of our choice; returns its ARN."""
    agentcore, now = _module(_AGENTCORE), int(time.time())
    records, error = agentcore._memory_strategies(strategies, now)
    if error:
        raise SeamBrokenError(f"ministack refuses the strategies of a managed memory: {error}")
    account, region = scope
    arn = f"arn:aws:bedrock-agentcore:{region}:{account}:memory/{memory_id}"
    record = {
        "id": memory_id,
        "arn": arn,
        "name": name,
        "eventExpiryDuration": expiry_days,
        "status": "ACTIVE",
        "createdAt": now,
        "updatedAt": now,
        "strategies": records,
        "_tags": {},
    }
    if managed_by:
        record["managedByResourceArn"] = managed_by
    if encryption_key_arn:
        record["encryptionKeyArn"] = encryption_key_arn
    agentcore._memories.set_scoped(account, region, memory_id, record)
    return arn


def call_memory(operation: str, request: dict[str, Any], *, memory_id: str = "") -> dict[str, Any]:
    """CreateMemory or UpdateMemory (`create`, `update`) in the account and Region that act now.

    Returns:
        The memory.

    Raises:
        ServiceError: What the operation answered.
    """
    agentcore, body = _module(_AGENTCORE), json.dumps(request).encode()
    create = operation == "create"
    status, headers, answer = agentcore._create_memory(body) if create else agentcore._update_memory(memory_id, body)
    content = json.loads(answer)
    if status >= http.HTTPStatus.BAD_REQUEST:
        code = str(content.get("__type") or headers.get("x-amzn-errortype") or "InternalServerException")
        raise ServiceError(code.rsplit("#", 1)[-1], str(content.get("message", "")))
    memory: dict[str, Any] = content["memory"]
    return memory


def read_memory(scope: Scope, memory_id: str) -> dict[str, Any] | None:
    """The record of a memory, or None."""
    record: dict[str, Any] | None = _module(_AGENTCORE)._memories.get_scoped(*scope, memory_id)
    return record


def update_memory(
    scope: Scope, memory_id: str, *, expiry_days: int, add: list[dict[str, Any]], remove_types: list[str]
) -> None:
    """Change expiry and strategies of a memory."""
    agentcore, now = _module(_AGENTCORE), int(time.time())
    record = read_memory(scope, memory_id)
    if record is None:
        return
    added, error = agentcore._memory_strategies(add, now)
    if error:
        raise SeamBrokenError(f"ministack refuses the strategies of a managed memory: {error}")
    kept = [strategy for strategy in record["strategies"] if strategy["type"] not in remove_types]
    record.update(strategies=kept + added, eventExpiryDuration=expiry_days, updatedAt=now)


def release_memory(scope: Scope, memory_id: str) -> None:
    """Make a managed memory an ordinary one."""
    record = read_memory(scope, memory_id)
    if record is not None:
        record.pop("managedByResourceArn", None)


def delete_memory(scope: Scope, memory_id: str) -> None:
    """Delete a memory with its events and records; one that is gone is fine."""
    with acting_for(scope):
        _module(_AGENTCORE)._delete_memory(memory_id)


# --- CloudWatch Logs ----------------------------------------------------------------------------------------------

_LOG_OPERATIONS = {
    "CreateLogGroup": "_create_log_group",
    "CreateLogStream": "_create_log_stream",
    "DeleteLogStream": "_delete_log_stream",
    "PutLogEvents": "_put_log_events",
}


def call_logs(scope: Scope, operation: str, request: dict[str, Any]) -> None:
    """One of CloudWatch Logs' operations, without HTTP: microseconds, on any thread (the service has a lock for that).

    Raises:
        ServiceError: What the operation answered.
    """
    with acting_for(scope):
        status, headers, answer = getattr(_module(_LOGS), _LOG_OPERATIONS[operation])(request)
    if status >= http.HTTPStatus.BAD_REQUEST:
        content = json.loads(answer)
        code = str(content.get("__type") or headers.get("x-amzn-errortype") or "InternalServerException")
        raise ServiceError(code.rsplit("#", 1)[-1], str(content.get("message", "")))


# --- CloudFormation -----------------------------------------------------------------------------------------------


def resource_handlers() -> dict[str, dict[str, Any]]:
    """CloudFormation type → `{"create": …, "update": …, "delete": …}`; changing it changes what stacks can hold."""
    handlers: dict[str, dict[str, Any]] = _module(_PROVISIONERS)._RESOURCE_HANDLERS
    return handlers


def replace_replacing_properties(mapping: Mapping[str, tuple[str, ...]]) -> None:
    """Use another mapping of type → create-only properties (it may load on demand)."""
    _module(_PROVISIONERS)._REPLACING_PROPERTIES = mapping


def replacing_properties() -> Mapping[str, tuple[str, ...]]:
    """Type → properties whose change replaces the resource."""
    found: Mapping[str, tuple[str, ...]] = _module(_PROVISIONERS)._REPLACING_PROPERTIES
    return found


def custom_named(resource_type: str, name: str, requires_replacement: Callable[[Any, Any], bool]) -> None:
    """Refuse an update that would replace a resource which keeps its explicit name."""
    _module(_PROVISIONERS)._CUSTOM_NAME_REPLACEMENT[resource_type] = {
        "name": name,
        "requires_replacement": requires_replacement,
    }


def stack_tags(resource_type: str, prop: str, shape: str = "list") -> None:
    """Hand the stack's tags (and the `aws:cloudformation:` ones) to a type through its tag property."""
    _module(_PROVISIONERS)._STACK_TAG_PROPERTY[resource_type] = (prop, shape)


def evaluate_conditions_fully() -> None:
    """Resolve joins, substitutions, mappings and pseudo parameters in conditions before they are compared.

    ministack 1.5.33 compares them unresolved: the bootstrap template's `HasCloudFormationExecutionPolicies` came out
    true, and its deployment role without a policy.
    """
    engine = _module(_ENGINE)
    original = getattr(engine._evaluate_conditions, "__wrapped__", engine._evaluate_conditions)
    logic = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")

    def resolved(node: Any, params: dict[str, Any], mappings: dict[str, Any]) -> Any:
        if isinstance(node, list):
            return [resolved(item, params, mappings) for item in node]
        if not isinstance(node, dict) or "Condition" in node:
            return node
        if any(name in node for name in logic):
            return {name: resolved(arguments, params, mappings) for name, arguments in node.items()}
        return engine._resolve_refs(node, {}, params, {}, mappings, "", "")

    def evaluate_conditions(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        mappings = template.get("Mappings") or {}
        conditions = {
            name: resolved(condition, params, mappings)
            for name, condition in (template.get("Conditions") or {}).items()
        }
        found: dict[str, bool] = original({**template, "Conditions": conditions}, params)
        return found

    evaluate_conditions.__wrapped__ = original  # type: ignore[attr-defined]
    # The package's modules import the function by name.
    for name, module in list(sys.modules.items()):
        if name.startswith("ministack.services.cloudformation") and hasattr(module, "_evaluate_conditions"):
            vars(module)["_evaluate_conditions"] = evaluate_conditions


def run_on_worker_thread(types: Callable[[str], bool]) -> None:
    """Run the handlers of these types off the event loop: they may wait, or call the server back."""
    stacks = _module(_STACKS)
    original = getattr(stacks._runs_on_worker_thread, "__wrapped__", stacks._runs_on_worker_thread)

    def runs_on_worker_thread(resource_type: str) -> bool:
        return bool(original(resource_type)) or types(resource_type)

    runs_on_worker_thread.__wrapped__ = original  # type: ignore[attr-defined]
    stacks._runs_on_worker_thread = runs_on_worker_thread


# --- Lambda -------------------------------------------------------------------------------------------------------


class _Stand:
    """A module with some of its names replaced, for the modules that are handed it instead of the real one."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Environment(Mapping[str, str]):
    """What a function returns, as `os.environ`."""

    def __init__(self, current: Callable[[], dict[str, str]]) -> None:
        self._current = current

    def __getitem__(self, name: str) -> str:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())


def lambda_surroundings(environment: Callable[[], dict[str, str]], folder: Callable[[], str]) -> None:
    """Start Lambda workers from this environment instead of the server's, and unpack their code below this folder."""

    def mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002
        return tempfile.mkdtemp(suffix, prefix, dir or folder())

    def temporary_directory(*args: Any, **options: Any) -> Any:
        return tempfile.TemporaryDirectory(*args, **{"dir": folder(), **options})

    for name in (_LAMBDA_RUNTIME, _LAMBDA):
        module = _module(name)
        module.os = _Stand(os, environ=_Environment(environment))
        module.tempfile = _Stand(tempfile, mkdtemp=mkdtemp, TemporaryDirectory=temporary_directory, gettempdir=folder)


# --- custom resources ---------------------------------------------------------------------------------------------

CustomResource = Callable[..., tuple[str, dict[str, Any]]]
# ministack 1.5.33 counts a custom resource's ServiceTimeout from when its function has ended, so one that hangs would
# hold its stack for as long as it likes. Its function runs beside the wait here.
_IN_BACKGROUND: contextvars.ContextVar[bool] = contextvars.ContextVar("agentcore_local_in_background", default=False)


def wrap_custom_resources(wrap: Callable[[CustomResource], CustomResource]) -> None:
    """Put a function around the one that serves every custom resource; it gets the original to delegate to."""
    module = _module(_CUSTOM_RESOURCE)
    original = getattr(module.invoke_custom_resource, "__wrapped__", module.invoke_custom_resource)

    def timed(*arguments: Any) -> tuple[str, dict[str, Any]]:
        token = _IN_BACKGROUND.set(True)
        try:
            found: tuple[str, dict[str, Any]] = original(*arguments)
        finally:
            _IN_BACKGROUND.reset(token)
        return found

    wrapped = wrap(timed)
    wrapped.__wrapped__ = original  # type: ignore[attr-defined]
    module.invoke_custom_resource = wrapped


def on_function_end(report: Callable[[dict[str, str], Any, str | None], None]) -> None:
    """Call `report(variables, event, error)` when a Lambda function that another service invoked has ended.

    `variables` is the function's own environment, `error` the message it ended with, None when it returned.
    """
    module = _module(_LAMBDA)
    original = getattr(
        module._execute_function_with_config_scope, "__wrapped__", module._execute_function_with_config_scope
    )

    def execute(func: dict[str, Any], event: dict[str, Any]) -> Any:
        if _IN_BACKGROUND.get():
            _IN_BACKGROUND.set(False)  # for the function's own thread; the caller has the token to reset it
            context = contextvars.copy_context()  # account and Region
            threading.Thread(target=context.run, args=(beside, func, event), daemon=True).start()
            return {}
        result = original(func, event)
        error = None
        if isinstance(result, dict) and result.get("error"):
            body = result.get("body")
            message = body.get("errorMessage") if isinstance(body, dict) else None
            error = str(message or "the function failed")
        config = func.get("config") or func
        report((config.get("Environment") or {}).get("Variables") or {}, event, error)
        return result

    def beside(func: dict[str, Any], event: dict[str, Any]) -> None:
        try:
            execute(func, event)
        except Exception as error:  # noqa: BLE001 - nobody waits for this thread: the answer must come from here
            report({}, event, f"{type(error).__name__}: {error}")

    execute.__wrapped__ = original  # type: ignore[attr-defined]
    module._execute_function_with_config_scope = execute


def awaits_answer(token: str) -> bool:
    """Whether CloudFormation still waits for the answer of a custom resource's function."""
    pending = _module(_CUSTOM_RESOURCE)._pending.get(token)
    return pending is not None and pending["result"] is None


def answer_custom_resource(token: str, response: dict[str, Any]) -> None:
    """Answer for a custom resource's function, unless it has answered itself."""
    if awaits_answer(token):
        _module(_CUSTOM_RESOURCE).deliver_response(token, response)


# --- Step Functions -----------------------------------------------------------------------------------------------


def task_integration(resource: str, run: Callable[[str, dict[str, Any]], Any]) -> None:
    """Serve a Step Functions service integration; `run(resource, arguments)` works on the execution's own thread.

    Of a resource with `.sync` or `.waitForTaskToken` nothing is done but `run(resource, {})`, which may refuse it:
    ministack 1.5.33 cuts the ending off, and then waits for a token that nobody has.
    """
    module = _module(_STEP_FUNCTIONS)
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


_INTEGRATIONS: dict[str, Callable[[str, dict[str, Any]], Any]] = {}
_MAP_NUMBERS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")
# ministack 1.5.33 passes over these without a word, and the workflow would see other items, or another result.
_MAP_REFUSED = ("ItemBatcher", "ResultWriter")


def distributed_maps() -> None:
    """Run Distributed Maps whose fields are JSONata, and give child executions a context object of their own.

    ministack 1.5.33 reads them as JSONPath: the state's whole input ran as one item, `Output` was left out.
    """
    module = _module(_STEP_FUNCTIONS)
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
    failure: Exception = _module(_STEP_FUNCTIONS)._ExecutionError(error, cause)
    return failure


def state_machine_roles(check: Callable[[str, str, Any], None]) -> None:
    """Call `check(role_arn, resource, arguments)` before each task of an execution; what it raises fails the task."""
    module = _module(_STEP_FUNCTIONS)
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


_STATE_MACHINE_ROLE: contextvars.ContextVar[str] = contextvars.ContextVar("agentcore_local_machine_role", default="")


def on_stack_request(note: Callable[[str, dict[str, Any]], None]) -> None:
    """Call `note(action, parameters)` before CloudFormation serves an action that may name a role."""
    handlers = _module(_CFN_HANDLERS)._ACTION_HANDLERS
    for action in ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet"):
        original = getattr(handlers[action], "__wrapped__", handlers[action])

        def handle(params: dict[str, Any], *, _action: str = action, _original: Any = original) -> Any:
            note(_action, {name: value[0] if isinstance(value, list) else value for name, value in params.items()})
            return _original(params)

        handle.__wrapped__ = original  # type: ignore[attr-defined]
        handlers[action] = handle


# --- IAM ----------------------------------------------------------------------------------------------------------


def read_role(account: str, name: str) -> dict[str, Any] | None:
    """The record of a role, or None."""
    role: dict[str, Any] | None = _module("ministack.services.iam")._roles.get_scoped(account, None, name)
    return role


def trust_statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a role's trust policy."""
    document = role.get("AssumeRolePolicyDocument") or "{}"
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def names_service(statement: dict[str, Any], service: str) -> bool:
    """Whether a statement's principal is this service."""
    return bool(_module(_EVALUATOR)._service_principal_matches(statement.get("Principal"), service))


def conditions_met(statement: dict[str, Any], *, account: str, region: str, keys: dict[str, Any]) -> bool:
    """Whether a statement's conditions hold for a service that presents these condition keys (lower case)."""
    evaluator = _module(_EVALUATOR)
    context = evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=region,
        service_context=keys,
    )
    return bool(evaluator._conditions_met(statement.get("Condition") or {}, context))


def enforce_permissions(*, enabled: bool) -> None:
    """Have ministack's services check every caller, and Lambda functions act as their roles."""
    _module("ministack.app").AUTH = enabled


def role_documents(account: str, name: str) -> tuple[list[Any], list[Any]] | None:
    """The policy documents of a role and that of its permissions boundary, as IAM keeps them; None without the role."""
    role = read_role(account, name)
    if role is None:
        return None
    resolve = _module(_EVALUATOR)._resolve_managed_policy_document
    attached = [resolve(arn, account) for arn in role.get("AttachedPolicies") or ()]
    boundary = role.get("PermissionsBoundary")
    documents = [*(role.get("InlinePolicies") or {}).values(), *attached]
    return documents, [resolve(boundary, account)] if boundary else []


def parse_policies(documents: list[Any]) -> list[Any]:
    """Policy documents as the evaluator takes them."""
    parse = _module(_EVALUATOR).parse_policy_document
    return [parse(document) for document in documents if document]


@dataclass(frozen=True)
class RoleCall:
    """What somebody who has assumed a role wants to do."""

    principal_arn: str
    account: str
    region: str
    action: str
    resource: str
    keys: Mapping[str, Any]


def decide(call: RoleCall, policies: list[Any], boundary: list[Any] | None) -> str:
    """`Allow`, `Deny` or `ImplicitDeny`, from policies as `parse_policies` returns them and the resource's own."""
    evaluator = _module(_EVALUATOR)
    context = evaluator.EvalContext(
        principal_arn=call.principal_arn,
        principal_type="AssumedRole",
        principal_account=call.account,
        action=call.action,
        resource_arn=call.resource,
        region=call.region,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=dict(call.keys),
    )
    limits = () if boundary is None else (boundary,)
    result = evaluator.evaluate(context, policies, *limits)
    service = call.action.partition(":")[0]
    with acting_for((call.account, call.region)):
        found = evaluator._resource_policy(service, call.resource)
        if found is not None:
            policy, owner = found
            # The policy a topic is born with speaks of its owner's account; a stack's topic has it without that
            # condition in ministack 1.5.33, open to everybody.
            own = None if service == "sns" and "__default_statement_ID" in str(policy) else policy
            required = service in evaluator._POLICY_REQUIRED
            result = evaluator.combine_resource_policy(result, context, own, owner, required, limits)
    return str(result.decision)


def caller_denial(
    headers: Mapping[str, str], query: Mapping[str, Any], call: tuple[str, str], region: str, keys: Mapping[str, Any]
) -> str | None:
    """Why the caller of the request that runs now may not do `call` (action, resource), as AWS words it; None if so.

    Root callers (a 12-digit access key, or the one the server was started with) may do everything.
    """
    key = _module("ministack.core.router").extract_access_key_id(dict(headers), dict(query))
    action, resource = call
    denied = _module(_EVALUATOR).enforce(
        key, action, action.partition(":")[0], region, resource_arn=resource, service_context=dict(keys)
    )
    if denied is None:
        return None
    if hasattr(denied, "code"):  # who it is could not be established
        return f"{denied.message} ({denied.code})"
    return denial_message(denied.principal_arn, action, resource, explicit=denied.decision == "Deny")


def denial_message(principal_arn: str, action: str, resource: str, *, explicit: bool) -> str:
    """AWS's sentence for a refused action."""
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource} {why}"


def caller_key(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """The access key a request is signed with."""
    return str(_module("ministack.core.router").extract_access_key_id(dict(headers), dict(query)) or "")


def encryption_key(account: str, arn: str) -> str | None:
    """The ARN of the customer key of a bucket, a topic or an event bus; None without one, or with one of AWS."""
    service, region, name = arn.split(":")[2], arn.split(":")[3], arn.split(":", 5)[5].removeprefix("event-bus/")
    with acting_for((account, region or "us-east-1")):
        if service == "sns":
            kept: Any = (_module("ministack.services.sns")._topics.get(arn) or {}).get("attributes")
        elif service == "events":
            kept = _module("ministack.services.eventbridge")._event_buses.get(name)
        else:
            kept = _module("ministack.services.s3")._bucket_encryption.get(name)
        # What a stack has said of a key is not among what ministack's services know.
        return _key_in(kept) or _key_in(_deployed_properties(arn if service == "sns" else name))


def _key_in(kept: Any) -> str | None:
    found = re.search(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", json.dumps(kept, default=str))
    return found[0] if found else None


def _deployed_properties(physical_id: str) -> Any:
    """What a stack has deployed a resource with; None when no stack has it."""
    for stack in _module("ministack.services.cloudformation")._stacks.values():
        for resource in stack.get("_resources", {}).values():
            if resource.get("PhysicalResourceId") == physical_id:
                return resource.get("Properties")
    return None


def read_efs_access_point(scope: Scope, access_point: str) -> dict[str, Any] | None:
    """The record of an EFS access point, or None."""
    record: dict[str, Any] | None = _module("ministack.services.efs")._access_points.get_scoped(*scope, access_point)
    return record


def key_admits_service(account: str, key_arn: str, service: str) -> bool:
    """Whether a key's own policy lets a service use it."""
    with acting_for((account, key_arn.split(":")[3])):
        found = _module("ministack.services.kms").key_policy_for_arn(key_arn)
    if not found:
        return False
    document = json.loads(found[0]) if isinstance(found[0], str) else found[0] or {}
    statements = document.get("Statement", [])
    listed = [statements] if isinstance(statements, dict) else statements
    return any(one.get("Effect") == "Allow" and names_service(one, service) for one in listed)


def count_loopback_as_tls() -> None:
    """Policies that demand TLS (CDK's bootstrap bucket) hold for plain HTTP on the loopback interface."""
    app = _module("ministack.app")
    original = getattr(app.pin_request_origin, "__wrapped__", app.pin_request_origin)

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001, FBT001
        original(source_ip, True)  # noqa: FBT003 - ministack's signature

    pin_request_origin.__wrapped__ = original  # type: ignore[attr-defined]
    app.pin_request_origin = pin_request_origin
