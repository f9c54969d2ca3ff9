"""Skills of the harness: fetched when a session's machine is new, listed in the prompt, read in full when asked for.

What Strands' own plugin does (https://strandsagents.com/docs/user-guide/concepts/plugins/skills/), which the service's
documentation refers to, on the files of the session instead of those of this machine. Files go where the code goes that
AWS' command line exports a harness to: `.agents/skills/<source>/<name>` of the working directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import stat
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from strands.vended_plugins.skills import Skill

from agentcore_local.agents import mounts
from agentcore_local.agents.skill_sources import LeftOut, SkillFailed, fetch, is_offered
from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed, argument
from agentcore_local.agents.tools.directories import WORKSPACE, Directories
from agentcore_local.faults import StreamFailed

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.sessions import Session
    from agentcore_local.agents.skill_sources import Bundle

logger = logging.getLogger(__name__)

TOOL = "skills"
FOLDER = (".agents", "skills")
_STATE = "skills"
_STATE_FILE = "fetched.json"
_SKILL_FILES = ("SKILL.md", "skill.md")
_RESOURCES = ("scripts/", "references/", "assets/")
_MOST_RESOURCES = 20
_LARGEST_SKILL_FILE = 1_000_000
_TOLD = 4096
_told: OrderedDict[tuple[str, str, str], None] = OrderedDict()
# What an agent's command has left in the way of a fetch, or put in the place of a file.
_IN_THE_WAY = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SCHEMA = {
    "type": "object",
    "properties": {"skill_name": {"type": "string", "description": "Name of the skill to activate."}},
    "required": ["skill_name"],
}
_DESCRIPTION = (
    "Activate a skill to load its full instructions. Use this tool to load the complete instructions for a skill "
    "listed in the available_skills section of your system prompt."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A SKILL.md.

    Attributes:
        folder: Where it is, as the agent knows it.
        text: What is in it.
        resources: Scripts, references and assets beside it.
    """

    folder: str
    text: str
    resources: tuple[str, ...]


