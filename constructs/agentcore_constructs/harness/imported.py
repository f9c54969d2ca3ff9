"""What constructs are given by ARN or name where the CDK wants an object: an import stands for it.

Each function returns the object and notes what cannot be one, so that all faults of a construct are told at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from agentcore_constructs.config import Fault, is_token
from agentcore_constructs.config.cdk import found, offers
from agentcore_constructs.config.errors import received

if TYPE_CHECKING:
    from constructs import Construct

_KEY = re.compile(r"arn:aws[-a-z]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{36}")
_REPOSITORY = re.compile(r"arn:aws[-a-z]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]{2,256}")
_BUCKET_ARN = re.compile(r"arn:aws[-a-z]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def harness_fault(given: object) -> Fault | None:
    """Returns what is wrong with a value that must be a harness (`IHarness`); None when it is one."""
    if offers(given, "harness_arn") and offers(given, "harness_id"):
        return None
    fix = "pass the Harness, or Harness.from_harness_arn(…) for one made elsewhere"
    return Fault("harness", "must be a harness", received(given), fix)


def key_of(scope: Construct, given: Any, path: str, faults: list[Fault], construct_id: str = "GivenKey") -> Any:
    """Returns a KMS key (`kms.IKey`) that was given as one or by its ARN; None for none."""
    if given is None or offers(given, "key_arn"):
        return given
    if isinstance(given, kms.CfnKey):
        return kms.Key.from_cfn_key(given)
    if isinstance(given, str) and (is_token(given) or _KEY.fullmatch(given)):
        return kms.Key.from_key_arn(scope, construct_id, given)
    must = "must be a KMS key (kms.IKey) or its ARN (arn:aws:kms:<region>:<account>:key/<id>, not an alias)"
    faults.append(Fault(path, must, received(given), "pass the key or its ARN"))
    return None


def repository_of(
    scope: Construct, given: Any, path: str, faults: list[Fault], construct_id: str = "GivenRepository"
) -> Any:
    """Returns an ECR repository of this Region (`ecr.IRepository`) that was given as one or by its ARN."""
    made = _repository(scope, given, construct_id)
    if given is not None and made is None:
        must = (
            "must be an ECR repository (ecr.IRepository) or its ARN (arn:aws:ecr:<region>:<account>:repository/<name>)"
        )
        fix = "pass the repository, such as ecr.Repository.from_repository_name(…), or write its ARN"
        faults.append(Fault(path, must, received(given), fix))
        return None
    there, here = found(found(made, "env"), "region"), cdk.Stack.of(scope).region
    if there is not None and not is_token(there) and not is_token(here) and there != here:
        fix = "use a repository there, and have ECR replicate what is needed"
        faults.append(Fault(path, f"must be in {here}, the Region of the stack", f"one in {there}", fix))
    return made


def _repository(scope: Construct, given: Any, construct_id: str) -> Any:
    if offers(given, "repository_arn") and offers(given, "repository_uri"):
        return given
    if isinstance(given, ecr.CfnRepository):
        return ecr.Repository.from_repository_attributes(
            scope, construct_id, repository_arn=given.attr_arn, repository_name=given.ref
        )
    # The name cannot be taken out of an ARN that is known at deployment alone.
    if isinstance(given, str) and _REPOSITORY.fullmatch(given):
        return ecr.Repository.from_repository_arn(scope, construct_id, given)
    return None


def bucket_of(scope: Construct, given: Any, path: str, faults: list[Fault], construct_id: str = "GivenBucket") -> Any:
    """Returns a bucket (`s3.IBucket`) that was given as one, by its name or by its ARN; None for none."""
    if given is None or all(offers(given, name) for name in ("bucket_name", "bucket_arn", "arn_for_objects")):
        return given
    if isinstance(given, s3.CfnBucket):
        return s3.Bucket.from_cfn_bucket(given)
    if isinstance(given, str) and given.startswith("arn:") and (is_token(given) or _BUCKET_ARN.fullmatch(given)):
        return s3.Bucket.from_bucket_arn(scope, construct_id, given)
    if isinstance(given, str) and (is_token(given) or _BUCKET_NAME.fullmatch(given)):
        return s3.Bucket.from_bucket_name(scope, construct_id, given)
    must = "must be a bucket (s3.IBucket), its name or its ARN"
    faults.append(Fault(path, must, received(given), "pass the bucket, or write its name"))
    return None
