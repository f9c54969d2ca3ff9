"""The harness construct, its role and its endpoints."""

from __future__ import annotations

from .base import HarnessBase, IEndpoint, IHarness
from .endpoint import HarnessEndpoint, Version
from .harness import Harness
from .iam_reference import iam_reference
from .metrics import MetricOptions
from .network import Network
from .role import HarnessExecutionRole

__all__ = [
    "Harness",
    "HarnessBase",
    "HarnessEndpoint",
    "HarnessExecutionRole",
    "IEndpoint",
    "IHarness",
    "MetricOptions",
    "Network",
    "Version",
    "iam_reference",
]
