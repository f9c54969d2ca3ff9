"""Putting our services into ministack: routes, CloudFormation types, Step Functions, permissions. At every start."""

from __future__ import annotations

import sys
from typing import Any

from . import iam, seams
from .cfn import custom_resources, registry
from .cfn.generic import RECORDS
from .faults import TaskFailed
from .harness import api
from .harness.store import STORE
from .process import PROCESS, LocalCloudError

_INVOKE_HARNESS = "arn:aws:states:::bedrockagentcore:invokeHarness"


def compose(*, iam_enabled: bool) -> None:
    """Import ministack, verify it is the one we know, and add what it lacks.

    Raises:
        LocalCloudError: The `[local]` extra is not installed.
        SeamBrokenError: ministack is not the version this package composes with.
    """
    try:
        seams.load()
    except ImportError as missing:
        raise LocalCloudError(
            f"the local cloud needs packages that are not installed ({missing.name}); "
            "install agentcore-harness-cdk[local]"
        ) from missing
    seams.check()
    iam.Switch.enabled = iam_enabled
    seams.keep_away_from_docker()
    seams.count_loopback_as_tls()
    seams.lambda_surroundings(PROCESS.lambda_environment, lambda: str(PROCESS.folder))
    seams.route_agentcore(api.in_front_of)
    registry.register()
    custom_resources.install()
    seams.task_integration(_INVOKE_HARNESS, _invoke_harness)


def reset() -> None:
    """Forget everything, in every account: ministack's services, harnesses, recorded resources, sessions."""
    seams.reset_all()
    STORE.reset()
    RECORDS.reset()
    agents = _agents()
    if agents:
        agents.reset()


def shut_down() -> None:
    """End what outlives the event loop: Lambda workers, the agents' thread; then forget everything."""
    seams.end_lambda_workers()
    agents = _agents()
    if agents:
        agents.shutdown()
    reset()
    seams.forget_loop()


def _agents() -> Any:
    """The agents' package, if anything has used it: importing it takes most of a second."""
    return sys.modules.get("agentcore_local.agents")


def _invoke_harness(resource: str, arguments: dict[str, Any]) -> Any:
    from . import stepfunctions  # noqa: PLC0415 - loads the agents

    account, region = seams.current_scope()
    try:
        return stepfunctions.invoke_harness(resource, arguments, account=account, region=region)
    except TaskFailed as failure:
        raise seams.task_error(failure.error, failure.cause) from failure
