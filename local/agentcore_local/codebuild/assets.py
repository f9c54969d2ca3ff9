"""Container image assets of a cloud assembly: registered without being built, since nothing here runs an image."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# The repository `cdk bootstrap` makes: cdk-<qualifier>-container-assets-<account>-<region>.
_ASSETS = re.compile(r"cdk-[a-z0-9]+-container-assets-\d{12}-[a-z0-9-]+")
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
_EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": f"sha256:{'0' * 64}", "size": 0}
NOT_BUILT = "Not built: the local cloud registers images and runs none."


def manifest(content: str) -> str:
    """Returns an image manifest that stands for some content; the same content is the same digest.

    Args:
        content: Digest of what the image would be made of.
    """
    annotations = {"org.opencontainers.image.description": NOT_BUILT, "agentcore.local.source": content}
    described = {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": _EMPTY,
        "layers": [],
        "annotations": annotations,
    }
    return json.dumps(described, sort_keys=True)


def supply(repository: str, tag: str) -> bool:
    """Registers the tag of an asset when the CDK CLI asks whether it must build it, which needs Docker."""
    if not _ASSETS.fullmatch(repository):
        return False
    request = {
        "repositoryName": repository,
        "imageTag": tag,
        "imageManifest": manifest(tag),
        "imageManifestMediaType": MEDIA_TYPE,
    }
    return seams.put_image(request) is None and _say(repository, tag)


def publish(client: Any, image: dict[str, Any], fill: Callable[[str], str]) -> None:
    """Registers a container image asset, as deploying it with the CDK CLI does; makes the repository if need be.

    Args:
        client: An ECR client of the account.
        image: An entry of `dockerImages` of an asset manifest.
        fill: Fills in the placeholders of account and Region.
    """
    for destination in image.get("destinations", {}).values():
        repository, tag = fill(destination["repositoryName"]), fill(destination["imageTag"])
        with contextlib.suppress(client.exceptions.RepositoryAlreadyExistsException):
            client.create_repository(repositoryName=repository)
        client.put_image(
            repositoryName=repository, imageTag=tag, imageManifest=manifest(tag), imageManifestMediaType=MEDIA_TYPE
        )
        _say(repository, tag)


def _say(repository: str, tag: str) -> bool:
    logger.warning("image %s:%s is registered and not built: nothing here runs images", repository, tag)
    return True
