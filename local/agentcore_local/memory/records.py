"""Keeps what is extracted from new events, and brings back what is relevant to what the user says."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

from . import extraction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .events import Event

logger = logging.getLogger(__name__)

# What the service assumes where nothing is configured (devguide harness-memory).
DERIVED: Mapping[str, Any] = {"topK": 10, "relevanceScore": 0.2}


def extract(scope: seams.Scope, event: Event) -> None:
    """Keep what a new event adds to the long-term memory; called for every event, whoever writes it."""
    memory = seams.read_memory(scope, event["memoryId"])
    if memory is None or not memory.get("strategies"):
        return
    session = seams.read_events(scope, event["memoryId"], event["actorId"], event["sessionId"])
    found = {_identity(record): record for record in extraction.records(memory["strategies"], event, session)}
    there = seams.read_records(scope, event["memoryId"], found)
    kept = [
        _stored(record_id, record, there.get(record_id, {}), event)
        for record_id, record in found.items()
        if there.get(record_id, {}).get("content") != {"text": record.text}
    ]
    if kept:
        seams.put_records(scope, event["memoryId"], kept)


def _identity(record: extraction.Record) -> str:
    """The same record has the same id, so that it is found without a search."""
    seed = json.dumps([record.strategy_id, record.namespace, record.key])
    return f"mem-{hashlib.sha256(seed.encode()).hexdigest()[:40]}"


def _stored(record_id: str, record: extraction.Record, earlier: Mapping[str, Any], event: Event) -> dict[str, Any]:
    return {
        "createdAt": event["eventTimestamp"],
        "_session": event["sessionId"],
        **earlier,
        "memoryRecordId": record_id,
        "content": {"text": record.text},
        "memoryStrategyId": record.strategy_id,
        "namespaces": [record.namespace],
    }


def retrieval(scope: seams.Scope, memory_id: str, configured: Mapping[str, Any]) -> dict[str, Any]:
    """Namespace template to how it is retrieved: as configured, or one entry for each active strategy.

    Args:
        scope: Account and Region of the memory.
        memory_id: The memory.
        configured: The managed or own memory in a harness' configuration; a `retrievalConfig` in it is all there is.
    """
    if "retrievalConfig" in configured:
        return dict(configured["retrievalConfig"])
    memory = seams.read_memory(scope, memory_id) or {}
    return {
        namespace: {**DERIVED, "strategyId": strategy["strategyId"]}
        for strategy in memory.get("strategies") or ()
        if strategy.get("status") == "ACTIVE"
        for namespace in strategy.get("namespaces") or strategy.get("namespaceTemplates") or ()
    }


def relevant(
    scope: seams.Scope,
    memory_id: str,
    wanted: Mapping[str, Mapping[str, Any]],
    *,
    query: str,
    actor_id: str,
    session_id: str,
    without_own: bool,
) -> Iterator[str]:
    """The texts of the records that have to do with a query, each once, namespace by namespace.

    Args:
        scope: Account and Region of the memory.
        memory_id: The memory.
        wanted: Namespace template to `topK`, `relevanceScore` and `strategyId`.
        query: What the user says.
        actor_id: Of the invocation.
        session_id: Of the invocation.
        without_own: Whether to leave out what was extracted from this very session.
    """
    seen: set[str] = set()
    asked = _words(query)
    for template, how in wanted.items():
        strategy, least = how.get("strategyId") or "", how.get("relevanceScore") or 0.0
        namespace = extraction.resolved(template, actor_id, session_id, strategy)
        if namespace is None:
            logger.warning("namespace=<%s> | not retrieved: it has a variable that is not known here", template)
            continue
        scored = [
            (score, record["content"]["text"])
            for record in seams.records_in(scope, memory_id, namespace)
            if strategy in ("", record["memoryStrategyId"])
            and not (without_own and record.get("_session") == session_id)
            and (score := relevance(asked, record["content"]["text"])) >= least
            and score > 0
        ]
        scored.sort(key=lambda pair: -pair[0])
        for _, text in scored[: how.get("topK") or DERIVED["topK"]]:
            if text not in seen:
                seen.add(text)
                yield text


def relevance(asked: frozenset[str], text: str) -> float:
    """The share of the words asked for that are in a text: the score that RetrieveMemoryRecords gives here."""
    return len(asked & _words(text)) / len(asked) if asked else 0.0


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", text.lower()))
