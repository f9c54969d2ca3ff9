"""Keeps what is extracted from new events, and brings back what is relevant to what the user says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agentcore_local import seams
from agentcore_local.harness.errors import ServiceError

from . import extraction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .events import Event

logger = logging.getLogger(__name__)

# What the service assumes where nothing is configured (devguide harness-memory).
DERIVED: Mapping[str, Any] = {"topK": 10, "relevanceScore": 0.2}
_MAX_QUERY = 10_000


def extract(scope: seams.Scope, event: Event) -> None:
    """Keep what a new event adds to the long-term memory; called for every event, whoever writes it."""
    memory = seams.read_memory(scope, event["memoryId"])
    if memory is None or not memory.get("strategies"):
        return
    session = seams.read_events(scope, event["memoryId"], event["actorId"], event["sessionId"])
    found = list(extraction.records(memory["strategies"], event, session))
    if not found:
        return
    there = {
        (record["memoryStrategyId"], *record["namespaces"], record.get("_key")): record
        for record in seams.read_records(scope, event["memoryId"]).values()
    }
    kept = []
    for record in found:
        earlier = there.get((record.strategy_id, record.namespace, record.key), {})
        if earlier.get("content") != {"text": record.text}:
            kept.append(_stored(record, earlier, event))
    if kept:
        seams.put_records(scope, event["memoryId"], kept)


def _stored(record: extraction.Record, earlier: Mapping[str, Any], event: Event) -> dict[str, Any]:
    return {
        "createdAt": event["eventTimestamp"],
        "_session": event["sessionId"],
        **earlier,
        "content": {"text": record.text},
        "memoryStrategyId": record.strategy_id,
        "namespaces": [record.namespace],
        "_key": record.key,
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
    arn: str,
    wanted: Mapping[str, Mapping[str, Any]],
    *,
    query: str,
    actor_id: str,
    session_id: str,
    without_own: bool,
) -> Iterator[str]:
    """The texts of the records that have to do with a query, each once, namespace by namespace.

    Args:
        scope: Account and Region that ask.
        arn: Of the memory.
        wanted: Namespace template to `topK`, `relevanceScore` and `strategyId`.
        query: What the user says. How many of its words are in a record is the record's score.
        actor_id: Of the invocation.
        session_id: Of the invocation.
        without_own: Whether to leave out what was extracted from this very session.
    """
    seen: set[str] = set()
    own = _own(scope, arn, session_id) if without_own else frozenset()
    for template, how in wanted.items():
        namespace = extraction.resolved(template, actor_id, session_id, how.get("strategyId") or "")
        if namespace is None:
            logger.warning("namespace=<%s> | not retrieved: it has a variable that is not known here", template)
            continue
        criteria = {"searchQuery": query[:_MAX_QUERY], "topK": how.get("topK") or DERIVED["topK"]}
        if how.get("strategyId"):
            criteria["memoryStrategyId"] = how["strategyId"]
        request = {"namespace": namespace, "searchCriteria": criteria, "maxResults": 100}
        for record in _retrieved(scope, arn, request):
            text = record["content"]["text"]
            if record["memoryRecordId"] in own or text in seen:
                continue
            if record["score"] >= (how.get("relevanceScore") or 0.0):
                seen.add(text)
                yield text


def _own(scope: seams.Scope, arn: str, session_id: str) -> frozenset[str]:
    there = seams.read_records((scope[0], arn.split(":")[3]), arn.rpartition("/")[2])
    return frozenset(record_id for record_id, record in there.items() if record.get("_session") == session_id)


def _retrieved(scope: seams.Scope, arn: str, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return seams.retrieve_records(scope, arn, request)
    except ServiceError as error:
        # As the service's session manager: an agent that cannot recall still answers.
        logger.warning("namespace=<%s>, error=<%s> | nothing retrieved", request["namespace"], error)
        return []
