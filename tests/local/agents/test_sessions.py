"""Sessions: what is remembered, for whom, for how long, and what may not happen at the same time."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from agentcore_local import agents
from agentcore_local.agents import plan as plans
from agentcore_local.agents.scripts import Turn
from agentcore_local.agents.sessions import Conversation, Store
from agentcore_local.faults import RequestRefused, StreamFailed


@pytest.fixture
def remembering(script):
    """A model that says how many messages it was given."""
    script(lambda call: f"{len(call.messages)}")


def prompts(client) -> list[str]:
    (conversation,) = [s.conversations["default"] for s in agents.sessions if s.key.session_id == client.session]
    return [block["text"] for m in conversation.messages if m["role"] == "user" for block in m["content"]]


def test_a_session_remembers(caller, remembering):
    client = caller()
    assert [client.say().text, client.say().text, client.say().text] == ["1", "3", "5"]


def test_sessions_are_apart(caller, remembering):
    caller().say()
    assert caller().say().text == "1"


def test_actors_of_a_session_are_apart(caller, remembering):
    client = caller()
    client.say(actorId="ann")
    assert client.say(actorId="bob").text == "1"
    assert client.say(actorId="ann").text == "3"


def test_the_memory_configuration_names_the_default_actor(caller, remembering):
    client = caller(memory={"agentCoreMemoryConfiguration": {"arn": "arn", "actorId": "ann"}})
    client.say()
    assert client.say(actorId="ann").text == "3"


def test_the_same_session_id_of_another_account_is_another_session(caller, remembering):
    caller(session="s" * 33).say()
    assert caller(session="s" * 33, account="444455556666").say().text == "1"


def test_the_same_session_id_of_another_harness_is_another_session(caller, remembering):
    caller(session="s" * 33, name="one").say()
    assert caller(session="s" * 33, name="two").say().text == "1"


def test_a_model_can_be_switched_in_a_session(caller, script):
    script(lambda call: f"{call.model_id} {len(call.messages)}")
    client = caller()
    assert client.say().text == "global.anthropic.claude-sonnet-4-6 1"
    gemini = {"geminiModelConfig": {"modelId": "gemini-2.5-pro", "apiKeyArn": "arn"}}
    assert client.say(model=gemini).text == "gemini-2.5-pro 3"


def test_another_version_of_the_harness_goes_on_with_the_conversation(caller, remembering):
    client = caller()
    client.say()
    client.harness = {**client.harness, "harnessVersion": "2"}
    assert client.say().text == "3"


def test_one_invocation_at_a_time(caller, script):
    begun, refused = threading.Event(), threading.Event()

    async def speak(_call):
        begun.set()
        assert await asyncio.to_thread(refused.wait, 30)
        return "slow answer"

    script(speak)
    client = caller()
    messages = [{"role": "user", "content": [{"text": "x"}]}]

    async def both() -> RequestRefused:
        first = client.start(messages)
        task = asyncio.ensure_future(anext(first))
        assert await asyncio.to_thread(begun.wait, 20)
        with pytest.raises(RequestRefused) as caught:
            await anext(client.start(messages))
        refused.set()
        await task
        await first.aclose()
        return caught.value

    error = asyncio.run(both())
    assert (error.error_code, error.reason) == ("ValidationException", "ResourceConflict")
    assert "is working on another invocation" in str(error)


def test_a_closed_stream_frees_the_session_and_leaves_no_trace(caller, script):
    script(Turn(text="a b c d", token_delay=0.2))
    client = caller()

    async def close_early() -> None:
        events = client.start([{"role": "user", "content": [{"text": "forget me"}]}])
        await anext(events)
        await events.aclose()

    asyncio.run(close_early())
    script("Hi.")
    assert client.say("hello").text == "Hi."
    assert prompts(client) == ["hello"]


def test_a_failed_invocation_leaves_no_trace(caller, script):
    client = caller()

    def fail(_call):
        raise ValueError("boom")

    script(fail)
    with pytest.raises(StreamFailed):
        client.say("forget me")
    script("Hi.")
    client.say("hello")
    assert prompts(client) == ["hello"]


def test_roles_alternate_after_a_limit(caller, script, calling):
    roles: list[str] = []

    def speak(call):
        roles[:] = [message["role"] for message in call.messages]
        return calling("file_operations", command="list", path=".") if call.prompt == "work" else "ok"

    script(speak)
    client = caller()
    assert client.say("work", maxIterations=1).stop == "max_iterations_exceeded"
    assert client.say("go on").text == "ok"
    assert roles == ["user", "assistant", "user"]


@pytest.fixture
def store_and_plan(caller):
    now = [1000.0]
    store = Store(clock=lambda: now[0])
    client = caller()
    request = {"runtimeSessionId": client.session, "messages": [{"role": "user", "content": [{"text": "x"}]}]}
    invocation = agents.Invocation(client.harness, request, client.account, "us-east-1", "http://x")
    return store, plans.resolve(invocation), now


def use(store: Store, plan: plans.Plan):
    session, conversation = store.acquire(plan)
    store.release(session)
    return session, conversation


@pytest.mark.parametrize(("idle", "alive"), [(900, True), (901, False)])
def test_an_idle_machine_stops(store_and_plan, idle, alive):
    store, plan, now = store_and_plan
    session, _ = use(store, plan)
    (session.machine.directory("workspace") / "file").touch()
    now[0] += idle
    use(store, plan)
    assert (session.machine.directory("workspace") / "file").exists() is alive
    store.clear()


@pytest.mark.parametrize(("seconds", "alive"), [(28_800, True), (28_801, False)])
def test_a_machine_has_a_longest_life(store_and_plan, seconds, alive):
    store, plan, now = store_and_plan
    plan = replace(plan, idle_seconds=28_800)
    session, _ = use(store, plan)
    (session.machine.directory("workspace") / "file").touch()
    now[0] += 28_000
    use(store, plan)
    now[0] += seconds - 28_000
    use(store, plan)
    assert (session.machine.directory("workspace") / "file").exists() is alive
    store.clear()


def test_session_storage_outlives_the_machine(store_and_plan):
    store, plan, now = store_and_plan
    session, _ = use(store, plan)
    (session.machine.directory("mnt-data") / "file").touch()
    now[0] += 901
    use(store, plan)
    assert (session.machine.directory("mnt-data") / "file").exists()
    store.clear()


def test_a_new_version_wipes_session_storage(store_and_plan):
    store, plan, _now = store_and_plan
    session, _ = use(store, plan)
    (session.machine.directory("mnt-data") / "file").touch()
    use(store, replace(plan, version="2"))
    assert not (session.machine.directory("mnt-data") / "file").exists()
    store.clear()


@pytest.mark.parametrize("has_memory", [True, False])
def test_without_a_memory_the_conversation_ends_with_the_machine(store_and_plan, has_memory):
    store, plan, now = store_and_plan
    plan = replace(plan, has_memory=has_memory)
    _, conversation = use(store, plan)
    conversation.messages.append({"role": "user", "content": [{"text": "x"}]})
    now[0] += 901
    assert len(use(store, plan)[1].messages) == (1 if has_memory else 0)


def test_expired_machines_are_swept(store_and_plan):
    store, plan, now = store_and_plan
    session, _ = use(store, plan)
    file = session.machine.directory("workspace") / "file"
    file.touch()
    now[0] += 901
    assert store.is_sweep_due()
    assert not store.is_sweep_due()
    store.sweep()
    assert not file.exists()
    store.clear()


def test_clearing_removes_every_file_even_locked_ones(store_and_plan):
    store, plan, _now = store_and_plan
    session, _ = use(store, plan)
    locked = session.machine.directory("workspace") / "locked"
    (locked / "inner").mkdir(parents=True)
    locked.chmod(0)
    root = session.machine.root
    store.clear()
    assert root is not None
    assert not root.exists()
    assert len(store) == 0


def test_one_account_can_be_cleared(store_and_plan):
    store, plan, _now = store_and_plan
    use(store, plan)
    use(store, replace(plan, account="444455556666"))
    store.clear("444455556666")
    assert [session.key.account for session in store] == [plan.account]


def test_a_repository_keeps_conversations_beyond_the_process(store_and_plan):
    _store, plan, _now = store_and_plan
    kept: dict[tuple, dict] = {}

    class Shelf:
        def keeps(self, plan):
            return True

        def load(self, plan):
            return kept.get((plan.session_id, plan.actor_id))

        def save(self, plan, said, state):
            kept[plan.session_id, plan.actor_id] = {"messages": list(said), **(state or {})}

    first = Store(repository=Shelf())
    session, conversation = first.acquire(plan)
    said = [{"role": "user", "content": [{"text": "remember"}]}]
    first.save(plan, said, replace(conversation, messages=said))
    first.release(session)
    _, again = Store(repository=Shelf()).acquire(plan)
    assert again == Conversation(messages=[{"role": "user", "content": [{"text": "remember"}]}])
