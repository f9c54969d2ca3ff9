"""The event loops: uvloop's where it has a build, asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing

import pytest

from agentcore_local.event_loops import new_event_loop


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop has no build for Windows")
def test_uvloop_where_there_is_one() -> None:
    with closing(new_event_loop()) as loop:
        assert type(loop).__module__.startswith("uvloop")


def test_asyncio_s_own_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with closing(new_event_loop()) as loop:
        assert type(loop).__module__.startswith("asyncio")
        assert loop.run_until_complete(asyncio.sleep(0, "ran")) == "ran"
