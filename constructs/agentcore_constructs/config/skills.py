"""Bundles of instructions and files that the agent pulls into its context on demand.

Limits are those of botocore's `HarnessSkill`; the sources are described in
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, overload

from pydantic import Field

from .cdk import HasBucketName, HasCredentialProviderArn, HasKeyArn, attribute, found, key_arn, provider_arn
from .deferred import Wanted
from .errors import ABSENT, Fault, Refused, received
from .model import ApiKeyArn
from .node import Node, OneOf, joined
from .primitives import Companion, Items, Text
from .tokens import is_token

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

GIT_URL = Text(
    "an https:// URL without '#' or '@'",
    "write the repository's HTTPS URL, without a branch, a commit or credentials",
    min=8,
    max=16383,
    pattern=r"https://[^#@]+",
    sensitive=True,
)
_ID_CHARACTERS = 8


class HarnessSkillS3Source(Node):
    """A skill in S3.

    Attributes:
        uri: `s3://bucket/prefix`, 5–16383 characters.
        encryption_key_arn: ARN of the customer key that encrypts the objects, so that the role may decrypt them.
        readable_prefix: What the role may read, where that is more than the skill: all versions there have been of it.
    """

    uri: Annotated[
        str,
        Text(
            "an S3 URI (s3://<bucket>/<prefix>)",
            "write the bucket and the prefix of the skill",
            min=5,
            max=16383,
            # The API's own pattern is s3://.*; a bucket's name has 3–63 characters of this set
            # (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
            pattern=r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?",
        ),
    ]
    encryption_key_arn: Annotated[str | None, Companion("lets the role decrypt the objects")] = Field(
        None, exclude=True
    )
    readable_prefix: Annotated[str | None, Companion("lets the role read earlier versions as well")] = Field(
        None, exclude=True
    )


class HarnessSkillGitAuth(Node):
    """The credential of a private repository.

    Attributes:
        credential_arn: ARN of the API-key credential provider that stores the password or access token.
        username: `oauth2` unless given.
    """

    credential_arn: ApiKeyArn
    username: Annotated[str, Text("a user name", "write the user name", sensitive=True)] | None = None


class HarnessSkillGitSource(Node):
    """A skill in a Git repository.

    The API has no branch, tag or commit: the default branch is cloned when a session starts.

    Attributes:
        url: `https://…` without '#' or '@', 8–16383 characters.
        path: Directory of the skill within the repository.
        auth: The credential of a private repository.
    """

    url: Annotated[str, GIT_URL]
    path: Annotated[str, Text("a directory in the repository", "write a path")] | None = None
    auth: HarnessSkillGitAuth | None = None

    def rules(self, path: str) -> Iterator[Fault]:
        """The skill's directory is in the repository."""
        yield from leaving_fault(self.path, joined(path, "path"))


def leaving_fault(directory: object, path: str) -> Iterator[Fault]:
    """Yields a fault for a directory that is not in the repository."""
    if not isinstance(directory, str) or is_token(directory):
        return
    if directory.startswith("/") or ".." in directory.split("/") or "\\" in directory:
        must = "must be a directory in the repository, with slashes, without '..'"
        yield Fault(path, must, received(directory), "write it from the repository's root, such as 'skills/report'")


class HarnessSkillAwsSkillsSource(Node):
    """The skills AWS ships in its image.

    Attributes:
        paths: Globs such as `core-skills/*`, each of 1–4096 characters; every skill unless given.
    """

    paths: (
        Annotated[
            tuple[
                Annotated[
                    str,
                    Text(
                        "a path in which '*' is the only wildcard",
                        "write a path such as 'core-skills/*'",
                        min=1,
                        max=4096,
                        pattern=r"([^*?\[\]]|\*)+",
                    ),
                ],
                ...,
            ],
            Items("paths"),
        ]
        | None
    ) = None


class HarnessSkill(OneOf, Wanted):
    """A skill of a harness; made by `Skill`.

    Attributes:
        path: A directory in the session's file system, 1–4096 characters.
        s3: A skill in S3, fetched when a session starts.
        git: A skill in a Git repository, cloned when a session starts.
        aws_skills: Skills shipped by AWS.
    """

    expects: ClassVar[str] = "a skill, made by Skill.path, Skill.s3, Skill.git or Skill.aws"

    path: Annotated[str, Text("a path in the session's file system", "write the path", min=1, max=4096)] | None = None
    s3: HarnessSkillS3Source | None = None
    git: HarnessSkillGitSource | None = None
    aws_skills: HarnessSkillAwsSkillsSource | None = None


@dataclass(frozen=True)
class DirectorySource(Wanted):
    """A skill in a folder of this machine; made by `Skill.from_directory`."""

    directory: str | os.PathLike[str]
    bucket: Any


@dataclass(frozen=True)
class PinnedGitSource(Wanted):
    """A skill of one commit; made by `Skill.git` with a ref."""

    url: str
    ref: str
    path: str | None
    credential: Any
    username: str | None = field(repr=False)
    bucket: Any
    refresh: str | None
    ca_certificates: str | None

    @property
    def construct_id(self) -> str:
        """Id of its construct: the same for all commits, since a new commit is a new version and no other skill."""
        what = f"{self.url}\0{self.path or ''}"
        return f"GitSkill{hashlib.sha256(what.encode()).hexdigest()[:_ID_CHARACTERS]}"


