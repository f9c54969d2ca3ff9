"""Skills that a harness takes: what they need is made below it, with ids that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessSkillGitSource, is_token

from . import messages
from .directory import DirectorySkill
from .folder import read
from .pinned_git import PinnedGitSkill

if TYPE_CHECKING:
    from agentcore_constructs.config import HarnessSkill, Host
    from agentcore_constructs.config.skills import DirectorySource, PinnedGitSource


def plain(host: Host, skill: HarnessSkill) -> HarnessSkill:
    """Warns of a skill that changes without a deployment."""
    url = skill.git.url if isinstance(skill.git, HarnessSkillGitSource) else None
    if isinstance(url, str):
        parts = urlsplit(url)
        shown = "a repository" if is_token(url) else f"{parts.hostname}{parts.path}"
        messages.floating_skill(host.scope, shown)
    return skill


def directory(host: Host, source: DirectorySource) -> HarnessSkill:
    """Makes a `DirectorySkill` below the harness.

    Raises:
        HarnessConfigError: The folder is no skill.
    """
    construct_id = f"Skill-{read(source.directory).name}"
    _once(host, construct_id, "directory", str(source.directory))
    made = DirectorySkill(host.scope, construct_id, directory=source.directory, bucket=source.bucket)
    host.before(made.deployed)
    return made.skill


def pinned(host: Host, source: PinnedGitSource) -> HarnessSkill:
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
