"""What the agents log, in CloudWatch Logs of this local cloud, where the service logs: one group for each endpoint.

A journal listens to the stream of one invocation, so the loop itself knows nothing of logs. Its records are JSON, one
log event each: `invocation_started`, `tool_called`, `tool_answered`, `hook_fired`, and one of `invocation_ended`,
`invocation_failed`, `invocation_cancelled`. What is said (prompts, answers, inputs and results of tools) is only in
them while ``AGENTCORE_LOCAL_LOG_CONTENT`` is ``1``.

Records are written on the agents' own thread, a few at a time, and at the latest when the invocation ends: whoever has
read a stream to its end finds all of it in the logs. Writing takes microseconds, in this process; nothing of it
outlives the invocation.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import PydanticSerializationError, to_json

from agentcore_local import seams
from agentcore_local.agents import permissions
from agentcore_local.faults import StreamFailed
from agentcore_local.harness.errors import ServiceError
from agentcore_local.harness.store import DEFAULT_ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local.agents.events import Emit, Event
    from agentcore_local.agents.invocation import Invocation
    from agentcore_local.agents.plan import Plan

logger = logging.getLogger(__name__)

CONTENT_VARIABLE = "AGENTCORE_LOCAL_LOG_CONTENT"
CONTENT_CHARACTERS = 10_000
"""What is said is cut here; a log event may have 256 KB."""
EVENTS_PER_STREAM = 10_000
"""A full log stream is followed by a new one, and of a group only the newest two are kept: memory has an end."""

_HOLD_SECONDS = 0.2
_MISSING = "ResourceNotFoundException"


_Group = tuple[seams.Scope, str]


class _Stream(NamedTuple):
    name: str
    events: int
    before: str | None


class Writer:
    """Puts log events into log groups and makes what is missing there. Used on the agents' thread only.

    All invocations of an endpoint share what is held back: their events stay in the order in which they happened, and
    the log service takes an ordered batch in microseconds, but sorts a whole stream for one that is late.
    """

    def __init__(self) -> None:
        self._streams: dict[_Group, _Stream] = {}
        self._held: dict[_Group, list[dict[str, Any]]] = {}
        self._due: dict[_Group, asyncio.TimerHandle] = {}

    def add(self, scope: seams.Scope, group: str, message: str, moment: float) -> None:
        """Take a log event in; it is written with others, soon.

        Args:
            scope: Account and Region.
            group: Name of the log group.
            message: Text of the event.
            moment: Seconds of the epoch.
        """
        key = (scope, group)
        self._held.setdefault(key, []).append({"timestamp": int(moment * 1000), "message": message})
        if key not in self._due:
            self._due[key] = asyncio.get_running_loop().call_later(_HOLD_SECONDS, self.flush, scope, group)

    def flush(self, scope: seams.Scope, group: str) -> None:
        """Write what is held back for a group, now; a failure is only reported."""
        due = self._due.pop((scope, group), None)
        if due is not None:
            due.cancel()
        events = self._held.pop((scope, group), None)
        if not events:
            return
        try:
            self._write(scope, group, events)
        except Exception:
            # Whatever happens to its logs, an invocation goes on.
            logger.exception("group=<%s> | log events not written", group)

    def _write(self, scope: seams.Scope, group: str, events: list[dict[str, Any]]) -> None:
        try:
            self._put(scope, group, events)
        except ServiceError as error:
            if error.code != _MISSING:
                raise
            self._streams.pop((scope, group), None)  # the group was deleted, or the whole cloud was reset
            self._put(scope, group, events)

    def _put(self, scope: seams.Scope, group: str, events: list[dict[str, Any]]) -> None:
        stream = self._streams.get((scope, group))
        if stream is None or stream.events >= EVENTS_PER_STREAM:
            stream = self._next(scope, group, stream)
        request = {"logGroupName": group, "logStreamName": stream.name, "logEvents": events}
        seams.call_logs(scope, "PutLogEvents", request)
        self._streams[scope, group] = stream._replace(events=stream.events + len(events))

    def _next(self, scope: seams.Scope, group: str, full: _Stream | None) -> _Stream:
        if full is None:
            with contextlib.suppress(ServiceError):  # it may be there, from a template or an earlier run
                seams.call_logs(scope, "CreateLogGroup", {"logGroupName": group})
        elif full.before is not None:
            with contextlib.suppress(ServiceError):
                seams.call_logs(scope, "DeleteLogStream", {"logGroupName": group, "logStreamName": full.before})
        name = f"{datetime.now(UTC):%Y/%m/%d}/[runtime-logs]{uuid.uuid4()}"
        seams.call_logs(scope, "CreateLogStream", {"logGroupName": group, "logStreamName": name})
        return _Stream(name, 0, full.name if full else None)


def group_of(invocation: Invocation) -> str | None:
    """The log group of the endpoint that serves an invocation; None when its harness has no runtime."""
    runtime = invocation.harness.get("environment", {}).get("agentCoreRuntimeEnvironment", {}).get("agentRuntimeId")
    if not runtime:
        return None
    return f"/aws/bedrock-agentcore/runtimes/{runtime}-{_endpoint(invocation)}"


def _endpoint(invocation: Invocation) -> str:
    return str(invocation.request.get("qualifier") or DEFAULT_ENDPOINT)


class Journal:
    """The records of one invocation.

    Args:
        invocation: Says where its logs go.
        plan: What is done.
        to: Where the records go.
    """

    def __init__(self, invocation: Invocation, plan: Plan, to: Writer) -> None:
        group = group_of(invocation)
        self._group = group if group is not None and permissions.may_log(plan, group) else None
        self._scope = (plan.account, plan.region)
        self._writer = to
        self._content = os.environ.get(CONTENT_VARIABLE, "") not in ("", "0")
        self._plan = plan
        self._about = {
            "harness": plan.harness_name,
            "version": plan.version,
            "endpoint": _endpoint(invocation),
            "sessionId": plan.session_id,
            "actorId": plan.actor_id,
        }
        self._listener = _Listener(self._record, content=self._content)

    def listening(self, emit: Emit) -> Emit:
        """`emit`, overheard."""
        if self._group is None:
            return emit
        listen = self._listener.event

        def overheard(event: Event) -> None:
            emit(event)
            listen(*event)

        return overheard

    @contextlib.contextmanager
    def invocation(self) -> Iterator[None]:
        """Record how the work within begins and ends; on the agents' loop."""
        if self._group is None:
            yield
            return
        said = {"prompt": _prompt(self._plan.messages)} if self._content else {}
        self._record("invocation_started", model=self._plan.model_id, **said)
        began = time.monotonic()
        try:
            yield
        except StreamFailed as failure:
            self._record("invocation_failed", level="ERROR", error=failure.kind, message=failure.message)
            raise
        except asyncio.CancelledError:
            self._record("invocation_cancelled", level="WARNING", **self._listener.totals())
            raise
        except Exception as failure:
            self._record("invocation_failed", level="ERROR", error=type(failure).__name__, message=str(failure))
            raise
        else:
            totals = self._listener.totals()
            self._record("invocation_ended", **totals, durationMs=round((time.monotonic() - began) * 1000))
        finally:
            self._writer.flush(self._scope, self._group)

    def _record(self, event: str, *, level: str = "INFO", **members: Any) -> None:
        now = time.time()
        record = {"timestamp": _iso(now), "level": level, "event": event, **self._about, **members}
        message = _line(record)
        self._writer.add(self._scope, str(self._group), message, now)


