"""What services know of their resources, and make for them: keys, file systems, passwords."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import http
import json
import re
from typing import Any

from .base import Scope, Seam, internals
from .iam import names_service
from .scope import acting_for

SEAMS: tuple[Seam, ...] = (
    Seam("ministack.services.s3", "_bucket_encryption", "know the key of a bucket"),
    Seam("ministack.services.sns", "_topics", "know the key of a topic"),
    Seam("ministack.services.efs", "_access_points", "know the file system of an access point"),
    Seam("ministack.services.eventbridge", "_event_buses", "know the key of an event bus"),
    Seam("ministack.services.kms", "key_policy_for_arn", "know who may use a key", ("resource_arn",)),
    Seam("ministack.services.cloudformation", "_stacks", "know the keys of what stacks have made"),
    Seam("ministack.services.secretsmanager", "_get_random_password", "generate the value of a secret", ("data",)),
)

# Services whose physical ids in stacks are ARNs.
_NAMED_BY_ARN = ("sns", "secretsmanager")


def encryption_key(account: str, arn: str) -> str | None:
    """The ARN of the customer key of a bucket, a topic, an event bus or a secret; None for one of AWS, or none."""
    service, region, name = arn.split(":")[2], arn.split(":")[3], arn.split(":", 5)[5].removeprefix("event-bus/")
    with acting_for((account, region or "us-east-1")):
        if service == "sns":
            kept: Any = (internals("ministack.services.sns")._topics.get(arn) or {}).get("attributes")
        elif service == "events":
            kept = internals("ministack.services.eventbridge")._event_buses.get(name)
        elif service == "secretsmanager":
            kept = None
        else:
            kept = internals("ministack.services.s3")._bucket_encryption.get(name)
        # What a stack has said of a key is not among what ministack's services know.
        return _key_in(kept) or _key_in(deployed_properties(arn if service in _NAMED_BY_ARN else name))


def _key_in(kept: Any) -> str | None:
    found = re.search(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", json.dumps(kept, default=str))
    return found[0] if found else None


def stack_of(physical_id: str) -> str | None:
    """The name of the stack that has a resource, in the account and Region that act now."""
    for stack in internals("ministack.services.cloudformation")._stacks.values():
        there = stack.get("StackStatus") != "DELETE_COMPLETE"
        held = (resource.get("PhysicalResourceId") for resource in stack.get("_resources", {}).values())
        if there and physical_id in held:
            return str(stack["StackName"])
    return None


def deployed_properties(physical_id: str) -> Any:
    """What a stack has deployed a resource with; None when no stack has it."""
    for stack in internals("ministack.services.cloudformation")._stacks.values():
        for resource in stack.get("_resources", {}).values():
            if resource.get("PhysicalResourceId") == physical_id:
                return resource.get("Properties")
    return None


def read_efs_access_point(scope: Scope, access_point: str) -> dict[str, Any] | None:
    """The record of an EFS access point, or None."""
    record: dict[str, Any] | None = internals("ministack.services.efs")._access_points.get_scoped(*scope, access_point)
    return record


def key_admits_service(account: str, key_arn: str, service: str) -> bool:
    """Whether a key's own policy lets a service use it."""
    with acting_for((account, key_arn.split(":")[3])):
        found = internals("ministack.services.kms").key_policy_for_arn(key_arn)
    if not found:
        return False
    document = json.loads(found[0]) if isinstance(found[0], str) else found[0] or {}
    statements = document.get("Statement", [])
    listed = [statements] if isinstance(statements, dict) else statements
    return any(one.get("Effect") == "Allow" and names_service(one, service) for one in listed)


def random_password(wanted: dict[str, Any]) -> str:
    """A password as Secrets Manager makes them.

    Args:
        wanted: A request of GetRandomPassword.

    Raises:
        ValueError: The service's sentence why there is none like that.
    """
    status, _, body = internals("ministack.services.secretsmanager")._get_random_password(wanted)
    answer = json.loads(body)
    if status != http.HTTPStatus.OK:
        raise ValueError(answer["message"])
    return str(answer["RandomPassword"])
