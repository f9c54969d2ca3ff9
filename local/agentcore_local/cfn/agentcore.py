"""`AWS::BedrockAgentCore::Harness` and `HarnessEndpoint`: create, update, delete, attributes, replacement.

A handler checks the properties against the CloudFormation schema, turns them into the API's request, checks that
against botocore's shape, and does what the API does. Handlers run on a worker thread and wait until the resource is
READY, as CloudFormation does.
"""

from __future__ import annotations

import time
from typing import Any

from botocore.model import StructureShape

from agentcore_local import seams, stack_roles
from agentcore_local.harness import operations
from agentcore_local.harness.errors import FieldFault, ServiceError, invalid
from agentcore_local.harness.routes import CONTROL, service_model
from agentcore_local.harness.store import STORE, Endpoint, Harness
from agentcore_local.harness.validation import validate

from . import convert, properties

HARNESS = "AWS::BedrockAgentCore::Harness"
ENDPOINT = "AWS::BedrockAgentCore::HarnessEndpoint"
_SETTLE_POLL_SECONDS = 0.05
_HANDLER_ERROR = {
    "ValidationException": "InvalidRequest",
    "ConflictException": "AlreadyExists",
    "ResourceNotFoundException": "NotFound",
    "AccessDeniedException": "AccessDenied",
    "ServiceQuotaExceededException": "ServiceLimitExceeded",
}
Created = tuple[str, dict[str, Any]]


class HandlerError(ValueError):
    """A resource handler's failure, worded as CloudFormation reports it."""

    @classmethod
    def of(cls, error: ServiceError) -> HandlerError:
        """The failure that a service error becomes."""
        code = _HANDLER_ERROR.get(error.code, "GeneralServiceException")
        return cls(
            f'Resource handler returned message: "{error.message} (Service: BedrockAgentCoreControl, '
            f'Status Code: {error.status})" (HandlerErrorCode: {code})'
        )


def request_of(operation: str, props: dict[str, Any]) -> dict[str, Any]:
    """The validated API request that properties amount to.

    Raises:
        ServiceError: ValidationException, naming the API's members.
    """
    shape = service_model(CONTROL).operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)  # noqa: S101 - every request is a structure
    request = convert.to_api(shape, {name: value for name, value in props.items() if name != "Tags"})
    if "Tags" in props:
        request["tags"] = convert.tag_map(props["Tags"])
    # The stack's own tags carry the reserved prefix and count neither in patterns nor in limits.
    plain = dict(request)
    if "tags" in request:
        plain["tags"] = {key: value for key, value in request["tags"].items() if key[:4] != "aws:"}
    faults: list[FieldFault] = validate(shape, plain)
    if faults:
        raise invalid(faults)
    return request if isinstance(request, dict) else {}


# --- Harness ------------------------------------------------------------------------------------------------------


