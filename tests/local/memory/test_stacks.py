"""What becomes of memories when stacks are deployed, changed, rolled back and destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from botocore.exceptions import ClientError

from agentcore_constructs import AgentMemory, Harness, Memory
from agentcore_local.deploy import DeploymentError

from .conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account

    from .conftest import Memories

STACK = "Memories"


def managed(stack: cdk.Stack, *, retain: bool = False, name: str = "support") -> Harness:
    harness = Harness(stack, "Agent", harness_name=name, memory=Memory.managed(retain=retain))
    cdk.CfnOutput(stack, "Harness", value=harness.harness_arn)
    cdk.CfnOutput(stack, "Memory", value=harness.managed_memory_arn)
    harness.add_endpoint("live")
    return harness


def breaks(stack: cdk.Stack, harness: Harness) -> None:
    """Lets the deployment fail when all else is done."""
    endpoint = harness.add_endpoint("broken")
    resource = endpoint.node.default_child
    assert isinstance(resource, agentcore.CfnHarnessEndpoint)
    resource.target_version = "999"


def kept(stack: cdk.Stack) -> None:
    managed(stack, retain=True)


def plain(stack: cdk.Stack) -> None:
    managed(stack)


def renamed(stack: cdk.Stack) -> None:
    managed(stack, retain=True, name="helpdesk")


def kept_broken(stack: cdk.Stack) -> None:
    breaks(stack, managed(stack, retain=True))


def renamed_broken(stack: cdk.Stack) -> None:
    breaks(stack, managed(stack, retain=True, name="helpdesk"))


def nothing(stack: cdk.Stack) -> None:
    cdk.CfnWaitConditionHandle(stack, "Nothing")


def switching(stack: cdk.Stack, kind: str, *, retain: bool = True, prompt: str | None = None) -> Harness:
    own = AgentMemory(stack, "Own", memory_name="own")
    memory = {"managed": Memory.managed(retain=retain), "own": own, "disabled": Memory.disabled()}[kind]
    harness = Harness(stack, "Agent", harness_name="support", memory=memory, system_prompt=prompt)
    cdk.CfnOutput(stack, "Harness", value=harness.harness_arn)
    cdk.CfnOutput(stack, "OwnArn", value=own.memory_arn)
    if kind == "managed":
        cdk.CfnOutput(stack, "Managed", value=harness.managed_memory_arn)
    return harness


def shared(stack: cdk.Stack) -> None:
    memory = AgentMemory(stack, "Customers", memory_name="customers", strategies=("SEMANTIC", "USER_PREFERENCE"))
    for name in ("sales", "support"):
        harness = Harness(stack, name.title(), harness_name=name, memory=memory)
        cdk.CfnOutput(stack, f"{name}Arn", value=harness.harness_arn)
    cdk.CfnOutput(stack, "Memory", value=memory.memory_arn)


VARIANTS: dict[str, Callable[[cdk.Stack], object]] = {
    "Kept": kept,
    "Plain": plain,
    "Renamed": renamed,
    "KeptBroken": kept_broken,
    "RenamedBroken": renamed_broken,
    "Nothing": nothing,
    "SwitchManagedKept": lambda stack: switching(stack, "managed"),
    "SwitchManaged": lambda stack: switching(stack, "managed", retain=False),
    "SwitchManagedChanged": lambda stack: switching(stack, "managed", retain=False, prompt="Be kind."),
    "SwitchOwn": lambda stack: switching(stack, "own"),
    "SwitchOwnBroken": lambda stack: breaks(stack, switching(stack, "own")),
    "SwitchDisabled": lambda stack: switching(stack, "disabled"),
    "Shared": shared,
}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All variants of one stack in one assembly."""
    folder = tmp_path_factory.mktemp("memories")
    app = cdk.App(outdir=str(folder))
    for name, make in VARIANTS.items():
        make(cdk.Stack(app, name, stack_name=STACK))
    app.synth()
    return folder


