"""How the command says no: one sentence on stderr, one exit code, and no traceback unless it is asked for."""

from __future__ import annotations

import sys
from typing import Any, Final

import typer.exceptions

from agentcore_cli import console

OK: Final = 0
FAILED: Final = 1
MISUSED: Final = 2
"""Unknown options, missing arguments and values that cannot be right."""
INCOMPLETE: Final = 3
"""The agent ran and stopped before it had given a complete answer (a limit, a filter, a hook)."""
INTERRUPTED: Final = 130
"""Ctrl-C, by the shells' convention 128 + SIGINT."""


class CliError(typer.exceptions.TyperException):
    """A failure the user can act on.

    Attributes:
        message: One sentence: what happened, what was received, what to do.
        code: A stable word for scripts that read `--json`, for example `LocalCloudNotRunning`.
        exit_code: What the process returns.
    """

    def __init__(self, message: str, *, code: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


def misused(message: str, *, code: str = "InvalidOption") -> CliError:
    """An error in what was typed (exit code 2)."""
    return CliError(message, code=code, exit_code=MISUSED)


def report(error: typer.exceptions.TyperException) -> None:
    """Write the sentence to stderr."""
    if error.exit_code == INTERRUPTED and sys.stderr.isatty():
        console.note()  # the terminal has just written ^C
    console.note(f"agentcore-harness: {error.format_message()}", style="red")


def error_member(error: typer.exceptions.TyperException | None) -> dict[str, Any]:
    """The `error` member of a JSON document; no member when there is no error."""
    if error is None:
        return {}
    code = error.code if isinstance(error, CliError) else "UsageError"
    return {"error": {"code": code, "message": error.format_message()}}
