"""A module that has no place in Lambda."""

from __future__ import annotations

import aws_cdk  # noqa: F401

from agentcore_lambdas.tools import tool


@tool
def build() -> str:
    """Builds a stack."""
    return "built"
