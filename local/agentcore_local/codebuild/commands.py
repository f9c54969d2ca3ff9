"""Reads a buildspec: which commands of Docker it has, with their variables filled in. Pure."""

from __future__ import annotations

import itertools
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PHASES = ("install", "pre_build", "build", "post_build")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_OPERATORS = ("&&", "||", ";", "|", "&")
# Options of `docker build` that stand alone; each other one has a value.
_FLAGS = frozenset({"--push", "--load", "--no-cache", "--pull", "--quiet", "-q", "--rm", "--force-rm", "--squash"})


@dataclass(frozen=True)
class Command:
    """One command of a buildspec.

    Attributes:
        phase: Where it stands.
        text: As written, which is what may be logged: its variables are not filled in.
        words: The words of its first simple command, with variables filled in.
        otherwise: The words of what follows `||`, with variables filled in.
    """

    phase: str
    text: str
    words: tuple[str, ...]
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """A `docker build`.

    Attributes:
        context: The build context, relative to the source.
        file: The Dockerfile, relative to the source; None for the usual one.
        tags: References the image gets.
        target: The stage to build.
        platform: As given with `--platform`.
        arguments: Build arguments.
        secrets: Id of each secret → the variable it comes from, if it comes from one.
        push: Whether it pushes at once.
    """

    context: str
    file: str | None
    tags: tuple[str, ...]
    target: str | None
    platform: str | None
    arguments: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str | None]
    push: bool


def commands(buildspec: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Command]:
    """Yields the commands in the order of their phases."""
    phases = buildspec.get("phases") or {}
    for phase in _PHASES:
        for text in (phases.get(phase) or {}).get("commands") or ():
            for line in str(text).splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    yield _command(phase, line.strip(), environment)


def _command(phase: str, text: str, environment: Mapping[str, str]) -> Command:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return Command(phase, text, ())
    parts: list[tuple[str, list[str]]] = [("", [])]
    for word in words:
        if word in _OPERATORS:
            parts.append((word, []))
        else:
            parts[-1][1].append(word)
    filled = [(operator, tuple(_filled(word, environment) for word in part)) for operator, part in parts]
    otherwise = next((part for operator, part in filled[1:] if operator == "||"), ())
    return Command(phase, text, filled[0][1], otherwise)


def _filled(word: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], ""), word)


def docker_build(words: tuple[str, ...]) -> Build | None:
    """Reads a `docker build` or a `docker buildx build`; None for any other command."""
    if words[:2] == ("docker", "build"):
        rest = list(words[2:])
    elif words[:3] == ("docker", "buildx", "build"):
        rest = list(words[3:])
    else:
        return None
    options: dict[str, list[str]] = {}
    context, flags = ".", set()
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            context = word
        elif word in _FLAGS:
            flags.add(word)
        else:
            name, given, value = word.partition("=")
            options.setdefault(name, []).append(value if given else rest.pop(0) if rest else "")
    arguments = dict(argument.partition("=")[::2] for argument in options.get("--build-arg", ()))
    return Build(
        context=context,
        file=_last(options, "--file", "-f"),
        tags=tuple(options.get("--tag", []) + options.get("-t", [])),
        target=_last(options, "--target"),
        platform=_last(options, "--platform"),
        arguments=arguments,
        secrets=dict(_secret(text) for text in options.get("--secret", ())),
        push="--push" in flags,
    )


def _last(options: Mapping[str, list[str]], *names: str) -> str | None:
    return next((options[name][-1] for name in names if name in options), None)


def _secret(text: str) -> tuple[str, str | None]:
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    return parts.get("id", ""), parts.get("env")


def docker_push(words: tuple[str, ...]) -> str | None:
    """Returns the reference that a `docker push` pushes; None for any other command."""
    return words[-1] if words[:2] == ("docker", "push") and len(words) > len(("docker", "push")) else None


def image_looked_for(words: tuple[str, ...]) -> tuple[str, str] | None:
    """Returns repository and tag that `aws ecr describe-images` asks for; None for any other command."""
    if words[:3] != ("aws", "ecr", "describe-images"):
        return None
    named = dict(itertools.pairwise(words))
    tag = named.get("--image-ids", "").partition("imageTag=")[2]
    return (named["--repository-name"], tag) if "--repository-name" in named and tag else None
