"""Makes the code of Lambda functions run on this machine: compiled packages are swapped for those of its platform.

A zip for Lambda holds the wheels of Lambda's machine, most often arm64 with a Python of its own; functions run here
with the interpreter of the local cloud. What a zip or a layer says of its compiled packages is in their `*.dist-info`
(https://packaging.python.org/en/latest/specifications/binary-distribution-format/): those whose tags do not fit are
installed for this machine in the same version, once, into a cache, and laid over the unpacked code.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import parse_tag, sys_tags

from .process import LocalCloudError

# The variables and the cache folder are those of agentcore_constructs.functions, which packages such zips.
_CACHE_VARIABLE = "AGENTCORE_HARNESS_CDK_CACHE"
_HOME_VARIABLE = "AGENTCORE_HARNESS_CDK_HOME"
# Where packages are in a function's zip, and in a layer
# (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html).
_PLACES = ("", "python", "python/lib/python3.*/site-packages")
_TAIL = 800
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Package:
    """A distribution in unpacked code, made for another machine.

    Attributes:
        name: As its dist-info folder spells it.
        version: Exactly.
        folder: That it is unpacked in, beside its dist-info folder.
    """

    name: str
    version: str
    folder: Path


def fit(folder: Path) -> None:
    """Replace the packages in unpacked code that are not for this machine by the same ones that are.

    Raises:
        LocalCloudError: One cannot be had; the sentence says which, and why.
    """
    for package in foreign(folder):
        ours = _installed(package.name, package.version)
        shutil.rmtree(package.folder / f"{package.name}-{package.version}.dist-info")
        shutil.copytree(ours, package.folder, dirs_exist_ok=True)


def foreign(folder: Path) -> list[Package]:
    """The packages in unpacked code that this interpreter cannot import, by the tags of their wheels."""
    places = [place for pattern in _PLACES for place in (folder.glob(pattern) if pattern else (folder,))]
    found = []
    for wheel in (file for place in places for file in sorted(place.glob("*.dist-info/WHEEL"))):
        tags = re.findall(r"^Tag:\s*(\S+)", wheel.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if tags and not any(_fits(tag) for tag in tags):
            name, _, version = wheel.parent.name.removesuffix(".dist-info").partition("-")
            found.append(Package(name, version, wheel.parent.parent))
    return found


def _fits(tag: str) -> bool:
    return not _supported().isdisjoint(parse_tag(tag))


@functools.cache
def _supported() -> frozenset[object]:
    return frozenset(sys_tags())


def _installed(name: str, version: str) -> Path:
    """A folder with a package for this machine; filled elsewhere and moved, so that it is never found half full."""
    folder = _cache() / "local-wheels" / f"{name}-{version}-{next(iter(sys_tags()))}"
    with _LOCK:  # functions start on threads of their own, often several with the same packages
        if folder.exists():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as scratch:
            fresh = Path(scratch, "installed")
            _install(f"{name}=={version}", fresh)
            try:
                fresh.rename(folder)
            except OSError:
                if not folder.exists():  # else another local cloud has installed the same meanwhile
                    raise
    return folder


def _install(requirement: str, folder: Path) -> None:
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} on {sysconfig.get_platform()}"
    environment = dict(os.environ)
    if _HOME_VARIABLE in environment:
        environment["HOME"] = environment[_HOME_VARIABLE]
    # Our own command, with the name and the version of a package as its only words from elsewhere.
    done = subprocess.run(  # noqa: S603
        [*_installer(requirement), "--no-deps", "--only-binary", ":all:", "--target", str(folder), requirement],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-_TAIL:]
        raise LocalCloudError(
            f"{requirement} in the code of a Lambda function is for another machine, and could not be installed for "
            f"{here}; name a version that has a wheel for both, or run the local cloud with the function's Python, "
            f"and check the network and the index: {said}"
        )


def _installer(requirement: str) -> list[str]:
    if (uv := _uv()) is not None:
        return [uv, "pip", "install", "--quiet", "--no-progress", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    raise LocalCloudError(
        f"{requirement} in the code of a Lambda function is for another machine, and there is neither uv nor pip to "
        "install it for this one; run `pip install uv`"
    )


def _uv() -> str | None:
    if importlib.util.find_spec("uv") is None:
        return shutil.which("uv")
    from uv import find_uv_bin  # noqa: PLC0415  (optional: pip does as well)

    return str(find_uv_bin())


def _cache() -> Path:
    if (given := os.environ.get(_CACHE_VARIABLE)) is not None:
        return Path(given)
    home = Path(os.environ.get(_HOME_VARIABLE) or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "agentcore-harness-cdk"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "agentcore-harness-cdk" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "agentcore-harness-cdk"
