"""Grants on S3 Files: on a file system as a whole, or through one of its access points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from collections.abc import Sequence

MOUNT = ("s3files:ClientMount",)
WRITE = (*MOUNT, "s3files:ClientWrite")
ROOT = (*WRITE, "s3files:ClientRootAccess")


def granted(
    grantee: iam.IGrantable, actions: Sequence[str], file_system_arn: str, access_point_arn: str | None = None
) -> iam.Grant:
    """Grants client actions on a file system; with an access point, through that one alone.

    The resource is the file system either way: an access point is a condition
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-files-security-iam.html).
    """
    conditions = None if access_point_arn is None else {"ArnEquals": {"s3files:AccessPointArn": access_point_arn}}
    return iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=[file_system_arn], conditions=conditions
    )
