"""Managed memory: a real memory in the local Memory service, owned by its harness.

The harness creates it (`<harnessName>-<10>`), changes it, and deletes it with itself. While it is managed it cannot be
deleted nor have its strategies changed by anyone else; once disassociated it is an ordinary memory.
Facts: devguide harness-memory, botocore `HarnessManagedMemoryConfiguration`; ids measured (`memory/<harnessName>-…`).
"""

from __future__ import annotations

from typing import Any

from agentcore_local import seams
from agentcore_local.memory import records

from .errors import ServiceError, refused
from .store import STORE, Scope, random_suffix

DEFAULT_STRATEGIES = ["SEMANTIC", "SUMMARIZATION"]
DEFAULT_EXPIRY_DAYS = 30
_STRATEGY_INPUT = {
    "SEMANTIC": "semanticMemoryStrategy",
    "SUMMARIZATION": "summaryMemoryStrategy",
    "USER_PREFERENCE": "userPreferenceMemoryStrategy",
    "EPISODIC": "episodicMemoryStrategy",
}
# Approximated: the templates the service gives its managed strategies are not documented.
_NAMESPACE = {
    "SEMANTIC": "/facts/{actorId}/",
    "SUMMARIZATION": "/summary/{actorId}/{sessionId}/",
    "USER_PREFERENCE": "/preferences/{actorId}/",
    "EPISODIC": "/episodes/{actorId}/{sessionId}/",
}


def memory_id_of(arn: str) -> str:
    """The memory id in a memory ARN."""
    return arn.rsplit("memory/", 1)[-1]


def create(scope: Scope, harness_name: str, harness_arn: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Create the managed memory of a harness; returns the `managedMemoryConfiguration` that GetHarness shows."""
    strategies = wanted.get("strategies") or DEFAULT_STRATEGIES
    expiry = wanted.get("eventExpiryDuration") or DEFAULT_EXPIRY_DAYS
    memory_id = f"{harness_name}-{random_suffix()}"
    arn = seams.create_memory(
        scope,
        memory_id=memory_id,
        name=harness_name,
        expiry_days=expiry,
        strategies=[_strategy_input(kind) for kind in strategies],
        managed_by=harness_arn,
        encryption_key_arn=wanted.get("encryptionKeyArn"),
    )
    configuration = {"arn": arn, "strategies": list(strategies), "eventExpiryDuration": expiry}
    if wanted.get("encryptionKeyArn"):
        configuration["encryptionKeyArn"] = wanted["encryptionKeyArn"]
    return configuration


def update(scope: Scope, current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Change strategies and expiry of a managed memory; members that are not wanted stay as they are."""
    key = wanted.get("encryptionKeyArn")
    if key is not None and key != current.get("encryptionKeyArn"):
        message = "encryptionKeyArn of a managed memory cannot be changed after creation"
        raise refused(message, name="memory.managedMemoryConfiguration.encryptionKeyArn")
    strategies = wanted.get("strategies") or current["strategies"]
    expiry = wanted.get("eventExpiryDuration") or current["eventExpiryDuration"]
    added = [kind for kind in strategies if kind not in current["strategies"]]
    removed = [kind for kind in current["strategies"] if kind not in strategies]
    if added or removed or expiry != current["eventExpiryDuration"]:
        seams.update_memory(
            scope,
            memory_id_of(current["arn"]),
            expiry_days=expiry,
            add=[_strategy_input(kind) for kind in added],
            remove_types=removed,
        )
    return {**current, "strategies": list(strategies), "eventExpiryDuration": expiry}


def delete(scope: Scope, arn: str) -> None:
    """Delete a managed memory with everything in it; one that is already gone is fine."""
    seams.delete_memory(scope, memory_id_of(arn))


def disassociate(scope: Scope, arn: str) -> None:
    """Make a managed memory an ordinary one of the account; it keeps the tags that it had from its harness."""
    record = seams.read_memory(scope, memory_id_of(arn)) or {}
    owner = STORE.find_arn(record.get("managedByResourceArn") or "")
    seams.release_memory(scope, memory_id_of(arn), tags=owner.tags if owner else {})


def existing(scope: Scope, wanted: dict[str, Any]) -> dict[str, Any]:
    """The `agentCoreMemoryConfiguration` that GetHarness shows: with derived retrieval when none is given.

    Raises:
        ServiceError: ValidationException when the memory is of this account and Region and does not exist.
    """
    configuration = dict(wanted)
    _, _, _, region, account, resource = wanted["arn"].split(":", 5)
    if (account, region) != scope:
        return configuration
    record = seams.read_memory(scope, resource.removeprefix("memory/"))
    if record is None:
        raise refused(
            f"Memory '{wanted['arn']}' was not found; create it before the harness that uses it",
            name="memory.agentCoreMemoryConfiguration.arn",
        )
    derived = records.retrieval(scope, record["id"], configuration)
    return {**configuration, "retrievalConfig": derived}


def guard(scope: Scope, method: str, memory_id: str, body: dict[str, Any]) -> ServiceError | None:
    """The refusal of a DeleteMemory or UpdateMemory call on a memory that a harness manages, else None."""
    record = seams.read_memory(scope, memory_id)
    owner = (record or {}).get("managedByResourceArn")
    if not owner:
        return None
    if method == "DELETE":
        return refused(f"Memory '{memory_id}' is managed by {owner} and is deleted with it")
    if "memoryStrategies" in body:
        return refused(f"Memory '{memory_id}' is managed by {owner}; change its strategies with UpdateHarness")
    return None


def _strategy_input(kind: str) -> dict[str, Any]:
    name = f"{kind.lower()}_builtin"
    return {_STRATEGY_INPUT[kind]: {"name": name, "namespaces": [_NAMESPACE[kind]]}}
