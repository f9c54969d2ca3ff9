"""IAM: roles, their policies, and what a caller may do."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import functools
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base import Seam, internals
from .scope import acting_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EVALUATOR = "ministack.core.iam_evaluator"
_IAM = "ministack.services.iam"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"

SEAMS: tuple[Seam, ...] = (
    Seam(_IAM, "_roles", "read roles"),
    Seam(_IAM, "_IAM_HANDLERS", "know when what a role may do can have changed"),
    Seam(_IAM, "reset", "know when what a role may do can have changed", ()),
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", "know when what a role may do can have changed"),
    Seam("ministack.app", "AUTH", "have callers and Lambda functions act with their own permissions"),
    Seam(_EVALUATOR, "_service_principal_matches", "evaluate role trust", ("principal", "service")),
    Seam(_EVALUATOR, "_conditions_met", "evaluate role trust", ("conditions", "ctx")),
    Seam(_EVALUATOR, "EvalContext", "evaluate role trust"),
    Seam(_EVALUATOR, "parse_policy_document", "evaluate what a role may do", ("doc",)),
    Seam(_EVALUATOR, "evaluate", "evaluate what a role may do", ("ctx", "policies", "limits")),
    Seam(
        _EVALUATOR,
        "_resolve_managed_policy_document",
        "evaluate what a role may do",
        ("policy_arn", "account_id"),
    ),
    Seam(_EVALUATOR, "_resource_policy", "evaluate the policies of resources", ("service", "resource_arn")),
    Seam(
        _EVALUATOR,
        "combine_resource_policy",
        "evaluate the policies of resources",
        ("identity", "ctx", "policy", "owner_account", "required", "limits"),
    ),
    Seam(_EVALUATOR, "_RESOURCE_POLICY_LOOKUPS", "know which services have policies of resources"),
    Seam(_EVALUATOR, "_POLICY_REQUIRED", "evaluate the policies of resources"),
    Seam(
        _EVALUATOR,
        "enforce",
        "check what a caller may do",
        ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    ),
    Seam("ministack.core.router", "extract_access_key_id", "know the caller", ("headers", "query_params")),
)


def read_role(account: str, name: str) -> dict[str, Any] | None:
    """The record of a role, or None."""
    role: dict[str, Any] | None = internals(_IAM)._roles.get_scoped(account, None, name)
    return role


_READS = ("Get", "List", "Simulate", "Generate")
_WATCHED = "watched_by_agentcore_local"
_changes = itertools.count(1)
_revision = 0


def role_revision() -> int:
    """A number that is another one after each change of IAM: what was derived from roles before it is to be forgotten.

    Read it before the roles: a change in between then shows.
    """
    return _revision


def roles_changed() -> None:
    """Say that roles or policies may be others than before."""
    global _revision  # noqa: PLW0603 - a counter
    _revision = next(_changes)


def watch_roles() -> None:
    """Count every way in which roles and policies change: IAM's API, stacks, a reset."""
    iam, handlers = internals(_IAM), internals(_PROVISIONERS)._RESOURCE_HANDLERS
    for action, serve in iam._IAM_HANDLERS.items():
        if not action.startswith(_READS):
            iam._IAM_HANDLERS[action] = _counted(serve)
    iam.reset = _counted(iam.reset)
    for resource_type, operations in handlers.items():
        if resource_type.startswith("AWS::IAM::"):
            functions = {name: _counted(part) if callable(part) else part for name, part in operations.items()}
            handlers[resource_type] = functions
    roles_changed()


def _counted(change: Callable[..., Any]) -> Callable[..., Any]:
    if getattr(change, _WATCHED, False):
        return change

    @functools.wraps(change)
    def counted(*arguments: Any, **options: Any) -> Any:
        try:
            return change(*arguments, **options)
        finally:
            roles_changed()

    setattr(counted, _WATCHED, True)
    return counted


def trust_statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a role's trust policy."""
    document = role.get("AssumeRolePolicyDocument") or "{}"
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def names_service(statement: dict[str, Any], service: str) -> bool:
    """Whether a statement's principal is this service."""
    return bool(internals(_EVALUATOR)._service_principal_matches(statement.get("Principal"), service))


