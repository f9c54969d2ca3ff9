"""What a session's file system is made of: the image of a harness.

Limits are those of botocore's `ContainerConfiguration`. An image is linux/arm64, at most 2 GB, and lies in ECR Public
or in private ECR in the Region of the harness
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from .cdk import attribute, found, offers
from .deferred import Wanted
from .errors import ABSENT, Fault, Refused, received
from .node import Node, OneOf, joined
from .primitives import Companion, Text
from .tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import Enum
    from pathlib import Path

    from .cdk import HasKeyArn, HasRepositoryArn, HasSecretArn, IsDuration

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REPOSITORY_ARN = re.compile(
    r"arn:(?P<partition>aws[-a-z]*):ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):repository/(?P<name>[a-z0-9._/-]+)"
)
_MOST_ID = 4294967295


class ContainerConfiguration(Node):
    """The image of a session's file system and tools.

    Attributes:
        container_uri: In private ECR or ECR Public, with a tag or a digest, 1–1024 characters; linux/arm64, at most
            2 GB.
        repository_arn: Of the private repository, which the role's policy names.
        repository_region: Of the private repository, where the URI does not say.
        user: Numeric user and group that processes in the image run as, whom files of mounts belong to.
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
    repository_region: Annotated[str | None, Companion("has an image of another Region refused")] = Field(
        None, exclude=True
    )
    user: Annotated[Any, Companion("says whom files of mounts belong to")] = Field(None, exclude=True)

    def rules(self, path: str) -> Iterator[Fault]:
        """A user is two numbers."""
        yield from user_faults(self.user, joined(path, "user"))


def _repository_uri(repository: Any) -> Any:
    """The URI of a repository that was given as an object or by its ARN."""
    if offers(repository, "repository_uri"):
        return repository.repository_uri
    if offers(repository, "attr_repository_uri"):
        return repository.attr_repository_uri
    parts = _REPOSITORY_ARN.fullmatch(repository) if isinstance(repository, str) else None
    if parts is None:
        must = "must be in an ECR repository: an object (ecr.IRepository), or its ARN"
        fix = "pass the repository, such as ecr.Repository.from_repository_name(…), or use HarnessImage.from_uri"
        return Refused(must, received(repository), fix)
    suffix = ".cn" if parts["partition"] == "aws-cn" else ""
    return f"{parts['account']}.dkr.ecr.{parts['region']}.amazonaws.com{suffix}/{parts['name']}"


class HarnessEnvironmentArtifact(OneOf, Wanted):
    """The image of a harness; made by `HarnessImage`."""

    expects: ClassVar[str] = (
        "an image, made by HarnessImage.from_asset, HarnessImage.from_codebuild, HarnessImage.from_ecr or "
        "HarnessImage.from_uri"
    )

    container_configuration: ContainerConfiguration | None = None


def user_faults(user: object, path: str) -> Iterator[Fault]:
    """Yields what is wrong with the user of an image."""
    if user is None:
        return
    numbers = user if isinstance(user, (tuple, list)) else ()
    if len(numbers) != len(("uid", "gid")) or not all(
        isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _MOST_ID for number in numbers
    ):
        yield Fault(
            path,
            f"must be the numeric user and group, each 0–{_MOST_ID}",
            str(tuple(numbers)) if numbers else received(user),
            "write user=(1000, 1000), or (0, 0) for root",
        )


@dataclass(frozen=True)
class BuildSecret:
    """A secret of Secrets Manager for one build: never in the image, its history or a template.

    A Dockerfile reads it with `RUN --mount=type=secret,id=<name>`.

    Attributes:
        secret: The secret (`aws_secretsmanager.ISecret`).
        json_field: Which field of a JSON secret; the whole text unless given.
    """

    secret: HasSecretArn
    json_field: str | None = None


