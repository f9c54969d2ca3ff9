"""`AWS::BedrockAgentCore::Memory`: a memory in the local Memory service, so that a harness can use it."""

from __future__ import annotations

from typing import Any

from agentcore_local import seams, stack_roles
from agentcore_local.harness.errors import ServiceError, conflict

from . import properties
from .agentcore import Created, HandlerError, request_of
from .fabricate import Fabricator
from .generic import with_properties

MEMORY = "AWS::BedrockAgentCore::Memory"
REPLACING = ("Name", "EncryptionKeyArn")
# What UpdateMemory changes; strategies go through its own structure.
_UPDATABLE = (
    "description",
    "eventExpiryDuration",
    "memoryExecutionRoleArn",
    "namespaceKeys",
    "streamDeliveryResources",
)


def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    """Create; the physical id is the ARN."""
    properties.check(MEMORY, logical_id, props)
    try:
        request = request_of("CreateMemory", _writable(props))
        passed = request.get("memoryExecutionRoleArn")
        stack_roles.check_action(
            stack_name, "CreateMemory", "*", f"memory/{request['name']}-0123456789", passed_role=passed
        )
        memory = seams.call_memory("create", request)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _result(logical_id, props, memory)


def update(
    physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
) -> Created:
    """Update in place; strategies are told apart by name: new ones are added, missing ones deleted."""
    label = logical_id or physical_id
    properties.check(MEMORY, label, new)
    scope, memory_id = seams.current_scope(), physical_id.rsplit("/", 1)[-1]
    try:
        request = request_of("CreateMemory", _writable(new))
        passed = request.get("memoryExecutionRoleArn")
        stack_roles.check_action(stack_name, "UpdateMemory", f"memory/{memory_id}", passed_role=passed)
        current = seams.read_memory(scope, memory_id)
        if current is None:
            raise conflict(f"Memory '{memory_id}' is gone")
        changes = {name: request[name] for name in _UPDATABLE if name in request}
        changes["memoryStrategies"] = _strategy_changes(current.get("strategies", []), request.get("memoryStrategies"))
        memory = seams.call_memory("update", changes, memory_id=memory_id)
    except ServiceError as error:
        raise HandlerError.of(error) from error
    return _result(label, new, memory)


def delete(physical_id: str, _props: dict[str, Any]) -> None:
    """Delete with its data; one that is already gone is fine."""
    memory_id = physical_id.rsplit("/", 1)[-1]
    try:
        stack_roles.check_action(seams.stack_of(physical_id), "DeleteMemory", f"memory/{memory_id}")
    except ServiceError as error:
        raise HandlerError.of(error) from error
    seams.delete_memory(seams.current_scope(), memory_id)


def _writable(props: dict[str, Any]) -> dict[str, Any]:
    """The properties that CreateMemory takes: strategies carry read-only members in this schema."""
    return {name: value for name, value in props.items() if name not in ("Status", "MemoryArn", "MemoryId")}


def _strategy_changes(current: list[dict[str, Any]], wanted: list[dict[str, Any]] | None) -> dict[str, Any]:
    by_name = {strategy["name"]: strategy["strategyId"] for strategy in current}
    named = {next(iter(strategy.values()))["name"]: strategy for strategy in wanted or []}
    return {
        "addMemoryStrategies": [strategy for name, strategy in named.items() if name not in by_name],
        "deleteMemoryStrategies": [
            {"memoryStrategyId": identifier} for name, identifier in by_name.items() if name not in named
        ],
        "modifyMemoryStrategies": [
            {"memoryStrategyId": by_name[name], **_modifiable(strategy)}
            for name, strategy in named.items()
            if name in by_name
        ],
    }


def _modifiable(strategy: dict[str, Any]) -> dict[str, Any]:
    (content,) = strategy.values()
    return {name: content[name] for name in ("description", "namespaces", "namespaceTemplates") if name in content}


def _result(logical_id: str, props: dict[str, Any], memory: dict[str, Any]) -> Created:
    known = {"MemoryArn": memory["arn"], "MemoryId": memory["id"], "Status": "ACTIVE"}
    attributes = Fabricator(MEMORY, logical_id, props, *seams.current_scope()).attributes(known)
    return memory["arn"], with_properties(attributes, props)