@pytest.fixture
def deploy(account: Account, assembly: Path) -> Callable[[str], dict[str, str]]:
    """Deploys a variant of the stack; gives its outputs."""

    def deploy(variant: str) -> dict[str, str]:
        outputs: dict[str, str] = account.deploy(assembly, [variant])[STACK].outputs
        return outputs

    return deploy


@pytest.fixture(autouse=True)
def script(local_cloud: Any) -> None:
    for name in ("support", "helpdesk", "sales"):
        local_cloud.script(name, lambda call: f"I heard: {call.prompt}")


def harnesses(account: Account) -> list[str]:
    return [found["harnessName"] for found in account.client("bedrock-agentcore-control").list_harnesses()["harnesses"]]


Deploy = Any
Say = Any

# ---- retain ----------------------------------------------------------------------------------------------------------


def test_a_retained_memory_outlives_its_stack(account: Account, deploy: Deploy, say: Say, memories: Memories) -> None:
    outputs = deploy("Kept")
    memory = outputs["Memory"]
    assert outputs[next(name for name in outputs if name.startswith("AgentMemoryRetention"))] == memory
    say(outputs["Harness"], "My name is Ann.")
    cloudformation = account.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackId"]
    account.destroy(STACK)
    assert harnesses(account) == []
    assert memories.said(memory) == ["USER: My name is Ann.", "ASSISTANT: I heard: My name is Ann."]
    assert memories.records(memory, "/facts/") == ["My name is Ann."]
    # The events of the deleted stack still name it. Newest first: it was detached before the harness went.
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    deleted = [event["PhysicalResourceId"] for event in events if event["ResourceStatus"] == "DELETE_COMPLETE"]
    assert deleted.index(memory) > deleted.index(outputs["Harness"])
    # It is an ordinary memory now, for its owner to delete.
    assert memories.owner(memory) is None
    account.client("bedrock-agentcore-control").delete_memory(memoryId=memory.rpartition("/")[2])
    assert not memories.exists(memory)


def test_without_retain_it_goes_with_the_stack(account: Account, deploy: Deploy, say: Say, memories: Memories) -> None:
    outputs = deploy("Plain")
    say(outputs["Harness"], "My name is Ann.")
    account.destroy(STACK)
    assert not memories.exists(outputs["Memory"])


def test_retain_comes_and_goes_with_the_harness_in_place(deploy: Deploy, say: Say, memories: Memories) -> None:
    outputs = deploy("Plain")
    harness, memory = outputs["Harness"], outputs["Memory"]
    say(harness, "My name is Ann.")
    with pytest.raises(DeploymentError, match="999"):
        deploy("KeptBroken")
    assert memories.owner(memory) == harness, "the update that brought it is rolled back"
    assert deploy("Kept")["Memory"] == memory
    assert deploy("Plain")["Memory"] == memory
    assert memories.owner(memory) == harness, "it was taken out again"
    deploy("Kept")
    deploy("Nothing")
    assert memories.owner(memory) is None, "the harness was removed"
    assert len(memories.events(memory)) == 2


def test_a_memory_outlives_the_replacement_of_its_harness(
    account: Account, deploy: Deploy, say: Say, memories: Memories
) -> None:
    old = deploy("Kept")
    say(old["Harness"], "My name is Ann.")

    with pytest.raises(DeploymentError, match="999"):
        deploy("RenamedBroken")
    assert harnesses(account) == ["support"]
    assert memories.owner(old["Memory"]) == old["Harness"]
    assert len(account.client("bedrock-agentcore-control").list_memories()["memories"]) == 1

    new = deploy("Renamed")
    assert harnesses(account) == ["helpdesk"]
    assert memories.owner(old["Memory"]) is None
    assert len(memories.events(old["Memory"])) == 2

    # The new harness has a memory of its own, which is kept as well.
    say(new["Harness"], "It is Bob.")
    account.destroy(STACK)
    assert memories.said(new["Memory"])[0] == "USER: It is Bob."


def test_a_creation_that_fails_leaves_nothing(account: Account, deploy: Deploy) -> None:
    with pytest.raises(DeploymentError, match="999"):
        deploy("KeptBroken")
    assert harnesses(account) == []
    assert account.client("bedrock-agentcore-control").list_memories()["memories"] == []