class Skills:
    """The skills of one invocation."""

    def __init__(self, plan: Plan, session: Session) -> None:
        self._plan = plan
        self._directories = Directories(session.machine, plan.mount_paths)
        self._machine = session.machine
        self._available: dict[str, tuple[Skill, Found]] = {}

    @property
    def tools(self) -> tuple[HarnessTool, ...]:
        """What the model reads them with; nothing for a harness without skills, or with a tool of that name."""
        if not self._plan.skills or any(tool.name == TOOL for tool in self._plan.tools):
            return ()
        return (SkillTool(self),)

    @property
    def prompt(self) -> list[dict[str, Any]]:
        """What is added to the system prompt: names, descriptions and places."""
        if not self._plan.skills:
            return []
        lines = ["<available_skills>"]
        for skill, found in self._available.values():
            location = escape(f"{found.folder}/SKILL.md")
            lines += [
                "<skill>",
                f"<name>{escape(skill.name)}</name>",
                f"<description>{escape(skill.description)}</description>",
                f"<location>{location}</location>",
                "</skill>",
            ]
        if not self._available:
            lines.append("No skills are currently available.")
        return [{"text": "\n".join([*lines, "</available_skills>"])}]

    async def ready(self) -> None:
        """Fetch what this machine does not have yet.

        Raises:
            StreamFailed: `runtimeClientError`: a fetch has failed, and with it the invocation.
        """
        if not self._plan.skills:
            return
        if not any(map(is_offered, self._plan.skills)):
            for wanted in self._plan.skills:  # says so; there is nothing to keep in files
                self._fetch(wanted, set())
            return
        try:
            found = await asyncio.to_thread(self._fetched)
        except SkillFailed as error:
            raise StreamFailed("runtimeClientError", f"A skill could not be fetched: {error}") from error
        self._available = {}
        for one in found:
            try:
                skill = Skill.from_content(one.text)
            except ValueError as error:
                self._tell(one.folder, f"its SKILL.md cannot be read: {error}")
                continue
            self._available[skill.name] = (skill, one)

    def instructions(self, name: str) -> str:
        """A skill in full.

        Raises:
            ToolFailed: There is none of that name.
        """
        known = self._available.get(name)
        if known is None:
            raise ToolFailed(f"Skill '{name}' not found. Available skills: {', '.join(self._available)}")
        skill, found = known
        parts = [skill.instructions or f"Skill '{name}' activated (no instructions available).", "\n---"]
        if skill.allowed_tools:
            parts.append(f"Allowed tools: {', '.join(skill.allowed_tools)}")
        if skill.compatibility:
            parts.append(f"Compatibility: {skill.compatibility}")
        parts.append(f"Location: {found.folder}/SKILL.md")
        if found.resources:
            parts += ["\nAvailable resources:", *(f"  {path}" for path in found.resources)]
        return "\n".join(parts)

    def _fetched(self) -> list[Found]:
        """What every skill of the plan consists of, in its order; noted where no command of the agent gets."""
        folder = self._machine.directory(_STATE)
        noted = folder / _STATE_FILE
        state: dict[str, list[dict[str, Any]]] = json.loads(noted.read_text()) if noted.exists() else {}
        found: list[Found] = []
        for skill in self._plan.skills:
            key = json.dumps(skill, sort_keys=True)
            if key not in state:
                state[key] = [asdict(one) for one in self._fetch(skill, set(_folders(state)))]
                noted.write_text(json.dumps(state))
            found += [Found(one["folder"], one["text"], tuple(one["resources"])) for one in state[key]]
        return found

    def _fetch(self, skill: dict[str, Any], taken: set[str]) -> list[Found]:
        try:
            if "path" in skill:
                return self._in_place(skill["path"])
            return self._written(fetch(self._plan, skill), taken)
        except LeftOut as reason:
            self._tell(json.dumps(list(skill)), str(reason))
            return []

    def _written(self, bundle: Bundle, taken: set[str]) -> list[Found]:
        parts = (*FOLDER, *bundle.folder)
        number = 1
        while f"{WORKSPACE}/{'/'.join(parts)}" in taken:
            number += 1
            parts = (*FOLDER, *bundle.folder[:-1], f"{bundle.folder[-1]}-{number}")
        root = self._directories.on_host(WORKSPACE)
        texts: dict[str, str] = {}
        paths = []
        for file in bundle.files:
            steps = [step for step in file.path.split("/") if step not in ("", ".")]
            if ".." in steps or not steps:
                raise SkillFailed(f"the name {file.path!r} leads out of the skill")
            _write(root, [*parts, *steps], file.content, executable=file.executable)
            paths.append("/".join(steps))
            if steps[-1] in _SKILL_FILES and len(steps) <= 2:  # noqa: PLR2004 - the skill's own, or of skills below it
                texts["/".join(steps[:-1])] = file.content.decode("utf-8", "replace")
        return self._described(f"{WORKSPACE}/{'/'.join(parts)}", texts, paths)

    def _in_place(self, path: str) -> list[Found]:
        """A skill that is in the session's files: in a mount, or where a command has put it."""
        full = path.rstrip("/") if path.startswith("/") else f"{WORKSPACE}/{path.strip('/')}"
        directories = Directories(self._machine, self._plan.mount_paths, mounts.shared(self._plan))
        known = next((one for one in directories.known() if full == one or full.startswith(f"{one}/")), None)
        if known is None:
            raise LeftOut(f"{path} is in the image, which the local cloud does not run")
        texts: dict[str, str] = {}
        steps = [step for step in full[len(known) :].split("/") if step]
        root = directories.on_host(known)
        paths = _below(root, steps)
        for inner in paths:
            folder, _, name = inner.rpartition("/")
            if name in _SKILL_FILES and "/" not in folder:
                text = _read(root, [*steps, *inner.split("/")])
                texts.setdefault(folder, text)
        return self._described(full, texts, paths)

    def _described(self, folder: str, texts: dict[str, str], paths: list[str]) -> list[Found]:
        """The skill itself, or else the skills in the folders below it."""
        chosen = {"": texts[""]} if "" in texts else dict(sorted(texts.items()))
        if not chosen:
            self._tell(folder, "there is no SKILL.md")
        found = []
        for inner, text in chosen.items():
            beginning = f"{inner}/" if inner else ""
            own = sorted(path.removeprefix(beginning) for path in paths if path.startswith(beginning))
            resources = [path for path in own if path.startswith(_RESOURCES)]
            if len(resources) > _MOST_RESOURCES:
                resources = [*resources[:_MOST_RESOURCES], f"... (truncated at {_MOST_RESOURCES} files)"]
            found.append(Found(f"{folder}/{inner}".rstrip("/"), text, tuple(resources)))
        return found

    def _tell(self, what: str, reason: str) -> None:
        """The service leaves such a skill out and goes on; the local cloud's log says so once."""
        key = (self._plan.harness_arn, what, reason)
        if key not in _told:
            _told[key] = None
            if len(_told) > _TOLD:
                _told.popitem(last=False)
            logger.warning(
                "harness=<%s>, version=<%s>, skill=<%s> | the agent works without this skill: %s",
                self._plan.harness_arn,
                self._plan.version,
                what,
                reason,
            )


