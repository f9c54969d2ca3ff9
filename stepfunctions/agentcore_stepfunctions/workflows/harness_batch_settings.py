"""The settings of a batch, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import Fault, is_token
from agentcore_constructs.config.errors import received

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_s3 as s3

MOST_AT_ONCE = 10_000
"""Child executions of a Distributed Map: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""
LARGEST_ITEM = cdk.Size.kibibytes(240)
"""An execution's input has at most 256 KiB, and an item is not all of it.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
TOLERATED_PERCENTAGE = 10.0
"""Unless a tolerance is given: a run that goes wrong as a whole ends before all of it is paid for."""

_LONGEST_PREFIX = 512  # characters; a key has 1024 bytes, and the folder of an execution and file names follow


@dataclass(frozen=True)
class Settings:
    """What holds for every execution of a batch; `HarnessBatch` says what each is."""

    source: s3.IBucket
    source_prefix: str
    results: s3.IBucket
    results_prefix: str
    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None
    max_item_size: cdk.Size
    delimiter: str

    def faults(self) -> Iterator[Fault]:
        """Yields what is wrong."""
        for name in ("source_prefix", "results_prefix"):
            prefix = getattr(self, name)
            if is_token(prefix) or prefix.startswith("/") or len(prefix) > _LONGEST_PREFIX:
                must = "must be a literal of at most 512 characters that does not begin with a slash"
                yield Fault(name, must, received(prefix), "write the first part of the keys, such as 'batches/'")
        yield from self._number_faults()
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            must = "must be one character, and neither a quote nor the end of a line"
            yield Fault("delimiter", must, received(self.delimiter), "write ',' or ';' or a tab")
        size = self.max_item_size.to_bytes()
        if not 1 <= size <= LARGEST_ITEM.to_bytes():
            must, fix = "must be 1 byte to 240 KiB", "put large contents into S3, and its key into the item"
            yield Fault("max_item_size", must, f"{size:.0f} bytes", fix)

    def _number_faults(self) -> Iterator[Fault]:
        limits: tuple[tuple[str, Any, float, float, str], ...] = (
            ("concurrency", self.concurrency, 1, MOST_AT_ONCE, "say how many items the agent may work on at once"),
            ("tolerated_failures", self.tolerated_count, 0, 10**9, "say how many items may fail"),
            ("tolerated_failure_percentage", self.tolerated_percentage, 0, 100, "say how many of a hundred may fail"),
        )
        for name, value, least, most, fix in limits:
            if value is not None and not is_token(value) and not least <= value <= most:
                yield Fault(name, f"must be {least:,} to {most:,}", received(value), fix)
            elif is_token(value):
                yield Fault(name, "must be a literal number", received(value), fix)

    def for_function(self) -> dict[str, Any]:
        """What the functions are told, in camelCase."""
        told = {
            "sourceBucket": self.source.bucket_name,
            "sourcePrefix": self.source_prefix,
            "resultsBucket": self.results.bucket_name,
            "resultsPrefix": self.results_prefix,
            "maxItemBytes": int(self.max_item_size.to_bytes()),
            "delimiter": self.delimiter,
            "toleratedCount": self.tolerated_count,
            "toleratedPercentage": self.tolerated_percentage,
        }
        return {name: value for name, value in told.items() if value is not None}

    def object_arns(self) -> tuple[str, str]:
        """What can be read, and what can be written."""
        items = self.source.arn_for_objects(f"{self.source_prefix}*")
        return items, self.results.arn_for_objects(f"{self.results_prefix}*")

    def grant(self, reader: iam.IRole, collector: iam.IRole) -> None:
        """Lets the two functions read and write objects below the prefixes, and nothing else of the buckets."""
        items, written = self.object_arns()
        use = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        reader.add_to_principal_policy(_statement("ReadItems", ["s3:GetObject"], items))
        for role in (reader, collector):
            role.add_to_principal_policy(_statement("UseFiles", use, written))
        listing = {"StringLike": {"s3:prefix": f"{self.results_prefix}*"}}
        collector.add_to_principal_policy(
            _statement("ListFiles", ["s3:ListBucket"], self.results.bucket_arn, conditions=listing)
        )
        if (key := self.source.encryption_key) is not None:
            key.grant(reader, "kms:Decrypt")
        if (key := self.results.encryption_key) is not None:
            for role in (reader, collector):
                key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")


def _statement(sid: str, actions: list[str], resource: str, conditions: Any = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource], conditions=conditions)
