"""The caller of the request that is answered now: whoever works for it for long must notice that it has hung up."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

_receive: ContextVar[Callable[[], Awaitable[Any]] | None] = ContextVar("receive", default=None)


def arrived(receive: Callable[[], Awaitable[Any]]) -> None:
    """Remember how to hear from the caller of the request that this task answers (ASGI `receive`)."""
    _receive.set(receive)


class Caller:
    """Cancels the task that entered it when the caller hangs up; the block then ends without an exception.

    Enter it after the request's body has been read, for work that goes on in this task only.

    Attributes:
        gone: Whether the caller has hung up.
    """

    def __init__(self) -> None:
        self.gone = False
        self._task: asyncio.Task[Any] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        receive = _receive.get()
        self._task = asyncio.current_task()
        if receive is not None:
            self._watch = asyncio.create_task(self._listen(receive))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._watch is not None:
            self._watch.cancel()
        if not self.gone or self._task is None:
            return False
        # As in asyncio.timeout: only our own cancellation ends here, not one from outside at the same moment.
        return self._task.uncancel() == 0 and kind is asyncio.CancelledError

    async def _listen(self, receive: Callable[[], Awaitable[Any]]) -> None:
        while (await receive()).get("type") != "http.disconnect":
            pass
        self.gone = True
        if self._task is not None:
            self._task.cancel()
