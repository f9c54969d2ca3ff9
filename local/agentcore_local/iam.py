"""Permission questions the AgentCore services ask, answered from the roles that are deployed.

The policies are evaluated by ministack; decisions are remembered until something changes in IAM, because an
invocation asks two dozen questions and has less than a millisecond for them. `LocalCloud(iam=False)` switches all of it
off.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import seams

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLE_ARN = re.compile(r"arn:aws[^:]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)")
_DECISIONS = 4096
_ROLES = 1024
# Decisions that depend on these change without a policy changing, so they are made anew each time.
_OF_THE_MOMENT = re.compile(r"aws:(currenttime|epochtime)", re.IGNORECASE)


class Switch:
    """Whether permissions are checked at all; the cloud sets it when it starts."""

    enabled = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service acts.

    Attributes:
        account: 12-digit account id.
        region: Region.
    """

    account: str
    region: str


# --- trust --------------------------------------------------------------------------------------------------------


def role_trusts(role_arn: str, service: str, *, account: str, region: str, source_arn: str) -> str | None:
    """Why a service cannot assume a role, as a clause; None when it can.

    Args:
        role_arn: The role.
        service: The service principal, such as `bedrock-agentcore.amazonaws.com`.
        account: The account the service acts for (`aws:SourceAccount`).
        region: The Region it acts in.
        source_arn: The resource it acts for (`aws:SourceArn`).
    """
    if not Switch.enabled:
        return None
    revision, asked = seams.role_revision(), (role_arn, service, account, region, source_arn)
    known = _TRUST.get(asked)
    if known is not None and known[0] == revision:
        return known[1]
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None or match["account"] != account:
        return f"the role is not a role of account {account}"
    role = seams.read_role(account, match["name"])
    if role is None:
        return "there is no such role"
    answer = _distrust(role, service, account, region, source_arn)
    if not _OF_THE_MOMENT.search(str(role.get("AssumeRolePolicyDocument"))):
        if len(_TRUST) >= _ROLES:
            _TRUST.clear()
        _TRUST[asked] = (revision, answer)
    return answer


_TRUST: dict[tuple[str, str, str, str, str], tuple[int, str | None]] = {}


def _distrust(role: dict[str, Any], service: str, account: str, region: str, source_arn: str) -> str | None:
    keys = {"aws:sourceaccount": account, "aws:sourcearn": source_arn}
    about = [statement for statement in seams.trust_statements(role) if _is_about(statement, service)]
    met = [found for found in about if seams.conditions_met(found, account=account, region=region, keys=keys)]
    effects = {statement.get("Effect") for statement in met}
    if "Deny" in effects:
        return f"its trust policy denies {service}"
    if "Allow" in effects:
        return None
    if any(statement.get("Effect") == "Allow" for statement in about):
        return f"the conditions of its trust policy do not hold for aws:SourceArn {source_arn}"
    return f"its trust policy does not allow sts:AssumeRole to {service}"


def _is_about(statement: dict[str, object], service: str) -> bool:
    actions = statement.get("Action")
    named = [actions] if isinstance(actions, str) else list(actions) if isinstance(actions, list) else []
    assumes = any(str(action).lower() in ("sts:assumerole", "sts:*", "*") for action in named)
    return assumes and seams.names_service(statement, service)


# --- what a role may do -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What a role may do as it was at a revision of IAM, and what was decided from it."""

    revision: int
    name: str
    policies: list[Any]
    boundary: list[Any] | None
    lasting: bool
    decisions: dict[tuple[Any, ...], str] = field(default_factory=dict)


_KNOWN: dict[tuple[str, str], _Known] = {}  # by account and role ARN
_LOCK = threading.Lock()


def denial(
    role_arn: str,
    action: str,
    resource: str,
    *,
    place: Place,
    session: str = "BedrockAgentCore",
    keys: Mapping[str, str] | None = None,
) -> str | None:
    """Why a service that has assumed a role may not do something, in AWS's words; None when it may.

    Args:
        role_arn: The role, of the place's account.
        action: Such as `bedrock:InvokeModel`.
        resource: ARN, or `*`.
        place: Account and Region it acts in.
        session: Name of the role session, which the sentence shows.
        keys: Condition keys of the request, in lower case; those every request has are added.
    """
    if not Switch.enabled:
        return None
    known = _known(place.account, role_arn)
    if known is not None:
        asked = (place.region, session, action, resource, tuple(keys.items()) if keys else ())
        if known.decisions.get(asked) == "Allow":
            return None
    name = known.name if known else role_arn.rsplit("/", 1)[-1]
    principal = f"arn:aws:sts::{place.account}:assumed-role/{name}/{session}"
    if known is None:
        return seams.denial_message(principal, action, resource, explicit=False)
    decision = known.decisions.get(asked)
    if decision is None:
        call = seams.RoleCall(principal, place.account, place.region, action, resource, keys or {})
        decision = _decision(known, asked, call)
    if decision == "Allow":
        return None
    return seams.denial_message(principal, action, resource, explicit=decision == "Deny")


def lasts(role_arn: str, action: str, *, account: str) -> bool:
    """Whether what a role may do holds until IAM changes: no policy of a resource, and no moment, has a say in it."""
    known = _known(account, role_arn)
    return known is not None and known.lasting and not seams.has_resource_policies(action.partition(":")[0])


def _known(account: str, role_arn: str) -> _Known | None:
    revision = seams.role_revision()
    known = _KNOWN.get((account, role_arn))
    if known is not None and known.revision == revision:
        return known
    match = _ROLE_ARN.fullmatch(role_arn)
    documents = seams.role_documents(account, match["name"]) if match else None
    if match is None or documents is None:
        return None
    identity, boundary = documents
    parsed = seams.parse_policies(identity)
    limit = [seams.parse_policies(boundary)[0] if any(boundary) else []] if boundary else None
    known = _Known(revision, match["name"], parsed, limit, not _OF_THE_MOMENT.search(str(documents)))
    with _LOCK:
        if len(_KNOWN) >= _ROLES:
            _KNOWN.clear()
        _KNOWN[account, role_arn] = known
    return known


def _decision(known: _Known, asked: tuple[Any, ...], call: seams.RoleCall) -> str:
    decision = seams.decide(call, known.policies, known.boundary)
    if known.lasting and not seams.has_resource_policies(call.action.partition(":")[0]):
        with _LOCK:
            if len(known.decisions) >= _DECISIONS:
                known.decisions.clear()
            known.decisions[asked] = decision
    return decision
