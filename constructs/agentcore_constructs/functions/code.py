"""Packaged code as the CDK takes it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from agentcore_lambdas.services import SERVICES

from .installer import Target
from .packaging import Zip, packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = "3.14"
"""Version of Python our functions run on."""
RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.ARM_64
"""Architecture of our functions: cheaper per millisecond, and that of the harness's own images."""

_MACHINES = {lambda_.Architecture.ARM_64.name: "aarch64", lambda_.Architecture.X86_64.name: "x86_64"}
_OWN = "agentcore_lambdas"
_ENDPOINTS = "partitions.json|endpoints.json|sdk-default-configuration.json|_retry.json"
_OTHER_SERVICES = rf"botocore/data/(?!(?:{'|'.join(SERVICES)})/|{_ENDPOINTS}).*|boto3/(?:examples|data)/.*"


def python_code(
    *,
    packages: Sequence[Path | str],
    requirements: Sequence[str] | Path = (),
    architecture: lambda_.Architecture = ARCHITECTURE,
    python: str = PYTHON,
) -> lambda_.Code:
    """Packages Python code and what it requires, without Docker.

    What was packaged once is kept in the user's cache folder (`AGENTCORE_HARNESS_CDK_CACHE` names another) under a hash
    of its content: a second synthesis downloads and zips nothing.

    Args:
        packages: Files and folders, each put at the top of the zip under its own name; or names of importable modules.
        requirements: Lines as in a requirements file, or the path of one; pin them. boto3 is part of Lambda's runtime,
            though in an older version.
        architecture: Of the function.
        python: Version of Python of the function's runtime, such as `3.14`.

    Raises:
        PackagingError: A source is not there, or requirements have no wheel for the platform.
    """
    return _asset(packaged(packages, requirements, Target(_MACHINES[architecture.name], python)))


def own_code() -> lambda_.Code:
    """Returns the code of our own functions: `agentcore_lambdas` with the pinned versions it requires."""
    return _asset(own_zip())


def own_zip() -> Zip:
    """Returns that code as a file."""
    pinned = Path(str(resources.files(_OWN).joinpath("requirements.txt")))
    return packaged([_OWN], pinned, Target(_MACHINES[ARCHITECTURE.name], PYTHON), leave_out=_OTHER_SERVICES)


def _asset(made: Zip) -> lambda_.Code:
    return lambda_.Code.from_asset(str(made.path), asset_hash=made.content_hash)
