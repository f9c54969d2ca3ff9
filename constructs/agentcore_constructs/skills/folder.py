"""Reads the folder of a skill: what belongs to it, whether it is a skill at all, and one hash over everything."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentcore_constructs.config import Fault
from agentcore_constructs.config.errors import received

from .front_matter import RECOMMENDED_LINES, WHERE, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 100 << 20
"""The service stops at 1 GB for each skill, and so much is fetched whenever a session starts
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html)."""
MOST_FILES = 2000

_SKILL = "SKILL.md"
_LEFT_OUT = frozenset({".git", ".hg", ".svn", "__pycache__", ".DS_Store", "Thumbs.db", ".venv", "node_modules"})


@dataclass
class Folder:
    """A skill on this machine.

    Attributes:
        name: Of the folder, which is that of the skill.
        files: Path within the skill → file.
        content_hash: Of paths and contents: S3 keeps no permissions.
        faults: Why it is none.
        long: How many lines SKILL.md has, when it has more than recommended.
    """

    name: str
    files: dict[str, Path] = field(default_factory=dict)
    content_hash: str = ""
    faults: list[Fault] = field(default_factory=list)
    long: int | None = None


def read(directory: str | os.PathLike[str]) -> Folder:
    """Reads a folder; its faults tell whether it is a skill."""
    if not isinstance(directory, (str, os.PathLike)):
        fix = "name the directory that holds SKILL.md"
        return Folder("", faults=[Fault(WHERE, "must be the path of a directory", received(directory), fix)])
    shown = Path(directory)
    root = Path(os.path.abspath(shown))  # noqa: PTH100  (links stay: the folder's name is the skill's)
    found = Folder(root.name)
    if not root.is_dir():
        given = "a file" if root.is_file() else "none"
        fix = "name the directory that holds SKILL.md; it is looked up from where the app runs"
        found.faults.append(Fault(WHERE, f"must be a directory ({shown})", given, fix))
        return found
    found.files = dict(sorted(_below(root, "", found.faults, shown)))
    found.faults += _size_faults(found.files, shown)
    found.faults += _skill_faults(found, root, shown)
    if not found.faults:
        found.content_hash = _hash(found.files)
    return found


def _below(root: Path, prefix: str, faults: list[Fault], shown: Path) -> Iterator[tuple[str, Path]]:
    for entry in sorted(root.joinpath(prefix).iterdir()):
        path = f"{prefix}{entry.name}"
        if entry.name in _LEFT_OUT:
            continue
        if entry.is_symlink() and (fault := _link_fault(root, entry, shown / path)):
            faults.append(fault)
            continue
        if entry.is_dir():
            yield from _below(root, f"{path}/", faults, shown)
        elif entry.is_file():
            yield path, entry


def _link_fault(root: Path, link: Path, shown: Path) -> Fault | None:
    """What is wrong with a symbolic link: files stay in the skill, and directories are where they are."""
    target = Path(os.path.realpath(link))
    if not target.is_relative_to(os.path.realpath(root)):
        must, given = f"must not lead out of the skill ({shown})", "a symbolic link that does"
        return Fault(WHERE, must, given, "put a copy of the file there")
    if not target.is_file():
        given = "a symbolic link to a directory" if target.is_dir() else "a symbolic link to nothing"
        return Fault(WHERE, f"must have symbolic links to files only ({shown})", given, "remove it")
    return None


def _size_faults(files: dict[str, Path], shown: Path) -> Iterator[Fault]:
    fix = "name a smaller directory, or bake it into the image (Skill.path)"
    if len(files) > MOST_FILES:
        yield Fault(WHERE, f"must have at most {MOST_FILES} files ({shown})", f"{len(files)}", fix)
    size = sum(file.stat().st_size for file in files.values())
    if size > MOST_BYTES:
        most = f"must have at most {MOST_BYTES >> 20} MiB ({shown})"
        yield Fault(WHERE, most, f"{size / (1 << 20):.1f} MiB", fix)


def _skill_faults(found: Folder, root: Path, shown: Path) -> Iterator[Fault]:
    if _SKILL not in found.files:
        near = next((path for path in found.files if path.lower() == _SKILL.lower()), None)
        inner = next((path for path in found.files if path.endswith(f"/{_SKILL}")), None)
        fix = f"name {shown / inner}'s directory" if inner else "write one, with name and description"
        yield Fault(WHERE, f"must have a file {_SKILL} ({shown})", near or "none", f"rename {near}" if near else fix)
        return
    try:
        text = root.joinpath(_SKILL).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        yield Fault(WHERE, f"must be UTF-8 ({shown / _SKILL})", "another encoding", "save it as UTF-8")
        return
    yield from faults_of(text, shown=str(shown / _SKILL), directory=found.name)
    lines = len(text.splitlines())
    found.long = lines if lines > RECOMMENDED_LINES else None


def _hash(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for path, file in files.items():
        digest.update(f"{path}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
