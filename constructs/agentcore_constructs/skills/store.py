"""Where the skills of a stack are kept: one bucket, made when the first of them needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessSkill
from agentcore_constructs.config.skills import HarnessSkillS3Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import IConstruct

_ID = "AgentCoreSkills"
_PREFIX_CHARACTERS = 12


class SkillStore(Construct):
    """One per stack: the bucket, and the log of what is copied into it.

    The bucket is encrypted (SSE-S3), private, takes TLS only, and goes with the stack: what is in it comes from a
    folder or a repository and can be had again.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Makes neither yet."""
        super().__init__(scope, construct_id)
        self._bucket: s3.Bucket | None = None
        self._logs: logs.LogGroup | None = None

    @property
    def bucket(self) -> s3.Bucket:
        """The bucket."""
        if self._bucket is None:
            self._bucket = s3.Bucket(
                self,
                "Bucket",
                encryption=s3.BucketEncryption.S3_MANAGED,
                block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
                enforce_ssl=True,
                minimum_tls_version=1.2,
                object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
                removal_policy=cdk.RemovalPolicy.DESTROY,
                auto_delete_objects=True,
            )
            reason = (
                "It holds copies of what is in version control; read with the roles of harnesses, seen in CloudTrail."
            )
            acknowledge(self._bucket, {"S1": reason})
        return self._bucket

    @property
    def logs(self) -> logs.LogGroup:
        """The log of the function that unpacks folders."""
        if self._logs is None:
            self._logs = logs.LogGroup(
                self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
            )
        return self._logs


def store_of(scope: Construct) -> SkillStore:
    """Returns the store of a construct's stack, made when it is asked for first."""
    stack = cdk.Stack.of(scope)
    found = stack.node.try_find_child(_ID)
    return found if isinstance(found, SkillStore) else SkillStore(stack, _ID)


class Place:
    """Where one skill has its versions: a prefix of its own in a bucket.

    Attributes:
        bucket: The bucket.
        prefix: Without a slash at its end.
    """

    def __init__(self, scope: Construct, bucket: s3.IBucket | None) -> None:
        """Chooses the prefix.

        Args:
            scope: The skill's construct; its address makes the prefix its own.
            bucket: A bucket that others may use too, also stacks of the same app deployed elsewhere; that of the stack
                unless given.
        """
        own = scope.node.addr[:_PREFIX_CHARACTERS]
        around = "skills" if bucket is None else f"skills/{_stack_id()}"
        self.bucket: s3.IBucket = store_of(scope).bucket if bucket is None else bucket
        self._around = around
        self.prefix = f"{around}/{own}"

    def skill(self, uri: str) -> HarnessSkill:
        """Returns the skill of one version; the role may read all versions, since earlier harness versions do.

        Args:
            uri: Where it is. It ends in a slash, as the API's reference writes it: without, what has the same beginning
                is listed too.
        """
        key = self.bucket.encryption_key
        return HarnessSkill.draft(
            s3=HarnessSkillS3Source.draft(
                uri=uri,
                readable_prefix=self.prefix,
                encryption_key_arn=None if key is None else key.key_arn,
            )
        )

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a role read all versions, and nothing else of the bucket."""
        statements = self._statements(self.prefix, ["s3:GetObject"], ["kms:Decrypt"])
        first, *others = [
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=statement.actions,
                resource_arns=statement.resources,
                conditions=statement.conditions,
            )
            for statement in statements
        ]
        for other in others:
            first = first.combine(other)
        return first

    def write_statements(self) -> list[iam.PolicyStatement]:
        """Returns what whoever keeps the stack's skills there must be allowed: the same for all of them."""
        return self._statements(
            self._around, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], ["kms:Decrypt", "kms:GenerateDataKey"]
        )

    def _statements(self, prefix: str, object_actions: list[str], key_actions: list[str]) -> list[iam.PolicyStatement]:
        statements = [
            iam.PolicyStatement(
                sid="SkillFiles",
                actions=object_actions,
                # The files have names that are known at deployment alone.
                resources=[self.bucket.arn_for_objects(f"{prefix}/*")],
            ),
            iam.PolicyStatement(
                sid="SkillList",
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{prefix}/*"}},
            ),
        ]
        if (key := self.bucket.encryption_key) is not None:
            region = cdk.Stack.of(self.bucket).region
            statements.append(
                iam.PolicyStatement(
                    sid="SkillKey",
                    actions=key_actions,
                    resources=[key.key_arn],
                    conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
                )
            )
        return statements


def _stack_id() -> str:
    """The last part of a stack's id, which is unique to each stack there has ever been."""
    return cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))


def refuse(faults: list[Fault], scope: Construct) -> None:
    """Raises what is wrong with a construct's arguments.

    Raises:
        HarnessConfigError: There is something.
    """
    if faults:
        raise HarnessConfigError(faults, f"The skill {scope.node.path}")


def acknowledge(scope: IConstruct, findings: Mapping[str, str]) -> None:
    """Gives cdk-nag the reasons for findings of its AwsSolutions pack."""
    cdk.Validations.of(scope).acknowledge(
        *(
            cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason)
            for finding, reason in findings.items()
        )
    )
