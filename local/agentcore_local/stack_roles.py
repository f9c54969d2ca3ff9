"""CloudFormation makes what AgentCore has with the role a stack is deployed with: `cdk deploy` passes the bootstrap's.

A stack deployed without a role is deployed with the caller's permissions, and those are not looked at here. What
ministack itself makes for a stack is not checked either.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from . import iam, seams
from .harness import authorization
from .harness.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .harness.store import Scope

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
    _check(stack_name, scope, authorization.needs(operation, request, scope))


def check_action(stack_name: str | None, operation: str, *resources: str, passed_role: str | None = None) -> None:
    """As `check`, for an operation of AgentCore that takes its own action and no other.

    Args:
        stack_name: The stack; None for a resource that none has.
        operation: Such as `CreateGateway`.
        resources: What comes after account and Region in the ARNs it may be allowed on, or `*`: one of them will do.
        passed_role: The ARN of a role that the service is given.

    Raises:
        ServiceError: AccessDeniedException.
    """
    if stack_name is None:
        return
    scope = seams.current_scope()
    arns = tuple(one if one == "*" else f"{authorization.service(scope)}{one}" for one in resources)
    needs = [authorization.Need(f"bedrock-agentcore:{operation}", arns)]
    if passed_role:
        keys = {"iam:passedtoservice": "bedrock-agentcore.amazonaws.com"}
        needs.append(authorization.Need("iam:PassRole", (passed_role,), keys))
    _check(stack_name, scope, needs)


def _check(stack_name: str, scope: Scope, needs: Iterable[authorization.Need]) -> None:
    role = _ROLES.get((*scope, _plain(stack_name)))
    if role is None or not iam.Switch.enabled:
        return
    place = iam.Place(*scope)
    for need in needs:
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
