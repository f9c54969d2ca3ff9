"""Installs requirements for another machine: the wheels of Lambda's platform, whatever this one is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOME_VARIABLE = "AGENTCORE_HARNESS_CDK_HOME"
"""Whose settings of pip and uv count, where HOME is a folder of the local cloud."""

# Amazon Linux 2023, which Lambda's Python runtimes since 3.12 are based on, has glibc 2.34.
_GLIBC = "2_28"
_TAIL = 1500


class PackagingError(RuntimeError):
    """Code could not be packaged for Lambda; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """What wheels are for.

    Attributes:
        machine: `aarch64` or `x86_64`.
        python: Version of Python: `3.13`.
    """

    machine: str
    python: str


def install(requirements: Path, folder: Path, target: Target) -> None:
    """Installs the requirements of a file into a folder; only wheels, since nothing can be built for another machine.

    Raises:
        PackagingError: There is neither uv nor pip, or they fail.
    """
    command = _command(requirements, folder, target)
    environment = dict(os.environ)
    if HOME_VARIABLE in environment:
        environment["HOME"] = environment[HOME_VARIABLE]
    # Our own commands, and a file of the user's, as when the user installs it.
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-_TAIL:]
        raise PackagingError(
            f"the requirements of a Lambda function could not be installed for {target.machine} and Python "
            f"{target.python}; name versions that have wheels for it, and check the network and the index: {said}"
        )


def _command(requirements: Path, folder: Path, target: Target) -> list[str]:
    if (uv := _uv()) is not None:
        platform = f"{target.machine}-manylinux_{_GLIBC}"
        return [
            uv, "pip", "install", "--quiet", "--no-progress", "--target", str(folder), "--python-platform", platform,
            "--python-version", target.python, "--only-binary", ":all:", "--requirements", str(requirements),
        ]  # fmt: skip
    if importlib.util.find_spec("pip") is not None:
        platforms = [f"manylinux{tag}_{target.machine}" for tag in ("2014", f"_{_GLIBC}")]
        return [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
            "--target", str(folder), *(word for tag in platforms for word in ("--platform", tag)),
            "--implementation", "cp", "--python-version", target.python, "--only-binary", ":all:",
            "--requirement", str(requirements),
        ]  # fmt: skip
    raise PackagingError(
        "the requirements of a Lambda function cannot be installed: there is neither uv nor pip; run `pip install uv`"
    )


def _uv() -> str | None:
    if importlib.util.find_spec("uv") is None:
        return shutil.which("uv")
    from uv import find_uv_bin  # noqa: PLC0415  (optional: pip does as well)

    return str(find_uv_bin())
