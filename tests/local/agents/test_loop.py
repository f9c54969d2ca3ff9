"""The agents' thread: nothing blocks the caller's loop, everything can be cancelled, nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from agentcore_local import agents
from agentcore_local.agents.loop import MAX_UNREAD, AgentLoop, Channel
from agentcore_local.agents.scripts import Turn

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]


def test_the_callers_loop_is_not_blocked_by_a_busy_agent(caller, script):
    def burn(_call):
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pass
        return "done"

    script(burn)

    async def longest_pause() -> float:
        work = asyncio.ensure_future(anext(caller().start(MESSAGES)))
        longest, last = 0.0, time.monotonic()
        while not work.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        return longest

    assert asyncio.run(longest_pause()) < 0.4


def test_two_hundred_invocations_at_once_do_not_mix(caller, script):
    script(lambda call: Turn(text=f"{call.session_id} {call.prompt}", token_delay=0.01))
    clients = [caller() for _ in range(200)]

    async def one(client, number: int) -> str:
        messages = [{"role": "user", "content": [{"text": f"number {number}"}]}]
        text = ""
        async for name, payload in client.start(messages):
            if name == "contentBlockDelta":
                text += payload["delta"]["text"]
        return text

    async def everyone() -> list[str]:
        return await asyncio.gather(*(one(client, number) for number, client in enumerate(clients)))

    started = time.monotonic()
    texts = asyncio.run(everyone())
    assert texts == [f"{client.session} number {number}" for number, client in enumerate(clients)]
    assert time.monotonic() - started < 10


def test_a_thousand_sessions_leave_no_thread_behind(caller, script):
    script("ok")
    caller().say()
    before = threading.active_count()

    async def many() -> None:
        for _ in range(1000):
            async for _event in caller().start(MESSAGES):
                pass

    asyncio.run(many())
    assert threading.active_count() == before
    assert len(agents.sessions) == 1001
    agents.reset()
    assert len(agents.sessions) == 0


def test_closing_cancels_the_work_and_waits_for_it(caller, script):
    ended = threading.Event()

    async def speak(_call):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return "never"

    script(speak)

    async def close_while_working() -> None:
        events = caller().start(MESSAGES)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await events.aclose()

    started = time.monotonic()
    asyncio.run(close_while_working())
    assert ended.is_set()
    assert time.monotonic() - started < 5
    assert not any(session.busy for session in agents.sessions)


def test_closing_before_the_work_has_begun_frees_the_session(caller, script):
    script("ok")
    client = caller()
    # The agents' thread is kept from beginning until the cancellation has reached it. Left alone it may be done before
    # that: the first event is there, nothing is cancelled, and the generator is left to the garbage collector.
    gate = threading.Event()
    agents.loop.get().call_soon_threadsafe(gate.wait)

    async def cancel_at_once() -> None:
        waiting = asyncio.ensure_future(anext(client.start(MESSAGES)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()

    asyncio.run(cancel_at_once())
    assert not any(session.busy for session in agents.sessions)
    assert client.say().text == "ok"


def test_work_that_is_asked_for_while_the_loop_stops_ends_too():
    """The server stops, an agent still cleans up, a request comes in: its caller is told, and not left waiting."""
    working = AgentLoop()
    loop = working.get()
    cleaning = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaning.set()
            await asyncio.sleep(0.2)

    async def ask() -> None:
        first: Channel[int] = Channel()
        first.start(loop, forever(), finally_=lambda: None)
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(asyncio.to_thread(working.stop))
        await asyncio.to_thread(cleaning.wait, 5)
        second: Channel[int] = Channel()
        second.start(loop, forever(), finally_=lambda: None)
        for channel in (first, second):
            with pytest.raises(ConnectionAbortedError):
                await asyncio.wait_for(channel.get(), 5)
        await stopping

    asyncio.run(ask())


def test_a_callers_loop_that_dies_takes_its_agent_with_it(caller, script):
    ended = threading.Event()

    async def speak(_call):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return "never"

    script(speak)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(anext(caller().start(MESSAGES)))
    loop.run_until_complete(asyncio.sleep(0.05))
    waiting.cancel()
    loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
    loop.close()
    assert ended.wait(5)


def test_a_stalled_reader_slows_the_agent_down(caller, script):
    said = " ".join(["word"] * (MAX_UNREAD * 4))
    script(said)
    client = caller()

    async def stall() -> tuple[bool, str]:
        events = client.start(MESSAGES)
        await anext(events)
        await asyncio.sleep(0.3)
        (session,) = agents.sessions
        still_working = session.busy
        text = ""
        async for name, payload in events:
            if name == "contentBlockDelta":
                text += payload["delta"]["text"]
        return still_working, text

    still_working, text = asyncio.run(stall())
    assert still_working
    assert text == said


def test_agents_can_be_shut_down_and_used_again(caller, script):
    script("ok")
    caller().say()
    agents.shutdown()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("agentcore-agents", "agent-"))]
    assert caller().say().text == "ok"


def test_a_shutdown_ends_running_invocations_with_an_error(caller, script):
    script(Turn(text="x", delay=60))

    async def shut_down_while_waiting() -> None:
        waiting = asyncio.ensure_future(anext(caller().start(MESSAGES)))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(agents.shutdown)
        with pytest.raises(ConnectionAbortedError, match="stopped while the agent was working"):
            await waiting

    asyncio.run(shut_down_while_waiting())


def test_what_is_there_can_be_read_at_once(caller, script):
    script("one two three four five six")

    async def batches() -> list[int]:
        client = caller()
        request = {"runtimeSessionId": client.session, "messages": MESSAGES}
        invocation = agents.Invocation(client.harness, request, client.account, "us-east-1", "http://x")
        return [len(events) async for events in agents.invoke_in_batches(invocation)]

    sizes = asyncio.run(batches())
    assert sum(sizes) == 10
    assert len(sizes) < 10


def test_an_unused_loop_can_be_stopped():
    AgentLoop().stop()


def test_a_channel_keeps_the_order_and_gives_the_error_last():
    loop = AgentLoop()

    async def main() -> list[int]:
        channel: Channel[int] = Channel()

        async def work() -> None:
            for number in range(1000):
                channel.put(number)
                await channel.room()
            raise ValueError("at the end")

        channel.start(loop.get(), work(), finally_=lambda: None)
        got: list[int] = []
        while len(got) < 1000:
            got += await channel.get()
        with pytest.raises(ValueError, match="at the end"):
            await channel.get()
        await channel.close()
        return got

    try:
        assert asyncio.run(main()) == list(range(1000))
    finally:
        loop.stop()
