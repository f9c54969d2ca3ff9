"""`agentcore-harness local …`: the switch of the local cloud."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agentcore_cli import console, process, shells, state, targets
from agentcore_cli.errors import FAILED, CliError, misused
from agentcore_cli.options import JsonOption  # noqa: TC001 - Typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLLOW_SECONDS: Final = 0.2
_RESET_SECONDS: Final = 60.0

local_app = typer.Typer(help="Start, stop and use the local cloud.", invoke_without_command=True)


@local_app.callback()
def _local(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        console.answer(context.get_help() + "\n")


@local_app.command()
def up(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 is any free one; by default always the same."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running and return when it is ready.")
    ] = False,
    state_dir: Annotated[
        Path | None, typer.Option(help="Keep its state in this folder between runs.", file_okay=False)
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(help="YAML file that decides what the agents' scripted model says.", dir_okay=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model the agents talk to: scripted, real, or the URL of an OpenAI-compatible server."),
    ] = None,
    fixtures: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON file that stands in for the world outside: searches, pages.", dir_okay=False),
    ] = None,
    no_iam: Annotated[bool, typer.Option("--no-iam", help="Do not check roles and permissions.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Start the local cloud of this project; Ctrl-C stops it, unless it is detached."""
    process.require_server()
    folder = state.home()
    wanted = process.Settings(
        state_dir=str(state_dir.resolve()) if state_dir else "",
        script=str(script.resolve()) if script else "",
        model=model or "",
        fixtures=str(fixtures.resolve()) if fixtures else "",
        iam=not no_iam,
    )
    with _interrupts():
        child, record = _started(folder, port, wanted)
        if child is None or detach:
            _announce(record, started=child is not None, as_json=as_json)
        else:
            _stay(child, record, folder, as_json=as_json)


def _started(
    folder: Path, port: int | None, wanted: process.Settings
) -> tuple[subprocess.Popen[bytes] | None, state.Record]:
    """Start it unless it runs; None in place of the process when it does."""
    with state.starting(folder):
        seen = process.observe(folder)
        if seen.presence == "silent" and seen.record is not None:
            raise CliError(
                f"A local cloud is recorded and does not answer ({seen.reason}); "
                "end it with `agentcore-harness local down` first.",
                code="LocalCloudSilent",
            )
        if seen.presence == "running" and seen.record is not None:
            _require_same(seen.record, port, wanted)
            return None, seen.record
        if port is None:
            from agentcore_local.process import DEFAULT_PORT  # noqa: PLC0415 - see `variables`

            port = DEFAULT_PORT
        process.require_free_port(port)
        return process.start(folder, port=port, settings=wanted)


