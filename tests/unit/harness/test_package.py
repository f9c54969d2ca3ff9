"""The package's front door."""

from __future__ import annotations

import subprocess
import sys

import pytest

import agentcore_constructs
from agentcore_constructs import harness


def test_the_configuration_is_imported_without_the_cdk() -> None:
    code = "import sys, agentcore_constructs.config; sys.exit({'aws_cdk', 'jsii', 'boto3'} & set(sys.modules) != set())"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", agentcore_constructs.__all__)
def test_what_is_public_is_there(name: str) -> None:
    assert getattr(agentcore_constructs, name) is not None
    assert name in dir(agentcore_constructs)


def test_every_construct_is_public() -> None:
    assert set(harness.__all__) - {"iam_reference"} <= set(agentcore_constructs.__all__)


def test_what_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(AttributeError, match="module 'agentcore_constructs' has no attribute 'Harnes'"):
        _ = agentcore_constructs.Harnes  # type: ignore[attr-defined]
