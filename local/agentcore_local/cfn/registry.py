"""Which handler serves which CloudFormation type."""

from __future__ import annotations

from typing import Any

from .. import seams
from . import agentcore

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
}
_REPLACING = {agentcore.HARNESS: ("HarnessName",), agentcore.ENDPOINT: ("HarnessId", "EndpointName")}


def register() -> None:
    """Add our types to ministack's CloudFormation; doing it again changes nothing."""
    seams.resource_handlers().update(_NATIVE)
    seams.replace_replacing_properties({**seams.replacing_properties(), **_REPLACING})
    # A harness always has an explicit name, so CloudFormation refuses to replace it under the same one.
    seams.custom_named(agentcore.HARNESS, "HarnessName", agentcore.requires_replacement)
    for resource_type in _NATIVE:
        seams.stack_tags(resource_type, "Tags")
    seams.run_on_worker_thread(_NATIVE.__contains__)
