"""What a caller of the harness API must be allowed to do: the operation, and what the service does on its behalf.

Devguide harness-security, "caller permissions", with the resource types of the service authorization reference. Where
the two disagree on a resource (the guide names the harness, the reference its runtime or memory), either will do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import iam, seams

from . import routes
from .errors import ServiceError
from .store import DEFAULT_ENDPOINT, STORE, Harness, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIX = "bedrock-agentcore:"
_HARNESS_OPERATIONS = ("CreateHarness", "UpdateHarness", "DeleteHarness")
_ENDPOINT_OPERATIONS = ("CreateHarnessEndpoint", "UpdateHarnessEndpoint", "DeleteHarnessEndpoint")
_MEMORY_KEYS = ("actorId", "sessionId", "namespace", "namespacePath", "strategyId")
_ARNS = ("harnessArn", "agentRuntimeArn", "resourceArn")
_ON_ANYTHING = ("CreateHarness", "ListHarnesses", "ListHarnessEndpoints", "ListHarnessVersions")


@dataclass(frozen=True, slots=True)
class Need:
    """One action that must be allowed.

    Attributes:
        action: The action.
        resources: It must be allowed on one of them.
        keys: Condition keys, lower case.
    """

    action: str
    resources: tuple[str, ...]
    keys: Mapping[str, str] = field(default_factory=dict)


def check(request: routes.Request, operation: str, values: dict[str, Any], scope: Scope) -> None:
    """Refuse a request whose caller may not make it; root callers may do everything in their account.

    Raises:
        ServiceError: AccessDeniedException.
    """
    if not iam.Switch.enabled:
        return
    _refuse_strangers(operation, values, scope)
    if seams.caller_key(request.headers, request.query).isdigit():
        return
    for need in needs(operation, values, scope):
        _require(request, scope, need)


def _require(request: routes.Request, scope: Scope, need: Need) -> None:
    refusals = [
        seams.caller_denial(request.headers, request.query, (need.action, resource), scope[1], need.keys)
        for resource in need.resources
    ]
    if None not in refusals:
        raise ServiceError("AccessDeniedException", str(refusals[0]))


def _refuse_strangers(operation: str, values: dict[str, Any], scope: Scope) -> None:
    """A harness belongs to an account; no policy of its own admits another one's, whatever theirs say."""
    arn = next((str(values[member]) for member in _ARNS if values.get(member)), "")
    owner = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 - where the account is in an ARN
    if owner and owner != scope[0]:
        root = f"arn:aws:iam::{scope[0]}:root"
        message = seams.denial_message(root, _PREFIX + operation, arn, explicit=False)
        raise ServiceError("AccessDeniedException", message.replace("identity-based", "resource-based"))


def check_memory(request: routes.Request, scope: Scope) -> None:
    """Refuse a request on a memory whose caller may not make it: ministack checks none of them.

    The condition keys are those of the devguide's policies for memory
    (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/session-actor-namespace.html).

    Raises:
        ServiceError: AccessDeniedException.
    """
    found = routes.memory_operation(request.method, request.path)
    if found is None or not iam.Switch.enabled or seams.caller_key(request.headers, request.query).isdigit():
        return
    operation, labels = found
    asked = {**_body(request.body), **labels}
    keys = {f"bedrock-agentcore:{name.lower()}": str(asked[name]) for name in _MEMORY_KEYS if asked.get(name)}
    memory = labels.get("memoryId")
    own = memory if memory and memory.startswith("arn:") else f"{service(scope)}memory/{memory or asked.get('name')}"
    # The service authorization reference names no resource for the two that are about no memory there is.
    resources = (own,) if memory else ("*", f"{own}-0123456789")
    _require(request, scope, Need(_PREFIX + operation, resources, keys))
    if asked.get("memoryExecutionRoleArn"):
        passed = {"iam:passedtoservice": "bedrock-agentcore.amazonaws.com"}
        _require(request, scope, Need("iam:PassRole", (asked["memoryExecutionRoleArn"],), passed))


def _body(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}  # refused by whoever serves it
    return parsed if isinstance(parsed, dict) else {}


