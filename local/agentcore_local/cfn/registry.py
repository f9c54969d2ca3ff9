"""Which handler serves which CloudFormation type: ours, ministack's completed, or a record of the rest."""

from __future__ import annotations

from typing import Any

from agentcore_local import seams
from agentcore_local.gateway import cfn as gateway

from . import agentcore, complete, credentials, generic, memory, schedules, secrets, state_machines

_NATIVE: dict[str, dict[str, Any]] = {
    agentcore.HARNESS: {
        "create": agentcore.create_harness,
        "update": agentcore.update_harness,
        "update_with_logical_id": True,
        "delete": agentcore.delete_harness,
    },
    agentcore.ENDPOINT: {
        "create": agentcore.create_endpoint,
        "update": agentcore.update_endpoint,
        "update_with_logical_id": True,
        "delete": agentcore.delete_endpoint,
    },
    memory.MEMORY: {
        "create": memory.create,
        "update": memory.update,
        "update_with_logical_id": True,
        "delete": memory.delete,
    },
    **credentials.HANDLERS,
    **gateway.HANDLERS,
}
_REPLACING = {
    agentcore.HARNESS: ("HarnessName",),
    agentcore.ENDPOINT: ("HarnessId", "EndpointName"),
    memory.MEMORY: memory.REPLACING,
    **gateway.REPLACING,
}
_registered: set[str] = set()


def register() -> None:
    """Add our types to ministack's CloudFormation, once per process."""
    if _registered:
        return
    handlers = seams.resource_handlers()
    for resource_type in complete.native_types():
        complete.complete(resource_type)
    machine = state_machines.STATE_MACHINE
    handlers[machine] = state_machines.checked(handlers[machine])
    schedule = schedules.SCHEDULE
    handlers[schedule] = schedules.completed(handlers[schedule])
    handlers[secrets.SECRET] = secrets.completed(handlers[secrets.SECRET])
    for resource_type, handler in _NATIVE.items():
        _add(resource_type, handler)
    # A harness always has an explicit name, so CloudFormation refuses to replace it under the same one.
    seams.custom_named(agentcore.HARNESS, "HarnessName", agentcore.requires_replacement)
    for resource_type in (agentcore.HARNESS, agentcore.ENDPOINT):
        seams.stack_tags(resource_type, "Tags")
    recorded = set(generic.types(set(handlers)))
    for resource_type in recorded:
        _add(resource_type, generic.handler(resource_type))
    replacing = {**seams.replacing_properties(), **_REPLACING}
    seams.replace_replacing_properties(generic.ReplacingProperties(replacing, recorded))
    seams.run_on_worker_thread(_registered.__contains__)


def register_type(resource_type: str, handler: dict[str, Any]) -> None:
    """Serve a CloudFormation type with a handler of your own; it wins over every other.

    Args:
        resource_type: Such as `AWS::MyService::Thing`.
        handler: `create(logical_id, properties, stack_name) -> (physical_id, attributes)`,
            `update(physical_id, old, new, stack_name, logical_id)` returning the same, and `delete(physical_id,
            properties)`. They run on worker threads and may call the local cloud.
    """
    _add(resource_type, {"update_with_logical_id": True, **handler})


def _add(resource_type: str, handler: dict[str, Any]) -> None:
    seams.resource_handlers()[resource_type] = handler
    _registered.add(resource_type)
