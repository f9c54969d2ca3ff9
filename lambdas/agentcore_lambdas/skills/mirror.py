"""Folders that stand in for repositories: for tests and demonstrations that must not depend on the network.

`AGENTCORE_GIT_MIRRORS` names them: `https://host/path=/folder`, several between commas. A folder that is a Git
repository is read as one. Any other stands in for every commit, tag and branch there is, as one commit made of its
files. Nothing sets the variable on AWS.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dulwich.errors import NotGitRepository
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from .errors import GitError

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore
    from dulwich.refs import Ref

VARIABLE = "AGENTCORE_GIT_MIRRORS"
_NOBODY = b"Nobody <nobody@localhost>"


class Mirror:
    """What stands in for a repository.

    Attributes:
        store: Holds its objects.
        refs: Its branches and tags; None where everything is the same commit.
        head: The commit that HEAD names.
    """

    def __init__(self, store: BaseObjectStore, refs: dict[Ref, ObjectID] | None, head: ObjectID) -> None:
        self.store = store
        self.refs = refs
        self.head = head

    def close(self) -> None:
        """Close the files of a repository."""
        self.store.close()


def mirror_of(url: str) -> Mirror | None:
    """What stands in for the repository at a URL; None when nothing does.

    Raises:
        GitError: The folder is not there.
    """
    for pair in filter(None, os.environ.get(VARIABLE, "").split(",")):
        beginning, _, folder = pair.partition("=")
        if url.removesuffix(".git").rstrip("/") == beginning.removesuffix(".git").rstrip("/"):
            return _opened(Path(folder))
    return None


def _opened(folder: Path) -> Mirror:
    if not folder.is_dir():
        raise GitError(f"{VARIABLE} names {folder}, which is no folder; correct the variable")
    try:
        repo = Repo(str(folder))
    except NotGitRepository:
        store = MemoryObjectStore()
        return Mirror(store, None, _commit(store, folder))
    return Mirror(repo.object_store, dict(repo.get_refs()), ObjectID(repo.head()))


def _commit(store: MemoryObjectStore, folder: Path) -> ObjectID:
    commit = Commit()
    commit.tree = _tree(store, folder)
    commit.author = commit.committer = _NOBODY
    # The same files are the same commit, whenever it is made.
    commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"Stands in for a repository"
    store.add_object(commit)
    return commit.id


def _tree(store: MemoryObjectStore, folder: Path) -> ObjectID:
    tree = Tree()
    for entry in sorted(folder.iterdir()):
        name = entry.name.encode()
        if entry.is_symlink():
            blob = Blob.from_string(os.fsencode(entry.readlink()))
            store.add_object(blob)
            tree.add(name, 0o120000, blob.id)
        elif entry.is_dir():
            tree.add(name, 0o040000, _tree(store, entry))
        else:
            blob = Blob.from_string(entry.read_bytes())
            store.add_object(blob)
            tree.add(name, 0o100755 if os.access(entry, os.X_OK) else 0o100644, blob.id)
    store.add_object(tree)
    return tree.id
