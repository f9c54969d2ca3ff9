"""Tags of resources: what TagResource and its like read and change.

A harness gives its tags to the runtime and the memory that the service makes for it (devguide harness-operations);
here those show the tags the harness has, and are not tagged by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_local import seams
from agentcore_local.gateway.store import GATEWAYS

from . import operations, rules
from .errors import ServiceError, conflict, invalid, not_emulated, not_found
from .store import STORE

if TYPE_CHECKING:
    from .store import Harness, Scope

MAX_TAGS = 50


@dataclass(frozen=True)
class Tagged:
    """The tags of a resource.

    Attributes:
        tags: They themselves, to be changed.
        owner: The harness they belong to, where the resource has none of its own.
    """

    tags: dict[str, str]
    owner: Harness | None = None


def list_tags(_scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"tags": dict(_find(values["resourceArn"]).tags)}


def tag(_scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """TagResource."""
    tags = _changeable(values["resourceArn"])
    if reserved := list(rules.reserved_tags(values["tags"])):
        raise invalid(reserved)
    # Those of a stack carry the reserved prefix and count in no limit.
    if sum(not key.startswith("aws:") for key in {*tags, *values["tags"]}) > MAX_TAGS:
        raise ServiceError("ServiceQuotaExceededException", f"A resource can have at most {MAX_TAGS} tags")
    tags.update(values["tags"])
    return {}


def untag(_scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """UntagResource; a key that is not there is fine."""
    tags = _changeable(values["resourceArn"])
    for key in values["tagKeys"]:
        tags.pop(key, None)
    return {}


def _changeable(arn: str) -> dict[str, str]:
    found = _find(arn)
    if found.owner is not None:
        raise conflict(f"{arn} is managed by a harness and has its tags; tag {found.owner.arn}")
    return found.tags


def _find(arn: str) -> Tagged:
    _, _, _, region, account, resource = arn.split(":", 5)
    kind, _, rest = resource.partition("/")
    find = {"harness": _of_harness, "gateway": _of_gateway, "memory": _of_memory, "runtime": _of_runtime}.get(kind)
    if find is None:
        raise not_emulated(
            f"tags of {arn} are not emulated by the local cloud yet; it keeps those of harnesses, their endpoints, "
            "runtimes and memories, and of gateways"
        )
    found = find((account, region), arn, rest)
    if found is None:
        raise not_found("Resource", arn)
    return found


def _of_harness(_scope: Scope, arn: str, _rest: str) -> Tagged | None:
    harness_arn, separator, endpoint = arn.partition("/harness-endpoint/")
    harness = STORE.find_arn(harness_arn)
    if harness is None:
        return None
    return Tagged(operations.find_endpoint(harness, endpoint).tags if separator else harness.tags)


def _of_gateway(_scope: Scope, arn: str, _rest: str) -> Tagged | None:
    gateway = GATEWAYS.find_arn(arn)
    return None if gateway is None else Tagged(gateway.tags)


def _of_memory(scope: Scope, _arn: str, memory_id: str) -> Tagged | None:
    record = seams.read_memory(scope, memory_id)
    if record is None:
        return None
    owner = STORE.find_arn(record.get("managedByResourceArn") or "")
    return Tagged(record.setdefault("_tags", {})) if owner is None else Tagged(owner.tags, owner)


def _of_runtime(scope: Scope, _arn: str, rest: str) -> Tagged | None:
    runtime_id = rest.partition("/")[0]  # an endpoint of the runtime has the tags of the harness as well
    owner = next((harness for harness in STORE.of(scope) if harness.runtime_id == runtime_id), None)
    return None if owner is None else Tagged(owner.tags, owner)
