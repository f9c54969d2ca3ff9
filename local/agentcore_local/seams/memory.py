"""The memories of ministack's AgentCore services."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import http
import json
import time
from typing import Any

from agentcore_local.harness.errors import ServiceError

from .base import Scope, Seam, SeamBrokenError, internals
from .scope import acting_for

_AGENTCORE = "ministack.services.bedrock_agentcore"

SEAMS: tuple[Seam, ...] = (
    Seam(_AGENTCORE, "_memories", "create managed memories"),
    Seam(_AGENTCORE, "_memory_strategies", "record the strategies of a managed memory", ("inputs", "now")),
    Seam(_AGENTCORE, "_create_memory", "create the memories of templates", ("body",)),
    Seam(_AGENTCORE, "_update_memory", "update the memories of templates", ("memory_id", "body")),
    Seam(_AGENTCORE, "_delete_memory", "delete a managed memory with its data", ("memory_id",)),
)


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
    agentcore, now = internals(_AGENTCORE), int(time.time())
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
    agentcore, body = internals(_AGENTCORE), json.dumps(request).encode()
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
    record: dict[str, Any] | None = internals(_AGENTCORE)._memories.get_scoped(*scope, memory_id)
    return record


def update_memory(
    scope: Scope, memory_id: str, *, expiry_days: int, add: list[dict[str, Any]], remove_types: list[str]
) -> None:
    """Change expiry and strategies of a memory."""
    agentcore, now = internals(_AGENTCORE), int(time.time())
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
        internals(_AGENTCORE)._delete_memory(memory_id)
