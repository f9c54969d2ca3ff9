"""`AWS::BedrockAgentCore::Gateway` and `GatewayTarget`: create, update, delete, attributes."""

from __future__ import annotations

from typing import Any

from agentcore_local import seams, stack_roles
from agentcore_local.cfn import properties
from agentcore_local.cfn.agentcore import Created, HandlerError, request_of
from agentcore_local.harness.errors import ServiceError, not_found

from . import operations
from .store import GATEWAYS, Gateway, Target

GATEWAY = "AWS::BedrockAgentCore::Gateway"
TARGET = "AWS::BedrockAgentCore::GatewayTarget"
REPLACING = {TARGET: ("GatewayIdentifier",)}
# What the API does not take: a web ACL, which CloudFormation associates itself, and what is read-only.
_CFN_ONLY = ("WafConfiguration",)


def create_gateway(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the physical id is the gateway's."""
    properties.check(GATEWAY, logical_id, props)
    try:
        request = request_of("CreateGateway", _api(props))
        stack_roles.check_action(
            stack_name, "CreateGateway", "*", f"gateway/{request['name']}-0123456789", passed_role=request["roleArn"]
        )
        gateway = operations.create_gateway(seams.current_scope(), request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _gateway(gateway)


def update_gateway(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Update in place; a gateway of another name is another gateway."""
    if old.get("Name") != new.get("Name"):
        return create_gateway(logical_id or physical_id, new, stack_name)
    properties.check(GATEWAY, logical_id or physical_id, new)
    try:
        request = request_of("CreateGateway", _api(new))
        stack_roles.check_action(stack_name, "UpdateGateway", f"gateway/{physical_id}", passed_role=request["roleArn"])
        gateway = operations.update_gateway(seams.current_scope(), physical_id, request)
        gateway.tags = request.get("tags", {})
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _gateway(gateway)


def delete_gateway(physical_id: str, _props: dict[str, Any]) -> None:
    """Delete; one that is already gone is fine."""
    if GATEWAYS.find(physical_id) is None:
        return
    try:
        stack_roles.check_action(seams.stack_of(physical_id), "DeleteGateway", f"gateway/{physical_id}")
        operations.delete_gateway(seams.current_scope(), physical_id)
    except ServiceError as error:
        raise HandlerError.of(error) from error


def create_target(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the physical id is that of the gateway and that of the target."""
    properties.check(TARGET, logical_id, props)
    try:
        if "GatewayIdentifier" not in props:
            raise not_found("Gateway", "")
        request = request_of("CreateGatewayTarget", _api(props))
        stack_roles.check_action(stack_name, "CreateGatewayTarget", f"gateway/{request['gatewayIdentifier']}")
        made = operations.create_target(seams.current_scope(), request["gatewayIdentifier"], request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _target(*made)


def update_target(
    physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Update in place."""
    properties.check(TARGET, logical_id or physical_id, new)
    gateway_id, _, target_id = physical_id.partition("|")
    try:
        request = request_of("CreateGatewayTarget", _api(new))
        stack_roles.check_action(stack_name, "UpdateGatewayTarget", f"gateway/{gateway_id}")
        changed = operations.update_target(seams.current_scope(), gateway_id, target_id, request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _target(*changed)


def delete_target(physical_id: str, _props: dict[str, Any]) -> None:
    """Delete; one that is already gone, with its gateway or alone, is fine."""
    gateway_id, _, target_id = physical_id.partition("|")
    gateway = GATEWAYS.find(gateway_id)
    if gateway is None or target_id not in gateway.targets:
        return
    try:
        stack_roles.check_action(seams.stack_of(physical_id), "DeleteGatewayTarget", f"gateway/{gateway_id}")
        operations.delete_target((gateway.account, gateway.region), gateway_id, target_id)
    except ServiceError as error:
        raise HandlerError.of(error) from error


def _api(props: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in props.items() if name not in _CFN_ONLY}


def _gateway(gateway: Gateway) -> Created:
    shape = operations.gateway_shape(gateway)
    attributes = {
        "Name": gateway.name,
        "GatewayArn": gateway.arn,
        "GatewayIdentifier": gateway.gateway_id,
        "GatewayUrl": shape["gatewayUrl"],
        "Status": shape["status"],
        "CreatedAt": shape["createdAt"],
        "UpdatedAt": shape["updatedAt"],
        "WorkloadIdentityDetails.WorkloadIdentityArn": shape["workloadIdentityDetails"]["workloadIdentityArn"],
    }
    return gateway.gateway_id, attributes


def _target(gateway: Gateway, target: Target) -> Created:
    attributes = {
        "Name": target.name,
        "GatewayArn": gateway.arn,
        "GatewayIdentifier": gateway.gateway_id,
        "TargetId": target.target_id,
        "Status": target.status,
        "CreatedAt": target.created,
        "UpdatedAt": target.updated,
    }
    return f"{gateway.gateway_id}|{target.target_id}", attributes


def _handler(create: Any, update: Any, delete: Any) -> dict[str, Any]:
    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


HANDLERS = {
    GATEWAY: _handler(create_gateway, update_gateway, delete_gateway),
    TARGET: _handler(create_target, update_target, delete_target),
}
