"""Permission questions the AgentCore services ask, answered from the roles that are deployed.

The policies are evaluated by ministack; decisions are remembered until a policy of the role changes, because an
invocation asks a dozen questions and has less than a millisecond for them. `LocalCloud(iam=False)` switches all of it
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
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None or match["account"] != account:
        return f"the role is not a role of account {account}"
    role = seams.read_role(account, match["name"])
    if role is None:
        return "there is no such role"
    document, asked = role.get("AssumeRolePolicyDocument"), (role_arn, service, account, region, source_arn)
    known = _TRUST.get(asked)
    if known is not None and known[0] == document:
        return known[1]
    answer = _distrust(role, service, account, region, source_arn)
    if not _OF_THE_MOMENT.search(str(document)):
        if len(_TRUST) >= _ROLES:
            _TRUST.clear()
        _TRUST[asked] = (document, answer)
    return answer


_TRUST: dict[tuple[str, str, str, str, str], tuple[Any, str | None]] = {}


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
    """A role's policies as they were last seen, and what was decided from them."""

    documents: tuple[list[Any], list[Any]]
    policies: list[Any]
    boundary: list[Any] | None
    lasting: bool
    decisions: dict[tuple[Any, ...], str] = field(default_factory=dict)


_KNOWN: dict[tuple[str, str], _Known] = {}
_LOCK = threading.Lock()
# The policies of these resources have a say of their own, which no change of the role announces.
_HAS_POLICIES = ("s3", "sns", "sqs", "lambda", "secretsmanager", "ecr", "kms")


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
    match = _ROLE_ARN.fullmatch(role_arn)
    name = match["name"] if match else role_arn
    principal = f"arn:aws:sts::{place.account}:assumed-role/{name}/{session}"
    known = _known(place.account, name) if match else None
    if known is None:
        return seams.denial_message(principal, action, resource, explicit=False)
    call = seams.RoleCall(principal, place.account, place.region, action, resource, keys or {})
    decision = _decision(known, call)
    return (
        None if decision == "Allow" else seams.denial_message(principal, action, resource, explicit=decision == "Deny")
    )


def _known(account: str, name: str) -> _Known | None:
    documents = seams.role_documents(account, name)
    if documents is None:
        return None
    known = _KNOWN.get((account, name))
    # The documents are compared, not a revision: IAM changes over the API, by stacks, and by a reset.
    if known is None or known.documents != documents:
        identity, boundary = documents
        parsed = seams.parse_policies(identity)
        limit = [seams.parse_policies(boundary)[0] if any(boundary) else []] if boundary else None
        lasting = not _OF_THE_MOMENT.search(str(documents))
        known = _Known(documents, parsed, limit, lasting)
        with _LOCK:
            if len(_KNOWN) >= _ROLES:
                _KNOWN.clear()
            _KNOWN[account, name] = known
    return known


def _decision(known: _Known, call: seams.RoleCall) -> str:
    lasting = known.lasting and not call.action.startswith(_HAS_POLICIES)
    if not lasting:
        return seams.decide(call, known.policies, known.boundary)
    asked = (call.principal_arn, call.region, call.action, call.resource, *sorted(call.keys.items()))
    decision = known.decisions.get(asked)
    if decision is None:
        decision = seams.decide(call, known.policies, known.boundary)
        with _LOCK:
            if len(known.decisions) >= _DECISIONS:
                known.decisions.clear()
            known.decisions[asked] = decision
    return decision
