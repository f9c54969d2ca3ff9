"""The built-in tool ``shell``: bash on the session's machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agentcore_local.agents.sandbox.runner import ISOLATION_VARIABLE, NoIsolation, Runner, describe
from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed, argument
from agentcore_local.agents.tools.directories import WORKSPACE, Directories

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT = 120
MAX_TIMEOUT = 900
"""Seconds a command may take: unless the model says otherwise, and at most."""

_SCHEMA = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "description": "The bash command line to run."},
        "timeout": {
            "type": "integer",
            "description": f"Seconds after which the command is ended, 1-{MAX_TIMEOUT}; {DEFAULT_TIMEOUT} by default.",
        },
    },
    "required": ["command"],
}


class Shell(HarnessTool):
    """Runs commands in a jail around the session's directories.

    Args:
        directories: The session's directories.
        environment: The harness' environment variables.
        region: For ``AWS_REGION``. There are no AWS credentials in a command's environment.
        runner: Runs the commands.
    """

    def __init__(self, directories: Directories, environment: Mapping[str, str], region: str, runner: Runner) -> None:
        kept = [path for path in directories.mount_paths if not directories.is_read_only(path)]
        mounts = f", {', '.join(kept)} to keep files" if kept else ""
        description = (
            f"Run a bash command on this session's machine. Each call is a new shell in {WORKSPACE}; files stay, "
            f"processes do not. Write in {WORKSPACE}{mounts} and /tmp; everything else is read-only."
        )
        super().__init__(Described("shell", "builtin", description, _SCHEMA))
        self._directories = directories
        self._environment = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, **environment}
        self._runner = runner

    async def call(self, arguments: dict[str, Any]) -> str:
        """Run one command; its output, and its exit code when that is not 0."""
        command = argument(arguments, "command", str)
        seconds = argument(arguments, "timeout", int, required=False) or DEFAULT_TIMEOUT
        if not 1 <= seconds <= MAX_TIMEOUT:
            raise ToolFailed(f"The argument timeout must be 1-{MAX_TIMEOUT}; received {seconds}.")
        if "\0" in command:
            raise ToolFailed("The argument command must not contain a NUL character.")
        try:
            level = await self._runner.level()
            place = await asyncio.to_thread(self._directories.place)
            outcome = await self._runner.run(command, place, self._environment, seconds)
        except NoIsolation as reason:
            raise ToolFailed(
                "The local cloud does not run commands on this machine, because nothing here can keep them in the "
                f"session's directory ({reason}). Use file_operations for files. To the user: run it on Linux with "
                f"user namespaces, or set {ISOLATION_VARIABLE}=landlock to accept weaker isolation."
            ) from reason
        output = _in_the_agents_words(outcome.output, describe(place, level)[1])
        if outcome.exit_code is None:
            raise ToolFailed(f"{output}\n[ended after {seconds} s]".lstrip())
        if outcome.exit_code != 0:
            raise ToolFailed(f"{output}\n[exit code {outcome.exit_code}]".lstrip())
        return output or "[no output]"


def _in_the_agents_words(output: str, paths: Mapping[str, str]) -> str:
    """`output` with the directories' documented paths, where the jail cannot give them these (Landlock)."""
    for known, own in paths.items():
        if own != known:
            output = output.replace(own, known)
    return output