@dataclass(frozen=True)
class ImageSource:
    """What both ways of building an image take.

    Attributes:
        directory: The build context.
        file: The Dockerfile, within the directory.
        target: The stage to build; the last one unless given.
        build_args: `ARG`s of the Dockerfile.
        exclude: Patterns of files to leave out, as in `.dockerignore`, in addition to that file.
        platform: What the caller says it is for.
        user: Numeric user and group; read from the Dockerfile unless given.
        extra_hash: Anything that makes it another image.
    """

    directory: str | Path
    file: str
    target: str | None
    build_args: Mapping[str, str]
    exclude: Sequence[str]
    platform: Any
    user: tuple[int, int] | None
    extra_hash: str | None


@dataclass(frozen=True)
class AssetImage(Wanted):
    """An image that the CDK CLI builds with Docker; made by `HarnessImage.from_asset`."""

    source: ImageSource
    build_secrets: Mapping[str, str]


@dataclass(frozen=True)
class CodeBuildSource(Wanted):
    """An image that AWS CodeBuild builds; made by `HarnessImage.from_codebuild`."""

    source: ImageSource
    build_secrets: Mapping[str, BuildSecret | HasSecretArn]
    base_repositories: Sequence[Any]
    repository: Any
    encryption_key: Any
    compute_type: Any
    timeout: IsDuration | None


