"""The directories of a session's machine, as the agent knows them and as they are on the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentcore_local.agents.machine import STORAGE_PREFIX
from agentcore_local.agents.sandbox.runner import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcore_local.agents.machine import Machine
    from agentcore_local.agents.mounts import SharedDirectory

WORKSPACE = "/workspace"
TEMPORARY = "/tmp"  # noqa: S108 - the agent's own


@dataclass(frozen=True, slots=True)
class Directories:
    """What the agent of one invocation may use.

    Attributes:
        machine: The session's machine.
        mount_paths: The harness' mounts, ``/mnt/<name>``.
        shared: Those of them that are shared with other sessions (EFS, S3 Files); the others are the session's own.
    """

    machine: Machine
    mount_paths: tuple[str, ...]
    shared: Mapping[str, SharedDirectory] = field(default_factory=dict)

    def known(self) -> tuple[str, ...]:
        """The paths the agent may use, the working directory first."""
        return (WORKSPACE, TEMPORARY, *self.mount_paths)

    def is_read_only(self, known: str) -> bool:
        """Whether one of the `known` paths can only be read."""
        return known in self.shared and self.shared[known].read_only

    def on_host(self, known: str) -> Path:
        """Where one of the `known` paths is on the host; made when it is missing."""
        if known in self.shared:
            return self.shared[known].path
        if known in self.mount_paths:
            return self.machine.directory(STORAGE_PREFIX + known.rsplit("/", 1)[-1])
        return self.machine.directory(known.lstrip("/"))

    def place(self) -> Place:
        """For running commands."""
        places = [(self.on_host(known), known) for known in self.known()]
        self.machine.directory("jail")
        return Place(
            root=places[0][0].parent,
            writable=tuple(place for place in places if not self.is_read_only(place[1])),
            read_only=tuple(place for place in places if self.is_read_only(place[1])),
        )
