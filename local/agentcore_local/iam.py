"""Permission questions the AgentCore services ask, answered from the roles that are deployed.

`LocalCloud(iam=False)` switches them off.
"""

from __future__ import annotations

import re
from typing import Any

from . import seams

_ROLE_ARN = re.compile(r"arn:aws[^:]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)")


class Switch:
    """Whether permissions are checked at all."""

    enabled = True


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
    return "there is no such role" if role is None else _distrust(role, service, account, region, source_arn)


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