def create_harness(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the physical id is the ARN."""
    properties.check(HARNESS, logical_id, props)
    scope = seams.current_scope()
    try:
        request = request_of("CreateHarness", props)
        stack_roles.check(stack_name, "CreateHarness", request)
        shape = operations.create_harness(scope, request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _harness_result(STORE.get(scope, shape["harnessId"]))


def update_harness(
    physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Update in place: a new version when the configuration differs, none when only tags do."""
    properties.check(HARNESS, logical_id or physical_id, new)
    scope = seams.current_scope()
    try:
        harness = STORE.get(scope, physical_id.rsplit("/", 1)[-1])
        request = request_of("CreateHarness", new)
        stack_roles.check(stack_name, "UpdateHarness", {**request, "harnessId": harness.harness_id})
        operations.replace_harness(scope, harness.harness_id, request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    harness.tags = request.get("tags", {})
    return _harness_result(harness)


def delete_harness(physical_id: str, _props: dict[str, Any]) -> None:
    """Delete with the managed memory; one that is already gone is fine."""
    harness = STORE.find_arn(physical_id)
    if harness is None:
        return
    try:
        stack_roles.check_deletion(physical_id, "DeleteHarness", {"harnessId": harness.harness_id})
        operations.delete_harness((harness.account, harness.region), harness.harness_id)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    _settle(harness)


def _harness_result(harness: Harness) -> Created:
    _settle(harness)
    shape = harness.snapshot()
    environment = shape["environment"]["agentCoreRuntimeEnvironment"]
    attributes = {
        "Arn": harness.arn,
        "HarnessId": harness.harness_id,
        "Status": shape["status"],
        "Version": shape["harnessVersion"],
        "CreatedAt": shape["createdAt"],
        "UpdatedAt": shape["updatedAt"],
        "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeArn": environment["agentRuntimeArn"],
        "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeId": environment["agentRuntimeId"],
        "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeName": environment["agentRuntimeName"],
    }
    managed = shape["memory"].get("managedMemoryConfiguration")
    if managed:
        attributes["Memory.ManagedMemoryConfiguration.Arn"] = managed["arn"]
    return harness.arn, attributes


def requires_replacement(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the nested create-only property changes: the key of the managed memory."""
    return bool(_memory_key(old) != _memory_key(new))


def _memory_key(props: dict[str, Any]) -> Any:
    return ((props.get("Memory") or {}).get("ManagedMemoryConfiguration") or {}).get("EncryptionKeyArn")


# --- HarnessEndpoint ----------------------------------------------------------------------------------------------


def create_endpoint(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the physical id is the ARN. Without TargetVersion it stays on the version that is newest now."""
    properties.check(ENDPOINT, logical_id, props)
    scope = seams.current_scope()
    try:
        request = request_of("CreateHarnessEndpoint", props)
        stack_roles.check(stack_name, "CreateHarnessEndpoint", request)
        operations.create_endpoint(scope, request["harnessId"], request)
        harness = STORE.get(scope, request["harnessId"])
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _endpoint_result(harness, operations.find_endpoint(harness, request["endpointName"]))


def update_endpoint(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Point it at another version, describe it anew; a TargetVersion that is removed leaves it where it is."""
    properties.check(ENDPOINT, logical_id or physical_id, new)
    scope = seams.current_scope()
    try:
        request = request_of("CreateHarnessEndpoint", new)
        harness = STORE.get(scope, request["harnessId"])
        endpoint = operations.find_endpoint(harness, request["endpointName"])
        if any(old.get(name) != new.get(name) for name in ("TargetVersion", "Description")):
            stack_roles.check(stack_name, "UpdateHarnessEndpoint", request)
            operations.update_endpoint(scope, harness.harness_id, endpoint.name, request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    if "Description" not in new:
        endpoint.description = None
    endpoint.tags = request.get("tags", {})
    return _endpoint_result(harness, endpoint)


def delete_endpoint(physical_id: str, _props: dict[str, Any]) -> None:
    """Delete; one that is already gone, with its harness or alone, is fine."""
    harness_arn, _, name = physical_id.partition("/harness-endpoint/")
    harness = STORE.find_arn(harness_arn)
    if harness is None or name not in operations.live_endpoints(harness):
        return
    endpoint = harness.endpoints[name]
    try:
        asked = {"harnessId": harness.harness_id, "endpointName": name}
        stack_roles.check_deletion(physical_id, "DeleteHarnessEndpoint", asked)
        operations.delete_endpoint((harness.account, harness.region), harness.harness_id, name)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    _settle(endpoint)


def _endpoint_result(harness: Harness, endpoint: Endpoint) -> Created:
    _settle(endpoint)
    shape = operations.endpoint_shape(harness, endpoint)
    attributes = {
        "Arn": shape["arn"],
        "HarnessName": shape["harnessName"],
        "Status": shape["status"],
        "LiveVersion": shape["liveVersion"],
        "CreatedAt": shape["createdAt"],
        "UpdatedAt": shape["updatedAt"],
    }
    return endpoint.arn, attributes


def _settle(resource: Harness | Endpoint) -> None:
    while resource.transition.current() in ("CREATING", "UPDATING", "DELETING"):
        time.sleep(_SETTLE_POLL_SECONDS)
