"""CloudFormation makes harnesses with the role a stack is deployed with: `cdk deploy` passes the bootstrap's.

A stack deployed without a role is deployed with the caller's permissions, and those are not looked at here. What
ministack itself makes for a stack is not checked either.
"""

from __future__ import annotations

import threading
from typing import Any

from . import iam, seams
from .harness import authorization
from .harness.errors import ServiceError

_LOCK = threading.Lock()
_ROLES: dict[tuple[str, str, str], str] = {}


def note(_action: str, parameters: dict[str, Any]) -> None:
    """Remember the role of a stack; later operations use it until another one is named."""
    role, name = parameters.get("RoleARN"), parameters.get("StackName")
    if role and name:
        with _LOCK:
            _ROLES[(*seams.current_scope(), _plain(str(name)))] = str(role)


def check(stack_name: str, operation: str, request: dict[str, Any]) -> None:
    """Refuse what the role of a stack does not allow; a stack without a role may do everything.

    Raises:
        ServiceError: AccessDeniedException.
    """
    scope = seams.current_scope()
    role = _ROLES.get((*scope, _plain(stack_name)))
    if role is None or not iam.Switch.enabled:
        return
    place = iam.Place(*scope)
    for need in authorization.needs(operation, request, scope):
        refusals = [
            iam.denial(role, need.action, one, place=place, session="AWSCloudFormation", keys=need.keys)
            for one in need.resources
        ]
        if None not in refusals:
            raise ServiceError("AccessDeniedException", str(refusals[0]))


def check_deletion(physical_id: str, operation: str, request: dict[str, Any]) -> None:
    """Refuse what the role of the stack that has a resource does not allow; the resource is still the stack's.

    Raises:
        ServiceError: AccessDeniedException.
    """
    stack_name = seams.stack_of(physical_id)
    if stack_name is not None:
        check(stack_name, operation, request)


def reset() -> None:
    """Forget all roles."""
    _ROLES.clear()


def _plain(name: str) -> str:
    """The name in a stack's ARN, or the name itself."""
    return name.partition(":stack/")[2].partition("/")[0] or name
