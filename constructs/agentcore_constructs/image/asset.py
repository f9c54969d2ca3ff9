"""Images that the CDK CLI builds with Docker while it deploys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import aws_ecr_assets as assets

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessImage
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.tokens import is_token

from . import context
from .taken import take_user

if TYPE_CHECKING:
    from agentcore_constructs.config import HarnessEnvironmentArtifact, Host
    from agentcore_constructs.config.image import AssetImage

# What `docker build --secret` takes: https://docs.docker.com/reference/cli/docker/buildx/build/#secret
_PLACE = re.compile(r"(?:[a-z]+=[^,]+,)*(?:src|source|env)=.+")


def made(host: Host, wanted: AssetImage) -> HarnessEnvironmentArtifact:
    """Makes the asset below the harness.

    The URI ends in a tag that is the hash of the source: the bootstrap's repository takes a tag once, so it means one
    image; the digest is not known until it is pushed.

    Raises:
        HarnessConfigError: The source cannot become an image of a harness.
    """
    source = wanted.source
    faults = [
        Fault(
            f"{kind}['{name}']",
            "must be known when the app is synthesized, since the image is built before the deployment",
            "a value that only the deployment knows",
            "write it out, or use from_codebuild",
        )
        for kind, given in (("buildArgs", source.build_args), ("buildSecrets", wanted.build_secrets))
        for name, value in given.items()
        if is_token(value)
    ]
    faults += [
        Fault(
            f"buildSecrets['{name}']",
            "must say where the deploying machine has the secret: 'src=<file>' or 'env=<variable>'",
            received(value, sensitive=True),
            "write that, or use from_codebuild, which takes secrets of Secrets Manager",
        )
        for name, value in wanted.build_secrets.items()
        if not is_token(value) and not (isinstance(value, str) and _PLACE.fullmatch(value))
    ]
    if faults:
        raise HarnessConfigError(faults)
    read = context.checked(source, on_arm=False)
    asset = assets.DockerImageAsset(
        host.scope,
        "Image",
        directory=str(read.directory),
        file=read.file,
        target=source.target,
        build_args=dict(source.build_args) or None,
        build_secrets=dict(wanted.build_secrets) or None,
        exclude=[*source.exclude, *context.output_within(host.scope, read.directory)],
        platform=assets.Platform.LINUX_ARM64,
        extra_hash=source.extra_hash,
    )
    if fault := context.size_fault(context.staged_path(asset)):
        raise HarnessConfigError([fault])
    take_user(host, read.user, read.written_user)
    return HarnessImage.from_ecr(asset.repository, tag=asset.image_tag)
