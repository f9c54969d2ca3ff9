"""What a build on CodeBuild is refused for, before anything is made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.tokens import is_token

from . import context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentcore_constructs.config.image import BuildSecret, ImageSource

# A custom resource has an hour for all, of which a build may wait in the queue for some minutes.
_MINUTES = range(5, 51)
_ARGUMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# CloudFormation would put the secret in its place, for everybody to read in the project.
_SECRET_REFERENCE = re.compile(r"\{\{resolve:(?:secretsmanager|ssm-secure):")
_SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def checked(source: ImageSource, faults: Sequence[Fault]) -> context.Context:
    """Checks the source as well, so that all faults are told at once.

    Raises:
        HarnessConfigError: With every fault there is.
    """
    try:
        read = context.checked(source, on_arm=True)
    except HarnessConfigError as error:
        raise HarnessConfigError([*error.faults, *faults]) from None
    if faults:
        raise HarnessConfigError(faults)
    return read


def repository_faults(repository: Any, key: Any, most: int) -> Iterator[Fault]:
    """Yields what is wrong with where images go."""
    if repository is not None and key is not None:
        fix = "set the key of that repository where it is made"
        yield Fault("encryptionKey", "must be left out when the repository is given", "both", fix)
    if not is_token(most) and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        yield Fault("maxImages", "must be a whole number of at least 1", received(most), "keep the image in use")


def build_faults(source: ImageSource, secrets: Mapping[str, BuildSecret], minutes: float) -> Iterator[Fault]:
    """Yields what is wrong with what a build is given."""
    for name in source.build_args:
        if not _ARGUMENT_NAME.fullmatch(name):
            must = "must be named with letters, digits and '_', as an ARG"
            yield Fault(f"buildArgs['{name}']", must, received(name), "name it as the Dockerfile's ARG")
    for name, one in secrets.items():
        if not _SECRET_NAME.fullmatch(name):
            must = "must be named with 1–64 letters, digits, '.', '_' and '-', as the id of a secret mount"
            yield Fault(f"buildSecrets['{name}']", must, received(name), "name it as in --mount=type=secret,id=…")
        if not hasattr(one.secret, "grant_read"):
            fix = "pass the Secret, or Secret.from_secret_complete_arn(…)"
            must = "must be a secret of Secrets Manager (ISecret), or a BuildSecret of one"
            yield Fault(f"buildSecrets['{name}']", must, received(one.secret, sensitive=True), fix)
    if minutes not in _MINUTES:
        must = f"must be a whole number of minutes, {_MINUTES[0]}–{_MINUTES[-1]}"
        yield Fault("timeout", must, f"{minutes:g} minutes", "choose a time in that range, or make the build shorter")


def secret_faults(resolved_args: Mapping[str, Any]) -> Iterator[Fault]:
    """Yields the build arguments that would become secrets in plain text.

    Args:
        resolved_args: Build arguments as they are in the template.
    """
    for name, value in resolved_args.items():
        if _SECRET_REFERENCE.search(json.dumps(value)):
            fix = f"pass the secret itself: build_secrets={{'{name.lower()}': secret}}"
            must = "must be no secret, since build arguments are plain text"
            yield Fault(f"buildArgs['{name}']", must, "a reference to a secret", fix)
