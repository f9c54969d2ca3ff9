"""The agent loop of the local cloud: what happens behind InvokeHarness.

`invoke` runs one invocation and yields its stream event by event. Everything else here serves it; `scripts` decides
what the scripted model says.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from agentcore_local.agents import commands, inline, logs, models, mounts, permissions, plan, scripts
from agentcore_local.agents.events import Event, Stream
from agentcore_local.agents.invocation import Invocation
from agentcore_local.agents.loop import AgentLoop, Channel
from agentcore_local.agents.run import Run
from agentcore_local.agents.sessions import Session, Store
from agentcore_local.memory.conversations import Conversations

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = [
    "Event",
    "Invocation",
    "commands",
    "invoke",
    "invoke_in_batches",
    "models",
    "reset",
    "scripts",
    "sessions",
    "shutdown",
]

loop = AgentLoop()
sessions = Store(repository=Conversations())


async def invoke(invocation: Invocation) -> AsyncGenerator[Event, None]:
    """Run one invocation and yield its events as they happen.

    The work runs on the agents' own thread; closing the iterator cancels it and waits until it has cleaned up. Nothing
    of a cancelled or failed invocation stays in the conversation.

    Args:
        invocation: The request and the harness version that serves it.

    Yields:
        Name and payload of each event, as in botocore's ``InvokeHarnessStreamOutput``.

    Raises:
        RequestRefused: before the first event; the request is answered with an HTTP error.
        StreamFailed: after it; the stream ends with an exception frame.
    """
    async with aclosing(invoke_in_batches(invocation)) as batches:
        async for events in batches:
            for event in events:
                yield event


async def invoke_in_batches(invocation: Invocation) -> AsyncGenerator[list[Event], None]:
    """The same, with all events that are there at once in one list: a server writes them with one system call.

    Args:
        invocation: As for `invoke`.

    Yields:
        At least one event.

    Raises:
        RequestRefused: as `invoke`.
        StreamFailed: as `invoke`.
    """
    resolved = plan.resolve(invocation)
    if sessions.is_sweep_due():
        loop.run_blocking(sessions.sweep)
    session, conversation = sessions.acquire(resolved)
    channel: Channel[Event] | None = None
    try:
        answer = inline.answer(resolved, conversation)
        channel = Channel()
        journal = logs.Journal(invocation, resolved, logs.writer)
        run = Run(
            plan=resolved,
            session=session,
            conversation=conversation,
            answer=answer,
            stream=Stream(journal.listening(channel.put)),
            room=channel.room,
            keep=sessions.save,
        )
        work = _work(run, session, resolved.actor_id, journal)
        channel.start(loop.get(), work, finally_=lambda: sessions.release(session))
    except BaseException:
        sessions.release(session)
        raise
    try:
        while True:
            try:
                events = await channel.get()
            except StopAsyncIteration:
                return
            yield events
    finally:
        await channel.close()


async def _work(run: Run, session: Session, actor_id: str, journal: logs.Journal) -> None:
    try:
        with journal.invocation():
            await run.execute()
    finally:
        # A model call has its price, whatever became of the invocation.
        session.conversations[actor_id].count(run.usage)
    session.conversations[actor_id].turns += run.is_turn


def reset(account: str | None = None) -> None:
    """Forget all sessions and shared files (or those of one account) and, for all accounts, all scripts."""
    sessions.clear(account)
    mounts.SHARES.clear(account)
    if account is None:
        scripts.registry.clear()
        models.choices.clear()
        permissions.reset()


def shutdown() -> None:
    """Stop the agents' thread, cancelling what runs on it, and remove the directories of sessions and file systems."""
    loop.stop()
    sessions.clear()
    mounts.SHARES.clear()
