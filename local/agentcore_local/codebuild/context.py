"""What `docker build` would say of a context, as far as reading tells. Nothing is run."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .commands import Build

_EXIT = re.compile(r"exit\s+(\d+)")
_FROM = re.compile(r"(?:--platform=(?P<platform>\S+)\s+)?(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)")
_MOUNTED_SECRET = re.compile(r"--mount=\S*type=secret\S*")
_OURS = "linux/arm64"


class BuildFailed(Exception):  # noqa: N818  (reads as what it says)
    """The build would fail; the text is what Docker would say."""


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile: its line, its word in capitals, and the rest of it on one line."""

    line: int
    word: str
    rest: str


def built(source: zipfile.ZipFile, build: Build, environment: Mapping[str, str], say: Callable[[str], None]) -> str:
    """Follows a `docker build` by reading.

    Args:
        source: What CodeBuild unpacked.
        build: The command.
        environment: Of the build.
        say: Writes a line of the log.

    Returns:
        The digest of all that makes the image.

    Raises:
        BuildFailed: Docker would fail as well.
    """
    root = posixpath.normpath(build.context)
    files = sorted(_within(source, root))
    name = posixpath.normpath(build.file or posixpath.join(root, "Dockerfile"))
    if name not in source.namelist():
        raise BuildFailed(f"ERROR: failed to read dockerfile: open {name}: no such file or directory")
    text = source.read(name).decode(errors="replace")
    if build.platform not in (None, _OURS):
        raise BuildFailed(f"ERROR: {build.platform} is not the platform of the build environment ({_OURS})")
    found = list(instructions(text))
    chosen = _chosen(found, build.target)
    for instruction in found[:chosen]:
        _check(instruction, files, build, environment, say)
    content = hashlib.sha256(json.dumps([text, build.target, sorted(build.arguments.items())]).encode())
    for file in files:
        content.update(file.encode() + b"\0" + source.read(posixpath.normpath(posixpath.join(root, file))) + b"\0")
    return f"sha256:{content.hexdigest()}"


def _within(source: zipfile.ZipFile, root: str) -> Iterator[str]:
    for name in source.namelist():
        if name.endswith("/"):
            continue
        if root == ".":
            yield name
        elif name.startswith(f"{root}/"):
            yield name[len(root) + 1 :]


def instructions(text: str) -> Iterator[Instruction]:
    """Yields the instructions, with continued lines joined and the text of here-documents left out."""
    lines, number = text.splitlines(), 0
    while number < len(lines):
        start, whole = number + 1, ""
        while number < len(lines):
            line = lines[number].strip()
            number += 1
            if line.startswith("#") or (whole and not line):
                continue
            start = start if whole else number
            if not line.endswith("\\"):
                whole += line
                break
            whole += line[:-1] + " "
        word, _, rest = whole.partition(" ")
        if not word:
            continue
        yield Instruction(start, word.upper(), rest.strip())
        for end in _HEREDOC.findall(rest) if word.upper() in ("RUN", "COPY", "ADD") else ():
            while number < len(lines) and lines[number].strip() != end:
                number += 1
            number += 1


def _chosen(found: Sequence[Instruction], target: str | None) -> int:
    """Where the stage ends that is built; stages that only later ones need are not built."""
    starts = [index for index, instruction in enumerate(found) if instruction.word == "FROM"]
    if not starts:
        raise BuildFailed("ERROR: failed to solve: file with no instructions")
    if target is None:
        return len(found)
    for position, index in enumerate(starts):
        parts = _FROM.fullmatch(found[index].rest)
        if str(position) == target or (parts and (parts["name"] or "").lower() == target.lower()):
            return starts[position + 1] if position + 1 < len(starts) else len(found)
    raise BuildFailed(f"ERROR: failed to solve: target stage {json.dumps(target)} could not be found")


def _check(
    instruction: Instruction,
    files: Sequence[str],
    build: Build,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    if instruction.word == "RUN":
        _check_secrets(instruction, build, environment)
        command = re.sub(r"^(?:--\S+\s+)+", "", instruction.rest)
        say(f"Dockerfile:{instruction.line} RUN {command}   (not run)")
        code = 1 if command == "false" else int(found[1]) if (found := _EXIT.fullmatch(command)) else 0
        if code:
            raise BuildFailed(
                f'ERROR: failed to solve: process "/bin/sh -c {command}" did not complete successfully: '
                f"exit code: {code}"
            )
        return
    say(f"Dockerfile:{instruction.line} {instruction.word} {instruction.rest}")
    if instruction.word in ("COPY", "ADD"):
        for path in _copied(instruction.rest):
            if not _is_there(path, files):
                raise BuildFailed(f'ERROR: failed to solve: failed to compute cache key: "/{path}": not found')


def _check_secrets(instruction: Instruction, build: Build, environment: Mapping[str, str]) -> None:
    for mount in _MOUNTED_SECRET.findall(instruction.rest):
        options = dict(part.partition("=")[::2] for part in mount.removeprefix("--mount=").split(","))
        name = options.get("id", "")
        variable = build.secrets.get(name)
        given = name in build.secrets and (variable is None or variable in environment)
        if not given and options.get("required", "false") == "true":
            raise BuildFailed(f"ERROR: failed to solve: secret {name}: not found")


def _copied(rest: str) -> list[str]:
    """Paths within the context that an instruction copies; none where it copies from elsewhere."""
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    if any(word.startswith("--from=") for word in options) or rest.lstrip().startswith("[") or "<<" in rest:
        return []
    paths = [word for word in words if not word.startswith("--")][:-1]
    return [
        posixpath.normpath(path).lstrip("/")
        for path in paths
        if "$" not in path and "://" not in path and not path.startswith("git@")
    ]


def _is_there(path: str, files: Sequence[str]) -> bool:
    if path in (".", ""):
        return True
    return any(file.startswith(f"{path}/") or fnmatch.fnmatch(file, path) or _folder(file, path) for file in files)


def _folder(file: str, pattern: str) -> bool:
    depth = pattern.count("/") + 1
    return fnmatch.fnmatch("/".join(file.split("/")[:depth]), pattern)
