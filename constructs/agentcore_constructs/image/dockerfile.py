"""Reads from a Dockerfile what can be known without building it: its stages, their platforms, the user. Pure.

Syntax: https://docs.docker.com/reference/dockerfile/. What is not understood is left to Docker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^}]*))?\}|(\w+))")
_FROM = re.compile(r"(?:--platform=(?P<platform>\S+)\s+)?(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)
_TARGET_PLATFORM = "linux/arm64"
# Docker Hub keeps images of one architecture under these names (https://github.com/docker-library/official-images).
_ONE_ARCHITECTURE = re.compile(
    r"(?:(?:docker\.io|public\.ecr\.aws/docker)/)?(amd64|i386|arm32v[567]|ppc64le|s390x|riscv64|mips64le)/.+"
)
ROOT = (0, 0)


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        line: Where it begins, from 1.
        word: In capitals.
        rest: What follows, on one line.
    """

    line: int
    word: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows it.

    Attributes:
        line: Where it begins, from 1.
        name: Given with `AS`.
        base: The image or the stage it starts from, with the variables filled in that are known.
        platform: Given with `--platform`, with the variables filled in that are known.
        user: Of the last `USER`, as written.
        runs: Whether it runs a command.
    """

    line: int
    name: str | None
    base: str
    platform: str | None
    user: str | None = None
    runs: bool = False

    @property
    def foreign(self) -> str | None:
        """What it is for when that is not linux/arm64, as far as that is known."""
        if self.platform is not None and "$" not in self.platform:
            normal = self.platform.lower()
            return None if normal in (_TARGET_PLATFORM, "linux/arm64/v8", "linux/aarch64") else self.platform
        found = _ONE_ARCHITECTURE.fullmatch(self.base)
        return found[1] if found and self.platform is None else None


def instructions(text: str) -> Iterator[Instruction]:
    """Yields the instructions, with continued lines joined and the text of here-documents left out."""
    lines = text.lstrip("\ufeff").splitlines()
    escape, number = _escape(lines), 0
    while number < len(lines):
        start, joined = number + 1, ""
        while number < len(lines):
            line = lines[number].strip()
            number += 1
            if line.startswith("#") or (joined and not line):
                continue
            start = start if joined else number
            if not line.endswith(escape):
                joined += line
                break
            joined += line[:-1] + " "
        word, _, rest = joined.partition(" ")
        if not word:
            continue
        yield Instruction(start, word.upper(), rest.strip())
        for _, end in _HEREDOC.findall(rest) if word.upper() in ("RUN", "COPY", "ADD") else ():
            while number < len(lines) and lines[number].strip() != end:
                number += 1
            number += 1


def _escape(lines: Sequence[str]) -> str:
    for line in lines:
        if found := _ESCAPE.fullmatch(line.strip()):
            return found[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def stages(text: str, build_args: Mapping[str, str]) -> list[Stage]:
    """Reads the stages in their order.

    Args:
        text: Of the Dockerfile.
        build_args: Values of `ARG`s; those that only the deployment knows are left out.
    """
    known = {"TARGETPLATFORM": _TARGET_PLATFORM, "TARGETOS": "linux", "TARGETARCH": "arm64"}
    found: list[Stage] = []
    for instruction in instructions(text):
        if instruction.word == "ARG" and not found:
            name, given, default = instruction.rest.partition("=")
            if name in build_args:
                known[name] = build_args[name]
            elif given:
                known[name] = _filled(default.strip("\"'"), known)
        elif instruction.word == "FROM" and (parts := _FROM.fullmatch(instruction.rest)):
            platform = parts["platform"] and _filled(parts["platform"], known)
            found.append(Stage(instruction.line, parts["name"], _filled(parts["base"], known), platform))
        elif instruction.word == "USER" and found:
            found[-1] = replace(found[-1], user=instruction.rest)
        elif instruction.word == "RUN" and found:
            found[-1] = replace(found[-1], runs=True)
    return found


def _filled(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, kind, other = found[1] or found[4], found[2], found[3]
        if kind == "+":
            return other if known.get(name) else ""
        if kind == "-":
            return known.get(name) or other
        return known.get(name, found[0])

    return _VARIABLE.sub(value, text)


def lineage(found: Sequence[Stage], target: str | None) -> list[Stage] | None:
    """Returns the stage that is built and the stages it starts from, nearest first; None for an unknown target."""
    built = found[-1] if found and target is None else _named(found, target)
    if built is None:
        return None
    line = [built]
    while (before := _named(found[: found.index(line[-1])], line[-1].base)) is not None:
        line.append(before)
    return line


def _named(found: Sequence[Stage], name: str | None) -> Stage | None:
    if name is None:
        return None
    for stage in reversed(found):
        if stage.name is not None and stage.name.lower() == name.lower():
            return stage
    return found[int(name)] if name.isdigit() and int(name) < len(found) else None


def user(line: Sequence[Stage]) -> tuple[int, int] | str:
    """Returns whom processes run as.

    Without any `USER` that is root, unless the base image says otherwise, which is not known here. A number without a
    group means the group of the same number, as it is by default when a user is made.

    Args:
        line: The stage that is built and the stages it starts from, nearest first.

    Returns:
        User and group; or the text of `USER` where only the image knows the numbers.
    """
    written = next((stage.user for stage in line if stage.user is not None), "root")
    owner, _, group = written.partition(":")
    numbers = [_number(owner), _number(group or owner)]
    if numbers[0] is None or numbers[1] is None:
        return written
    return numbers[0], numbers[1]


def _number(name: str) -> int | None:
    if name == "root":
        return 0
    return int(name) if name.isdigit() else None
