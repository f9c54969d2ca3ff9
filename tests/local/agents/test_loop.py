"""The agents' thread: nothing blocks the caller's loop, everything can be cancelled, nothing is left behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agentcore_local import agents
from agentcore_local.agents.loop import MAX_UNREAD, AgentLoop, Channel
from agentcore_local.agents.scripts import Turn

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]


def endless(begun, ended):
    """A script that says when it is asked, never answers, and says when it is ended."""

    async def speak(_call):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    return speak


def test_the_callers_loop_is_not_blocked_by_a_busy_agent(caller, script):
    begun, alive = threading.Event(), threading.Event()

    def block(_call):
        begun.set()
        return "done" if alive.wait(20) else "The caller's loop stood still."

    script(block)

    async def ask() -> str:
        async def live() -> None:
            while not begun.is_set():
                await asyncio.sleep(0.005)
            alive.set()

        living, text = asyncio.ensure_future(live()), ""
        async for name, payload in caller().start(MESSAGES):
            if name == "contentBlockDelta":
                text += payload["delta"]["text"]
        await living
        return text

    assert asyncio.run(ask()) == "done"


def test_two_hundred_invocations_at_once_do_not_mix(caller, script):
    arrived: set[str] = set()
    everybody = asyncio.Event()  # nobody is answered before everybody has asked

    async def speak(call):
        arrived.add(call.session_id)
        if len(arrived) == 200:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 60)
        return Turn(text=f"{call.session_id} {call.prompt}", token_delay=0.01)

    script(speak)
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

    texts = asyncio.run(everyone())
    assert texts == [f"{client.session} number {number}" for number, client in enumerate(clients)]


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
    begun, ended = threading.Event(), threading.Event()
    script(endless(begun, ended))

    async def close_while_working() -> None:
        events = caller().start(MESSAGES)
        waiting = asyncio.ensure_future(anext(events))
        assert await asyncio.to_thread(begun.wait, 20)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await events.aclose()

    asyncio.run(close_while_working())
    assert ended.is_set()
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
    begun, cleaning, asked = threading.Event(), threading.Event(), threading.Event()

    async def forever() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            while not asked.is_set():
                await asyncio.sleep(0.01)

    async def ask() -> None:
        first: Channel[int] = Channel()
        first.start(loop, forever(), finally_=lambda: None)
        assert await asyncio.to_thread(begun.wait, 20)
        stopping = asyncio.ensure_future(asyncio.to_thread(working.stop))
        assert await asyncio.to_thread(cleaning.wait, 20)
        second: Channel[int] = Channel()
        second.start(loop, forever(), finally_=lambda: None)
        asked.set()
        for channel in (first, second):
            with pytest.raises(ConnectionAbortedError):
                await asyncio.wait_for(channel.get(), 20)
        await stopping

    asyncio.run(ask())


def test_a_callers_loop_that_dies_takes_its_agent_with_it(caller, script):
    begun, ended = threading.Event(), threading.Event()
    script(endless(begun, ended))
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(anext(caller().start(MESSAGES)))
    assert loop.run_until_complete(loop.run_in_executor(None, begun.wait, 20))
    waiting.cancel()
    loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
    loop.close()
    assert ended.wait(20)


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
    begun = threading.Event()
    script(endless(begun, threading.Event()))

    async def shut_down_while_waiting() -> None:
        waiting = asyncio.ensure_future(anext(caller().start(MESSAGES)))
        assert await asyncio.to_thread(begun.wait, 20)
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