def needs(operation: str, values: dict[str, Any], scope: Scope) -> Iterator[Need]:
    """What an operation takes.

    Args:
        operation: Name of the operation.
        values: Its input.
        scope: Account and Region it is called in.
    """
    if operation == "InvokeHarness":
        yield from invocation(values["harnessArn"], values.get("qualifier"))
    elif operation == "InvokeAgentRuntimeCommand":
        yield from invocation(values["agentRuntimeArn"], values.get("qualifier"), operation)
    elif "resourceArn" in values:
        yield Need(_PREFIX + operation, (values["resourceArn"],), _tags(values["resourceArn"]))
    elif operation in _HARNESS_OPERATIONS:
        yield from _harness_operation(operation, values, scope)
    else:
        yield from _endpoint_operation(operation, values, scope)


def invocation(harness_arn: str, qualifier: str | None, operation: str = "InvokeHarness") -> Iterator[Need]:
    """What invoking takes: two actions on the harness and, through a named endpoint, on the endpoint as well.

    Args:
        harness_arn: The harness.
        qualifier: The endpoint.
        operation: What is called: `InvokeHarness` or `InvokeAgentRuntimeCommand`.
    """
    resources = [harness_arn]
    if qualifier is not None and qualifier != DEFAULT_ENDPOINT:
        resources.append(f"{harness_arn}/harness-endpoint/{qualifier}")
    for resource in resources:
        runtime = _runtime(STORE.find_arn(harness_arn)) if resource == harness_arn else ()
        asked = (resource,) if operation == "InvokeHarness" else (resource, *runtime)
        yield Need(_PREFIX + operation, asked, _tags(harness_arn))
        yield Need(f"{_PREFIX}InvokeAgentRuntime", (resource, *runtime), _tags(harness_arn))


def _harness_operation(operation: str, values: dict[str, Any], scope: Scope) -> Iterator[Need]:
    verb = operation.removesuffix("Harness")
    arn = "*" if operation == "CreateHarness" else _arn(values["harnessId"], scope)
    found = None if arn == "*" else STORE.find_arn(arn)
    yield Need(_PREFIX + operation, (arn,), _tags(arn))
    yield Need(f"{_PREFIX}{verb}AgentRuntime", (arn, *_runtime(found)))
    memory = _memory(operation, values, found)
    if memory is not None:
        yield Need(f"{_PREFIX}{verb}Memory", (arn, *memory))
    if values.get("executionRoleArn"):
        keys = {"iam:passedtoservice": "bedrock-agentcore.amazonaws.com"}
        yield Need("iam:PassRole", (values["executionRoleArn"],), keys)


def _memory(operation: str, values: dict[str, Any], found: Harness | None) -> tuple[str, ...] | None:
    """Where managed memory is touched: the ARNs it has; None where none is."""
    if operation == "CreateHarness":
        return (
            () if "managedMemoryConfiguration" in (values.get("memory") or {"managedMemoryConfiguration": {}}) else None
        )
    managed = (found.snapshot()["memory"].get("managedMemoryConfiguration") if found else None) or {}
    touched = operation == "DeleteHarness" and values.get("deleteManagedMemory") is not False
    if operation == "UpdateHarness":
        touched = values.get("memory") is not None
    return (managed["arn"],) if managed and touched else None


def _endpoint_operation(operation: str, values: dict[str, Any], scope: Scope) -> Iterator[Need]:
    harness = _arn(values["harnessId"], scope) if "harnessId" in values else "*"
    yield Need(_PREFIX + operation, ("*", harness) if operation in _ON_ANYTHING else (harness,), _tags(harness))
    name = values.get("endpointName")
    if name and operation != "CreateHarnessEndpoint":
        yield Need(_PREFIX + operation, (f"{harness}/harness-endpoint/{name}",), _tags(harness))
    if operation in _ENDPOINT_OPERATIONS:
        action = operation.replace("HarnessEndpoint", "AgentRuntimeEndpoint")
        yield Need(_PREFIX + action, (harness, *_runtime(STORE.find_arn(harness))))


def _arn(harness_id: str, scope: Scope) -> str:
    return f"{service(scope)}harness/{harness_id}"


def service(scope: Scope) -> str:
    """The beginning of the ARNs of what AgentCore has in an account and Region."""
    account, region = scope
    return f"arn:aws:bedrock-agentcore:{region}:{account}:"


def _runtime(harness: Harness | None) -> tuple[str, ...]:
    if harness is None:
        return ()
    return (f"{harness.arn.partition(':harness/')[0]}:runtime/{harness.runtime_id}",)


def _tags(arn: str) -> dict[str, str]:
    harness = STORE.find_arn(arn.partition("/harness-endpoint/")[0])
    return {f"aws:resourcetag/{key}".lower(): value for key, value in (harness.tags if harness else {}).items()}
