"""Turns needs into IAM statements, and statements into policy documents that fit IAM's limits. Pure: no CDK, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .permissions import TABLE, Need, Permission

Item: TypeAlias = Mapping[str, str]
"""What fills the placeholders of a row, once: `{"gateway": "arn:…"}`."""

Needs: TypeAlias = Mapping[Need, Sequence[Item]]
"""The features a configuration uses, each with one item per use."""

Statement: TypeAlias = dict[str, Any]
"""An IAM statement in its JSON form."""

MANAGED_POLICY_SIZE = 6144
"""Greatest size of a managed policy in characters, white space not counted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

INLINE_POLICIES_SIZE = 10240
"""Greatest size of all inline policies of a role together, counted the same way (same page)."""

ATTACHED_POLICIES = 10
"""Managed policies a role may have without a quota increase (same page)."""

_FRAME = len('{"Version":"2012-10-17","Statement":[]}')
_TOKEN = re.compile(r"\$\{Token\[([^\]]*)\]\}")
# The longest values there are; any other token may be a whole ARN, for which aws-cdk-lib assumes 150 as well.
_TOKEN_SIZES = {"AWS.Partition": 10, "AWS.Region": 14, "AWS.AccountId": 12, "AWS.URLSuffix": 17}
_UNKNOWN_TOKEN_SIZE = 150


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is deployed; every part may be a CDK token."""

    partition: str
    region: str
    account: str

    def fill(self, template: str, item: Item) -> str:
        """Fills the placeholders of a template."""
        return template.format(partition=self.partition, region=self.region, account=self.account, **item)


def merged(*all_needs: Needs) -> dict[Need, list[Item]]:
    """Returns the needs of several configurations together, each use once."""
    result: dict[Need, list[Item]] = {}
    for needs in all_needs:
        for need, items in needs.items():
            known = result.setdefault(need, [])
            known.extend(item for item in items if item not in known)
    return result


def without(needs: Needs, known: Needs) -> dict[Need, list[Item]]:
    """Returns the needs that are not met already."""
    left = {need: [item for item in items if item not in known.get(need, ())] for need, items in needs.items()}
    return {need: items for need, items in left.items() if items}


def statements(needs: Needs, place: Place) -> list[Statement]:
    """Returns the statements that needs call for, in the order of the table.

    Uses of one feature share a statement, unless its conditions differ from use to use: merging those would let one
    use's condition open another's resource.
    """
    result: list[Statement] = []
    for row in TABLE:
        items = needs.get(row.need, ())
        groups = [[item] for item in items] if _is_conditional(row) else [list(items)]
        for number, group in enumerate((group for group in groups if group), start=1):
            result.append(_statement(row, group, place, row.sid if number == 1 else f"{row.sid}{number}"))
    return result


def _is_conditional(row: Permission) -> bool:
    fixed = {"{region}", "{account}", "{partition}"}
    return any(set(re.findall(r"\{\w+\}", template)) - fixed for _, _, template in row.conditions)


def _statement(row: Permission, items: Sequence[Item], place: Place, sid: str) -> Statement:
    resources = dict.fromkeys(place.fill(template, item) for item in items for template in row.resources)
    result: Statement = {
        "Sid": sid,
        "Effect": "Allow" if row.allow else "Deny",
        "Action": list(row.actions),
        "Resource": list(resources),
    }
    conditions: dict[str, dict[str, list[str]]] = {}
    for operator, key, template in row.conditions:
        values = conditions.setdefault(operator, {}).setdefault(key, [])
        values.extend(value for item in items if (value := place.fill(template, item)) not in values)
    if conditions:
        result["Condition"] = {
            operator: {key: values[0] if len(values) == 1 else values for key, values in keys.items()}
            for operator, keys in conditions.items()
        }
    return result


def size(value: Any) -> int:
    """Returns how many characters a part of a policy takes in IAM, with the longest value each token may stand for."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    tokens = _TOKEN.findall(text)
    known = sum(_TOKEN_SIZES.get(name.rpartition(".")[0], _UNKNOWN_TOKEN_SIZE) for name in tokens)
    return len(_TOKEN.sub("", text)) + known


def packed(all_statements: Iterable[Statement], limit: int = MANAGED_POLICY_SIZE) -> list[list[Statement]]:
    """Spreads statements over as few policy documents as their order allows, each within `limit` characters.

    A statement too large for any document is divided by its resources; the parts say together what it said.
    """
    documents: list[list[Statement]] = []
    free = 0
    for statement in all_statements:
        for part in _divided(statement, limit - _FRAME):
            needed = size(part) + 1  # and a comma
            if needed > free:
                documents.append([])
                free = limit - _FRAME
            documents[-1].append(part)
            free -= needed
    return documents


def _divided(statement: Statement, limit: int) -> list[Statement]:
    parts = [statement["Resource"]]
    while any(size({**statement, "Resource": part}) + len("Part99,") > limit and len(part) > 1 for part in parts):
        parts = [half for part in parts for half in (part[: len(part) // 2], part[len(part) // 2 :]) if half]
    if len(parts) == 1:
        return [statement]
    return [
        {**statement, "Sid": f"{statement['Sid']}Part{number}", "Resource": part}
        for number, part in enumerate(parts, 1)
    ]
