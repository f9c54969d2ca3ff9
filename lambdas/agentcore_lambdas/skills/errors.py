"""Why a skill cannot be had from a repository."""

from __future__ import annotations


class GitError(Exception):
    """One sentence for whoever deploys or invokes: what is wrong, and what to do. Never holds a credential."""
