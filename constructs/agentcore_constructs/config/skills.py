"""Bundles of instructions and files that the agent pulls into its context on demand.

Limits are those of botocore's `HarnessSkill`; the sources are described in
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from .cdk import HasBucketName, HasCredentialProviderArn, HasKeyArn, attribute, found
from .errors import ABSENT
from .model import ApiKeyArn
from .node import Node, OneOf
from .primitives import Companion, Items, Text


class HarnessSkillS3Source(Node):
    """A skill in S3.

    Attributes:
        uri: `s3://bucket/prefix`, 5–16383 characters.
        encryption_key_arn: ARN of the customer key that encrypts the objects, so that the role may decrypt them.
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

    url: Annotated[
        str,
        Text(
            "an https:// URL without '#' or '@'",
            "write the repository's HTTPS URL, without a branch, a commit or credentials",
            min=8,
            max=16383,
            pattern=r"https://[^#@]+",
            sensitive=True,
        ),
    ]
    path: Annotated[str, Text("a directory in the repository", "write a path")] | None = None
    auth: HarnessSkillGitAuth | None = None


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


class HarnessSkill(OneOf):
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
            prefix: Where in the bucket (or below the URI) the skill is.
            encryption_key: The customer key that encrypts the objects; that of a bucket object is found by itself.
        """
        key = encryption_key or found(bucket, "encryption_key")
        name = attribute(bucket, "bucket_name", "ref")
        return HarnessSkill.draft(
            s3=HarnessSkillS3Source.draft(
                uri=_uri(name, prefix), encryption_key_arn=attribute(key, "key_arn", "attr_arn")
            )
        )

    @staticmethod
    def git(
        url: str,
        *,
        path: str | None = None,
        credential: str | HasCredentialProviderArn | None = None,
        username: str | None = None,
    ) -> HarnessSkill:
        """A skill in a Git repository, at the head of its default branch.

        Args:
            url: The repository's `https://` URL, without a branch, a commit or credentials.
            path: Directory of the skill within the repository.
            credential: For a private repository: the API-key credential provider that stores the token, or its ARN.
            username: `oauth2` unless given; only together with a credential.
        """
        auth: Any = None
        if credential is not None or username is not None:
            auth = HarnessSkillGitAuth.draft(
                credential_arn=ABSENT
                if credential is None
                else attribute(credential, "credential_provider_arn", "attr_credential_provider_arn"),
                username=username,
            )
        return HarnessSkill.draft(git=HarnessSkillGitSource.draft(url=url, path=path, auth=auth))

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
    return base if prefix is None else f"{base.rstrip('/')}/{prefix.lstrip('/')}"
