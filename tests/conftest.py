"""Fixtures every layer uses."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports jsii: its end-of-life banner would drown what a failing test prints.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
# The reference agents have a skill from GitHub, and tests need no network.
os.environ.setdefault(
    "AGENTCORE_GIT_MIRRORS",
    f"https://github.com/anthropics/skills={Path(__file__).resolve().parents[1] / 'examples' / 'mirror'}",
)

from typing import TYPE_CHECKING

import pytest
from support import (
    fuzz,  # noqa: F401 - loads the profile of the suite, and registers that of --hypothesis-profile=long
    synth,
)

if TYPE_CHECKING:
    import aws_cdk as cdk


@pytest.fixture
def stack() -> cdk.Stack:
    """A stack with a known account and Region, in an App of its own."""
    return synth.new_stack()
