"""Skills that a harness takes and that need constructs: made below it, with ids that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcore_constructs.config import Fault, HarnessConfigError

from .directory import DirectorySkill
from .folder import read
from .pinned_git import PinnedGitSkill

if TYPE_CHECKING:
    from agentcore_constructs.config import HarnessSkill, Host
    from agentcore_constructs.config.skills import DirectorySource, PinnedGitSource


def directory(source: DirectorySource, host: Host) -> HarnessSkill:
    """Makes a `DirectorySkill` below the harness.

    Raises:
        HarnessConfigError: The folder is no skill.
    """
    construct_id = f"Skill-{read(source.directory).name}"
    _once(host, construct_id, "directory", str(source.directory))
    made = DirectorySkill(host.scope, construct_id, directory=source.directory, bucket=source.bucket)
    host.before(made.deployed)
    return made.skill


def pinned(source: PinnedGitSource, host: Host) -> HarnessSkill:
    """Makes a `PinnedGitSkill` below the harness.

    Raises:
        HarnessConfigError: It cannot be what is meant.
    """
    _once(host, source.construct_id, "url", "the repository and path of another skill of this harness")
    made = PinnedGitSkill(
        host.scope,
        source.construct_id,
        url=source.url,
        ref=source.ref,
        path=source.path,
        credential=source.credential,
        username=source.username,
        bucket=source.bucket,
        refresh=source.refresh,
        ca_certificates=source.ca_certificates,
    )
    return made.skill


def _once(host: Host, construct_id: str, path: str, received: str) -> None:
    if host.scope.node.try_find_child(construct_id) is not None:
        must, fix = "must be given once", "remove one; of two skills of one name the agent has the last"
        raise HarnessConfigError([Fault(path, must, received, fix)])
