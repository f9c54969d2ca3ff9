"""Stacks of images, for the tests over all capabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from agentcore_constructs import BuildSecret, Harness, HarnessImage
from agentcore_constructs.image import CodeBuildImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

SOURCE = Path(__file__).parent / "image_source"
_SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:package-index-AbCdEf"


def image_from_asset(stack: Construct) -> None:
    Harness(stack, "Agent", image=HarnessImage.from_asset(SOURCE, build_args={"PANDAS": "2.3.3"}))


def image_from_codebuild(stack: Construct) -> None:
    secret = secretsmanager.Secret.from_secret_complete_arn(stack, "Index", _SECRET)
    base = ecr.Repository.from_repository_name(stack, "Base", "base-images")
    Harness(
        stack,
        "Agent",
        image=HarnessImage.from_codebuild(
            SOURCE,
            target="agent",
            build_args={"PANDAS": "2.3.3"},
            build_secrets={"index": BuildSecret(secret, "url")},
            base_repositories=[base],
        ),
    )


def image_alone(stack: Construct) -> None:
    image = CodeBuildImage(stack, "Image", directory=SOURCE, max_images=5)
    image.grant_pull(iam.Role(stack, "Puller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))


CAPABILITIES: tuple[Callable[[Construct], None], ...] = (image_from_asset, image_from_codebuild, image_alone)
