"""Checks a SKILL.md against the Agent Skills specification, and says in which line what is wrong.

The service leaves out a skill that it cannot read, with a line in a log: an agent that knows less than it should is
hard to notice. https://agentskills.io/specification
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Fault
from agentcore_constructs.config.errors import received

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_COMPATIBILITY = 64, 1024, 500
RECOMMENDED_LINES = 500
"""More than that is read as a whole all the same, and takes room in the model's context."""

WHERE = "directory"
"""What faults are about: the argument that named the directory."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FENCE = "---"


@dataclass
class FrontMatter:
    """What the front matter says, and where.

    Attributes:
        values: Field → value.
        lines: Field → line, counted from 1.
        faults: What cannot be read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def faults_of(text: str, *, shown: str, directory: str) -> list[Fault]:
    """Returns everything that is wrong with a SKILL.md.

    Args:
        text: Its content.
        shown: Its path, for messages.
        directory: Name of the directory it is in, which must be the skill's.
    """
    read = _read(text, shown)
    if read.faults:
        return read.faults
    return list(_checked(read, shown, directory))


def _read(text: str, shown: str) -> FrontMatter:
    read = FrontMatter()
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        first = received(lines[0] if lines else "")
        fault = _fault(
            shown, 1, "must begin with front matter, a line of ---", first, "begin with ---, name, description"
        )
        read.faults.append(fault)
        return read
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        fix = "end it with a line of ---"
        read.faults.append(_fault(shown, len(lines), "must end its front matter", "no second line of ---", fix))
        return read
    try:
        import yaml  # noqa: PLC0415  (an optional dependency, and only directories of skills need it)
    except ImportError:
        fix = "install agentcore-harness-cdk[yaml]"
        read.faults.append(_fault(shown, 1, "must be readable, which takes PyYAML", "no PyYAML", fix))
        return read
    try:
        _take(yaml.compose("\n".join(lines[1:end]), Loader=yaml.SafeLoader), read, shown)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "something else"
        fix = "correct it; a text with ': ' in it needs quotes"
        read.faults.append(_fault(shown, 2 + (mark.line if mark else 0), "must be YAML", problem, fix))
    return read


def _take(root: Any, read: FrontMatter, shown: str) -> None:
    import yaml  # noqa: PLC0415  (see above)

    if not isinstance(root, yaml.MappingNode):
        fix = "write name: and description:"
        read.faults.append(_fault(shown, 2, "must have fields in its front matter", "none", fix))
        return
    loader = yaml.SafeLoader("")
    for key, value in root.value:
        name, line = str(key.value), key.start_mark.line + 2
        if name in read.values:
            fix = "remove one of them"
            read.faults.append(_fault(shown, line, f"must have the field {name} once", "it twice", fix))
        read.values[name] = loader.construct_object(value, deep=True)
        read.lines[name] = line


def _checked(read: FrontMatter, shown: str, directory: str) -> Iterator[Fault]:
    yield from _name(read, shown, directory)
    yield from _text(read, shown, "description", LONGEST_DESCRIPTION, required=True)
    yield from _text(read, shown, "compatibility", LONGEST_COMPATIBILITY)
    yield from _text(read, shown, "license", None)
    yield from _metadata(read, shown)
    tools = read.values.get("allowed-tools")
    if tools is not None and not (isinstance(tools, str) or _are_texts(tools)):
        must = "must have allowed-tools that are a text or a list of texts"
        yield _fault(shown, read.lines["allowed-tools"], must, received(tools), "write names between spaces")


def _name(read: FrontMatter, shown: str, directory: str) -> Iterator[Fault]:
    name = read.values.get("name")
    must = f"must have a name of 1–{LONGEST_NAME} lowercase letters, digits and single hyphens between them"
    fix = f"write name: {directory}" if _is_name(directory) else "choose such a name, for the directory too"
    if "name" not in read.values:
        yield _fault(shown, 1, must, "none", fix)
    elif not isinstance(name, str) or not _is_name(name):
        yield _fault(shown, read.lines["name"], must, received(name), fix)
    elif name != directory:
        must = "must have the name of its directory"
        yield _fault(
            shown, read.lines["name"], must, f"{name!r} in {directory!r}", "rename the directory or change the name"
        )


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def _text(read: FrontMatter, shown: str, name: str, longest: int | None, *, required: bool = False) -> Iterator[Fault]:
    value, line = read.values.get(name), read.lines.get(name, 1)
    if name not in read.values:
        if required:
            must, fix = f"must have a {name} of 1–{longest} characters", "say what the skill does and when to use it"
            yield _fault(shown, line, must, "none", fix)
        return
    length = "" if longest is None else f" of 1–{longest} characters"
    if not isinstance(value, str) or not value.strip():
        yield _fault(shown, line, f"must have a {name}{length} that is a text", received(value), "write it, in quotes")
    elif longest is not None and len(value) > longest:
        fix = "shorten it; details belong below the front matter"
        yield _fault(shown, line, f"must have a {name}{length}", f"{len(value)} characters", fix)


def _metadata(read: FrontMatter, shown: str) -> Iterator[Fault]:
    if "metadata" not in read.values:
        return
    metadata, line = read.values["metadata"], read.lines["metadata"]
    if not isinstance(metadata, dict):
        yield _fault(
            shown, line, "must have metadata of texts by name", received(metadata), "write name: value below it"
        )
        return
    odd = [
        f"{key}: {value}" for key, value in metadata.items() if not (isinstance(key, str) and isinstance(value, str))
    ]
    if odd:
        must = "must have metadata of texts by name"
        yield _fault(shown, line, must, f"{', '.join(odd)[:60]}, which is no text", "put the value in quotes")


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _fault(shown: str, line: int, must: str, given: str, fix: str) -> Fault:
    return Fault(WHERE, f"{must} ({shown}:{line})", given, fix)