class _Listener:
    """Makes records of a stream's events."""

    def __init__(self, record: Callable[..., None], *, content: bool) -> None:
        self._tell = record
        self._content = content
        self._blocks: dict[int, tuple[str, dict[str, Any], list[str]]] = {}
        self._called: set[str] = set()
        self._since = time.monotonic()
        self._stop: str | None = None
        self._calls = 0
        self._usage = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}

    def event(self, name: str, payload: dict[str, Any]) -> None:
        """Take in one event."""
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, payload)

    def totals(self) -> dict[str, Any]:
        """What the stream amounts to so far."""
        return {"stopReason": self._stop, "usage": self._usage, "modelCalls": self._calls}

    def _on_message_start(self, _payload: dict[str, Any]) -> None:
        self._blocks = {}

    def _on_block_start(self, payload: dict[str, Any]) -> None:
        kind, about = next(iter(payload["start"].items()))
        self._blocks[payload["contentBlockIndex"]] = (kind, about, [])

    def _on_block_delta(self, payload: dict[str, Any]) -> None:
        if not self._content:
            return
        index, delta = payload["contentBlockIndex"], payload["delta"]
        said = self._blocks.setdefault(index, ("text", {}, []))[2]
        said.append(delta.get("text") or delta.get("toolUse", {}).get("input") or "")
        said.extend(part.get("text", "") for part in delta.get("toolResult", ()))

    def _on_block_stop(self, payload: dict[str, Any]) -> None:
        kind, about, parts = self._blocks.pop(payload["contentBlockIndex"], ("", {}, []))
        text = "".join(parts)[:CONTENT_CHARACTERS]
        if kind == "toolUse":
            self._called.add(about["toolUseId"])
            said = {"input": text} if self._content else {}
            self._tell("tool_called", tool=about["name"], toolUseId=about["toolUseId"], **said)
        elif kind == "toolResult":
            self._answered(about, {"result": text} if self._content else {})
        elif text:
            self._tell("model_said", text=text)

    def _answered(self, about: dict[str, Any], said: dict[str, Any]) -> None:
        now = time.monotonic()
        # What an inline function took is known to the caller only: its result opens an invocation of its own.
        took = {"durationMs": round((now - self._since) * 1000)} if about["toolUseId"] in self._called else {}
        self._since = now
        level = "INFO" if about["status"] == "success" else "WARNING"
        members = {"toolUseId": about["toolUseId"], "status": about["status"], **took, **said}
        self._tell("tool_answered", level=level, **members)

    def _on_message_stop(self, payload: dict[str, Any]) -> None:
        self._stop, self._since = payload["stopReason"], time.monotonic()

    def _on_metadata(self, payload: dict[str, Any]) -> None:
        self._calls += 1
        for name, count in payload["usage"].items():
            self._usage[name] = self._usage.get(name, 0) + count

    def _on_hook(self, payload: dict[str, Any]) -> None:
        decided = {name: payload[name] for name in ("decision", "reason") if name in payload}
        self._tell("hook_fired", hook=payload["name"], type=payload["type"], **decided)


_HANDLERS: dict[str, Callable[[_Listener, dict[str, Any]], None]] = {
    "messageStart": _Listener._on_message_start,  # noqa: SLF001 - the table of this class' own handlers
    "contentBlockStart": _Listener._on_block_start,  # noqa: SLF001
    "contentBlockDelta": _Listener._on_block_delta,  # noqa: SLF001
    "contentBlockStop": _Listener._on_block_stop,  # noqa: SLF001
    "messageStop": _Listener._on_message_stop,  # noqa: SLF001
    "metadata": _Listener._on_metadata,  # noqa: SLF001
    "hookEvent": _Listener._on_hook,  # noqa: SLF001
}


def _prompt(messages: list[dict[str, Any]]) -> str:
    texts = [block["text"] for message in messages for block in message["content"] if "text" in block]
    return "\n".join(texts)[:CONTENT_CHARACTERS]


def _line(record: dict[str, Any]) -> str:
    try:
        return to_json(record, fallback=str).decode()
    except PydanticSerializationError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(record, separators=(",", ":"), default=str)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


writer = Writer()
