"""Stacks of memories, for the tests over all capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from agentcore_constructs import AgentMemory, Harness, Memory, Retrieval

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct


def memory_retained(stack: Construct) -> None:
    harness = Harness(stack, "Agent", memory=Memory.managed(expiry=cdk.Duration.days(90), retain=True))
    harness.add_endpoint("live")


def memory_of_its_own(stack: Construct) -> None:
    memory = AgentMemory(
        stack,
        "Customers",
        strategies=("SEMANTIC", "SUMMARIZATION", "USER_PREFERENCE", "EPISODIC"),
        expiry=cdk.Duration.days(365),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    )
    Harness(stack, "Support", harness_name="support", memory=memory)
    preferences = {memory.namespaces["USER_PREFERENCE"]: Retrieval(top_k=5, relevance_score=0.4)}
    Harness(stack, "Sales", harness_name="sales", memory=Memory.existing(memory, retrieval=preferences))


CAPABILITIES: tuple[Callable[[Construct], None], ...] = (memory_retained, memory_of_its_own)
