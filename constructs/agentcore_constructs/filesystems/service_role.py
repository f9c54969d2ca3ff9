"""The role with which S3 Files keeps a file system and its bucket in step: on that bucket and prefix, no further.

Statements are those of https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-files-prereq-policies.html, narrowed to
the prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from agentcore_constructs.harness.wildcards import answer, flattened
from agentcore_constructs.skills.store import acknowledge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

# S3 Files runs on EFS and comes as its principal.
SERVICE = "elasticfilesystem.amazonaws.com"
_RULES = "DO-NOT-DELETE-S3-Files*"
_SYNC = (
    "S3 Files reads and writes the objects of the bucket below the prefix, with their versions, tags and uploads; its "
    "documentation names the actions so."
)
_EVENTS = "S3 Files names its rules itself, and lists of rules cannot be narrowed."


def service_role(scope: Construct, bucket: s3.IBucket, prefix: str | None) -> iam.Role:
    """Makes the role.

    Args:
        scope: The file system.
        bucket: The bucket behind it.
        prefix: Of the objects in it, ending with a slash; None for all of them.
    """
    stack = cdk.Stack.of(scope)
    # The file system does not exist yet when the role is made, so its id cannot be named.
    source = stack.format_arn(service="s3files", resource="file-system", resource_name="*")
    conditions = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": source}}
    principal = iam.ServicePrincipal(SERVICE, conditions=conditions)
    role = iam.Role(scope, "ServiceRole", assumed_by=principal, description="S3 Files keeps files and objects in step")
    on_bucket, on_events = _on_bucket(bucket, prefix or "", stack), _on_events(stack)
    for statement in (*on_bucket, *_on_key(bucket.encryption_key, bucket, stack), *on_events):
        role.add_to_policy(statement)
    answer(role, lambda: _answer(role, {_SYNC: on_bucket, _EVENTS: on_events}))
    return role


def _answer(role: iam.Role, reasons: Mapping[str, Sequence[iam.PolicyStatement]]) -> None:
    """Gives cdk-nag the reason for each wildcard."""
    resolve = cdk.Stack.of(role).resolve
    findings = {}
    for reason, statements in reasons.items():
        for statement in statements:
            findings.update({f"IAM5[Action::{action}]": reason for action in statement.actions if "*" in action})
            flat = [flattened(resolve(resource)) for resource in statement.resources]
            findings.update({f"IAM5[Resource::{resource}]": reason for resource in flat if "*" in resource})
    acknowledge(role, findings)


def _on_bucket(bucket: s3.IBucket, prefix: str, stack: cdk.Stack) -> tuple[iam.PolicyStatement, ...]:
    account = {"aws:ResourceAccount": stack.account}
    within = {"StringLike": {"s3:prefix": f"{prefix}*"}} if prefix else {}
    return (
        iam.PolicyStatement(
            sid="S3BucketPermissions",
            actions=["s3:ListBucket", "s3:ListBucketVersions"],
            resources=[bucket.bucket_arn],
            conditions={"StringEquals": account, **within},
        ),
        iam.PolicyStatement(
            sid="S3ObjectPermissions",
            # Object actions alone: their versions, tags and uploads. S3 Files' documentation names them so.
            actions=["s3:AbortMultipartUpload", "s3:DeleteObject*", "s3:GetObject*", "s3:List*", "s3:PutObject*"],
            resources=[bucket.arn_for_objects(f"{prefix}*")],
            conditions={"StringEquals": account},
        ),
    )


def _on_key(key: kms.IKey | None, bucket: s3.IBucket, stack: cdk.Stack) -> tuple[iam.PolicyStatement, ...]:
    if key is None:
        return ()
    return (
        iam.PolicyStatement(
            sid="UseKmsKeyWithS3Files",
            actions=["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
            resources=[key.key_arn],
            conditions={
                "StringLike": {
                    "kms:ViaService": f"s3.{stack.region}.amazonaws.com",
                    "kms:EncryptionContext:aws:s3:arn": [bucket.bucket_arn, bucket.arn_for_objects("*")],
                }
            },
        ),
    )


def _on_events(stack: cdk.Stack) -> tuple[iam.PolicyStatement, ...]:
    rule = stack.format_arn(service="events", resource="rule", resource_name=_RULES)
    return (
        iam.PolicyStatement(
            sid="EventBridgeManage",
            actions=[
                "events:DeleteRule",
                "events:DisableRule",
                "events:EnableRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
            ],
            # The service names its rules itself, so their names end in a wildcard.
            resources=[rule],
            conditions={"StringEquals": {"events:ManagedBy": SERVICE}},
        ),
        iam.PolicyStatement(
            sid="EventBridgeRead",
            actions=[
                "events:DescribeRule",
                "events:ListRuleNamesByTarget",
                "events:ListRules",
                "events:ListTargetsByRule",
            ],
            # Lists cannot be narrowed to some rules.
            resources=[stack.format_arn(service="events", resource="rule", resource_name="*")],
        ),
    )
