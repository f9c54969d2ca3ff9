"""The local cloud under load: hundreds of streams at once stay apart, a thousand sessions leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import wire

from agentcore_local.agents.scripts import Turn

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud
    from agentcore_local.agents.scripts import ModelCall

STREAMS = 500
TESTS = Path(__file__).resolve().parents[1]

# In a process of its own: what other tests have left would be counted otherwise.
THOUSAND_SESSIONS = """
import asyncio, gc, json, os, threading, time
from pathlib import Path
from agentcore_local import LocalCloud, agents
from agentcore_local.agents.scripts import ToolCall, Turn
from support import wire

TEMPORARY = Path(os.environ["TMPDIR"])

def script(call):
    if call.prompt.startswith("work") and call.turn == 1:
        return Turn(tool_calls=[ToolCall("shell", {"command": "echo there > here"})])
    return call.session_id

# Pools grow to their size as work comes at once; they belong to the cloud, not to sessions.
POOLS = ("agent-blocking", "asyncio_", "ThreadPoolExecutor")

def threads():
    return sorted(one.name for one in threading.enumerate() if not one.name.startswith(POOLS))

def files():
    gc.collect()  # this test's own clients
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}").split(":")[0])
        except OSError:
            pass  # the listing's own
    return sorted(found)

def settled(count, before):
    end = time.monotonic() + 5
    while count() != before and time.monotonic() < end:
        time.sleep(0.05)
    return count()

def children():
    tasks = Path("/proc/self/task").iterdir()
    found = [child for task in tasks for child in (task / "children").read_text().split()]
    return [Path(f"/proc/{child}/cmdline").read_bytes().decode() for child in found]

def rounds(cloud, count):
    cloud.script(None, script)
    account = cloud.account()
    arn = wire.created(account)
    answers = asyncio.run(wire.invocations(account, arn, 20, prompt="work"))
    answers += asyncio.run(wire.invocations(account, arn, count - 20))
    assert all(session in answer for session, answer in answers)

with LocalCloud() as cloud:
    rounds(cloud, 100)  # loads, and starts the threads that are shared by all sessions
    cloud.reset()
    before = threads(), files()
    rounds(cloud, 1000)
    found = {
        "sessions": len(agents.sessions),
        "machines": len(list(TEMPORARY.glob("agentcore-sessions-*/*"))),
    }
    cloud.reset()
    found["after reset"] = {
        "sessions": len(agents.sessions),
        "machines": len(list(TEMPORARY.glob("agentcore-sessions-*"))),
        "threads": [before[0], settled(threads, before[0])],
        "files": [before[1], settled(files, before[1])],
        "processes": children(),
    }
found["after stop"] = {
    "threads": [one.name for one in threading.enumerate() if one.name.startswith("agent")],
    "folders": os.listdir(TEMPORARY),
    "processes": children(),
}
print(json.dumps(found))
"""


def test_five_hundred_streams_at_once_stay_apart(local_cloud: LocalCloud, account: Account) -> None:
    arrived: set[str] = set()
    lock, everybody = threading.Lock(), threading.Event()

    async def repeat(call: ModelCall) -> Turn:
        with lock:
            arrived.add(call.session_id)
            if len(arrived) == STREAMS:
                everybody.set()
        # Nobody answers before everybody has asked: all streams are open at the same time.
        end = asyncio.get_running_loop().time() + 60
        while not everybody.is_set() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        return Turn(text=f"{call.session_id} heard {call.prompt} of {len(call.messages)}", token_delay=0.002)

    arn = wire.created(account)
    local_cloud.script(arn, repeat)

    async def main() -> list[tuple[str, str]]:
        return await wire.invocations(account, arn, STREAMS, at_once=STREAMS, prompt="nonce-{session}")

    answers = asyncio.run(main())
    assert everybody.is_set()
    assert len(answers) == STREAMS
    assert [(s, a) for s, a in answers if a != f"{s} heard nonce-{s} of 1"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_thousand_sessions_leave_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", THOUSAND_SESSIONS]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path.parent, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    before, after = found["after reset"].pop("threads")
    assert before == after
    before, after = found["after reset"].pop("files")
    # Sockets are connections that are kept for the next request, this process' own clients' too: not one a session.
    assert [file for file in before if file != "socket"] == [file for file in after if file != "socket"]
    assert after.count("socket") < before.count("socket") + 20
    assert found == {
        "sessions": 1000,
        "machines": 20,
        "after reset": {"sessions": 0, "machines": 0, "processes": []},
        "after stop": {"threads": [], "folders": [], "processes": []},
    }


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_callers_who_hang_up_leave_nothing_running(local_cloud: LocalCloud, account: Account) -> None:
    from agentcore_local import agents  # noqa: PLC0415 - loads Strands

    arn = wire.created(account)
    local_cloud.script(arn, lambda _call: Turn(text="never heard", delay=60))
    sessions = [str(uuid.uuid4()) for _ in range(100)]

    def busy() -> int:
        return sum(one.busy for one in agents.sessions if one.key.session_id in sessions)

    async def until(count: int) -> None:
        end = asyncio.get_running_loop().time() + 15
        while busy() != count:
            assert asyncio.get_running_loop().time() < end, busy()
            await asyncio.sleep(0.05)

    async def main() -> None:
        connections = [await wire.opened(account, arn, session, "hello") for session in sessions]
        await until(len(sessions))
        for _, writer in connections:
            writer.close()
        await until(0)

    asyncio.run(main())
    local_cloud.script(arn, lambda _call: "heard")
    assert asyncio.run(wire.answer(account, arn, sessions[0], "hello")) == "heard"
