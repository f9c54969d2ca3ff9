"""Skills that are copied to S3: folders of this machine, and commits of Git repositories."""

from .directory import DirectorySkill
from .pinned_git import PinnedGitSkill

__all__ = ["DirectorySkill", "PinnedGitSkill"]
