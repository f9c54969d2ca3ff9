"""The Distributed Map of a batch: items from a file in S3, an execution for each, what became of them to S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from agentcore_stepfunctions.expressions import jsonata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_s3 as s3
    from constructs import Construct

# By both names the functions know them too: prepare.ITEMS and collect.RUNS.
ITEMS = "items.jsonl"
RUNS = "runs"
LABEL = "Items"
"""Of the Map: the role is then allowed the executions of this Map only."""


class ItemsMap(sfn.DistributedMap):
    """Reads the items that the batch's first function wrote, and writes results for its second one.

    aws-cdk-lib's readers and writers take no key that is known at run time only, or grant the whole bucket.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, prefix: str, concurrency: int
    ) -> None:
        """Makes the state.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            bucket: Where the batch writes.
            prefix: What all of its keys begin with.
            concurrency: How many items at once.
        """
        super().__init__(
            scope,
            construct_id,
            label=LABEL,
            max_concurrency=concurrency,
            query_language=sfn.QueryLanguage.JSONATA,
            outputs={},
        )
        self._bucket, self._prefix = bucket, prefix

    def to_state_json(self, query_language: sfn.QueryLanguage | None = None) -> Mapping[Any, Any]:
        """The state in Amazon States Language.

        Args:
            query_language: That of the workflow.
        """
        state: dict[str, Any] = dict(super().to_state_json(query_language))
        partition = cdk.Stack.of(self).partition
        state["ItemReader"] = {
            "Resource": f"arn:{partition}:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {
                "Bucket": jsonata("$batch.bucket"),
                "Key": jsonata(f"$batch.folder & '{ITEMS}'"),
            },
        }
        state["ResultWriter"] = {
            "Resource": f"arn:{partition}:states:::s3:putObject",
            # One execution in a line, with its input, so that the files can be read as streams.
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
            "Arguments": {
                "Bucket": jsonata("$batch.bucket"),
                "Prefix": jsonata(f"$batch.folder & '{RUNS}'"),
            },
        }
        state["ToleratedFailureCount"] = jsonata("$batch.tolerated")
        return state

    def _when_bound_to_graph(self, graph: sfn.StateGraph) -> None:
        super()._when_bound_to_graph(graph)
        for statement in self._statements():
            graph.register_policy_statement(statement)

    def _statements(self) -> Sequence[iam.PolicyStatement]:
        folders = self._bucket.arn_for_objects(f"{self._prefix}*")
        # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
        write = ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload")
        statements = [iam.PolicyStatement(actions=list(write), resources=[folders])]
        if (key := self._bucket.encryption_key) is not None:
            use = ["kms:Decrypt", "kms:GenerateDataKey"]
            statements.append(iam.PolicyStatement(actions=use, resources=[key.key_arn]))
        return statements
