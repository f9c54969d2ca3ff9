"""Putting our services into ministack: routes, CloudFormation types, Step Functions, permissions. Done at every start."""

from __future__ import annotations

import contextlib

from . import iam, seams
from .cfn import registry
from .harness import api
from .harness.store import STORE


def compose(*, iam_enabled: bool) -> None:
    """Import ministack, verify it is the one we know, and add what it lacks."""
    seams.load()
    seams.check()
    iam.Switch.enabled = iam_enabled
    seams.keep_away_from_docker()
    seams.route_agentcore(api.in_front_of)
    registry.register()


def reset() -> None:
    """Forget everything, in every account: ministack's services, harnesses, sessions."""
    seams.reset_all()
    STORE.reset()
    _reset_agents()


def shut_down() -> None:
    """End what outlives the event loop."""
    seams.end_lambda_workers()
    seams.forget_loop()
    reset()


def _reset_agents() -> None:
    with contextlib.suppress(ImportError):
        from . import agents  # noqa: PLC0415 - loads Strands

        agents.reset()
