"""Stacks of batches, for the tests over all capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from agentcore_constructs import Harness, InlineTool, Memory
from agentcore_stepfunctions import HarnessBatch, jsonata, text
from support.shop import orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

PROMPT = text("Classify: ", jsonata("$states.input.item.text"))


def batch(stack: Construct) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    source = s3.Bucket(stack, "Source", encryption_key=key, enforce_ssl=True)
    made = HarnessBatch(
        stack,
        "Batch",
        harness=Harness(stack, "Agent", memory=Memory.disabled()),
        prompt=PROMPT,
        source=source,
        source_prefix="letters/",
    )
    made.acknowledge_wildcards()


def batch_with_tools(stack: Construct) -> None:
    cashier = Harness(stack, "Cashier", memory=Memory.disabled(), tools=[InlineTool.from_function(orders.status)])
    source = s3.Bucket.from_bucket_name(stack, "Source", "letters-elsewhere")
    results = s3.Bucket.from_bucket_name(stack, "Results", "answers-elsewhere")
    made = HarnessBatch(stack, "Batch", harness=cashier, prompt=PROMPT, source=source, results=results)
    made.acknowledge_wildcards()


CAPABILITIES: tuple[Callable[[Construct], None], ...] = (batch, batch_with_tools)
