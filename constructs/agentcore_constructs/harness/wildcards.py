"""Answers for cdk-nag: each wildcard in an execution role's policies has its reason in the table of permissions.

Nothing here imports cdk-nag; its rule is named by id.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsii
from constructs import IValidation

from .permissions import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from constructs import IConstruct

    from .policy import Statement

_RULE = "AwsSolutions::AwsSolutions-IAM5"
_ROWS = {row.sid: row for row in TABLE}
_NUMBERED = re.compile(r"(?:Part)?\d+$")


def findings(statements: Iterable[Statement], resolve: Callable[[str], Any]) -> Iterator[tuple[str, str]]:
    """Yields id and reason of every finding of cdk-nag's rule AwsSolutions-IAM5 on these statements.

    Args:
        statements: Of one policy.
        resolve: Resolves tokens (`Stack.resolve`).
    """
    reasons: dict[str, list[str]] = {}
    for statement in statements:
        if statement["Effect"] != "Allow":
            continue
        row = _ROWS[_NUMBERED.sub("", statement["Sid"])]
        for resource in statement["Resource"]:
            if "*" in resource:
                text = f"{row.sid}: {row.wildcard}."
                known = reasons.setdefault(f"{_RULE}[Resource::{flattened(resolve(resource))}]", [])
                if text not in known:
                    known.append(text)
    for finding, texts in reasons.items():
        yield finding, " ".join(texts)


@jsii.implements(IValidation)
class _Validation:
    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def validate(self) -> list[str]:
        """Acts, and finds nothing wrong; the CDK calls this when the references between stacks are known."""
        self._act()
        return []


def answer(scope: IConstruct, acknowledge: Callable[[], None]) -> None:
    """Acknowledges findings now, and again when what other stacks export has its name there, which findings name.

    Args:
        scope: Whose findings they are.
        acknowledge: Acknowledges what is found with the references there are when it is called.
    """
    acknowledge()
    scope.node.add_validation(_Validation(acknowledge))


def flattened(value: Any) -> str:
    """Writes a resolved ARN as cdk-nag writes it in the ids of its findings."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flattened(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    for function in ("Fn::ImportValue", "Fn::Sub"):
        if function in value:
            return flattened(value[function])
    if "Ref" in value:
        return f"<{value['Ref']}>"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