# ---- another kind of memory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("retain", [False, True])
def test_switching_from_one_kind_to_the_next(
    account: Account, deploy: Deploy, say: Say, memories: Memories, *, retain: bool
) -> None:
    managing = "SwitchManagedKept" if retain else "SwitchManaged"
    managed = deploy(managing)
    harness, own, first = managed["Harness"], managed["OwnArn"], managed["Managed"]
    say(harness, "One.")

    # managed → existing: the managed memory is left behind, an ordinary one. Sessions go on with what the other knows.
    deploy("SwitchOwn")
    say(harness, "Two.")
    assert memories.owner(first) is None
    assert memories.said(first) == ["USER: One.", "ASSISTANT: I heard: One."]
    assert memories.said(own) == ["USER: Two.", "ASSISTANT: I heard: Two."]

    # existing → disabled: the memory of one's own stays as it is, and nothing is written any more.
    deploy("SwitchDisabled")
    say(harness, "Three.")
    assert len(memories.said(own)) == len(memories.said(first)) == 2

    # disabled → managed: a new memory; the first one is not picked up again.
    second = deploy(managing)["Managed"]
    assert second != first
    say(harness, "Four.")
    assert memories.said(second) == ["USER: Four.", "ASSISTANT: I heard: Four."]

    # The stack takes the memory that its harness has, unless that is retained; of the earlier ones it knows nothing.
    account.destroy(STACK)
    assert [memories.exists(memory) for memory in (first, second, own)] == [True, retain, True]
    assert harnesses(account) == []


def test_a_switch_that_fails_leaves_the_old_memory_behind(
    account: Account, deploy: Deploy, say: Say, memories: Memories, tmp_path: Path
) -> None:
    before = deploy("SwitchManaged")
    harness, first = before["Harness"], before["Managed"]
    say(harness, "One.")

    # The rollback makes the harness manage a memory again: a new one, which its role does not know.
    with pytest.raises(DeploymentError, match="999"):
        deploy("SwitchOwnBroken")
    assert memories.owner(first) is None
    assert memories.said(first) == ["USER: One.", "ASSISTANT: I heard: One."]
    with pytest.raises(ClientError, match="not authorized to perform: bedrock-agentcore:ListEvents"):
        say(harness, "Two.")

    # With the next change of the harness it does.
    second = deploy("SwitchManagedChanged")["Managed"]
    say(harness, "Three.")
    assert second != first
    assert memories.said(second) == ["USER: Three.", "ASSISTANT: I heard: Three."]

    # And with the old one, if that is what it is told to have.
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Back", stack_name=STACK)
    AgentMemory(stack, "Own", memory_name="own")
    Harness(stack, "Agent", harness_name="support", memory=Memory.existing(first))
    account.deploy(app.synth().directory)
    say(harness, "Four.")
    assert memories.said(first)[-2:] == ["USER: Four.", "ASSISTANT: I heard: Four."]


# ---- a memory of its own ---------------------------------------------------------------------------------------------


def test_agents_that_share_a_memory_know_the_same(
    account: Account, local_cloud: Any, deploy: Deploy, say: Say, memories: Memories
) -> None:
    local_cloud.script("support", lambda call: call.system_prompt or "Nothing.")
    outputs = deploy("Shared")
    say(outputs["salesArn"], "My favourite colour is green.", actorId="ann")
    other = {"session": "t" * 33}
    heard = say(outputs["supportArn"], "Which colour does she like?", actorId="ann", **other)
    assert heard.startswith("<user_context>My favourite colour is green.")
    assert say(outputs["supportArn"], "Which colour does he like?", actorId="bob", **other) == "Nothing."
    account.destroy(STACK)
    assert memories.records(outputs["Memory"], "/facts/ann/") == ["My favourite colour is green."]
    assert SESSION in {
        found["sessionId"]
        for found in account.client("bedrock-agentcore").list_sessions(memoryId=outputs["Memory"], actorId="ann")[
            "sessionSummaries"
        ]
    }
