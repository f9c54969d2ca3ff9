"""Harnesses to invoke from workflow states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcore_constructs import Harness, HarnessBase

if TYPE_CHECKING:
    import aws_cdk as cdk


@pytest.fixture
def harness(stack: cdk.Stack) -> Harness:
    """One without a time limit of its own."""
    return Harness(stack, "Agent")


@pytest.fixture
def imported(stack: cdk.Stack) -> HarnessBase:
    """One of which only the ARN is known."""
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/Known-0123456789"
    return Harness.from_harness_arn(stack, "Known", arn)
