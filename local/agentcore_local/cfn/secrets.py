"""Secrets of Secrets Manager in stacks: `Ref` is their ARN, as in CloudFormation; ministack says the name.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resources

_SUFFIX = len("-a1B2c3")


def named_by_arn(native: dict[str, Any]) -> dict[str, Any]:
    """Ministack's handler of secrets, with the ARN for a physical id where it has the name."""
    with_logical_id = bool(native.get("update_with_logical_id"))
    wrapped = {**native, "create": _create(native["create"]), "delete": _delete(native["delete"])}
    if "update" in native:
        wrapped["update"] = _update(native["update"], with_logical_id=with_logical_id)
        wrapped["update_with_logical_id"] = True
    return wrapped


def _create(create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    def by_arn(*args: Any) -> Any:
        _, attributes = create(*args)
        return attributes["Arn"], attributes

    return by_arn


def _update(update: Callable[..., Any], *, with_logical_id: bool) -> Callable[..., Any]:
    @wraps(update)
    def by_arn(physical_id: str, old: Any, new: Any, stack_name: str, logical_id: str | None = None) -> Any:
        extra = (logical_id,) if with_logical_id else ()
        _, attributes = update(_name(physical_id), old, new, stack_name, *extra)
        return attributes["Arn"], attributes

    return by_arn


def _delete(delete: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(delete)
    def by_arn(physical_id: str, properties: Any) -> Any:
        return delete(_name(physical_id), properties)

    return by_arn


def _name(physical_id: str) -> str:
    return physical_id.split(":", 6)[6][:-_SUFFIX] if physical_id.startswith("arn:") else physical_id
