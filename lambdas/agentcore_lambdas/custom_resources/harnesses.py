"""What custom resources that change a harness have in common: only a harness that is ready can be changed.

Statuses and transitions: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-versioning.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agentcore_lambdas.custom_resources.framework import Failed, client

if TYPE_CHECKING:
    from collections.abc import Mapping

_IN_BETWEEN = frozenset({"CREATING", "UPDATING"})
_GOING = frozenset({"DELETING"})
_FAILED = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"})
# An update takes the service minutes; Lambda's own limit is fifteen.
_PATIENCE_SECONDS = 480
_PAUSE_SECONDS = 5


def harness(harness_id: str) -> dict[str, Any] | None:
    """Returns a harness as GetHarness describes it; None when it is gone, or about to be."""
    try:
        found: dict[str, Any] = client("bedrock-agentcore-control").get_harness(harnessId=harness_id)["harness"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return None if found["status"] in _GOING else found


def settled(harness_id: str) -> dict[str, Any] | None:
    """Waits until nobody changes a harness any more, and returns it; None when it is gone.

    Raises:
        Failed: It is being changed for longer than eight minutes.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := harness(harness_id)) is not None and found["status"] in _IN_BETWEEN:
        if time.monotonic() > deadline:
            raise Failed(f"the harness {harness_id} is still {found['status']} after {_PATIENCE_SECONDS} seconds")
        time.sleep(_PAUSE_SECONDS)
    return found


def update(harness_id: str, request: Mapping[str, Any], token: str) -> int | None:
    """Updates a harness when it is ready; somebody else's update that comes between is waited out.

    Args:
        harness_id: The harness.
        request: Members of UpdateHarness.
        token: The same for a request that is delivered again, 33–256 characters.

    Returns:
        The version that the update makes; None when the harness is gone.

    Raises:
        Failed: It does not become ready.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while settled(harness_id) is not None:
        try:
            updated = client("bedrock-agentcore-control").update_harness(
                harnessId=harness_id, clientToken=token, **request
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                return None
            if code != "ConflictException" or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return int(updated["harness"]["harnessVersion"])
    return None


def is_ready(found: Mapping[str, Any]) -> bool:
    """Tells whether a harness can be invoked.

    Raises:
        Failed: Its last change failed; with the service's reason.
    """
    if found["status"] in _FAILED:
        reason = found.get("failureReason") or "the service gives no reason"
        raise Failed(f"the harness {found['harnessId']} is {found['status']}: {reason}")
    return bool(found["status"] == "READY")
