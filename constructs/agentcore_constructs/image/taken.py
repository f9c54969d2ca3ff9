"""What a harness asks of the image it takes: that it is in its Region, and whom processes run as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_constructs.config.image import user_faults
from agentcore_constructs.config.tokens import is_token
from agentcore_constructs.harness import arns, messages

if TYPE_CHECKING:
    from agentcore_constructs.config import HarnessEnvironmentArtifact, Host

_FILE_SYSTEMS = ("efsAccessPoint", "s3FilesAccessPoint")


def taken(host: Host, image: HarnessEnvironmentArtifact) -> HarnessEnvironmentArtifact:
    """Refuses an image in another Region, and notes its user."""
    container = image.container_configuration
    uri = getattr(container, "container_uri", None)
    if isinstance(uri, str):
        _same_region(host, uri, getattr(container, "repository_region", None))
    user = getattr(container, "user", None)
    if user is not None and not any(user_faults(user, "")):
        host.user = tuple(user)
    return image


def _same_region(host: Host, uri: str, repository_region: str | None) -> None:
    image, here = arns.private_image(uri), cdk.Stack.of(host.scope).region
    written = None if image is None or is_token(image[1]) else image[1]
    there = written or repository_region
    if there is None or is_token(there) or is_token(here) or there == here:
        return
    host.fault(
        "containerConfiguration.containerUri",
        f"must be in {here}, the Region of the harness",
        f"an image in {there}" + ("" if is_token(uri) else f" ({uri!r})"),
        "push it there too, or replicate the repository to that Region",
    )


def take_user(host: Host, user: tuple[int, int] | None, written: str | None) -> None:
    """Notes the user of an image that is built here; warns where it is needed and only the image knows it."""
    if user is not None:
        host.user = user
        return

    def warn(harness: Any) -> None:
        runtime = (harness.to_config().get("environment") or {}).get("agentCoreRuntimeEnvironment") or {}
        mounts = runtime.get("filesystemConfigurations") or []
        if any(name in mount for mount in mounts for name in _FILE_SYSTEMS):
            messages.image_user(host.scope, written or "", host.user)

    host.after(warn)
