"""Puts Python code and what it requires into one zip for Lambda, without Docker, once per content.

The zip's name is a hash of what goes in: sources, requirements, platform. What has been packaged before is neither
downloaded nor zipped again, and the same content has the same hash on every machine.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .installer import HOME_VARIABLE, PackagingError, Target, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOT_IN_LAMBDA = frozenset({"aws_cdk", "constructs", "jsii", "agentcore_constructs"})
"""What has no place in Lambda: the CDK starts a Node process when it is imported."""
CACHE_VARIABLE = "AGENTCORE_HARNESS_CDK_CACHE"
_FORMAT = "1"  # part of every hash: raised when the layout of the zip changes
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that zip can say; the real one would change the content
_LEFT_OUT = frozenset({"__pycache__", ".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store"})
# What installers write about themselves.
_TRACES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})


@dataclass(frozen=True)
class Zip:
    """Code packaged for Lambda.

    Attributes:
        path: The file, in the cache.
        content_hash: Of what went in.
    """

    path: Path
    content_hash: str


def packaged(
    sources: Sequence[Path | str],
    requirements: Sequence[str] | Path,
    target: Target,
    *,
    leave_out: str | None = None,
) -> Zip:
    """Packages code.

    Args:
        sources: Files and folders, each put at the top of the zip under its own name; or names of modules, found as
            `import` finds them. Modules of a folder that import the CDK stay behind: an app's stacks are often next
            to its functions, and would have them deployed anew with every change.
        requirements: Lines as in a requirements file, or the path of one. Pin them: what was packaged once is not
            looked up again.
        target: What the wheels are for.
        leave_out: Regular expression of paths within the zip that are left out.

    Raises:
        PackagingError: A source is not there, or requirements cannot be installed.
    """
    files = dict(_files(sources))
    lines = requirements.read_text(encoding="utf-8") if isinstance(requirements, Path) else "\n".join(requirements)
    wanted = hashlib.sha256(f"{_FORMAT}\n{target.machine}\n{target.python}\n{lines}".encode()).hexdigest()
    content_hash = _hashed(f"{wanted}\n{leave_out}", files)
    archive = cache() / "code" / f"{content_hash}.zip"
    if not archive.exists():
        installed = _installed(lines, wanted, target) if lines.strip() else None
        others = {} if installed is None else dict(_below(installed, ""))
        parts = {**others, **files}
        _zip({name: parts[name] for name in parts if not (leave_out and re.fullmatch(leave_out, name))}, archive)
    return Zip(archive, content_hash)


def cache() -> Path:
    """The folder that packaged code is kept in: `AGENTCORE_HARNESS_CDK_CACHE`, or the user's cache folder."""
    if (given := os.environ.get(CACHE_VARIABLE)) is not None:
        return Path(given)
    home = Path(os.environ.get(HOME_VARIABLE) or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "agentcore-harness-cdk"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "agentcore-harness-cdk" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "agentcore-harness-cdk"


def _files(sources: Sequence[Path | str]) -> Iterator[tuple[str, Path]]:
    for source in sources:
        path = source if isinstance(source, Path) else _module(source)
        if path.is_dir():
            yield from (part for part in _below(path, f"{path.name}/") if not _imports_the_cdk(part[1]))
        elif path.is_file():
            yield path.name, path
        else:
            raise PackagingError(f"the code of a Lambda function must be a file or a folder; there is no {path}")


def _module(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec is None or spec.origin is None:
        raise PackagingError(f"the code of a Lambda function must be importable; there is no module {name!r}")
    return Path(spec.origin)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if path.name in _LEFT_OUT or path.suffix == ".pyc":
            continue
        if path.is_dir():
            if not (prefix == "" and path.name == "bin"):  # scripts, with the path of this machine's Python in them
                yield from _below(path, f"{prefix}{path.name}/")
        elif not (path.name in _TRACES and prefix.endswith(".dist-info/")) and path.name != ".lock":
            yield f"{prefix}{path.name}", path


def _imports_the_cdk(path: Path) -> bool:
    """Tells whether a module imports the CDK at its top."""
    if path.suffix != ".py":
        return False
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError):  # Lambda will say what is wrong with it
        return False
    for node in body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level and node.module is not None:
            names = [node.module]
        if any(name.partition(".")[0] in NOT_IN_LAMBDA for name in names):
            return True
    return False


def _hashed(wanted: str, files: dict[str, Path]) -> str:
    digest = hashlib.sha256(wanted.encode())
    for name in sorted(files):
        content = hashlib.sha256(files[name].read_bytes()).hexdigest()
        digest.update(f"\n{name}\0{content}".encode())
    return digest.hexdigest()


def _installed(lines: str, wanted: str, target: Target) -> Path:
    """Returns a folder with the requirements; installed into another first, so that none is ever half full."""
    folder = cache() / "requirements" / wanted
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text(lines, encoding="utf-8")
        fresh = Path(scratch, "installed")
        fresh.mkdir()
        install(listed, fresh, target)
        _moved(fresh, folder)
    return folder


def _zip(parts: dict[str, Path], archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="zipping-") as scratch:
        fresh = Path(scratch, archive.name)
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
            for name in sorted(parts):
                entry = zipfile.ZipInfo(name, _MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if os.access(parts[name], os.X_OK) else 0o644) << 16
                target.writestr(entry, parts[name].read_bytes())
        fresh.replace(archive)


def _moved(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.exists():  # else somebody else has installed the same meanwhile
            shutil.move(fresh, folder)
