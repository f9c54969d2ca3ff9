"""Secrets of Secrets Manager in stacks: what ministack's own handler does otherwise than CloudFormation.

`Ref` is the ARN, where ministack says the name. A value is generated whenever the template has `GenerateSecretString`,
also an empty one (what aws-cdk-lib writes for a secret of which nothing is said), and by the rules it sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
"""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resources

_SUFFIX = len("-a1B2c3")
_GENERATE = "GenerateSecretString"
_TEXTS = ("ExcludeCharacters", "SecretStringTemplate", "GenerateStringKey")


def completed(native: dict[str, Any]) -> dict[str, Any]:
    """Ministack's handler of secrets, with the ARN for a physical id and values that are generated."""
    with_logical_id = bool(native.get("update_with_logical_id"))
    wrapped = {**native, "create": _create(native["create"]), "delete": _delete(native["delete"])}
    if "update" in native:
        wrapped["update"] = _update(native["update"], with_logical_id=with_logical_id)
        wrapped["update_with_logical_id"] = True
    return wrapped


def _create(create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    def by_arn(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _, attributes = create(logical_id, _with_value(props), stack_name)
        return attributes["Arn"], attributes

    return by_arn


def _update(update: Callable[..., Any], *, with_logical_id: bool) -> Callable[..., Any]:
    @wraps(update)
    def by_arn(physical_id: str, old: Any, new: Any, stack_name: str, logical_id: str | None = None) -> Any:
        extra = (logical_id,) if with_logical_id else ()
        # The same rules keep the same value, but a secret of another name is another secret.
        if any(new.get(member) != old.get(member) for member in (_GENERATE, "Name")):
            new = _with_value(new)
        _, attributes = update(_name(physical_id), old, new, stack_name, *extra)
        return attributes["Arn"], attributes

    return by_arn


def _delete(delete: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(delete)
    def by_arn(physical_id: str, properties: Any) -> Any:
        return delete(_name(physical_id), properties)

    return by_arn


def _with_value(props: dict[str, Any]) -> dict[str, Any]:
    """The properties with a value instead of the rules for one."""
    if props.get(_GENERATE) is None:
        return props
    rules = {
        name: value if name in _TEXTS else json.loads(str(value).lower()) for name, value in props[_GENERATE].items()
    }
    template, key = rules.pop("SecretStringTemplate", None), rules.pop("GenerateStringKey", None)
    if (template is None) != (key is None):
        raise ValueError(f"{_GENERATE} takes SecretStringTemplate and GenerateStringKey together, or neither")
    value = seams.random_password(rules)
    if template is not None:
        value = json.dumps({**_object(template), key: value})
    return {**{name: given for name, given in props.items() if name != _GENERATE}, "SecretString": value}


def _object(template: str) -> dict[str, Any]:
    try:
        parsed = json.loads(template)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ValueError(f"SecretStringTemplate of {_GENERATE} must be a JSON object")
    return parsed


def _name(physical_id: str) -> str:
    return physical_id.split(":", 6)[6][:-_SUFFIX] if physical_id.startswith("arn:") else physical_id
