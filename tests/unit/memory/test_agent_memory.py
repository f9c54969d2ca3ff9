"""A memory of its own: defaults, what is kept, who may use it, what is refused."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template
from support import synth

from agentcore_constructs import AgentMemory, Harness, HarnessConfigError, Memory, Retrieval, Skill

MEMORY = "AWS::BedrockAgentCore::Memory"
ACTIONS = ["CreateEvent", "DeleteEvent", "GetEvent", "ListEvents", "RetrieveMemoryRecords"]


@pytest.fixture
def stack() -> cdk.Stack:
    return synth.new_stack()


def memory_of(stack: cdk.Stack) -> dict[str, Any]:
    (resource,) = synth.resources(stack, MEMORY).values()
    found: dict[str, Any] = resource
    return found


def strategies(stack: cdk.Stack) -> dict[str, list[str]]:
    """Kind of each strategy → its namespaces."""
    found = memory_of(stack)["Properties"].get("MemoryStrategies", [])
    return {kind: content["Namespaces"] for one in found for kind, content in one.items()}


def test_the_defaults_are_those_of_a_managed_memory_and_it_is_kept(stack: cdk.Stack) -> None:
    memory = AgentMemory(stack, "Customers")
    assert memory.namespaces == {
        "SEMANTIC": "/facts/{actorId}/",
        "SUMMARIZATION": "/summary/{actorId}/{sessionId}/",
    }
    resource = memory_of(stack)
    assert resource["Properties"]["EventExpiryDuration"] == 30
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert strategies(stack) == {
        "SemanticMemoryStrategy": ["/facts/{actorId}/"],
        "SummaryMemoryStrategy": ["/summary/{actorId}/{sessionId}/"],
    }


def test_the_role_of_a_kept_memory_is_kept_with_its_rights(stack: cdk.Stack) -> None:
    AgentMemory(stack, "Customers", encryption_key=kms.Key(stack, "Key"))
    template = Template.from_stack(stack)
    for kind in ("AWS::IAM::Role", "AWS::IAM::Policy"):
        template.has_resource(kind, {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"})


def test_another_removal_policy_can_be_applied_from_python(stack: cdk.Stack) -> None:
    memory = AgentMemory(stack, "Customers")
    assert isinstance(memory.node.default_child, agentcore.CfnMemory)
    memory.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    assert memory_of(stack)["DeletionPolicy"] == "Delete"


def test_every_strategy_has_a_namespace_for_each_actor(stack: cdk.Stack) -> None:
    memory = AgentMemory(stack, "All", strategies=("SEMANTIC", "SUMMARIZATION", "USER_PREFERENCE", "EPISODIC"))
    assert all("{actorId}" in namespace for namespace in memory.namespaces.values())
    (episodic,) = [
        one["EpisodicMemoryStrategy"]
        for one in memory_of(stack)["Properties"]["MemoryStrategies"]
        if "EpisodicMemoryStrategy" in one
    ]
    assert episodic["Namespaces"] == ["/episodes/{actorId}/{sessionId}/"]
    assert episodic["ReflectionConfiguration"] == {"Namespaces": ["/episodes/{actorId}/"]}


def test_namespaces_key_name_and_tags_are_as_given(stack: cdk.Stack) -> None:
    memory = AgentMemory(
        stack,
        "Customers",
        strategies=("USER_PREFERENCE", agentcore.MemoryStrategy.using_built_in_semantic()),
        namespaces={"USER_PREFERENCE": "/shop/{actorId}/"},
        expiry=cdk.Duration.days(365),
        encryption_key=kms.Key(stack, "Key"),
        memory_name="customers",
        description="What customers told us",
        tags={"team": "shop"},
    )
    assert memory.namespaces == {"USER_PREFERENCE": "/shop/{actorId}/"}
    properties = memory_of(stack)["Properties"]
    assert properties["Name"] == "customers"
    assert properties["EventExpiryDuration"] == 365
    assert properties["Tags"] == {"team": "shop"}
    assert properties["EncryptionKeyArn"]["Fn::GetAtt"][0].startswith("Key")
    assert set(strategies(stack)) == {"UserPreferenceMemoryStrategy", "SemanticMemoryStrategy"}


@pytest.mark.parametrize("days", [3, 6, 7])
def test_events_may_expire_as_early_as_the_service_allows(stack: cdk.Stack, days: int) -> None:
    AgentMemory(stack, "Short", strategies=(), expiry=days)
    assert memory_of(stack)["Properties"]["EventExpiryDuration"] == days


# ---- use -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_harness_takes_it_and_may_use_that_memory_only(stack: cdk.Stack, *, wrapped: bool) -> None:
    memory = AgentMemory(stack, "Customers")
    for name in ("sales", "support"):
        Harness(stack, name, harness_name=name, memory=Memory.existing(memory) if wrapped else memory)
    arn = {"Fn::GetAtt": [stack.get_logical_id(memory.node.default_child), "MemoryArn"]}  # type: ignore[arg-type]
    template = Template.from_stack(stack)
    template.all_resources_properties(
        "AWS::BedrockAgentCore::Harness", {"Memory": {"AgentCoreMemoryConfiguration": {"Arn": arn}}}
    )
    statement = {"Action": [f"bedrock-agentcore:{action}" for action in ACTIONS], "Resource": [arn]}
    template.all_resources_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}},
    )


def test_retrieval_by_its_namespaces(stack: cdk.Stack) -> None:
    memory = AgentMemory(stack, "Customers")
    retrieval = {memory.namespaces["SEMANTIC"]: Retrieval(top_k=5, relevance_score=0.4)}
    Harness(stack, "Agent", memory=Memory.existing(memory, retrieval=retrieval, messages_count=20))
    own = {"MessagesCount": 20, "RetrievalConfig": {"/facts/{actorId}/": {"TopK": 5, "RelevanceScore": 0.4}}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::BedrockAgentCore::Harness", {"Memory": {"AgentCoreMemoryConfiguration": Match.object_like(own)}}
    )


def test_a_harness_may_use_the_key_of_an_encrypted_memory(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    Harness(stack, "Agent", memory=AgentMemory(stack, "Customers", encryption_key=key))
    keys = {
        "Sid": "AgentCoreMemoryKey",
        "Resource": [{"Fn::GetAtt": [stack.get_logical_id(key.node.default_child), "Arn"]}],  # type: ignore[arg-type]
    }
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(keys)])}},
    )


def test_an_imported_memory_brings_its_key(stack: cdk.Stack) -> None:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:memory/customers-0123456789"
    key = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000"
    role = "arn:aws:iam::111122223333:role/memory"
    encrypted = agentcore.Memory.from_memory_attributes(stack, "A", memory_arn=arn, role_arn=role, kms_key_arn=key)
    plain = agentcore.Memory.from_memory_attributes(stack, "B", memory_arn=arn, role_arn=role)
    for name, memory in (("encrypted", encrypted), ("plain", plain)):
        Harness(stack, name, harness_name=name, memory=Memory.existing(memory))
    found = [
        statement["Resource"]
        for policy in synth.resources(stack, "AWS::IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Sid"] == "AgentCoreMemoryKey"
    ]
    assert found == [[key]]


# ---- what is said against it -----------------------------------------------------------------------------------------


def test_a_namespace_without_the_actor_is_warned_of(stack: cdk.Stack) -> None:
    AgentMemory(stack, "Shared", strategies=("SEMANTIC",), namespaces={"SEMANTIC": "/facts/"})
    text = Match.string_like_regexp(r"namespace '/facts/' of SEMANTIC has no \{actorId\}, so what is remembered of one")
    Annotations.from_stack(stack).has_warning("/Agents/Shared", text)


def test_all_faults_are_told_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as raised:
        AgentMemory(
            stack,
            "Wrong",
            strategies=("SEMANTIC", "SEMANTIC", "GOSSIP", *("EPISODIC",) * 5),  # type: ignore[arg-type]
            namespaces={"SEMANTIC": "facts{}", "SUMMARIZATION": "/summary/"},
            expiry=2,
            memory_name="a-b",
        )
    known = "SEMANTIC, SUMMARIZATION, USER_PREFERENCE, EPISODIC"
    path = "a path of 1–512 letters, digits, '-', '_', '/' and variables in braces"
    expected = (
        (
            f"strategies[2]: must be one of {known}; received 'GOSSIP' (6 characters); name {known}, or pass a "
            "strategy made by aws-cdk-lib's MemoryStrategy."
        ),
        "strategies: must name each strategy once; received EPISODIC twice; remove one.",
        "strategies: must name each strategy once; received SEMANTIC twice; remove one.",
        "strategies: must be at most 6 strategies; received 8; spread them over several memories.",
        (
            f"namespaces.SEMANTIC: must be {path}; received 'facts{{}}' (7 characters); write a template such as "
            "'/facts/{actorId}/'."
        ),
        (
            "namespaces.SUMMARIZATION: must belong to one of the strategies; received '/summary/' (9 characters); add "
            "SUMMARIZATION to strategies, or remove the namespace."
        ),
        "expiry: must be 3–365 days; received 2; give a Duration of days, or their number.",
        (
            "memory_name: must be a letter, then letters, digits and '_', at most 48 characters; received 'a-b' "
            "(3 characters); write another name, or leave it out."
        ),
    )
    assert tuple(str(fault) for fault in raised.value.faults) == expected
    assert raised.value.subject == "The memory Agents/Wrong"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strategies": "SEMANTIC"}, "strategies: must be a list of strategies; received 'SEMANTIC' (8 characters)"),
        ({"strategies": None}, "strategies: must be a list of strategies; received null"),
        ({"strategies": [1]}, "strategies[0]: must be one of SEMANTIC, SUMMARIZATION, USER_PREFERENCE, EPISODIC"),
        ({"encryption_key": "alias/agents"}, "encryption_key: must be a KMS key (kms.IKey) or its ARN"),
        ({"encryption_key": 5}, "encryption_key: must be a KMS key (kms.IKey) or its ARN"),
        ({"description": "x" * 4097}, "description: must be 1–4096 characters"),
        ({"description": ""}, "description: must be 1–4096 characters"),
    ],
)
def test_what_is_none_of_it_is_refused(stack: cdk.Stack, given: dict[str, Any], said: str) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        AgentMemory(stack, "Wrong", **given)
    (fault,) = refusal.value.faults
    assert str(fault).startswith(said)


def test_a_key_may_be_given_by_its_arn(stack: cdk.Stack) -> None:
    key = f"arn:aws:kms:{synth.REGION}:{synth.ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
    Harness(stack, "Agent", memory=AgentMemory(stack, "Customers", encryption_key=key, description="x" * 4096))
    assert memory_of(stack)["Properties"]["EncryptionKeyArn"] == key
    statement = {"Sid": "AgentCoreMemoryKey", "Resource": [key]}
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": Match.array_with([Match.object_like(statement)])}}
    )


def test_a_duration_that_is_no_days_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match="expiry: must be a whole number of days"):
        AgentMemory(stack, "Wrong", expiry=cdk.Duration.hours(80))


def test_tokens_pass(stack: cdk.Stack) -> None:
    days = cdk.CfnParameter(stack, "Days", type="Number")
    AgentMemory(stack, "Customers", expiry=cdk.Duration.days(days.value_as_number))
    assert memory_of(stack)["Properties"]["EventExpiryDuration"] == {"Ref": "Days"}


FAR_MEMORY = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:memory/customers-0123456789"
FAR_KEY = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (
            Memory.existing(FAR_MEMORY),
            (
                "memory.agentCoreMemoryConfiguration.arn: must be in the harness's Region (us-east-1); received "
                "eu-west-1; use a memory of the harness's own Region."
            ),
        ),
        (
            Memory.managed(encryption_key=FAR_KEY),
            (
                "memory.managedMemoryConfiguration.encryptionKeyArn: must be in the harness's Region (us-east-1); "
                "received eu-west-1; use a key of the harness's own Region."
            ),
        ),
    ],
)
def test_a_memory_and_a_key_of_another_region_are_refused(memory: Any, said: str) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        Harness(synth.new_stack(), "Agent", memory=memory)
    assert said in str(refusal.value)

    Harness(synth.new_stack(region="eu-west-1"), "Agent", memory=memory)
    Harness(synth.new_stack(account=None, region=None), "Agent", memory=memory)


def test_an_alias_stands_for_its_key_where_that_is_known() -> None:
    stack = synth.new_stack()
    key = kms.Key(stack, "Key")
    alias = kms.Alias(stack, "Alias", alias_name="alias/agents", target_key=key)
    Harness(stack, "Agent", memory=Memory.managed(encryption_key=alias))
    AgentMemory(stack, "Customers", encryption_key=alias)

    arn = {"Fn::GetAtt": [stack.get_logical_id(key.node.default_child), "Arn"]}
    template = synth.template_of(stack)
    (harness,) = template.find_resources("AWS::BedrockAgentCore::Harness").values()
    (memory,) = template.find_resources("AWS::BedrockAgentCore::Memory").values()
    assert harness["Properties"]["Memory"]["ManagedMemoryConfiguration"]["EncryptionKeyArn"] == arn
    assert memory["Properties"]["EncryptionKeyArn"] == arn


def test_an_alias_of_an_unknown_key_is_refused() -> None:
    stack = synth.new_stack()
    alias = kms.Alias.from_alias_name(stack, "Alias", "alias/agents")
    said = (
        "must be a customer key; received an alias, which leads to a key that is not known here; pass the key itself, "
        "such as kms.Key.from_lookup(…), or its ARN."
    )
    for path, make in (
        ("encryption_key", lambda: AgentMemory(stack, "Customers", encryption_key=alias)),
        (
            "memory.managedMemoryConfiguration.encryptionKeyArn",
            lambda: Harness(stack, "Managed", memory=Memory.managed(encryption_key=alias)),
        ),
        (
            "skills[0].s3.encryptionKeyArn",
            lambda: Harness(stack, "Skilled", skills=[Skill.s3("shared-skills", "report", encryption_key=alias)]),
        ),
    ):
        with pytest.raises(HarnessConfigError) as refusal:
            make()
        assert f"{path}: {said}" in str(refusal.value)
