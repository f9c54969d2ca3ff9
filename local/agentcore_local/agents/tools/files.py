"""The built-in tool ``file_operations``: text files on the session's machine.

Paths are resolved step by step from an open directory, and symbolic links are refused at every step: whatever a command
of the agent has left in the directory, nothing outside of it can be reached.
"""

from __future__ import annotations

import asyncio
import errno
import os
import posixpath
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed, argument
from agentcore_local.agents.tools.directories import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local.agents.tools.directories import Directories

MAX_FILE = 1_000_000
"""Bytes of a file the tool reads or writes."""

MAX_ENTRIES = 1_000
"""Entries of a directory the tool lists."""

_SCHEMA = {
    "type": "object",
    "properties": {
        "command": {
            "type": "string",
            "enum": ["view", "create", "str_replace", "insert", "list"],
            "description": "view, create (or overwrite) or edit a file (replace text, insert lines); list a directory.",
        },
        "path": {"type": "string", "description": "Absolute path, or relative to the working directory."},
        "file_text": {"type": "string", "description": "create: the whole content."},
        "old_str": {"type": "string", "description": "str_replace: the text to replace; must occur exactly once."},
        "new_str": {"type": "string", "description": "str_replace: the new text; empty to remove the old one."},
        "insert_line": {"type": "integer", "description": "insert: the line after which to insert; 0 for the top."},
        "insert_text": {"type": "string", "description": "insert: the lines to insert."},
        "view_range": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "view: first and last line, from 1; -1 for the end.",
        },
    },
    "required": ["command", "path"],
}

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not to wait for the other end when the agent has put a FIFO there.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileOperations(HarnessTool):
    """Views, writes and edits text files in the session's directories."""

    def __init__(self, directories: Directories) -> None:
        places = ", ".join(directories.known())
        description = f"View, create and edit text files, or list a directory. Files live in {places}."
        super().__init__(Described("file_operations", "builtin", description, _SCHEMA))
        self._directories = directories
        self._commands: dict[str, Callable[[str, dict[str, Any]], str]] = {
            "view": self._view,
            "create": self._create,
            "str_replace": self._replace,
            "insert": self._insert,
            "list": self._list,
        }

    async def call(self, arguments: dict[str, Any]) -> str:
        """Do one operation."""
        name = argument(arguments, "command", str)
        path = argument(arguments, "path", str)
        command = self._commands.get(name)
        if command is None:
            raise ToolFailed(f"The argument command must be one of {', '.join(self._commands)}; received {name!r}.")
        return await asyncio.to_thread(_in_words, command, path, arguments)

    def _view(self, path: str, arguments: dict[str, Any]) -> str:
        lines = self._read(path).splitlines(keepends=True)
        limits = argument(arguments, "view_range", list, required=False)
        first, last = _range(limits, len(lines)) if limits else (1, len(lines))
        return (
            "".join(f"{number:>6}\t{line}" for number, line in enumerate(lines[first - 1 : last], first)) or "[empty]"
        )

    def _create(self, path: str, arguments: dict[str, Any]) -> str:
        text = argument(arguments, "file_text", str)
        self._write(path, text)
        return f"Wrote {len(text.splitlines())} line(s) to {self._normal(path)}."

    def _replace(self, path: str, arguments: dict[str, Any]) -> str:
        old, new = argument(arguments, "old_str", str), argument(arguments, "new_str", str, required=False) or ""
        text = self._read(path)
        count = text.count(old) if old else 0
        if count != 1:
            raise ToolFailed(f"old_str must occur exactly once in {path}; it occurs {count} times.")
        self._write(path, text.replace(old, new))
        return f"Replaced one text in {self._normal(path)}."

    def _insert(self, path: str, arguments: dict[str, Any]) -> str:
        after, text = argument(arguments, "insert_line", int), argument(arguments, "insert_text", str)
        lines = self._read(path).splitlines(keepends=True)
        if not 0 <= after <= len(lines):
            raise ToolFailed(f"insert_line must be 0-{len(lines)}; received {after}.")
        if after and not lines[after - 1].endswith("\n"):
            lines[after - 1] += "\n"
        if not text.endswith("\n") and after < len(lines):
            text += "\n"
        self._write(path, "".join([*lines[:after], text, *lines[after:]]))
        return f"Inserted {len(text.splitlines())} line(s) into {self._normal(path)}."

    def _list(self, path: str, _arguments: dict[str, Any]) -> str:
        with self._parent(path, whole=True) as (directory, _name):
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
            shown = [_described(entry) for entry in entries[:MAX_ENTRIES]]
        if len(entries) > MAX_ENTRIES:
            shown.append(f"[... {len(entries) - MAX_ENTRIES} more ...]")
        return "\n".join(shown) or "[empty]"

    def _read(self, path: str) -> str:
        with self._parent(path) as (directory, name), _opened(name, os.O_RDONLY | _FILE, directory) as file:
            data = b"".join(iter(lambda: os.read(file, 1 << 16), b""))
        if len(data) > MAX_FILE:
            raise ToolFailed(f"{path} is too large: {len(data)} bytes, at most {MAX_FILE} can be read.")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ToolFailed(f"{path} is not a UTF-8 text file.") from error

    def _write(self, path: str, text: str) -> None:
        data = text.encode()
        if len(data) > MAX_FILE:
            raise ToolFailed(f"The content is too large: {len(data)} bytes, at most {MAX_FILE} can be written.")
        flags = os.O_WRONLY | os.O_CREAT | _FILE
        with self._parent(path, make=True) as (directory, name), _opened(name, flags, directory) as file:
            os.ftruncate(file, 0)
            while data:
                data = data[os.write(file, data) :]

    def _normal(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(WORKSPACE, path))

    @contextmanager
    def _parent(self, path: str, *, make: bool = False, whole: bool = False) -> Iterator[tuple[int, str]]:
        """An open descriptor of the directory that holds `path` (with `whole`: of `path`), and the name in it."""
        full = self._normal(path)
        known = next((root for root in self._directories.known() if full == root or full.startswith(f"{root}/")), None)
        if known is None or "\0" in path:
            places = ", ".join(self._directories.known())
            raise ToolFailed(f"{path} is outside of this session's directories; use a path in {places}.")
        if make and self._directories.is_read_only(known):
            raise OSError(errno.EROFS, "read-only file system")
        parts = [part for part in full[len(known) :].split("/") if part]
        if not whole and not parts:
            raise ToolFailed(f"{path} is a directory, not a file.")
        steps, name = (parts, "") if whole else (parts[:-1], parts[-1])
        directory = os.open(self._directories.on_host(known), _DIRECTORY)
        try:
            for step in steps:
                if make:
                    _make_directory(step, directory)
                inner = os.open(step, _DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = inner
            yield directory, name
        finally:
            os.close(directory)


@contextmanager
def _opened(name: str, flags: int, directory: int) -> Iterator[int]:
    file = os.open(name, flags, 0o644, dir_fd=directory)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise IsADirectoryError(errno.EISDIR, "not a regular file")
        yield file
    finally:
        os.close(file)


def _make_directory(name: str, directory: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=directory)
    except FileExistsError:
        return


def _described(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"{entry.name} -> (symbolic link)"
    if entry.is_dir(follow_symlinks=False):
        return f"{entry.name}/"
    return f"{entry.name} ({entry.stat(follow_symlinks=False).st_size} bytes)"


def _range(limits: list[Any], count: int) -> tuple[int, int]:
    if len(limits) != 2 or not all(type(limit) is int for limit in limits):  # noqa: PLR2004 - first and last
        raise ToolFailed("view_range must be two whole numbers: first and last line.")
    first, last = limits[0], count if limits[1] == -1 else limits[1]
    if not 1 <= first <= last:
        raise ToolFailed(f"view_range must be 1 <= first <= last; received {limits}; the file has {count} lines.")
    return first, last


_WORDS = {
    errno.ENOENT: "does not exist",
    errno.ELOOP: "is, or leads through, a symbolic link, which is refused",
    errno.ENOTDIR: "leads through something that is not a directory (symbolic links are refused)",
    errno.EISDIR: "is not a regular file",
    errno.ENXIO: "is not a regular file",
    errno.ENAMETOOLONG: "has a name that is too long",
    errno.EACCES: "may not be accessed",
    errno.EROFS: "is on a file system that is mounted read-only",
}


def _in_words(command: Callable[[str, dict[str, Any]], str], path: str, arguments: dict[str, Any]) -> str:
    try:
        return command(path, arguments)
    except OSError as error:
        words = _WORDS.get(error.errno or 0, f"cannot be used: {error.strerror}")
        raise ToolFailed(f"{path} {words}.") from error
