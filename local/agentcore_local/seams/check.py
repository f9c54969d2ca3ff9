"""The list of all assumptions about ministack, and the check of it when the cloud starts."""

from __future__ import annotations

import importlib.metadata

from . import (
    cfn,
    checked_resources,
    custom_resources,
    function_urls,
    iam,
    images,
    lambda_errors,
    lambdas,
    logs,
    memory,
    persistence,
    resources,
    scheduler,
    scope,
    server,
    states_language,
    stepfunctions,
)
from .base import MINISTACK_VERSION, Seam, SeamBrokenError

_TOPICS = (
    server,
    scope,
    memory,
    logs,
    cfn,
    custom_resources,
    lambdas,
    lambda_errors,
    function_urls,
    stepfunctions,
    states_language,
    scheduler,
    iam,
    checked_resources,
    resources,
    persistence,
    images,
)
SEAMS: tuple[Seam, ...] = tuple(seam for topic in _TOPICS for seam in topic.SEAMS)


def check() -> None:
    """Verify every assumption about ministack.

    Raises:
        SeamBrokenError: A sentence that names the version or the symbols that differ.
    """
    version = importlib.metadata.version("ministack")
    if version != MINISTACK_VERSION:
        raise SeamBrokenError(
            f"agentcore_local composes ministack {MINISTACK_VERSION}, but {version} is installed; "
            f"install ministack=={MINISTACK_VERSION}"
        )
    problems = [problem for seam in SEAMS if (problem := seam.problem())]
    if problems:
        raise SeamBrokenError(
            f"ministack {version} is not what agentcore_local composes with: {'; '.join(problems)}; "
            "reinstall ministack or report it with this sentence"
        )
