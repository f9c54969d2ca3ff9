"""What a session's file system is made of: the image of a harness.

Limits are those of botocore's `ContainerConfiguration`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from .cdk import attribute
from .errors import ABSENT, Refused
from .node import Node, OneOf
from .primitives import Companion, Text


class ContainerConfiguration(Node):
    """The image of a session's file system and tools.

    Attributes:
        container_uri: In private ECR or ECR Public, with a tag or a digest, 1–1024 characters; linux/arm64, at most
            2 GB.
        repository_arn: Of the private repository, which the role's policy names.
    """

    container_uri: Annotated[
        str,
        Text(
            "the URI of an image in private ECR (<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>) or in "
            "ECR Public (public.ecr.aws/<alias>/<repository>:<tag>)",
            "push the image to ECR and write its URI there",
            min=1,
            max=1024,
            pattern=(
                r"(([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?|public\.ecr\.aws)"
                r"/((?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*)(?::([^:@]{1,300}))?(?:@(.+))?"
            ),
        ),
    ]
    repository_arn: Annotated[str | None, Companion("names the repository in the role's policy")] = Field(
        None, exclude=True
    )


class HarnessEnvironmentArtifact(OneOf):
    """The image of a harness; made by `HarnessImage`."""

    expects: ClassVar[str] = "an image, made by HarnessImage.from_uri or HarnessImage.from_ecr"

    container_configuration: ContainerConfiguration | None = None


class HarnessImage:
    """Makes the image of a harness: linux/arm64, at most 2 GB, with /bin/bash for the shell tool."""

    @staticmethod
    def from_uri(uri: str, *, repository_arn: str | None = None) -> HarnessEnvironmentArtifact:
        """An image by its URI.

        Args:
            uri: In private ECR or ECR Public, with a tag or a digest.
            repository_arn: Of the private repository, where it cannot be read from the URI.
        """
        return HarnessEnvironmentArtifact.draft(
            container_configuration=ContainerConfiguration.draft(container_uri=uri, repository_arn=repository_arn)
        )

    @staticmethod
    def from_ecr(repository: Any, *, tag: str | None = None, digest: str | None = None) -> HarnessEnvironmentArtifact:
        """An image in a repository (`aws_ecr.IRepository`).

        Args:
            repository: The repository.
            tag: Which image; the tag `latest` unless a tag or a digest is given.
            digest: Which image, by content: `sha256:…`.
        """
        uri: Any = ABSENT
        if tag is not None and digest is not None:
            uri = Refused("must be chosen by a tag or by a digest", "both", "keep one of tag and digest")
        elif digest is not None:
            uri = f"{repository.repository_uri}@{digest}"
        else:
            uri = f"{repository.repository_uri}:{tag or 'latest'}"
        return HarnessImage.from_uri(uri, repository_arn=attribute(repository, "repository_arn"))
