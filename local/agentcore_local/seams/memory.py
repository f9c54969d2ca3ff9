"""The memories of ministack's AgentCore services."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import base64
import functools
import http
import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from agentcore_local.harness.errors import ServiceError

from .base import Scope, Seam, SeamBrokenError, internals
from .scope import acting_for, current_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_AGENTCORE = "ministack.services.bedrock_agentcore"
_WRITING = {
    "_create_event": ("raw_memory_id", "body"),
    "_delete_event": ("raw_memory_id", "actor_id", "session_id", "event_id"),
    "_batch_create_memory_records": ("raw_memory_id", "body"),
    "_batch_update_memory_records": ("raw_memory_id", "body"),
    "_batch_delete_memory_records": ("raw_memory_id", "body"),
    "_delete_memory_record": ("raw_memory_id", "record_id"),
}
_DEFAULT_PAGE = 20
# The agents' thread writes as well as the server's.
_LOCK = threading.RLock()

SEAMS: tuple[Seam, ...] = (
    Seam(_AGENTCORE, "_memories", "create managed memories"),
    Seam(_AGENTCORE, "_memory_strategies", "record the strategies of a managed memory", ("inputs", "now")),
    Seam(_AGENTCORE, "_create_memory", "create the memories of templates", ("body",)),
    Seam(_AGENTCORE, "_update_memory", "update the memories of templates", ("memory_id", "body")),
    Seam(_AGENTCORE, "_delete_memory", "delete a managed memory with its data", ("memory_id",)),
    Seam(_AGENTCORE, "_memory_events", "read the events of a session"),
    Seam(_AGENTCORE, "_memory_records", "keep what was extracted"),
    Seam(_AGENTCORE, "_resolve_memory", "note the events of a memory", ("raw_id",)),
    Seam(
        _AGENTCORE,
        "_find_event",
        "note the events of a memory",
        ("memory_id", "scope", "actor_id", "session_id", "event_id"),
    ),
    Seam(
        _AGENTCORE,
        "_list_events",
        "list events newest first",
        ("raw_memory_id", "actor_id", "session_id", "body"),
    ),
    Seam(_AGENTCORE, "_list_memory_records", "understand namespacePath", ("raw_memory_id", "body")),
    Seam(_AGENTCORE, "_retrieve_memory_records", "understand namespacePath", ("raw_memory_id", "body")),
    *(Seam(_AGENTCORE, name, "write one after the other", parameters) for name, parameters in _WRITING.items()),
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
    answered = agentcore._create_memory(body) if create else agentcore._update_memory(memory_id, body)
    memory: dict[str, Any] = _content(answered)["memory"]
    return memory


def _content(answered: Any) -> dict[str, Any]:
    status, headers, body = answered
    content: dict[str, Any] = json.loads(body)
    if status >= http.HTTPStatus.BAD_REQUEST:
        code = str(content.get("__type") or headers.get("x-amzn-errortype") or "InternalServerException")
        raise ServiceError(code.rsplit("#", 1)[-1], str(content.get("message", "")))
    return content


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


def release_memory(scope: Scope, memory_id: str, *, tags: dict[str, str]) -> None:
    """Make a managed memory an ordinary one, with tags of its own."""
    record = read_memory(scope, memory_id)
    if record is not None:
        record.pop("managedByResourceArn", None)
        record["_tags"] = dict(tags)


def delete_memory(scope: Scope, memory_id: str) -> None:
    """Delete a memory with its events and records; one that is gone is fine."""
    _INDEXES.pop((scope, memory_id), None)
    with acting_for(scope):
        internals(_AGENTCORE)._delete_memory(memory_id)


# ---- what is in a memory ---------------------------------------------------------------------------------------------


def create_event(scope: Scope, memory_arn: str, request: Mapping[str, Any]) -> None:
    """CreateEvent, as an account and Region.

    Raises:
        ServiceError: What the operation answered.
    """
    with acting_for(scope):
        _content(internals(_AGENTCORE)._create_event(memory_arn, json.dumps(request).encode()))


def delete_event(scope: Scope, memory_arn: str, event: Mapping[str, Any]) -> None:
    """DeleteEvent, as an account and Region; one that is gone is fine."""
    with acting_for(scope):
        internals(_AGENTCORE)._delete_event(memory_arn, event["actorId"], event["sessionId"], event["eventId"])


def note_events(note: Callable[..., None]) -> None:
    """Call `note(scope, memory_id, event, deleted=…)` for each event of a memory that is created or deleted."""
    _wrap("_create_event", functools.partial(_noting, note, deleted=False), over=True)
    _wrap("_delete_event", functools.partial(_noting, note, deleted=True), over=True)


def _noting(note: Callable[..., None], original: Any, *, deleted: bool) -> Any:
    def noted(raw_memory_id: str, *arguments: Any) -> Any:
        agentcore = internals(_AGENTCORE)
        with _LOCK:
            memory_id, scope, error = agentcore._resolve_memory(raw_memory_id)
            going = agentcore._find_event(memory_id, scope, *map(unquote, arguments)) if deleted and not error else None
            answered = original(raw_memory_id, *arguments)
            if error or answered[0] >= http.HTTPStatus.BAD_REQUEST:
                return answered
            event = going
            if not deleted:
                told = json.loads(answered[2])["event"]
                identity = (told["actorId"], told["sessionId"], told["eventId"])
                event = agentcore._find_event(memory_id, scope, *identity)
            if event is not None:
                note(scope or current_scope(), memory_id, event, deleted=deleted)
        return answered

    return noted


def restore_event(scope: Scope, memory_id: str, event: dict[str, Any]) -> None:
    """Put an event back that was noted, unless it is there or its memory has gone; nothing is extracted from it."""
    agentcore = internals(_AGENTCORE)
    if read_memory(scope, memory_id) is None:
        return
    bucket = agentcore._memory_events.get_scoped(*scope, memory_id, {})
    fresh = {"createdAt": int(time.time()), "nextSeq": 0, "events": []}
    session = bucket.setdefault(event["actorId"], {}).setdefault(event["sessionId"], fresh)
    if all(there["eventId"] != event["eventId"] for there in session["events"]):
        session["events"].append(event)
        session["nextSeq"] = max(session["nextSeq"], event.get("_seq", 0))
    agentcore._memory_events.set_scoped(*scope, memory_id, bucket)


def forget_event(scope: Scope, memory_id: str, event: dict[str, Any]) -> None:
    """Take an event out that was noted as deleted."""
    bucket = internals(_AGENTCORE)._memory_events.get_scoped(*scope, memory_id, {})
    session = bucket.get(event["actorId"], {}).get(event["sessionId"])
    if session is not None:
        session["events"] = [there for there in session["events"] if there["eventId"] != event["eventId"]]


def read_events(scope: Scope, memory_id: str, actor_id: str, session_id: str) -> list[dict[str, Any]]:
    """The events of an actor's session, oldest first."""
    bucket = internals(_AGENTCORE)._memory_events.get_scoped(*scope, memory_id, {})
    session = bucket.get(actor_id, {}).get(session_id)
    return list(session["events"]) if session else []


