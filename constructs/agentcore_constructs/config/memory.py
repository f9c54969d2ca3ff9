"""What the agent remembers: a memory the service manages, a memory of yours, or none.

Limits are those of botocore's `HarnessMemoryConfiguration`; semantics are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args, overload

from pydantic import Field

from .cdk import HasKeyArn, HasMemoryArn, IsDuration, attribute, days, found, key_arn
from .deferred import Wanted
from .errors import Fault
from .node import Empty, Node, OneOf, joined
from .primitives import Choice, Companion, Entries, Int, Items, Num, Text
from .tokens import is_token

MemoryStrategy = Literal["SEMANTIC", "SUMMARIZATION", "USER_PREFERENCE", "EPISODIC"]


class HarnessManagedMemoryConfiguration(Node):
    """A memory the service creates with the harness and deletes with it.

    Attributes:
        strategies: 1–4 different ones; SEMANTIC and SUMMARIZATION unless given.
        event_expiry_duration: 3–365 days; 30 unless given.
        encryption_key_arn: Customer key; create-only, so another one (or none any more) replaces the harness.
    """

    refused: ClassVar[Mapping[str, str]] = {
        "arn": "is read-only: the service makes the memory and answers with its ARN; remove it, or write "
        "agentCoreMemoryConfiguration to bring a memory of your own"
    }

    strategies: (
        Annotated[
            tuple[Annotated[MemoryStrategy, Choice(get_args(MemoryStrategy))], ...],
            Items("strategies", min=1, max=4, fix="leave strategies out for the default, or name 1–4 different ones"),
        ]
        | None
    ) = None
    event_expiry_duration: Annotated[int, Int(ge=3, le=365, unit="days")] | None = None
    encryption_key_arn: (
        Annotated[
            str,
            Text(
                "the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>, not an alias)",
                "pass the key or its ARN",
                min=1,
                max=2048,
                pattern=r"arn:aws(|-cn|-us-gov):kms:[a-zA-Z0-9-]*:[0-9]{12}:key/[a-zA-Z0-9-]{36}",
            ),
        ]
        | None
    ) = None

    def rules(self, path: str) -> Iterator[Fault]:
        """A strategy is named once (uniqueItems in the CloudFormation schema)."""
        if isinstance(self.strategies, (list, tuple)):
            named = [item for item in self.strategies if isinstance(item, str) and not is_token(item)]
            for item in sorted({item for item in named if named.count(item) > 1}):
                yield Fault(joined(path, "strategies"), "must name each strategy once", f"{item} twice", "remove one")


class HarnessAgentCoreMemoryRetrievalConfig(Node):
    """How long-term memories of one namespace are retrieved; made from `Retrieval`.

    Attributes:
        top_k: At most so many records, 1–100 (the limit of `RetrieveMemoryRecords`).
        relevance_score: Only records of at least this relevance, 0–1.
        strategy_id: Only records of this strategy.
    """

    expects: ClassVar[str] = "a Retrieval"

    top_k: Annotated[int, Int(ge=1, le=100, unit="records")] | None = None
    relevance_score: Annotated[float, Num(ge=0, le=1)] | None = None
    strategy_id: Annotated[str, Text("the id of a strategy", "write the id", min=1)] | None = None


class HarnessAgentCoreMemoryConfiguration(Node):
    """A memory of yours.

    Attributes:
        arn: Its ARN; partition `aws` only.
        actor_id: Whose memories, unless a call says otherwise.
        messages_count: How many messages are brought back.
        retrieval_config: Namespace template (such as `/facts/{actorId}/`) to how it is retrieved. When left out the
            service derives one entry per active strategy; a map given here switches that off.
        encryption_key_arn: Of the customer key that encrypts the memory, so that the role may use it.
    """

    arn: Annotated[
        str,
        Text(
            "the ARN of a memory (arn:aws:bedrock-agentcore:<region>:<account>:memory/<id>)",
            "pass the memory or its ARN",
            pattern=(
                r"arn:aws:bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:memory\/"
                r"[a-zA-Z][a-zA-Z0-9-_]{0,99}-[a-zA-Z0-9]{10}"
            ),
        ),
    ]
    actor_id: Annotated[str, Text("the id of an actor", "write the id", min=1)] | None = None
    messages_count: Annotated[int, Int(ge=0, unit="messages")] | None = None
    retrieval_config: (
        Annotated[
            dict[
                Annotated[str, Text("a namespace template", "write a template such as '/facts/{actorId}/'", min=1)],
                HarnessAgentCoreMemoryRetrievalConfig,
            ],
            Entries("namespaces"),
        ]
        | None
    ) = None
    encryption_key_arn: Annotated[str | None, Companion("lets the role use an encrypted memory")] = Field(
        None, exclude=True
    )


class HarnessMemoryConfiguration(OneOf):
    """The memory of a harness; made by `Memory`."""

    expects: ClassVar[str] = "a memory, made by Memory.managed, Memory.existing or Memory.disabled"

    agent_core_memory_configuration: HarnessAgentCoreMemoryConfiguration | None = None
    managed_memory_configuration: HarnessManagedMemoryConfiguration | None = None
    disabled: Empty | None = None


@dataclass(frozen=True)
class Retrieval:
    """How long-term memories of one namespace are retrieved.

    Attributes:
        top_k: At most so many records, 1–100.
        relevance_score: Only records of at least this relevance, 0–1.
        strategy_id: Only records of this strategy.
    """

    top_k: int | None = None
    relevance_score: float | None = None
    strategy_id: str | None = None


@dataclass(frozen=True)
class RetainedMemory(Wanted):
    """A managed memory that stays when its harness goes; made by `Memory.managed(retain=True)`.

    Attributes:
        configuration: What the harness is given.
    """

    configuration: HarnessMemoryConfiguration


class Memory:
    """Makes the memory of a harness."""

    @overload
    @staticmethod
    def managed(
        *,
        strategies: Sequence[MemoryStrategy] | None = None,
        expiry: int | IsDuration | None = None,
        encryption_key: str | HasKeyArn | None = None,
        retain: Literal[False] = False,
    ) -> HarnessMemoryConfiguration: ...

    @overload
    @staticmethod
    def managed(
        *,
        strategies: Sequence[MemoryStrategy] | None = None,
        expiry: int | IsDuration | None = None,
        encryption_key: str | HasKeyArn | None = None,
        retain: bool,
    ) -> HarnessMemoryConfiguration | RetainedMemory: ...

    @staticmethod
    def managed(
        *,
        strategies: Sequence[MemoryStrategy] | None = None,
        expiry: int | IsDuration | None = None,
        encryption_key: str | HasKeyArn | None = None,
        retain: bool = False,
    ) -> HarnessMemoryConfiguration | RetainedMemory:
        """A memory the service creates with the harness and, unless it is retained, deletes with it.

        Switching a harness to another kind of memory leaves the managed one behind, with everything in it, as an
        ordinary memory of the account; switching back makes a new one.

        Args:
            strategies: 1–4 different ones; SEMANTIC and SUMMARIZATION unless given.
            expiry: How long events are kept: a `Duration` or days, 3–365; 30 unless given.
            encryption_key: Customer key. It can be set only when the memory is made: another key, or none any more,
                **replaces the harness**, which needs another `harness_name` as well, and its memory is a new, empty
                one. The old memory goes with the old harness unless it is retained.
            retain: Whether the memory stays, with everything in it, when the harness is deleted or replaced. The
                service deletes it otherwise, and CloudFormation has no way to tell it not to, so a custom resource
                (`MemoryRetention`) detaches it first. The memory is then yours to use, bill and delete.
        """
        configuration = HarnessMemoryConfiguration.draft(
            managed_memory_configuration=HarnessManagedMemoryConfiguration.draft(
                strategies=strategies,
                event_expiry_duration=days(expiry),
                encryption_key_arn=key_arn(encryption_key, to_use=True),
            )
        )
        return RetainedMemory(configuration) if retain else configuration

    @staticmethod
    def existing(
        memory: str | HasMemoryArn,
        *,
        actor_id: str | None = None,
        messages_count: int | None = None,
        retrieval: Mapping[str, Retrieval] | None = None,
        encryption_key: str | HasKeyArn | None = None,
    ) -> HarnessMemoryConfiguration:
        """A memory of yours, which outlives the harness and which several harnesses may share.

        The execution role may read and write events of that memory and retrieve its records, and nothing else.

        Args:
            memory: The memory (an `AgentMemory` or any `IMemory`), or its ARN.
            actor_id: Whose memories, unless a call says otherwise.
            messages_count: How many messages are brought back when a session goes on.
            retrieval: Namespace template, such as `/facts/{actorId}/`, to how it is retrieved. Unless given, the
                service derives one entry for each active strategy, with `top_k` 10 and `relevance_score` 0.2. It does
                so when the harness is made or updated: a strategy that the memory gets later counts from the harness'
                next update on.
            encryption_key: Customer key of the memory, so that the role may use it; that of a memory object is found
                by itself.
        """
        wanted: Any = retrieval
        if isinstance(retrieval, Mapping):
            wanted = {namespace: _retrieval(how) for namespace, how in retrieval.items()}
        key = encryption_key or found(memory, "kms_key") or found(memory, "encryption_key_arn")
        return HarnessMemoryConfiguration.draft(
            agent_core_memory_configuration=HarnessAgentCoreMemoryConfiguration.draft(
                arn=attribute(memory, "memory_arn", "attr_memory_arn"),
                actor_id=actor_id,
                messages_count=messages_count,
                retrieval_config=wanted,
                encryption_key_arn=key_arn(key),
            )
        )

    @staticmethod
    def disabled() -> HarnessMemoryConfiguration:
        """No memory: a session knows only what it is told, for as long as its machine lives."""
        return HarnessMemoryConfiguration.draft(disabled=Empty.draft())


def _retrieval(how: Any) -> Any:
    if not isinstance(how, Retrieval):
        return how
    return HarnessAgentCoreMemoryRetrievalConfig.draft(
        top_k=how.top_k, relevance_score=how.relevance_score, strategy_id=how.strategy_id
    )
