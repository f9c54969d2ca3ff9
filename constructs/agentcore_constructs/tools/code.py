"""Packages the user's functions with our runtime."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from agentcore_constructs.functions import PYTHON
from agentcore_constructs.functions.installer import Target
from agentcore_constructs.functions.packaging import packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN = "agentcore_lambdas"
# The SDK for Python is part of Lambda's runtime, and large; only the tracer's own requirement brings it along.
_SDK = ("boto3", "botocore", "s3transfer")
_RUNTIME_NEEDS = ("aws-lambda-powertools", "aws-xray-sdk", "pydantic")
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s\\;]+)")
_NAME = re.compile(r"\s*([A-Za-z0-9._-]+)")


def function_code(
    packages: Sequence[Path | str], requirements: Sequence[str] | Path, architecture: lambda_.Architecture
) -> lambda_.Code:
    """Packages functions, what they require, and our runtime with what it requires.

    Args:
        packages: Files, folders, or names of importable modules.
        requirements: Lines as in a requirements file, or the path of one.
        architecture: Of the function.

    Raises:
        PackagingError: A source is not there, or the requirements have no wheels for the platform.
    """
    machine = "aarch64" if architecture.name == lambda_.Architecture.ARM_64.name else "x86_64"
    own = requirements.read_text(encoding="utf-8").splitlines() if isinstance(requirements, Path) else requirements
    lines = [*_pins(own), *own]
    made = packaged([*packages, _OWN], lines, Target(machine, PYTHON), leave_out=_left_out(own))
    return lambda_.Code.from_asset(str(made.path), asset_hash=made.content_hash)


def _pins(own: Sequence[str]) -> list[str]:
    """Our runtime's requirements in the versions it is tested with, but for those that the user names."""
    text = resources.files(_OWN).joinpath("requirements.txt").read_text(encoding="utf-8")
    pinned = dict(_PIN.findall(text))
    named = _names(own)
    return [f"{name}=={pinned[name]}" for name in _RUNTIME_NEEDS if name not in named]


def _left_out(own: Sequence[str]) -> str | None:
    """What Lambda brings itself, unless the user asks for a version of it."""
    if _names(own) & set(_SDK):
        return None
    return rf"(?:{'|'.join(_SDK)})(?:-[^/]*\.dist-info)?/.*"


def _names(lines: Sequence[str]) -> set[str]:
    found = (_NAME.match(line) for line in lines)
    return {match[1].lower().replace("_", "-") for match in found if match is not None}