def conditions_met(statement: dict[str, Any], *, account: str, region: str, keys: dict[str, Any]) -> bool:
    """Whether a statement's conditions hold for a service that presents these condition keys (lower case)."""
    evaluator = internals(_EVALUATOR)
    context = evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=region,
        service_context=keys,
    )
    return bool(evaluator._conditions_met(statement.get("Condition") or {}, context))


def enforce_permissions(*, enabled: bool) -> None:
    """Have ministack's services check every caller, and Lambda functions act as their roles."""
    internals("ministack.app").AUTH = enabled


def role_documents(account: str, name: str) -> tuple[list[Any], list[Any]] | None:
    """The policy documents of a role and that of its permissions boundary, as IAM keeps them; None without the role."""
    role = read_role(account, name)
    if role is None:
        return None
    resolve = internals(_EVALUATOR)._resolve_managed_policy_document
    attached = [resolve(arn, account) for arn in role.get("AttachedPolicies") or ()]
    boundary = role.get("PermissionsBoundary")
    documents = [*(role.get("InlinePolicies") or {}).values(), *attached]
    return documents, [resolve(boundary, account)] if boundary else []


def parse_policies(documents: list[Any]) -> list[Any]:
    """Policy documents as the evaluator takes them."""
    parse = internals(_EVALUATOR).parse_policy_document
    return [parse(document) for document in documents if document]


@dataclass(frozen=True)
class RoleCall:
    """What somebody who has assumed a role wants to do."""

    principal_arn: str
    account: str
    region: str
    action: str
    resource: str
    keys: Mapping[str, Any]


def decide(call: RoleCall, policies: list[Any], boundary: list[Any] | None) -> str:
    """`Allow`, `Deny` or `ImplicitDeny`, from policies as `parse_policies` returns them and the resource's own."""
    evaluator = internals(_EVALUATOR)
    context = evaluator.EvalContext(
        principal_arn=call.principal_arn,
        principal_type="AssumedRole",
        principal_account=call.account,
        action=call.action,
        resource_arn=call.resource,
        region=call.region,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=dict(call.keys),
    )
    limits = () if boundary is None else (boundary,)
    result = evaluator.evaluate(context, policies, *limits)
    service = call.action.partition(":")[0]
    with acting_for((call.account, call.region)):
        found = evaluator._resource_policy(service, call.resource)
        if found is not None:
            policy, owner = found
            # The policy a topic is born with speaks of its owner's account; a stack's topic has it without that
            # condition in ministack 1.5.33, open to everybody.
            own = None if service == "sns" and "__default_statement_ID" in str(policy) else policy
            required = service in evaluator._POLICY_REQUIRED
            result = evaluator.combine_resource_policy(result, context, own, owner, required, limits)
    return str(result.decision)


def has_resource_policies(service: str) -> bool:
    """Whether resources of a service can have policies of their own, which no change of a role announces."""
    return service in internals(_EVALUATOR)._RESOURCE_POLICY_LOOKUPS


def caller_denial(
    headers: Mapping[str, str], query: Mapping[str, Any], call: tuple[str, str], region: str, keys: Mapping[str, Any]
) -> str | None:
    """Why the caller of the request that runs now may not do `call` (action, resource), as AWS words it; None if so.

    Root callers (a 12-digit access key, or the one the server was started with) may do everything.
    """
    key = internals("ministack.core.router").extract_access_key_id(dict(headers), dict(query))
    action, resource = call
    denied = internals(_EVALUATOR).enforce(
        key, action, action.partition(":")[0], region, resource_arn=resource, service_context=dict(keys)
    )
    if denied is None:
        return None
    if hasattr(denied, "code"):  # who it is could not be established
        return f"{denied.message} ({denied.code})"
    return denial_message(denied.principal_arn, action, resource, explicit=denied.decision == "Deny")


def denial_message(principal_arn: str, action: str, resource: str, *, explicit: bool) -> str:
    """AWS's sentence for a refused action."""
    why = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource} {why}"


def caller_key(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """The access key a request is signed with."""
    return str(internals("ministack.core.router").extract_access_key_id(dict(headers), dict(query)) or "")