class Skill:
    """Makes the skills of a harness."""

    @staticmethod
    def path(path: str) -> HarnessSkill:
        """A skill that is already in the session's file system: in the image or on a mount."""
        return HarnessSkill.draft(path=path)

    @staticmethod
    def s3(
        bucket: str | HasBucketName, prefix: str | None = None, *, encryption_key: str | HasKeyArn | None = None
    ) -> HarnessSkill:
        """A skill in S3.

        Args:
            bucket: The bucket, its name, or a whole `s3://…` URI.
            prefix: The skill's directory in the bucket (or below the URI). The role may read it and nothing beside it.
            encryption_key: The customer key that encrypts the objects; that of a bucket object is found by itself.
        """
        key = encryption_key or found(bucket, "encryption_key")
        name = attribute(bucket, "bucket_name", "ref")
        return HarnessSkill.draft(
            s3=HarnessSkillS3Source.draft(uri=_uri(name, prefix), encryption_key_arn=key_arn(key))
        )

    @staticmethod
    def from_directory(
        directory: str | os.PathLike[str], *, bucket: str | HasBucketName | None = None
    ) -> DirectorySource:
        """A skill in a folder of this machine, copied to S3 when the stack is deployed.

        Its SKILL.md is checked at synthesis (which takes the extra `yaml`). See `DirectorySkill`, which this makes
        below the harness.

        Args:
            directory: The folder with SKILL.md, at most 100 MiB and 2000 files; its name is the skill's.
            bucket: Where it goes (`aws_s3.IBucket`), or its name or ARN; a bucket of the stack unless given.
        """
        return DirectorySource(directory, bucket)

    @overload
    @staticmethod
    def git(
        url: str,
        *,
        path: str | None = None,
        ref: None = None,
        credential: str | HasCredentialProviderArn | None = None,
        username: str | None = None,
    ) -> HarnessSkill: ...

    @overload
    @staticmethod
    def git(
        url: str,
        *,
        ref: str,
        path: str | None = None,
        credential: str | HasCredentialProviderArn | None = None,
        username: str | None = None,
        bucket: str | HasBucketName | None = None,
        refresh: str | None = None,
        ca_certificates: str | None = None,
    ) -> PinnedGitSource: ...

    @staticmethod
    def git(
        url: str,
        *,
        path: str | None = None,
        ref: str | None = None,
        credential: str | HasCredentialProviderArn | None = None,
        username: str | None = None,
        bucket: str | HasBucketName | None = None,
        refresh: str | None = None,
        ca_certificates: str | None = None,
    ) -> HarnessSkill | PinnedGitSource:
        """A skill in a Git repository.

        With a ref it is pinned: fetched when the stack is deployed, and copied to S3. See `PinnedGitSkill`, which this
        makes below the harness. Without one it is cloned from the default branch whenever a session starts, at whatever
        commit that has then, and a warning says so.

        Args:
            url: The repository's `https://` URL, without a branch, a commit or credentials.
            path: Directory of the skill within the repository.
            ref: A commit (40 hexadecimal characters), a tag or a branch.
            credential: For a private repository: the API-key credential provider that stores the token, or its ARN.
            username: `oauth2` unless given; only together with a credential.
            bucket: Only with a ref: where the skill goes (`aws_s3.IBucket`), or its name or ARN; a bucket of the stack
                unless given.
            refresh: Only with a ref: any text; another one has a tag or branch resolved anew.
            ca_certificates: Only with a ref: in PEM, for a server whose certificate a private authority has issued.
        """
        extras: dict[str, Any] = {"bucket": bucket, "refresh": refresh, "ca_certificates": ca_certificates}
        if ref is not None:
            return PinnedGitSource(url=url, ref=ref, path=path, credential=credential, username=username, **extras)
        auth: Any = None
        if credential is not None or username is not None:
            auth = HarnessSkillGitAuth.draft(
                credential_arn=ABSENT if credential is None else provider_arn(credential),
                username=username,
            )
        source: Any = HarnessSkillGitSource.draft(url=url, path=path, auth=auth)
        if unused := [name for name, value in extras.items() if value is not None]:
            must, fix = "must have a ref for what only pinned skills take", "pass ref, or leave that out"
            source = Refused(must, " and ".join(unused), fix)
        return HarnessSkill.draft(git=source)

    @staticmethod
    def aws(*paths: str) -> HarnessSkill:
        """Skills AWS ships in its image.

        Args:
            *paths: Globs such as `core-skills/*`; every skill unless given.
        """
        return HarnessSkill.draft(aws_skills=HarnessSkillAwsSkillsSource.draft(paths=paths or None))


def _uri(bucket: Any, prefix: str | None) -> Any:
    if not isinstance(bucket, str):
        return bucket
    base = bucket if "://" in bucket else f"s3://{bucket}"
    # A directory, with a slash at its end, as the API's reference writes it: without, whatever has the same beginning
    # is listed too. https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_HarnessSkillS3Source.html
    return base if prefix is None else f"{base.rstrip('/')}/{prefix.strip('/')}/"
