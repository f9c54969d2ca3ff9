"""The directories of a session's machine, as the agent knows them and as they are on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcore_local.agents.machine import STORAGE_PREFIX
from agentcore_local.agents.sandbox.runner import Place

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local.agents.machine import Machine

WORKSPACE = "/workspace"
TEMPORARY = "/tmp"  # noqa: S108 - the agent's own


@dataclass(frozen=True, slots=True)
class Directories:
    """What the agent of one invocation may use.

    Attributes:
        machine: The session's machine.
        mount_paths: The harness' mounts, ``/mnt/<name>``. All kinds are directories of the session here, also those
            that hold shared files on the service (EFS, S3 Files).
    """

    machine: Machine
    mount_paths: tuple[str, ...]

    def known(self) -> tuple[str, ...]:
        """The paths the agent may use, the working directory first."""
        return (WORKSPACE, TEMPORARY, *self.mount_paths)

    def on_host(self, known: str) -> Path:
        """Where one of the `known` paths is on the host; made when it is missing."""
        if known in self.mount_paths:
            return self.machine.directory(STORAGE_PREFIX + known.rsplit("/", 1)[-1])
        return self.machine.directory(known.lstrip("/"))

    def place(self) -> Place:
        """For running commands."""
        writable = tuple((self.on_host(known), known) for known in self.known())
        self.machine.directory("jail")
        return Place(root=writable[0][0].parent, writable=writable)