class HarnessImage:
    """Makes the image of a harness: linux/arm64, at most 2 GB, with /bin/bash for the shell tool.

    The image is the file system and the tools of a session and nothing more: `ENTRYPOINT` and `CMD` are not used, and
    the agent itself runs in an image of the service's.
    """

    @staticmethod
    def from_uri(
        uri: str, *, repository_arn: str | None = None, user: tuple[int, int] | None = None
    ) -> HarnessEnvironmentArtifact:
        """An image by its URI.

        Args:
            uri: In private ECR or ECR Public, with a tag or a digest. A digest always means the same image; a tag means
                what it names when a session starts.
            repository_arn: Of the private repository, where it cannot be read from the URI.
            user: Numeric user and group that processes in the image run as, so that files of mounts are theirs;
                `(1000, 1000)` unless given.
        """
        return HarnessEnvironmentArtifact.draft(
            container_configuration=ContainerConfiguration.draft(
                container_uri=uri, repository_arn=repository_arn, user=user
            )
        )

    @staticmethod
    def from_ecr(
        repository: str | HasRepositoryArn,
        *,
        tag: str | None = None,
        digest: str | None = None,
        user: tuple[int, int] | None = None,
    ) -> HarnessEnvironmentArtifact:
        """An image in a repository (`aws_ecr.IRepository`).

        Args:
            repository: The repository, in the Region of the harness, or its ARN.
            tag: Which image; the tag `latest` unless a tag or a digest is given.
            digest: Which image, by content: `sha256:…`.
            user: Numeric user and group that processes in the image run as; `(1000, 1000)` unless given.
        """
        uri: Any = ABSENT
        if tag is not None and digest is not None:
            uri = Refused("must be chosen by a tag or by a digest", "both", "keep one of tag and digest")
        elif digest is not None and not is_token(digest) and not _DIGEST.fullmatch(str(digest)):
            fix = "write the digest that `aws ecr describe-images` shows"
            uri = Refused("must be chosen by a digest: sha256: and 64 hexadecimal digits", received(digest), fix)
        else:
            place = _repository_uri(repository)
            chosen = f":{tag or 'latest'}" if digest is None else f"@{digest}"
            uri = place if isinstance(place, Refused) else f"{place}{chosen}"
        arn = None if isinstance(uri, Refused) else attribute(repository, "repository_arn", "attr_arn")
        region = found(found(repository, "env"), "region")
        return HarnessEnvironmentArtifact.draft(
            container_configuration=ContainerConfiguration.draft(
                container_uri=uri,
                repository_arn=arn,
                repository_region=region if isinstance(region, str) else None,
                user=user,
            )
        )

    @staticmethod
    def from_asset(
        directory: str | Path,
        *,
        file: str = "Dockerfile",
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        build_secrets: Mapping[str, str] | None = None,
        exclude: Sequence[str] = (),
        platform: Any = None,
        user: tuple[int, int] | None = None,
        extra_hash: str | None = None,
    ) -> AssetImage:
        """An image built by `cdk deploy`, with Docker on the machine that deploys (`aws_ecr_assets.DockerImageAsset`).

        It goes to the repository that `cdk bootstrap` made, under a tag that is the hash of its source. That repository
        takes each tag once, so the tag means one image; its digest is known to nobody at synthesis. For a digest, use
        `from_codebuild`.

        Args:
            directory: The build context, at most 2 GB without what is excluded.
            file: The Dockerfile, within the directory.
            target: The stage to build; the last one unless given.
            build_args: `ARG`s of the Dockerfile; in the cloud assembly in plain text, so no place for secrets.
            build_secrets: For `RUN --mount=type=secret,id=<name>`, each where the deploying machine has it:
                `{"token": "src=token.txt"}` or `{"token": "env=TOKEN"}` (`DockerBuildSecret`).
            exclude: Patterns of files to leave out, in addition to those of `.dockerignore`.
            platform: `aws_ecr_assets.Platform.LINUX_ARM64`, which is built anyway; any other is refused.
            user: Numeric user and group that processes in the image run as; unless given, from the Dockerfile's last
                `USER` when that is root or a number, and root when there is none.
            extra_hash: Anything; another value builds again although the source is unchanged.
        """
        source = ImageSource(directory, file, target, build_args or {}, exclude, platform, user, extra_hash)
        return AssetImage(source, build_secrets or {})

    @staticmethod
    def from_codebuild(
        directory: str | Path,
        *,
        file: str = "Dockerfile",
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        build_secrets: Mapping[str, BuildSecret | HasSecretArn] | None = None,
        exclude: Sequence[str] = (),
        platform: Any = None,
        user: tuple[int, int] | None = None,
        extra_hash: str | None = None,
        base_repositories: Sequence[Any] = (),
        repository: str | HasRepositoryArn | None = None,
        encryption_key: str | HasKeyArn | None = None,
        compute_type: Enum | None = None,
        timeout: IsDuration | None = None,
    ) -> CodeBuildSource:
        """An image built during deployment by AWS CodeBuild, on ARM: the machine that deploys needs no Docker.

        The harness gets the digest of what was built. An unchanged source is not built again. See `CodeBuildImage`,
        which this makes below the harness.

        Args:
            directory: The build context, at most 2 GB without what is excluded.
            file: The Dockerfile, within the directory.
            target: The stage to build; the last one unless given.
            build_args: `ARG`s of the Dockerfile; in the template in plain text, so no place for secrets.
            build_secrets: For `RUN --mount=type=secret,id=<name>`: a secret of Secrets Manager each, or a
                `BuildSecret` that names a field of one.
            exclude: Patterns of files to leave out, in addition to those of `.dockerignore`.
            platform: `aws_ecr_assets.Platform.LINUX_ARM64`, which is built anyway; any other is refused.
            user: Numeric user and group that processes in the image run as; read from the Dockerfile unless given.
            extra_hash: Anything; another value builds again although the source is unchanged, for the sake of newer
                base images.
            base_repositories: Private repositories that the Dockerfile's `FROM` reads (`aws_ecr.IRepository`).
            repository: Where the image goes (`aws_ecr.IRepository`); one is made unless given.
            encryption_key: Of the repository that is made (`aws_kms.IKey`); the key of ECR unless given.
            compute_type: `aws_codebuild.ComputeType`; SMALL unless given.
            timeout: Of the build, 5–50 minutes; 30 unless given.
        """
        source = ImageSource(directory, file, target, build_args or {}, exclude, platform, user, extra_hash)
        return CodeBuildSource(
            source, build_secrets or {}, base_repositories, repository, encryption_key, compute_type, timeout
        )