def read_records(scope: Scope, memory_id: str, record_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Those of the long-term records that there are, by their ids; not copies."""
    bucket = internals(_AGENTCORE)._memory_records.get_scoped(*scope, memory_id, {})
    return {record_id: bucket[record_id] for record_id in record_ids if record_id in bucket}


def records_in(scope: Scope, memory_id: str, namespace: str) -> list[dict[str, Any]]:
    """The long-term records of one namespace, oldest first; not copies."""
    with _LOCK:
        bucket = internals(_AGENTCORE)._memory_records.get_scoped(*scope, memory_id, {})
        return list(_indexed(scope, memory_id, bucket).get(namespace, {}).values())


_Index = dict[str, dict[str, dict[str, Any]]]
# By memory: the records an index was made of, how many they were, and namespace to id to record. ministack's own
# operations put another dictionary in the place of the records they change.
_INDEXES: dict[tuple[Scope, str], tuple[dict[str, Any], int, _Index]] = {}


def _indexed(scope: Scope, memory_id: str, bucket: dict[str, Any]) -> _Index:
    known = _INDEXES.get((scope, memory_id))
    if known is not None and known[0] is bucket and known[1] == len(bucket):
        return known[2]
    index: _Index = {}
    for record in bucket.values():
        _file(index, record)
    _INDEXES[scope, memory_id] = (bucket, len(bucket), index)
    return index


def _file(index: _Index, record: dict[str, Any]) -> None:
    for namespace in record.get("namespaces") or ():
        index.setdefault(namespace, {})[record["memoryRecordId"]] = record


def put_records(scope: Scope, memory_id: str, records: Iterable[dict[str, Any]]) -> None:
    """Add long-term records, or replace those with the same `memoryRecordId`."""
    store = internals(_AGENTCORE)._memory_records
    with _LOCK:
        bucket = store.get_scoped(*scope, memory_id, {})
        index = _indexed(scope, memory_id, bucket)
        for record in records:
            bucket[record["memoryRecordId"]] = record
            _file(index, record)
        _INDEXES[scope, memory_id] = (bucket, len(bucket), index)
        store.set_scoped(*scope, memory_id, bucket)


def serve_memory(extract: Callable[[Scope, dict[str, Any]], None]) -> None:
    """Have ministack's memories do what the service's do.

    Events are listed newest first; a `namespacePath` means everything below it; every new event is extracted from,
    unless it says not to.

    Args:
        extract: Gets the account and Region of the memory, and the event.
    """
    for name in _WRITING:
        _wrap(name, _one_at_a_time)
    _wrap("_create_event", functools.partial(_extracting, extract), over=True)
    _wrap("_list_events", _newest_first)
    for name in ("_list_memory_records", "_retrieve_memory_records"):
        _wrap(name, _by_path)


def _wrap(name: str, wrapper: Callable[[Any], Any], *, over: bool = False) -> None:
    """Put a function in another one's place; at every start anew, or over what was put there before."""
    module = internals(_AGENTCORE)
    there = getattr(module, name)
    original = there if over else getattr(there, "__wrapped__", there)
    wrapped = wrapper(original)
    wrapped.__wrapped__ = getattr(there, "__wrapped__", there)
    setattr(module, name, wrapped)


def _one_at_a_time(original: Any) -> Any:
    def locked(*args: Any) -> Any:
        with _LOCK:
            return original(*args)

    return locked


def _extracting(extract: Callable[[Scope, dict[str, Any]], None], original: Any) -> Any:
    def create_event(raw_memory_id: str, body: bytes) -> Any:
        answered = original(raw_memory_id, body)
        skipped = b"SKIP" in body and json.loads(body).get("extractionMode") == "SKIP"
        if answered[0] < http.HTTPStatus.BAD_REQUEST and not skipped:
            arn = unquote(raw_memory_id)
            _, _, _, region, account, *_ = arn.split(":") if ":memory/" in arn else ("", "", "", "", "")
            extract((account, region) if account else current_scope(), json.loads(answered[2])["event"])
        return answered

    return create_event


def _newest_first(original: Any) -> Any:
    def list_events(raw_memory_id: str, actor_id: str, session_id: str, body: bytes) -> Any:
        request = json.loads(body or b"{}")
        asked = {name: value for name, value in request.items() if name not in ("maxResults", "nextToken")}
        events: list[Any] = []
        token: str | None = None
        while True:
            page = {**asked, "maxResults": 100, **({"nextToken": token} if token else {})}
            status, headers, content = answered = original(
                raw_memory_id, actor_id, session_id, json.dumps(page).encode()
            )
            if status >= http.HTTPStatus.BAD_REQUEST:
                return answered
            found = json.loads(content)
            events += found["events"]
            token = found.get("nextToken")
            if token is None:
                break
        events.reverse()
        return status, headers, json.dumps(_page(events, request)).encode()

    return list_events


def _page(events: list[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """One page; a token names the event the page before ended with, so that new events do not shift it."""
    start, size = 0, request.get("maxResults", _DEFAULT_PAGE)
    if token := request.get("nextToken"):
        after = base64.urlsafe_b64decode(str(token).encode()).decode(errors="replace")
        start = next((index + 1 for index, event in enumerate(events) if event["eventId"] == after), len(events))
    page: dict[str, Any] = {"events": events[start : start + size]}
    if start + size < len(events):
        last = page["events"][-1]["eventId"]
        page["nextToken"] = base64.urlsafe_b64encode(last.encode()).decode()
    return page


def _by_path(original: Any) -> Any:
    def by_path(raw_memory_id: str, body: bytes) -> Any:
        request = json.loads(body or b"{}")
        if (path := request.pop("namespacePath", None)) is not None:
            # ministack matches whole namespaces, in which * is any text.
            request["namespace"] = f"{path.rstrip('*')}*"
            body = json.dumps(request).encode()
        with _LOCK:
            return original(raw_memory_id, body)

    return by_path
