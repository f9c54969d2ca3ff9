"""The commands that build an image on CodeBuild, and the environment they read. Pure.

Nothing of the user's is written into a command: values travel in environment variables, so no text can become shell.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcore_constructs.config.image import BuildSecret

VERSION = "1"
"""Raised when other commands make another image of the same source, so that it is built anew."""

_ARGUMENT = "BUILD_ARG_{}"
_SECRET = "BUILD_SECRET_{}"  # noqa: S105  (the name of a variable)
_REFERENCE = '"$IMAGE_REPOSITORY:$IMAGE_TAG"'
_EXISTS = (
    'aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="$IMAGE_TAG" > /dev/null 2>&1'
)


def buildspec(*, arguments: int, secrets: Sequence[str], target: bool) -> dict[str, Any]:
    """Returns the buildspec.

    Args:
        arguments: How many build arguments there are.
        secrets: Names of the build secrets.
        target: Whether a stage is named.
    """
    build = ["docker build", "--platform linux/arm64", '--file "$DOCKERFILE"', f"--tag {_REFERENCE}"]
    build += ['--target "$DOCKER_TARGET"'] if target else []
    build += [f'--build-arg "${_ARGUMENT.format(number)}"' for number in range(arguments)]
    build += [f"--secret id={name},env={_SECRET.format(number)}" for number, name in enumerate(secrets)]
    login = 'aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE_REPOSITORY%%/*}"'
    return {
        "version": "0.2",
        "phases": {
            "pre_build": {"commands": [login], "on-failure": "ABORT"},
            # A push may have happened already when a build is repeated, and the tag is taken once.
            "build": {
                "commands": [" ".join([*build, "."]), f"docker push {_REFERENCE} || {_EXISTS}"],
                "on-failure": "ABORT",
            },
        },
    }


def variables(
    *,
    repository_name: str,
    repository_uri: str,
    file: str,
    target: str | None,
    arguments: Mapping[str, str],
    secrets: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Returns the environment: name → (type, value).

    Args:
        repository_name: Of the repository the image goes to.
        repository_uri: Its URI, without a tag.
        file: The Dockerfile, within the source.
        target: The stage to build.
        arguments: Build arguments.
        secrets: Build secrets: name → reference to a secret of Secrets Manager, whose text CodeBuild masks in its log.
    """
    plain = {
        "DOCKER_BUILDKIT": "1",
        "BUILDKIT_PROGRESS": "plain",
        # With an attestation beside it the digest would be that of an index, not that of the image.
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        "IMAGE_REPOSITORY": repository_uri,
        "REPOSITORY_NAME": repository_name,
        "DOCKERFILE": file,
        **({"DOCKER_TARGET": target} if target is not None else {}),
        **{_ARGUMENT.format(number): f"{name}={value}" for number, (name, value) in enumerate(arguments.items())},
    }
    hidden = {_SECRET.format(number): reference for number, reference in enumerate(secrets.values())}
    return {
        **{name: ("PLAINTEXT", value) for name, value in plain.items()},
        **{name: ("SECRETS_MANAGER", reference) for name, reference in hidden.items()},
    }


def secret_reference(secret_arn: str, build_secret: BuildSecret) -> str:
    """Returns how an environment variable of CodeBuild names a secret: `<arn>[:<field>]`."""
    return secret_arn if build_secret.json_field is None else f"{secret_arn}:{build_secret.json_field}"
