"""The only module that touches ministack's private names.

The local cloud composes ministack's services with ours by replacing or reading a few of its internals, in process.
Every such internal is listed in `SEAMS` with the reason and, for functions, the parameters we rely on. `check()`
verifies the list when the cloud starts and fails with a sentence that names what changed: ministack is pinned
exactly, and an upgrade means reading these lines again (tests/local/test_seams.py has one test per assumption).

Nothing here decides anything: rules live in the modules that call it. `load()` imports ministack, which reads its
settings from the environment at import: `process.prepare` must have run before.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
_STACKS = "ministack.services.cloudformation.stacks"
_EVALUATOR = "ministack.core.iam_evaluator"
_RESPONSES = "ministack.core.responses"

SEAMS: tuple[Seam, ...] = (
    Seam("ministack.app", "app", "serve HTTP", ("scope", "receive", "send")),
    Seam("ministack.app", "_reset_all_state", "reset every service", ()),
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
    Seam(_AGENTCORE, "_delete_memory", "delete a managed memory with its data", ("memory_id",)),
    Seam(_RESPONSES, "StreamingResponse", "stream events", ("runner",)),
    Seam(_RESPONSES, "request_scope", "act for an account and Region", ("account_id", "region")),
    Seam(_RESPONSES, "get_account_id", "know the caller's account", ()),
    Seam(_RESPONSES, "get_region", "know the caller's Region", ()),
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", "add CloudFormation types"),
    Seam(_PROVISIONERS, "_REPLACING_PROPERTIES", "declare which properties replace a resource"),
    Seam(_PROVISIONERS, "_CUSTOM_NAME_REPLACEMENT", "refuse replacing a custom-named resource"),
    Seam(_PROVISIONERS, "_STACK_TAG_PROPERTY", "hand stack tags to a resource"),
    Seam(_STACKS, "_runs_on_worker_thread", "run handlers off the event loop", ("resource_type",)),
    Seam("ministack.core.lambda_runtime", "reset", "end the Lambda worker processes", ()),
    Seam("ministack.services.iam", "_roles", "read roles"),
    Seam(_EVALUATOR, "_service_principal_matches", "evaluate role trust", ("principal", "service")),
    Seam(_EVALUATOR, "_conditions_met", "evaluate role trust", ("conditions", "ctx")),
    Seam(_EVALUATOR, "EvalContext", "evaluate role trust"),
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
    logging.basicConfig = lambda **_: None  # type: ignore[assignment]
    try:
        importlib.import_module("ministack.app")
        importlib.import_module(_STACKS)
    finally:
        logging.basicConfig = configure


def _module(name: str) -> Any:
    return importlib.import_module(name)


# --- the server ---------------------------------------------------------------------------------------------------


def asgi_app() -> Any:
    """ministack's ASGI application."""
    return _module("ministack.app").app


def reset_all() -> None:
    """Wipe every ministack service, in every account."""
    _module("ministack.app")._reset_all_state()


def forget_loop() -> None:
    """Drop what is bound to the event loop of a stopped server."""
    _module("ministack.app")._reset_lock = None


def end_lambda_workers() -> None:
    """End every Lambda worker process and remove its folder."""
    _module("ministack.core.lambda_runtime").reset()


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
    import time  # noqa: PLC0415 - epoch seconds, as ministack's records have

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


def read_memory(scope: Scope, memory_id: str) -> dict[str, Any] | None:
    """The record of a memory, or None."""
    record: dict[str, Any] | None = _module(_AGENTCORE)._memories.get_scoped(*scope, memory_id)
    return record


def update_memory(
    scope: Scope, memory_id: str, *, expiry_days: int, add: list[dict[str, Any]], remove_types: list[str]
) -> None:
    """Change expiry and strategies of a memory."""
    import time  # noqa: PLC0415

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


def run_on_worker_thread(types: Callable[[str], bool]) -> None:
    """Run the handlers of these types off the event loop: they may wait, or call the server back."""
    stacks = _module(_STACKS)
    original = getattr(stacks._runs_on_worker_thread, "__wrapped__", stacks._runs_on_worker_thread)

    def runs_on_worker_thread(resource_type: str) -> bool:
        return bool(original(resource_type)) or types(resource_type)

    runs_on_worker_thread.__wrapped__ = original  # type: ignore[attr-defined]
    stacks._runs_on_worker_thread = runs_on_worker_thread


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
