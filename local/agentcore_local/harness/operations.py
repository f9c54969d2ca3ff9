"""What the control-plane operations do. Called by the HTTP routes and by the CloudFormation handlers alike.

Requests arrive valid against their shapes (`api` sees to that); the rules that span fields, names, roles and states
are checked here, so that a template is refused for the same reasons as an API call.
"""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

from agentcore_local import iam

from . import defaults, memory, roles, rules
from .errors import ServiceError, conflict, invalid, not_found, refused
from .store import DEFAULT_ENDPOINT, STORE, Endpoint, Harness, Scope, now_iso, random_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_PRINCIPAL = "bedrock-agentcore.amazonaws.com"
MAX_ENDPOINTS = 10
MANAGED: dict[str, Any] = {"managedMemoryConfiguration": {}}
# What GetHarness shows for a member that was never given (botocore: required members of `Harness`). Members with no
# default (maxTokens, hooks …) stay absent.
DEFAULTS: Mapping[str, Any] = {
    "model": defaults.MODEL,
    "systemPrompt": [],
    "tools": [],
    "skills": [],
    "allowedTools": ["*"],
    "truncation": defaults.TRUNCATION,
    "maxIterations": defaults.MAX_ITERATIONS,
    "timeoutSeconds": defaults.TIMEOUT_SECONDS,
}
_PLAIN = (*DEFAULTS, "environmentVariables", "hooks", "maxTokens")
_BUSY = ("CREATING", "UPDATING", "DELETING")


