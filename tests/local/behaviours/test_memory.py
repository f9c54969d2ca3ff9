"""What an agent remembers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

TOPIC = "Memory"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html",
    "https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_CreateHarness.html",
)


def managed(made: Agent) -> dict[str, Any]:
    found: dict[str, Any] = made.read()["memory"]["managedMemoryConfiguration"]
    return found


def memory(control: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = control.get_memory(memoryId=arn.rsplit("/", 1)[1])["memory"]
    return found


@behaviour("Without a word about memory it is managed: SEMANTIC and SUMMARIZATION, 30 days")
def test_default(agent: Callable[..., Agent]) -> None:
    found = managed(agent())
    assert (found["strategies"], found["eventExpiryDuration"]) == (["SEMANTIC", "SUMMARIZATION"], 30)


@behaviour(
    "A managed memory is named `<harnessName>-<suffix>`",
    note="Measured by several projects; a sample of the developer guide has the prefix `harness_`.",
)
def test_name(agent: Callable[..., Agent]) -> None:
    assert managed(agent("alpha"))["arn"].rpartition(":memory/")[2].startswith("alpha-")


@behaviour("One to four strategies, events kept for 3 to 365 days")
def test_limits(create: Callable[..., Any]) -> None:
    for number, wrong in enumerate(({"strategies": []}, {"eventExpiryDuration": 2}, {"eventExpiryDuration": 366})):
        members = {"memory": {"managedMemoryConfiguration": wrong}}
        assert error_of(create, name=f"h{number}", **members)[0] == "ValidationException"
    create("fits", memory={"managedMemoryConfiguration": {"strategies": ["EPISODIC"], "eventExpiryDuration": 3}})


@behaviour("While a harness manages a memory, it cannot be deleted or given other strategies by hand")
def test_guarded(agent: Callable[..., Agent], control: Any) -> None:
    arn = managed(agent())["arn"]
    assert memory(control, arn)["managedByResourceArn"]
    code, message = error_of(control.delete_memory, memoryId=arn.rsplit("/", 1)[1])
    assert (code, "is managed by" in message) == ("ValidationException", True)


@behaviour("Its strategies and expiry change through UpdateHarness; its key cannot be changed at all")
def test_changes(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    wanted = {"managedMemoryConfiguration": {"strategies": ["EPISODIC"], "eventExpiryDuration": 7}}
    made.update(memory={"optionalValue": wanted})
    found = memory(control, managed(made)["arn"])
    assert ([one["type"] for one in found["strategies"]], found["eventExpiryDuration"]) == (["EPISODIC"], 7)
    key = {"encryptionKeyArn": f"arn:aws:kms:us-east-1:111122223333:key/{uuid.uuid4()}"}
    code, _ = error_of(made.update, memory={"optionalValue": {"managedMemoryConfiguration": key}})
    assert code == "ValidationException"


@behaviour("It is deleted with its harness, unless `deleteManagedMemory` is false; then it is an ordinary memory")
def test_deletion(agent: Callable[..., Agent], control: Any) -> None:
    gone, kept = agent("gone"), agent("kept")
    arns = [managed(one)["arn"] for one in (gone, kept)]
    control.delete_harness(harnessId=gone.id)
    control.delete_harness(harnessId=kept.id, deleteManagedMemory=False)
    assert [found["arn"] for found in control.list_memories()["memories"]] == arns[1:]
    assert "managedByResourceArn" not in memory(control, arns[1])


@behaviour("A harness that switches away from it leaves it behind as an ordinary memory")
def test_switching_away(agent: Callable[..., Agent], control: Any) -> None:
    made = agent()
    arn = managed(made)["arn"]
    made.update(memory={"optionalValue": {"disabled": {}}})
    control.delete_harness(harnessId=made.id)
    assert "managedByResourceArn" not in memory(control, arn)


@behaviour("Of a memory of your own without `retrievalConfig`, each active strategy is searched: top 10, score 0.2")
def test_derived_retrieval(agent: Callable[..., Agent], control: Any) -> None:
    strategy = {"semanticMemoryStrategy": {"name": "facts", "namespaces": ["/facts/{actorId}/"]}}
    own = control.create_memory(name="own", eventExpiryDuration=30, memoryStrategies=[strategy])["memory"]["arn"]
    found = agent(memory={"agentCoreMemoryConfiguration": {"arn": own}}).read()["memory"]
    entry = found["agentCoreMemoryConfiguration"]["retrievalConfig"]["/facts/{actorId}/"]
    assert (entry["topK"], entry["relevanceScore"]) == (10, 0.2)


@behaviour("With a `retrievalConfig` of your own, nothing is derived")
def test_given_retrieval(agent: Callable[..., Agent], control: Any) -> None:
    own = control.create_memory(name="own", eventExpiryDuration=30)["memory"]["arn"]
    wanted = {"arn": own, "retrievalConfig": {"/x/": {"topK": 1}}}
    found = agent(memory={"agentCoreMemoryConfiguration": wanted}).read()["memory"]
    assert found["agentCoreMemoryConfiguration"] == wanted


@behaviour("A memory that does not exist is refused when the harness is made")
def test_no_such_memory(create: Callable[..., Any], account: Any) -> None:
    arn = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:memory/gone-0123456789"
    assert error_of(create, memory={"agentCoreMemoryConfiguration": {"arn": arn}})[0] == "ValidationException"


@behaviour("The actor is set on the harness or with the call")
def test_actor(agent: Callable[..., Agent], control: Any) -> None:
    own = control.create_memory(name="own", eventExpiryDuration=30)["memory"]["arn"]
    memory = {"agentCoreMemoryConfiguration": {"arn": own, "actorId": "house"}}
    made = agent(script=lambda call: str(call.actor_id), memory=memory)
    assert [made.say().text, made.say(actorId="ada").text] == ["house", "ada"]
