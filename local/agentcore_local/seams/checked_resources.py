"""On which resource a permission is checked, where ministack knows less of it than AWS does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base import Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIONS = "ministack.core.iam_actions"

SEAMS: tuple[Seam, ...] = (
    Seam(
        _ACTIONS,
        "extract_resource_arn",
        "know the project of a build, a repository, the stream of a log and the state machine of a task token",
        ("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose permission is checked.

    Attributes:
        operation: What it asks for, where a header says it; empty otherwise.
        body: As it was sent.
        resource: The ARN ministack checks the permission on; `*` where it knows none.
        region: The Region it is for.
        account: The account it is for.
    """

    operation: str
    body: bytes
    resource: str
    region: str
    account: str

    def members(self) -> dict[str, Any]:
        """What the body says; nothing when it is no JSON object, which the service refuses anyway."""
        try:
            said = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


_NAMES: dict[str, Callable[[Asked], str]] = {}


def name_resource(service: str, name: Callable[[Asked], str]) -> None:
    """Has the permissions of a service checked on the resource that a function of ours names."""
    _NAMES[service] = name
    module = internals(_ACTIONS)
    if hasattr(module.extract_resource_arn, "__wrapped__"):  # once per process
        return
    extract = module.extract_resource_arn

    def extracted(  # noqa: PLR0917 - its signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        found = str(extract(service, method, path, headers, body, query_params, region, account_id))
        if service not in _NAMES:
            return found
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        return _NAMES[service](Asked(operation, body or b"", found, region, account_id))

    extracted.__wrapped__ = extract  # type: ignore[attr-defined]
    module.extract_resource_arn = extracted
