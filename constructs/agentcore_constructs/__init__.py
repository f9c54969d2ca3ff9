"""Agents on Amazon Bedrock AgentCore harness: configuration, constructs, grants.

Only the configuration (`agentcore_constructs.config`) is free of the CDK; it can be imported by itself.
"""

from __future__ import annotations

from . import config
from .config import *  # noqa: F403  (everything the configuration exports is public here too)
from .harness import (
    Harness,
    HarnessBase,
    HarnessEndpoint,
    HarnessExecutionRole,
    IEndpoint,
    IHarness,
    MetricOptions,
    Version,
)

__all__ = [  # noqa: PLE0604  (a list of strings, spelled out where they are defined)
    *config.__all__,
    "Harness",
    "HarnessBase",
    "HarnessEndpoint",
    "HarnessExecutionRole",
    "IEndpoint",
    "IHarness",
    "MetricOptions",
    "Version",
]