def create_harness(scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
    """CreateHarness: a harness with version 1, its runtime, its DEFAULT endpoint and, unless told not to, a memory."""
    with STORE.lock:
        repeated = _repeated(scope, "CreateHarness", request)
        if repeated and any(harness.harness_id == repeated for harness in STORE.of(scope)):
            return STORE.get(scope, repeated).snapshot()
        name, now = request["harnessName"], now_iso()
        if STORE.find_name(scope, name):
            raise conflict(f"A harness with name '{name}' already exists in this account and Region")
        harness = _new_harness(scope, name, now, request.get("tags") or {})
        shape = _complete(harness, request)
        shape.update(harnessVersion="1", updatedAt=now)
        _check(scope, shape, request)
        shape["memory"] = _create_memory(scope, harness, request.get("memory") or MANAGED)
        harness.versions[1] = shape
        harness.transition = STORE.begin("CREATING")
        harness.endpoints[DEFAULT_ENDPOINT] = _new_endpoint(harness, DEFAULT_ENDPOINT, 1, now)
        STORE.add(harness)
        _remember(scope, "CreateHarness", request, harness.harness_id)
        return {**harness.snapshot(), "status": "CREATING"}


def update_harness(scope: Scope, harness_id: str, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateHarness: a new immutable version; members that are absent keep their value, lists and maps are replaced."""
    with STORE.lock:
        harness = STORE.get(scope, harness_id)
        if _repeated(scope, f"UpdateHarness {harness_id}", request):
            return harness.snapshot()
        _require_idle(harness)
        shape = harness.snapshot()
        current_memory = shape["memory"]
        for member in (*_PLAIN, "executionRoleArn"):
            if request.get(member) is not None:
                shape[member] = request[member]
        for member in ("environmentArtifact", "authorizerConfiguration"):
            if request.get(member) is not None:
                _set_or_clear(shape, member, request[member].get("optionalValue"))
        if not shape.get("hooks"):
            shape.pop("hooks", None)
        if request.get("environment") is not None:
            shape["environment"] = _environment(harness, shape["environment"], request["environment"])
        _check(scope, shape, request)
        if request.get("memory") is not None:
            wanted = request["memory"].get("optionalValue") or {"disabled": {}}
            shape["memory"] = _change_memory(scope, harness, current_memory, wanted)
        _remember(scope, f"UpdateHarness {harness_id}", request, harness_id)
        return add_version(harness, shape)


def replace_harness(scope: Scope, harness_id: str, request: dict[str, Any]) -> dict[str, Any]:
    """Make a harness exactly what a template declares: CloudFormation's update.

    A member the template no longer has goes back to its default, the one that a create without it would have given.
    (The API alone would keep it: UpdateHarness leaves out what it leaves as it is. What the real handler sends for a
    removed property is not documented.) A harness that is already what the template says gets no new version.
    """
    with STORE.lock:
        harness = STORE.get(scope, harness_id)
        _require_idle(harness)
        current = harness.snapshot()
        shape = _complete(harness, request)
        shape.update({member: current[member] for member in ("harnessVersion", "updatedAt", "status")})
        _check(scope, shape, request)
        wanted = copy.deepcopy(request.get("memory") or MANAGED)
        if "managedMemoryConfiguration" in wanted:
            defaults = {"strategies": memory.DEFAULT_STRATEGIES, "eventExpiryDuration": memory.DEFAULT_EXPIRY_DAYS}
            wanted["managedMemoryConfiguration"] = {**defaults, **wanted["managedMemoryConfiguration"]}
        shape["memory"] = _change_memory(scope, harness, current["memory"], wanted)
        if shape == current:
            return current
        return add_version(harness, shape)


def add_version(harness: Harness, shape: dict[str, Any]) -> dict[str, Any]:
    """Write a complete shape as the next version; DEFAULT follows it, named endpoints stay."""
    number, now = harness.latest + 1, now_iso()
    shape.update(harnessVersion=str(number), updatedAt=now)
    shape.pop("status", None)
    harness.versions[number] = shape
    harness.transition = STORE.begin("UPDATING")
    default = harness.endpoints[DEFAULT_ENDPOINT]
    default.target_version = default.live_version = number
    default.updated_at = now
    return {**harness.snapshot(), "status": "UPDATING"}


def delete_harness(scope: Scope, harness_id: str, *, delete_managed_memory: bool = True) -> dict[str, Any]:
    """DeleteHarness: the endpoints and (by default) the managed memory go with it."""
    with STORE.lock:
        harness = STORE.get(scope, harness_id)
        _require_idle(harness)
        shape = harness.snapshot()
        managed = shape["memory"].get("managedMemoryConfiguration")
        if managed:
            release = memory.delete if delete_managed_memory else memory.disassociate
            release(scope, managed["arn"])
        harness.transition = STORE.begin("DELETING")
        STORE.of(scope)
        return {**shape, "status": "DELETING"}


def create_endpoint(scope: Scope, harness_id: str, request: dict[str, Any]) -> dict[str, Any]:
    """CreateHarnessEndpoint: without a target it points at the version that is newest now, and stays there."""
    with STORE.lock:
        harness, name = STORE.get(scope, harness_id), request["endpointName"]
        operation = f"CreateHarnessEndpoint {harness_id}"
        repeated = _repeated(scope, operation, request)
        if repeated and repeated in live_endpoints(harness):
            return endpoint_shape(harness, find_endpoint(harness, repeated))
        if name in live_endpoints(harness):
            raise conflict(f"An endpoint with name '{name}' already exists on harness '{harness_id}'")
        if len(live_endpoints(harness)) >= MAX_ENDPOINTS:
            raise ServiceError(
                "ServiceQuotaExceededException", f"Harness '{harness_id}' already has {MAX_ENDPOINTS} endpoints"
            )
        version = _target(harness, request.get("targetVersion"))
        endpoint = _new_endpoint(harness, name, version, now_iso(), request.get("description"))
        endpoint.tags = dict(request.get("tags") or {})
        endpoint.transition = STORE.begin("CREATING")
        harness.endpoints[name] = endpoint
        _remember(scope, operation, request, name)
        return {**endpoint_shape(harness, endpoint), "status": "CREATING"}


def update_endpoint(scope: Scope, harness_id: str, name: str, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateHarnessEndpoint: point it at another version, describe it anew."""
    with STORE.lock:
        harness = STORE.get(scope, harness_id)
        endpoint = find_endpoint(harness, name)
        if _repeated(scope, f"UpdateHarnessEndpoint {harness_id} {name}", request):
            return endpoint_shape(harness, endpoint)
        if name == DEFAULT_ENDPOINT and request.get("targetVersion") is not None:
            raise conflict("The DEFAULT endpoint always serves the newest version; it cannot be pointed elsewhere")
        if endpoint.transition.current() in _BUSY:
            raise conflict(f"Endpoint '{name}' is {endpoint.transition.current()}; try again when it is READY")
        if request.get("targetVersion") is not None:
            endpoint.target_version = endpoint.live_version = _target(harness, request["targetVersion"])
        if request.get("description") is not None:
            endpoint.description = request["description"]
        endpoint.updated_at = now_iso()
        endpoint.transition = STORE.begin("UPDATING")
        _remember(scope, f"UpdateHarnessEndpoint {harness_id} {name}", request, name)
        return {**endpoint_shape(harness, endpoint), "status": "UPDATING"}


def delete_endpoint(scope: Scope, harness_id: str, name: str) -> dict[str, Any]:
    """DeleteHarnessEndpoint; DEFAULT belongs to the harness and stays."""
    with STORE.lock:
        harness = STORE.get(scope, harness_id)
        endpoint = find_endpoint(harness, name)
        if name == DEFAULT_ENDPOINT:
            raise conflict("The DEFAULT endpoint cannot be deleted; it goes with its harness")
        endpoint.transition = STORE.begin("DELETING")
        shape = {**endpoint_shape(harness, endpoint), "status": "DELETING"}
        live_endpoints(harness)
        return shape


def live_endpoints(harness: Harness) -> dict[str, Endpoint]:
    """The endpoints by name, without those whose deletion is over."""
    for name, endpoint in list(harness.endpoints.items()):
        if endpoint.transition.current() == "DELETED":
            del harness.endpoints[name]
    return harness.endpoints


def find_endpoint(harness: Harness, name: str) -> Endpoint:
    """One endpoint by name; ResourceNotFoundException when there is none."""
    endpoint = live_endpoints(harness).get(name)
    if endpoint is None:
        raise not_found(f"Endpoint of harness {harness.harness_id}", name)
    return endpoint


def endpoint_shape(harness: Harness, endpoint: Endpoint) -> dict[str, Any]:
    """The `HarnessEndpoint` shape. While an update settles, `liveVersion` is already the new one (approximated)."""
    shape = {
        "harnessId": harness.harness_id,
        "harnessName": harness.name,
        "endpointName": endpoint.name,
        "arn": endpoint.arn,
        "status": endpoint.transition.current(),
        "createdAt": endpoint.created_at,
        "updatedAt": endpoint.updated_at,
        "liveVersion": str(endpoint.live_version),
        "targetVersion": str(endpoint.target_version),
    }
    if endpoint.description is not None:
        shape["description"] = endpoint.description
    return shape


def _new_harness(scope: Scope, name: str, now: str, tags: dict[str, str]) -> Harness:
    account, region = scope
    harness_id = f"{name}-{random_suffix()}"
    return Harness(
        account=account,
        region=region,
        harness_id=harness_id,
        name=name,
        arn=f"arn:aws:bedrock-agentcore:{region}:{account}:harness/{harness_id}",
        runtime_id=f"harness_{name}-{random_suffix()}",
        created_at=now,
        tags=dict(tags),
    )


def _new_endpoint(harness: Harness, name: str, version: int, now: str, description: str | None = None) -> Endpoint:
    arn = f"{harness.arn}/harness-endpoint/{name}"
    return Endpoint(name, arn, version, version, now, now, description)


def _complete(harness: Harness, request: dict[str, Any]) -> dict[str, Any]:
    """The `harness` shape a request describes on its own, defaults filled in; without memory, version and status."""
    shape: dict[str, Any] = {
        "harnessId": harness.harness_id,
        "harnessName": harness.name,
        "arn": harness.arn,
        "executionRoleArn": request["executionRoleArn"],
        "createdAt": harness.created_at,
        **copy.deepcopy(dict(DEFAULTS)),
        **{member: request[member] for member in _PLAIN if request.get(member) is not None},
        "environment": _environment(harness, {}, request.get("environment") or {}),
    }
    for member in ("environmentArtifact", "authorizerConfiguration"):
        if request.get(member) is not None:
            shape[member] = request[member]
    if not shape.get("hooks"):
        shape.pop("hooks", None)
    return shape


def _environment(harness: Harness, current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The environment that GetHarness shows; parts that are not wanted keep what they were (VPC mode too)."""
    was = current.get("agentCoreRuntimeEnvironment") or {}
    now = wanted.get("agentCoreRuntimeEnvironment") or {}
    lifecycle = {**(was.get("lifecycleConfiguration") or {}), **(now.get("lifecycleConfiguration") or {})}
    lifetime = lifecycle.get("maxLifetime", defaults.LIFETIME_SECONDS)
    # A lifetime below the default idle time shortens the default idle time.
    idle = lifecycle.get("idleRuntimeSessionTimeout", min(defaults.IDLE_SECONDS, lifetime))
    shape = {
        "agentRuntimeArn": f"{harness.arn.split(':harness/')[0]}:runtime/{harness.runtime_id}",
        "agentRuntimeName": f"harness_{harness.name}",
        "agentRuntimeId": harness.runtime_id,
        "lifecycleConfiguration": {"idleRuntimeSessionTimeout": idle, "maxLifetime": lifetime},
        "networkConfiguration": now.get("networkConfiguration")
        or was.get("networkConfiguration")
        or {"networkMode": "PUBLIC"},
    }
    mounts = now.get("filesystemConfigurations", was.get("filesystemConfigurations"))
    if mounts:
        shape["filesystemConfigurations"] = mounts
    return {"agentCoreRuntimeEnvironment": shape}


def _check(scope: Scope, shape: dict[str, Any], request: dict[str, Any]) -> None:
    """Rules on what the harness would be. Memory is checked as it was asked for: the shape shows what came of it."""
    faults = rules.check({**shape, "memory": request.get("memory")})
    if faults:
        raise invalid(faults)
    _check_role(scope, shape)


def _check_role(scope: Scope, shape: dict[str, Any]) -> None:
    """The service presents itself with an ARN of its own account and Region (the runtime's) and must be trusted.

    Then it tries with the role what a harness cannot do without: to reach its own image and its S3 Files.
    """
    account, region = scope
    role_arn: str = shape["executionRoleArn"]
    source_arn = f"arn:aws:bedrock-agentcore:{region}:{account}:runtime/harness"
    reason = iam.role_trusts(role_arn, SERVICE_PRINCIPAL, account=account, region=region, source_arn=source_arn)
    if reason:
        raise refused(
            f"Role validation failed for '{role_arn}'. Please verify that the role exists and its trust policy allows "
            f"assumption by this service ({reason})",
            name="executionRoleArn",
        )
    reason = roles.creation_denial(shape, account, region)
    if reason:
        raise refused(f"Access denied with the execution role '{role_arn}': {reason}", name="executionRoleArn")


def _create_memory(scope: Scope, harness: Harness, wanted: dict[str, Any]) -> dict[str, Any]:
    if "managedMemoryConfiguration" in wanted:
        configuration = memory.create(scope, harness.name, harness.arn, wanted["managedMemoryConfiguration"])
        return {"managedMemoryConfiguration": configuration}
    if "agentCoreMemoryConfiguration" in wanted:
        return {"agentCoreMemoryConfiguration": memory.existing(scope, wanted["agentCoreMemoryConfiguration"])}
    return {"disabled": {}}


def _change_memory(scope: Scope, harness: Harness, current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    managed = current.get("managedMemoryConfiguration")
    if managed and "managedMemoryConfiguration" in wanted:
        return {"managedMemoryConfiguration": memory.update(scope, managed, wanted["managedMemoryConfiguration"])}
    changed = _create_memory(scope, harness, wanted)
    if managed:
        memory.disassociate(scope, managed["arn"])
    return changed


def _set_or_clear(shape: dict[str, Any], member: str, value: Any) -> None:
    if value is None:
        shape.pop(member, None)
    else:
        shape[member] = value


def _target(harness: Harness, wanted: str | None) -> int:
    number = harness.latest if wanted is None else int(wanted)
    if number not in harness.versions:
        raise not_found(f"Version of harness {harness.harness_id}", str(number))
    return number


def _require_idle(harness: Harness) -> None:
    status = harness.transition.current()
    if status in _BUSY:
        raise conflict(f"Harness '{harness.harness_id}' is {status}; try again when it is READY")


def _fingerprint(request: dict[str, Any]) -> str:
    content = {member: value for member, value in request.items() if member != "clientToken"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _repeated(scope: Scope, operation: str, request: dict[str, Any]) -> str | None:
    """The identifier that an earlier, equal request with this client token created."""
    token = request.get("clientToken")
    known = STORE.token(scope, operation, token) if token else None
    if known is None:
        return None
    fingerprint, identifier = known
    if fingerprint != _fingerprint(request):
        raise refused(
            "The client token was already used with other parameters; use a new token for a new request",
            name="clientToken",
            reason="IdempotentParameterMismatchException",
        )
    return identifier


def _remember(scope: Scope, operation: str, request: dict[str, Any], identifier: str) -> None:
    if token := request.get("clientToken"):
        STORE.remember_token(scope, operation, token, _fingerprint(request), identifier)
