"""The files of a skill in a commit: walked without checking anything out, and within limits.

Whoever can push to the repository decides what is in it, so nothing in there is believed: names, links and sizes are
checked before a file is handed on.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dulwich.objects import S_ISGITLINK, Blob, Commit, Tree

from .errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dulwich.object_store import BaseObjectStore
    from dulwich.objects import ObjectID

    from .limits import Limits

_Kind = TypeVar("_Kind", Blob, Commit, Tree)
_SKILL_FILES = ("SKILL.md", "skill.md")
# As many as Linux follows in one path.
_LINKS = 40
_LONGEST_KEY = 700
"""Bytes of a path within a skill: an object's key in S3 has 1024, and the prefix comes before."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the skill.

    Attributes:
        path: Where it is in the skill, with slashes.
        object_id: The blob that holds it.
        executable: Whether it may be run.
    """

    path: str
    object_id: ObjectID
    executable: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a path of the commit leads to: a file or a directory, links followed."""

    mode: int
    object_id: ObjectID
    where: tuple[str, ...]


class Checkout:
    """The skill in one commit.

    Attributes:
        commit: The commit's hash, 40 hexadecimal characters (64 in a repository that uses SHA-256).
        files: What the skill consists of, in the order of the tree.
    """

    def __init__(
        self, store: BaseObjectStore, commit: ObjectID, path: str, limits: Limits, *, complete: bool = True
    ) -> None:
        """Walks the skill's directory.

        Args:
            store: Holds the objects of the commit.
            commit: Its hash.
            path: The skill's directory in the repository; empty for the whole of it.
            limits: What it may grow to.
            complete: Whether the directory must be a skill, not one of skills.

        Raises:
            GitError: There is no such directory or no skill in it, it is too large, or it leads out of the repository.
        """
        self.commit = commit.decode("ascii")
        self._store = store
        self._limits = limits
        self._entries = 0
        self._root = self._tree_of(commit)
        start = self._find(_parts(path), path)
        if not stat.S_ISDIR(start.mode):
            raise GitError(f"{path!r} is a file in the repository; name the directory that holds it")
        self.files = tuple(self._walk(start, "", (start.object_id,)))
        if complete and not any(file.path in _SKILL_FILES for file in self.files):
            place = f"the directory {path!r}" if path else "the root of the repository"
            raise GitError(
                f"there is no SKILL.md in {place} at commit {self.commit}; name the skill's directory (path=)"
            )

    def contents(self) -> Iterator[tuple[File, bytes]]:
        """Reads one file after the other; all of them are never in memory at once.

        Raises:
            GitError: Together they are larger than the limit.
        """
        total = 0
        for file in self.files:
            content = self._object(file.object_id, Blob).as_raw_string()
            total += len(content)
            if total > self._limits.skill_bytes:
                raise GitError(
                    f"the skill is larger than {self._limits.skill_bytes >> 20} MiB; move large files out of it, or "
                    "bake it into the image (Skill.path)"
                )
            yield file, content

    def _walk(self, directory: _Found, prefix: str, chain: tuple[ObjectID, ...]) -> Iterator[File]:
        for name, mode, object_id in self._items(directory.object_id):
            self._entries += 1
            if self._entries > self._limits.files:
                most = self._limits.files
                raise GitError(
                    f"the skill has more than {most} files and directories; name a smaller directory (path=)"
                )
            shown = f"{prefix}{name}"
            if len(shown.encode()) > _LONGEST_KEY:
                raise GitError(f"the path {shown[:60]!r}… has more than {_LONGEST_KEY} bytes; shorten it")
            here = (*directory.where, name)
            if S_ISGITLINK(mode):
                raise GitError(f"{shown!r} is a submodule, which is not fetched; put its files into the repository")
            found = _Found(mode, object_id, here)
            if stat.S_ISLNK(mode):
                found = self._find(here, "/".join(here))
            if stat.S_ISDIR(found.mode):
                if found.object_id in chain:
                    raise GitError(f"{shown!r} is a symbolic link to a directory that it is in; remove it")
                yield from self._walk(found, f"{shown}/", (*chain, found.object_id))
            else:
                yield File(shown, found.object_id, bool(found.mode & 0o100))

    def _find(self, parts: tuple[str, ...], asked: str) -> _Found:
        """Follows a path from the root of the repository, through symbolic links that stay within it."""
        found = _Found(stat.S_IFDIR, self._root, ())
        todo, links = list(parts), 0
        while todo:
            name = todo.pop(0)
            if name == "..":
                if not found.where:
                    raise GitError(
                        f"{asked!r} leads out of the repository, through '..' or a symbolic link; remove that"
                    )
                found = self._find(found.where[:-1], asked)
                continue
            entry = self._entry(found, name, asked)
            if not stat.S_ISLNK(entry.mode):
                found = entry
                continue
            links += 1
            target = self._object(entry.object_id, Blob).as_raw_string().decode("utf-8", "replace")
            if target.startswith("/"):
                raise GitError(f"{asked!r} leads out of the repository, through a symbolic link; remove that")
            if links > _LINKS:
                raise GitError(f"{asked!r} leads through more than {_LINKS} symbolic links; remove some")
            todo = [part for part in target.split("/") if part not in ("", ".")] + todo
        return found

    def _entry(self, directory: _Found, name: str, asked: str) -> _Found:
        if stat.S_ISDIR(directory.mode):
            for known, mode, object_id in self._items(directory.object_id):
                if known == name:
                    return _Found(mode, object_id, (*directory.where, name))
        raise GitError(f"there is no {asked!r} in the repository at commit {self.commit}; check the path, and its case")

    def _items(self, tree: ObjectID) -> Iterator[tuple[str, int, ObjectID]]:
        for entry in self._object(tree, Tree).iteritems():
            yield _name(entry.path), entry.mode or 0, entry.sha

    def _tree_of(self, commit: ObjectID) -> ObjectID:
        tree: ObjectID = self._object(commit, Commit).tree
        return tree

    def _object(self, object_id: ObjectID, kind: type[_Kind]) -> _Kind:
        try:
            found = self._store[object_id]
        except KeyError as error:
            raise GitError(f"the server left an object of commit {self.commit} out; try again") from error
        if not isinstance(found, kind):
            raise GitError(f"commit {self.commit} is damaged: {object_id.decode()} is no {kind.__name__.lower()}")
        return found


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _name(name: bytes) -> str:
    """A name that is safe below a directory and in an object's key."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GitError(f"a file's name is not UTF-8 ({name!r}); rename it") from error
    if text in ("", ".", "..") or text.lower() == ".git" or any(c in "/\\" or ord(c) < ord(" ") for c in text):
        raise GitError(f"the name {text!r} is not allowed in a skill; rename it")
    return text
