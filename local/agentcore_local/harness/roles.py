"""What the service tries with an execution role when a harness is created or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_local import actions, iam

if TYPE_CHECKING:
    from collections.abc import Mapping


def creation_denial(harness: Mapping[str, Any], account: str, region: str) -> str | None:
    """Why a harness cannot be created or updated with its role; None when it can.

    Args:
        harness: What it would be, as GetHarness shows it.
        account: 12-digit account id.
        region: Region.
    """
    place = iam.Place(account, region)
    for ask in (*actions.own_image(harness), *actions.access_points(harness)):
        refusal = iam.denial(harness["executionRoleArn"], ask.action, ask.resource, place=place, keys=ask.keys)
        if refusal is not None:
            return refusal
    return None
