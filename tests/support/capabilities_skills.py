"""Stacks of skills that are copied to S3, for the tests over all capabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from agentcore_constructs import DirectorySkill, Harness, PinnedGitSkill, Skill

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "mirror" / "skills" / "docx"
_VAULT = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default"


def skills_copied(stack: Construct) -> None:
    Harness(
        stack,
        "Agent",
        skills=[
            Skill.from_directory(FOLDER),
            Skill.git("https://git.example.com/public.git", ref="v1.2.0", path="skills/report"),
            Skill.git(
                "https://git.example.com/private.git",
                ref="0123456789abcdef0123456789abcdef01234567",
                credential=f"{_VAULT}/apikeycredentialprovider/git",
                username="robot",
            ),
        ],
    )


def skills_of_their_own(stack: Construct) -> None:
    """Without a harness, in a bucket with a key, for a role of somebody else's."""
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    bucket = s3.Bucket.from_bucket_attributes(
        stack, "Bucket", bucket_arn="arn:aws:s3:::agent-skills", encryption_key=key
    )
    reader = iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com"))
    folder = DirectorySkill(stack, "Folder", directory=FOLDER, bucket=bucket)
    commit = PinnedGitSkill(stack, "Commit", url="https://git.example.com/x", ref="main", refresh="1", bucket=bucket)
    folder.grant_read(reader)
    commit.grant_read(reader)
    Harness(stack, "Agent", skills=[folder.skill, commit.skill])


CAPABILITIES: tuple[Callable[[Construct], None], ...] = (skills_copied, skills_of_their_own)
