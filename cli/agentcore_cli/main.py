"""Entry point of `agentcore-harness`: the commands, and the one place where failures become sentences."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
import typer.exceptions

from agentcore_cli import console
from agentcore_cli.chat import chat
from agentcore_cli.deploy import PASS_THROUGH, deploy, destroy, diff
from agentcore_cli.errors import FAILED, INTERRUPTED, MISUSED, CliError, error_member, report
from agentcore_cli.invoke import invoke
from agentcore_cli.listing import describe, list_harnesses
from agentcore_cli.local import local_app
from agentcore_cli.logs import logs
from agentcore_cli.sessions import sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

_JSON_FLAGS = frozenset({"--json", "--events"})


class Commands(typer.core.TyperGroup):
    """The group of all commands; it turns every failure into one sentence and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - the signature of the base class
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - the signature of the base class
        **extra: Any,
    ) -> Any:
        """Run one command line and leave the process with its exit code."""
        del standalone_mode, complete_var, windows_expand_args  # failures are handled here
        sys.exit(self._run(list(sys.argv[1:] if args is None else args), prog_name or "agentcore-harness", extra))

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; Ctrl-C is a failure like any other, with a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise CliError("Interrupted.", code="Interrupted", exit_code=INTERRUPTED) from error

    def _run(self, words: list[str], prog_name: str, extra: dict[str, Any]) -> int:
        try:
            code = super().main(words, prog_name, standalone_mode=False, **extra)
        except typer.exceptions.TyperException as error:
            return _refuse(error, words)
        except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, the user gets a sentence
            return _refuse(_unexpected(error), words)
        return code if isinstance(code, int) else 0


def _refuse(error: typer.exceptions.TyperException, words: Sequence[str]) -> int:
    if _debugging(words):
        traceback.print_exc()
    # Behind `--` the words belong to the CDK CLI.
    ours = words[: words.index("--")] if "--" in words else words
    if _JSON_FLAGS.intersection(ours):
        console.document(error_member(error))
    report(error)
    context = getattr(error, "ctx", None)
    if context is not None and error.exit_code == MISUSED:
        console.note(f"Help: {context.command_path} --help", style="dim")
    return error.exit_code


def _unexpected(error: Exception) -> CliError:
    said = str(error) or "no message"
    return CliError(
        f"Something unexpected happened ({type(error).__name__}: {said}); "
        "set AGENTCORE_DEBUG=1 to see where, and please report it.",
        code="Unexpected",
        exit_code=FAILED,
    )


def _debugging(words: Sequence[str]) -> bool:
    return os.environ.get("AGENTCORE_DEBUG", "") not in ("", "0") or (bool(words) and words[0] == "--debug")


app = typer.Typer(
    name="agentcore-harness",
    cls=Commands,
    help="Run agents on Amazon Bedrock AgentCore harness: on the local cloud of this machine, or on AWS.",
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(local_app, name="local")
app.command("list")(list_harnesses)
for command in (describe, invoke, chat, sessions, logs):
    app.command()(command)
for cdk_command in (deploy, diff, destroy):
    app.command(context_settings=PASS_THROUGH, options_metavar="[OPTIONS] [CDK ARGS]...")(cdk_command)


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - only this option needs it

        console.answer(f"agentcore-harness {version('agentcore-harness-cdk')}\n")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a failure; AGENTCORE_DEBUG=1 does the same.")
    ] = False,
) -> None:
    del version, debug  # read where they act: by the callback and by Commands
    if context.invoked_subcommand is None:
        console.answer(context.get_help() + "\n")


def main() -> None:
    """Run the command line of this process."""
    app()