class SkillTool(HarnessTool):
    """Gives the model the instructions of a skill."""

    def __init__(self, skills: Skills) -> None:
        super().__init__(Described(TOOL, "builtin", _DESCRIPTION, _SCHEMA))
        self._skills = skills

    async def call(self, arguments: dict[str, Any]) -> str:
        """The instructions of the skill that is named."""
        return self._skills.instructions(argument(arguments, "skill_name", str))


def reset() -> None:
    """Forget what was told."""
    _told.clear()


def _folders(state: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [str(one["folder"]) for skills in state.values() for one in skills]


# ---- files, step by step: no symbolic link is followed, whatever a command has left there ---------------------------


def _write(root: Path, steps: list[str], content: bytes, *, executable: bool) -> None:
    directory = os.open(root, _DIRECTORY)
    try:
        for step in steps[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(step, 0o755, dir_fd=directory)
            inner = os.open(step, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(steps[-1], flags, 0o755 if executable else 0o644, dir_fd=directory), "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content)
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise SkillFailed(f"something is in the way at {WORKSPACE}/{'/'.join(steps)}") from error
        raise
    finally:
        os.close(directory)


def _below(root: Path, steps: list[str]) -> list[str]:
    """The regular files below a directory; nothing when it is not there."""
    found: list[str] = []
    try:
        start = _opened(root, steps)
    except OSError:
        return found
    pending = [("", start)]
    while pending:
        prefix, directory = pending.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((f"{prefix}{entry.name}/", os.open(entry.name, _DIRECTORY, dir_fd=directory)))
                    elif entry.is_file(follow_symlinks=False):
                        found.append(f"{prefix}{entry.name}")
        finally:
            os.close(directory)
    return sorted(found)


def _read(root: Path, steps: list[str]) -> str:
    directory = _opened(root, steps[:-1])
    try:
        file = os.open(steps[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    finally:
        os.close(directory)
    with open(file, "rb") as opened:  # noqa: PTH123 - of a descriptor
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return ""
        return opened.read(_LARGEST_SKILL_FILE).decode("utf-8", "replace")


def _opened(root: Path, steps: list[str]) -> int:
    directory = os.open(root, _DIRECTORY)
    for step in steps:
        try:
            inner = os.open(step, _DIRECTORY, dir_fd=directory)
        finally:
            os.close(directory)
        directory = inner
    return directory