@local_app.command()
def down(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="End it also when it does not stop; its state may be lost.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the local cloud of this project, if there is one."""
    folder = state.home()
    stopped: state.Record | None = None
    try:
        seen = process.observe(folder)
    except CliError as error:
        state.forget(folder)
        console.note(f"{error.message} It has been removed.")
        seen = process.Observation("absent")
    if seen.record is not None and seen.presence in ("running", "silent"):
        process.stop(seen.record, force=force)
        stopped = seen.record
    state.forget(folder)
    if as_json:
        console.document({"stopped": stopped is not None, **(stopped.to_json() if stopped else {})})
    elif stopped is not None:
        console.note(f"The local cloud on {stopped.endpoint} (process {stopped.pid}) has stopped.")
    else:
        console.note("No local cloud is running for this project" + (f" ({seen.reason})." if seen.reason else "."))


@local_app.command()
def status(*, as_json: JsonOption = False) -> None:
    """Say whether the local cloud of this project runs, and where. Exit code 1 when it does not."""
    folder = state.home()
    seen = process.observe(folder)
    running = seen.presence == "running"
    if as_json:
        record = seen.record.to_json() if seen.record else {}
        about = {"version": seen.health.get("version")} if seen.health else {"reason": seen.reason or None}
        console.document({"running": running, "presence": seen.presence, **record, **about})
    elif seen.record is not None and seen.health is not None:
        console.answer(_described(seen.record, seen.health))
    else:
        why = f" ({seen.reason})" if seen.reason else ""
        console.answer(f"No local cloud is running for this project{why}.\n")
    if not running:
        raise typer.Exit(FAILED)


@local_app.command()
def reset(*, as_json: JsonOption = False) -> None:
    """Empty the local cloud: every account, stack, harness and session is gone."""
    target = targets.local_target(state.home(), os.environ)
    try:
        code, body = process.request(target.endpoint, "POST", "/reset", timeout=_RESET_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise CliError(
            f"The local cloud on {target.endpoint} could not be reset ({error}).", code="ResetFailed"
        ) from error
    if code != http.client.OK:
        said = body.decode("utf-8", errors="replace")[:200]
        raise CliError(
            f"The local cloud on {target.endpoint} could not be reset (HTTP {code}: {said}).", code="ResetFailed"
        )
    if as_json:
        console.document({"reset": True, "endpoint": target.endpoint})
    else:
        console.note(f"The local cloud on {target.endpoint} is empty.")


@local_app.command()
def env(
    *,
    account: Annotated[str | None, typer.Option(help="Account id (12 digits).")] = None,
    region: Annotated[str | None, typer.Option(help="AWS Region.")] = None,
    shell: Annotated[shells.Shell, typer.Option(help="Syntax of the lines.")] = shells.Shell.SH,
    as_json: JsonOption = False,
) -> None:
    """Print the variables that point every SDK, the AWS CLI and the CDK CLI at the local cloud.

    Use it as: eval "$(agentcore-harness local env)"
    """
    target = targets.local_target(state.home(), os.environ, account=account, region=region)
    changed = shells.changes(variables(target), os.environ)
    console.answer(shells.render(changed, shells.Shell.JSON if as_json else shell) + "\n")
    if sys.stdout.isatty() and shell is shells.Shell.SH and not as_json:
        console.note('Set them in this shell: eval "$(agentcore-harness local env)"', style="dim")


def variables(target: targets.Target) -> dict[str, str]:
    """The variables that mean a local cloud; the CDK CLI's own folder is then the project's, not `~/.cdk`."""
    from agentcore_local import toolchain  # noqa: PLC0415 - only commands that need the local cloud load it

    found = toolchain.variables(target.endpoint, target.account, target.region)
    return {**found, "CDK_HOME": str(state.home() / "cdk")}


def _require_same(record: state.Record, port: int | None, wanted: process.Settings) -> None:
    differs = ""
    if port not in (None, 0, record.port):
        differs = f"not on port {port}"
    elif wanted.state_dir not in ("", record.state_dir):
        differs = f"with {f'its state in {record.state_dir}' if record.state_dir else 'its state in memory'}"
    elif wanted.script not in ("", record.script):
        differs = f"with {f'the script {record.script}' if record.script else 'no script'}"
    elif wanted.model not in ("", record.model):
        differs = f"with {f'--model {record.model}' if record.model else 'the scripted model'}"
    elif wanted.fixtures not in ("", record.fixtures):
        differs = f"with {f'the fixtures {record.fixtures}' if record.fixtures else 'no fixtures'}"
    elif record.iam and not wanted.iam:
        differs = "with permissions checked"
    if differs:
        raise misused(
            f"The local cloud of this project runs already, on {record.endpoint}, {differs}; "
            "stop it first with `agentcore-harness local down`.",
            code="LocalCloudRunning",
        )


def _announce(record: state.Record, *, started: bool, as_json: bool, detached: bool = True) -> None:
    if as_json:
        console.document({"running": True, "started": started, **record.to_json()})
        return
    console.answer(
        f"Local cloud {'ready' if started else 'already running'} on {record.endpoint} (process {record.pid}).\n"
    )
    console.note("  deploy this app   agentcore-harness deploy --all", style="dim")
    console.note('  talk to an agent  agentcore-harness invoke HARNESS "hello"', style="dim")
    console.note('  use any AWS tool  eval "$(agentcore-harness local env)"', style="dim")
    console.note(f"  stop it           {'agentcore-harness local down' if detached else 'Ctrl-C'}", style="dim")


def _described(record: state.Record, health: dict[str, Any]) -> str:
    rows = [
        ("endpoint", record.endpoint),
        ("process", str(record.pid)),
        ("started", record.started_at),
        ("version", str(health.get("version", "unknown"))),
        ("state", record.state_dir or "in memory"),
        ("model", record.model or "scripted"),
        ("script", record.script or "built in"),
        ("fixtures", record.fixtures or "none"),
        ("roles", "checked" if record.iam else "not checked"),
        ("log", record.log),
    ]
    return "The local cloud is running.\n" + "".join(f"  {name:<9} {value}\n" for name, value in rows)


def _stay(child: subprocess.Popen[bytes], record: state.Record, folder: Path, *, as_json: bool) -> None:
    """Show the server's log until it ends or is interrupted; it is stopped on Ctrl-C, SIGTERM and a closed terminal."""
    try:
        _announce(record, started=True, as_json=as_json, detached=False)
        with Path(record.log).open("rb") as log:
            log.seek(0, os.SEEK_END)  # what came before the ready line has been read
            while child.poll() is None:
                _show(log.read())
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_FOLLOW_SECONDS)
            _show(log.read())
    except KeyboardInterrupt:
        console.note("\nStopping the local cloud.", style="dim")
        process.stop(record)
        return
    finally:
        state.forget(folder, record.pid)
    if child.returncode:
        raise CliError(
            f"The local cloud has ended by itself (exit code {child.returncode}): "
            f"{process.last_words(Path(record.log))} Its log is {record.log}.",
            code="LocalCloudFailed",
        )
    console.note("The local cloud has stopped.")


def _show(output: bytes) -> None:
    if output:
        console.note(output.decode("utf-8", errors="replace"), end="")


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP act as Ctrl-C does, so that no server outlives its terminal unseen."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
