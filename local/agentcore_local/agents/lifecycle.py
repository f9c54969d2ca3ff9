"""Lifecycle hooks: the harness tells Lambda functions, topics and buses what it is about to do and what it has done.

A Lambda hook decides; several on one event are asked at the same time, and one deny is enough. Topics and buses are
told without waiting, in the order of the session; what fails there is logged and changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from agentcore_local.agents import delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcore_local.agents.events import Stream
    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.sessions import Session

logger = logging.getLogger(__name__)

CONTEXT_LIMIT = 64 * 1024
"""Bytes of an event's context."""

DEFAULT_TIMEOUT = 60
DEFAULT_FAILURE_MODE = "deny"

_PREVIEW = 1024

_deliveries: set[asyncio.Task[None]] = set()


class _Hook(NamedTuple):
    name: str
    kind: str
    target: dict[str, Any]


class _Verdict(NamedTuple):
    decision: str
    reason: str | None


class Lifecycle:
    """Fires the hooks around one invocation and writes that they fired to its stream."""

    def __init__(self, plan: Plan, session: Session, stream: Stream) -> None:
        self._plan = plan
        self._session = session
        self._stream = stream

    async def before_invocation(self, messages: list[dict[str, Any]]) -> str | None:
        """Why the invocation must stop; None when it may go on."""
        return await self._fire("beforeInvocation", "before_invocation", lambda: _messages_context(messages))

    async def before_tool_call(self, tool_use: dict[str, Any], kind: str) -> str | None:
        """Why the tool must be skipped; None when it may run."""
        return await self._fire("beforeToolCall", "before_tool_call", lambda: _fitted(_call(tool_use, kind)))

    async def after_tool_call(self, tool_use: dict[str, Any], kind: str, result: dict[str, Any]) -> str | None:
        """Why the invocation must stop; None when it may go on."""

        def context() -> dict[str, Any]:
            failed = {"error": _text(result["content"])} if result["status"] == "error" else {}
            return _fitted({**_call(tool_use, kind), "toolResult": result["content"], **failed})

        return await self._fire("afterToolCall", "after_tool_call", context)

    async def after_invocation(self, stop_reason: str | None, usage: dict[str, int]) -> None:
        """Report how it ended; a decision changes nothing any more."""
        ended = {"stopReason": stop_reason} if stop_reason else {}
        await self._fire("afterInvocation", "after_invocation", lambda: {**ended, "usage": dict(usage)})

    async def _fire(self, member: str, event: str, context: Any) -> str | None:
        hooks = [_hook(item[member]) for item in self._plan.hooks if member in item]
        if not hooks:
            return None
        told = context()
        asked = []
        for hook in hooks:
            payload = {
                "hookEventId": str(uuid.uuid4()),
                "name": hook.name,
                "event": event,
                "harnessArn": self._plan.harness_arn,
                "sessionId": self._plan.session_id,
                "context": told,
            }
            if hook.kind == "lambda":
                asked.append((payload, asyncio.ensure_future(self._ask(hook, payload))))
            else:
                self._tell(hook, payload)
                self._stream.hook(_hook_event(payload, None))
        return await self._decide(asked)

    async def _decide(self, asked: Sequence[tuple[dict[str, Any], asyncio.Future[_Verdict]]]) -> str | None:
        denied: str | None = None
        try:
            for payload, answer in asked:
                verdict = await answer
                self._stream.hook(_hook_event(payload, verdict))
                if verdict.decision == "deny" and denied is None:
                    denied = verdict.reason or f"Denied by the hook {payload['name']!r}."
        finally:
            for _payload, answer in asked:
                answer.cancel()
        return denied

    async def _ask(self, hook: _Hook, payload: dict[str, Any]) -> _Verdict:
        timeout = hook.target.get("timeoutSeconds") or DEFAULT_TIMEOUT
        work = asyncio.to_thread(delivery.invoke_function, self._plan, hook.target["arn"], payload, timeout)
        try:
            return _Verdict(*await asyncio.wait_for(work, timeout))
        except TimeoutError:
            problem = f"no decision within {timeout} s"
        except (delivery.HookFailed, ClientError, BotoCoreError) as error:
            problem = str(error)
        mode = hook.target.get("failureMode") or DEFAULT_FAILURE_MODE
        logger.warning("hook=<%s>, failure_mode=<%s>, problem=<%s> | hook gave no decision", hook.name, mode, problem)
        reason = f"The hook {hook.name!r} gave no decision ({problem}); its failure mode is {mode}."
        return _Verdict(mode, reason[: delivery.REASON_LIMIT])

    def _tell(self, hook: _Hook, payload: dict[str, Any]) -> None:
        """Deliver in the background, after what this session has sent before."""
        send = delivery.publish if hook.kind == "sns" else delivery.put_event
        before = self._session.last_delivery

        async def deliver() -> None:
            if before is not None:
                await asyncio.wait({before})
            try:
                await asyncio.to_thread(send, self._plan, hook.target["arn"], payload)
            except (delivery.HookFailed, ClientError, BotoCoreError) as error:
                logger.warning("hook=<%s>, error=<%s> | lifecycle event not delivered", hook.name, error)

        task = asyncio.get_running_loop().create_task(deliver())
        self._session.last_delivery = task
        _deliveries.add(task)
        task.add_done_callback(_deliveries.discard)


def _hook(configured: dict[str, Any]) -> _Hook:
    kind, target = next(iter(configured["target"].items()))
    return _Hook(configured["name"], kind, target)


def _hook_event(payload: dict[str, Any], verdict: _Verdict | None) -> dict[str, Any]:
    event = {"hookEventId": payload["hookEventId"], "name": payload["name"], "type": payload["event"]}
    if verdict is not None:
        event["decision"] = verdict.decision
        if verdict.reason:
            event["reason"] = verdict.reason
    return event


def _messages_context(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The request's messages; the oldest are left out until the rest fits."""
    kept = list(messages)
    while True:
        context = {"messages": kept, "messageCount": len(messages), "truncated": len(kept) < len(messages)}
        if not kept or _size(context) <= CONTEXT_LIMIT:
            return context
        kept.pop(0)


def _call(tool_use: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "toolName": tool_use["name"],
        "toolType": kind,
        "toolUseId": tool_use["toolUseId"],
        "toolInput": tool_use["input"],
    }


def _fitted(context: dict[str, Any]) -> dict[str, Any]:
    """The context of a tool call; the largest values are replaced by the documented stand-in until the rest fits."""
    sizes = {name: _size(context[name]) for name in ("toolInput", "toolResult", "error") if name in context}
    fitted = dict(context)
    for name in sorted(sizes, key=lambda name: sizes[name], reverse=True):
        if _size(fitted) <= CONTEXT_LIMIT:
            break
        fitted[name] = {"truncated": True, "preview": _written(context[name])[:_PREVIEW]}
    return fitted


def _size(value: Any) -> int:
    return len(_written(value).encode("utf-8", "surrogatepass"))


def _written(value: Any) -> str:
    """As UTF-8 has it: written in ASCII alone, other scripts would take up to twice their bytes."""
    return json.dumps(value, default=str, ensure_ascii=False)


def _text(content: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in content if "text" in part)
