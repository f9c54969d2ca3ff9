"""Checks the source of an image before anything is copied or built: the folder, the Dockerfile, what it is for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.image import user_faults
from agentcore_constructs.config.tokens import is_token

from . import dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from constructs import Construct

    from agentcore_constructs.config.image import ImageSource

MAX_CONTEXT = 2 * 1024**3
"""Bytes. An image has at most 2 GB, so a larger context holds what cannot be in it."""

_IGNORE_FILE = ".dockerignore"
_PLATFORM = "linux/arm64"


@dataclass(frozen=True)
class Context:
    """A source that can be built, as far as that is known.

    Attributes:
        directory: The build context.
        file: The Dockerfile, relative to the directory, with '/'.
        exclude: Patterns of files that are left out, as in `.dockerignore`.
        user: Numeric user and group of the image; None where only the image knows.
        written_user: `USER` as the Dockerfile has it, where that is a name.
    """

    directory: Path
    file: str
    exclude: tuple[str, ...]
    user: tuple[int, int] | None
    written_user: str | None


def checked(source: ImageSource, *, on_arm: bool) -> Context:
    """Checks a source and reads what can be known of the image.

    Args:
        source: What was asked for.
        on_arm: Whether the build runs on ARM, where stages for other architectures cannot run anything.

    Raises:
        HarnessConfigError: It cannot become an image of a harness; with every fault there is.
    """
    if not isinstance(source.directory, (str, os.PathLike)):
        must, fix = "must be the path of a folder: the build context, with a Dockerfile", "write the path of the folder"
        raise HarnessConfigError([*_argument_faults(source), Fault("directory", must, received(source.directory), fix)])
    directory, name = Path(source.directory), PurePosixPath(str(source.file).replace(os.sep, "/"))
    faults = [*_argument_faults(source), *_folder_faults(directory, name)]
    if faults:
        raise HarnessConfigError(faults)
    path = directory / name
    known = {key: value for key, value in source.build_args.items() if not is_token(value)}
    stages = dockerfile.stages(path.read_text(encoding="utf-8", errors="replace"), known)
    line = dockerfile.lineage(stages, source.target)
    if line is None:
        raise HarnessConfigError([_unknown_target(source.target, stages, path)])
    faults = list(_architecture_faults(stages if on_arm else line, line, path))
    if faults:
        raise HarnessConfigError(faults)
    user = source.user or dockerfile.user(line)
    written = user if isinstance(user, str) else None
    return Context(
        directory,
        str(name),
        _excluded(directory, name, source.exclude),
        None if isinstance(user, str) else user,
        written,
    )


def _argument_faults(source: ImageSource) -> Iterator[Fault]:
    yield from user_faults(source.user, "user")
    if source.platform is not None:
        platform = getattr(source.platform, "platform", source.platform)
        if platform != _PLATFORM:
            yield Fault(
                "platform",
                f"must be {_PLATFORM}, the one architecture of harnesses",
                received(platform),
                "leave platform out: the image is built for linux/arm64",
            )
    for name, value in source.build_args.items():
        if not isinstance(value, str):
            yield Fault(f"buildArgs['{name}']", "must be a string", received(value), "write it in quotes")
    if isinstance(source.exclude, str):
        # Its characters would be the patterns, and '*' among them leaves everything out.
        yield Fault("exclude", "must be a list of patterns", received(source.exclude), "put it into a list")


def _folder_faults(directory: Path, name: PurePosixPath) -> Iterator[Fault]:
    if not directory.is_dir():
        must = "must be a folder that exists: the build context, with a Dockerfile"
        what = "the path of a file" if directory.exists() else "a path where nothing is"
        yield Fault("directory", must, f"{str(directory)!r}, {what}", "write the path of the folder")
        return
    if name.is_absolute() or ".." in name.parts:
        fix = "move it there, or choose the folder that holds both"
        yield Fault("file", "must be a path within the directory", repr(str(name)), fix)
    elif not (directory / name).is_file():
        where = f"{str(directory)!r}, where there is none named {str(name)!r}"
        yield Fault("directory", "must hold the Dockerfile", where, "add one, or name it with file=")


def _unknown_target(target: str | None, stages: Sequence[dockerfile.Stage], path: Path) -> Fault:
    if not stages:
        return Fault("file", "must be a Dockerfile with FROM", repr(str(path)), "begin it with FROM <image>")
    names = ", ".join(repr(stage.name) for stage in stages if stage.name) or "none with a name"
    return Fault(
        "target", "must name a stage of the Dockerfile", repr(target), f"choose one of the stages there are: {names}"
    )


def _architecture_faults(
    stages: Sequence[dockerfile.Stage], line: Sequence[dockerfile.Stage], path: Path
) -> Iterator[Fault]:
    for stage in stages:
        foreign = stage.foreign
        if foreign is None or (stage not in line and not stage.runs):
            continue
        what = f"{foreign} in line {stage.line} of {str(path)!r} (FROM {stage.base})"
        if stage in line:
            fix = "remove --platform, and choose a base image that there is for linux/arm64"
            yield Fault("file", f"must make an image for {_PLATFORM}, the one architecture of harnesses", what, fix)
        else:
            fix = "write FROM --platform=$BUILDPLATFORM, and choose a base image that there is for linux/arm64"
            yield Fault("file", "must run commands on linux/arm64 alone, which the build runs on", what, fix)


def _excluded(directory: Path, name: PurePosixPath, exclude: Sequence[str]) -> tuple[str, ...]:
    """The patterns of `.dockerignore` and those given; the Dockerfile is never left out, as with `docker build`."""
    ignore = directory / _IGNORE_FILE
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return (*patterns, *exclude, f"!{name}", f"!{_IGNORE_FILE}")


def output_within(scope: Construct, directory: Path) -> list[str]:
    """Returns what to exclude so that an app that is its own build context does not copy what it synthesizes.

    The CDK excludes nothing by itself, and would copy its copies until names are too long.
    """
    app = scope.node.root
    if not isinstance(app, cdk.Stage):
        return []
    # The whole app's: a stage has only a part of it.
    output, around = Path(app.outdir).resolve(), directory.resolve()
    return [output.relative_to(around).as_posix()] if around in output.parents else []


def size_fault(staged: Path) -> Fault | None:
    """Returns what is wrong with the size of a context as it was copied, without what is excluded."""
    size = 0
    for found in _files(staged):
        size += found.stat(follow_symlinks=False).st_size
        if size > MAX_CONTEXT:
            return Fault(
                "directory",
                f"must hold at most {MAX_CONTEXT // 1024**3} GB without what is excluded, as much as an image may",
                "more than that",
                "exclude what the image does not need: exclude=[…], or a .dockerignore",
            )
    return None


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry


def staged_path(asset: Any) -> Path:
    """Returns where the CDK copied the source of an asset to."""
    return Path(asset.node.find_child(_staging_id(asset)).absolute_staged_path)


def _staging_id(asset: Any) -> str:
    return next(name for name in ("Staging", "Stage") if asset.node.try_find_child(name) is not None)
