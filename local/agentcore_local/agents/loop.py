"""The thread agents work on, and the channel their events leave it by.

The HTTP server's event loop must never wait for an agent (a tool may burn CPU, a provider's SDK may block), so agents
have a loop of their own. A channel carries their events to whoever consumes them, on any other loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentcore_local.event_loops import new_event_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

MAX_UNREAD = 512
"""Events a consumer may leave unread before the agent waits for it. Keeps a stalled client from filling the memory."""

_BLOCKING_WORKERS = 64
"""Threads for blocking work of tools and hooks (files, boto3 calls); shared by all agents."""

_WORKER_NAME = "agent-blocking"
_JOIN_SECONDS = 2.0


class AgentLoop:
    """An asyncio loop on a daemon thread, started on first use and stopped by `stop`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """The running loop; starts its thread when there is none."""
        with self._lock:
            if self._loop is None:
                started = threading.Event()
                loop = new_event_loop()
                loop.set_default_executor(ThreadPoolExecutor(_BLOCKING_WORKERS, thread_name_prefix=_WORKER_NAME))
                loop.call_soon(started.set)
                self._thread = threading.Thread(target=_serve, args=(loop,), name="agentcore-agents", daemon=True)
                self._thread.start()
                started.wait()
                self._loop = loop
            return self._loop

    def run_blocking(self, work: Callable[[], None]) -> None:
        """Let one of the workers do something nobody waits for."""
        loop = self.get()
        loop.call_soon_threadsafe(lambda: loop.run_in_executor(None, work))

    def stop(self) -> None:
        """Cancel all work and end the thread. Does nothing when the loop never started."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            _join_workers()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        # Until there are none: what is asked for while others clean up has a caller who waits for it.
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()  # tells the workers to end


def _join_workers() -> None:
    """Wait for blocking work, but not for what hangs in a provider's SDK: that ends with its own timeout."""
    end = time.monotonic() + _JOIN_SECONDS
    for thread in threading.enumerate():
        if thread.name.startswith(_WORKER_NAME):
            thread.join(max(0.0, end - time.monotonic()))


class Channel(Generic[T]):
    """Items from one coroutine on the agent loop to one consumer on another loop, in order, with back pressure.

    The reader is woken when the producer next waits for anything: a burst of items costs one crossing between the
    threads, and an item that is followed by a pause is there at once.
    """

    def __init__(self) -> None:
        self._consumer = asyncio.get_running_loop()
        self._items: deque[T] = deque()
        self._readable = asyncio.Event()
        self._wake_pending = False
        self._producer: asyncio.AbstractEventLoop | None = None
        self._producer_waits: asyncio.Event | None = None
        self._ended = False
        self._error: BaseException | None = None
        self._cancel: Callable[[], object] | None = None

    def start(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], *, finally_: Callable[[], None]
    ) -> None:
        """Run `work` on `loop`; the channel ends when it does, with its exception if it raised one.

        Args:
            loop: The agents' loop.
            work: What puts items into this channel.
            finally_: Called once on `loop` when the work is over, also when it was cancelled before its first step.
        """
        self._producer = loop

        def finished(task: asyncio.Task[None]) -> None:
            finally_()
            if task.cancelled():
                self._end(ConnectionAbortedError("The agent loop was stopped while the agent was working."))
            else:
                self._end(task.exception())

        def begin() -> None:
            task = loop.create_task(work)
            self._cancel = task.cancel
            task.add_done_callback(finished)

        loop.call_soon_threadsafe(begin)

    def put(self, item: T) -> None:
        """Hand over one item (agent loop)."""
        self._items.append(item)
        if not self._wake_pending and self._producer is not None:
            self._wake_pending = True
            self._producer.call_soon(self._wake)

    async def room(self) -> None:
        """Wait until the consumer has read what is there (agent loop); returns at once while it keeps up."""
        if len(self._items) < MAX_UNREAD:
            return
        self._producer_waits = asyncio.Event()
        # Looked at again after the event exists: the consumer may have emptied the queue in between.
        if len(self._items) >= MAX_UNREAD:
            await self._producer_waits.wait()
        self._producer_waits = None

    async def get(self) -> list[T]:
        """The items there are, at least one (consumer loop).

        Raises:
            StopAsyncIteration: when the work has ended without an error.
            BaseException: what the work raised.
        """
        while True:
            ended = self._ended  # before the items are looked at: what came last came before the end
            if self._items:
                break
            if ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._readable.clear()
            if not self._items and not self._ended:
                await self._readable.wait()
        # Not list() and clear(): the producer may append in between.
        items = [self._items.popleft() for _ in range(len(self._items))]
        waiting = self._producer_waits
        if waiting is not None and self._producer is not None:
            self._producer.call_soon_threadsafe(waiting.set)
        return items

    async def close(self) -> None:
        """Cancel the work unless it has ended, and wait until it has cleaned up (consumer loop)."""
        if not self._ended and self._producer is not None and not self._producer.is_closed():
            self._producer.call_soon_threadsafe(lambda: self._cancel() if self._cancel else None)
            while not self._ended:
                self._readable.clear()
                if not self._ended:
                    await self._readable.wait()
        self._items.clear()

    def _end(self, error: BaseException | None) -> None:
        self._error = error
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        self._wake_pending = False
        try:
            self._consumer.call_soon_threadsafe(self._readable.set)
        except RuntimeError:  # the consumer's loop is gone, and with it everyone who could read
            if self._cancel is not None and not self._ended:
                self._cancel()
