"""The local cloud as a process: is it there, start it, stop it."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from agentcore_cli import state
from agentcore_cli.errors import CliError

HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 60.0
"""A start takes about 3 s; a loaded CI machine gets twenty times that."""
STOP_SECONDS: Final = 20.0
HEALTH_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05

Presence = Literal["running", "absent", "stale", "silent"]


@dataclass(frozen=True)
class Observation:
    """What is known about the project's local cloud.

    Attributes:
        presence: `running`; `absent` (nothing recorded); `stale` (recorded, and gone);
            `silent` (its process lives and does not answer).
        record: What is written down, unless absent.
        health: What the server answered, when running.
        reason: Why it is stale or silent, as part of a sentence.
    """

    presence: Presence
    record: state.Record | None = None
    health: dict[str, Any] | None = None
    reason: str = ""


def observe(folder: Path) -> Observation:
    """Compare the recorded local cloud with what runs.

    Raises:
        CliError: the record cannot be read.
    """
    record = state.read(folder)
    if record is None:
        return Observation("absent")
    health = probe(record.endpoint)
    if health is not None:
        answering = health.get("pid")
        if answering in (None, record.pid):
            return Observation("running", record, health)
        return Observation("stale", record, reason=f"port {record.port} now belongs to process {answering}")
    if is_alive(record.pid) and is_local_cloud(record.pid):
        return Observation("silent", record, reason=f"process {record.pid} does not answer on {record.endpoint}")
    return Observation("stale", record, reason=f"process {record.pid} has ended")


def request(endpoint: str, method: str, path: str, *, timeout: float) -> tuple[int, bytes]:
    """One plain HTTP request to this machine, past any proxy that the environment names.

    Raises:
        OSError: no connection, or none within `timeout` seconds.
        http.client.HTTPException: something answers that does not speak HTTP.
    """
    url = urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname or HOST, url.port or 80, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def probe(endpoint: str) -> dict[str, Any] | None:
    """The `/health` document of a local cloud, or None when there is none at that address."""
    try:
        status, body = request(endpoint, "GET", "/health", timeout=HEALTH_SECONDS)
        found = json.loads(body)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    # Other emulators answer /health as well; only ours gives its status and its process id.
    healthy = status == http.client.OK and isinstance(found, dict) and found.get("status") == "ok" and "pid" in found
    return found if healthy else None


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be collected does not."""
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)  # collects it if it is our own child
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return fields.rpartition(")")[2].split()[0] != "Z"
    return True


def is_local_cloud(pid: int) -> bool:
    """Whether a process is a local cloud and not some other one that got a recycled id."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # no /proc, as on macOS
        shown = subprocess.run(  # noqa: S603 - a fixed command with a number
            ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607 - ps is where the system has it
            capture_output=True,
            text=True,
            check=False,
        )
        command = shown.stdout
    return "agentcore_local" in command


def require_server() -> None:
    """Check that the server can be started from this environment.

    Raises:
        CliError: the extra that brings it is not installed.
    """
    missing = [name for name in ("agentcore_local", "ministack", "strands") if importlib.util.find_spec(name) is None]
    if missing:
        raise CliError(
            f"The local cloud is not installed in this environment ({', '.join(missing)} missing); "
            "run: pip install 'agentcore-harness-cdk[cli]'",
            code="LocalCloudNotInstalled",
        )


def require_free_port(port: int) -> None:
    """Check that a TCP port of 127.0.0.1 can be had; 0 always can.

    Raises:
        CliError: something listens there, or the system does not allow it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((HOST, port))
        except OSError as error:
            raise CliError(
                f"Port {port} on {HOST} cannot be used ({error.strerror}); "
                "choose another one with --port, or any free one with --port 0.",
                code="PortUnavailable",
            ) from error


@dataclass(frozen=True)
class Settings:
    """How a local cloud is to run, beside its port; empty is the server's own default.

    Attributes:
        state_dir: Folder it keeps its state in.
        script: File that decides what the scripted model says.
        model: Which model agents talk to.
        fixtures: File that stands in for the world outside.
        iam: Whether it checks roles and permissions.
    """

    state_dir: str = ""
    script: str = ""
    model: str = ""
    fixtures: str = ""
    iam: bool = True


def command_line(port: int, settings: Settings) -> list[str]:
    """What starts the server in the foreground."""
    command = [sys.executable, "-m", "agentcore_local", "--host", HOST, "--port", str(port)]
    options = {
        "--state-dir": settings.state_dir,
        "--script": settings.script,
        "--model": settings.model,
        "--fixtures": settings.fixtures,
    }
    command += [word for name, value in options.items() if value for word in (name, value)]
    return command if settings.iam else [*command, "--no-iam"]


def start(folder: Path, *, port: int, settings: Settings) -> tuple[subprocess.Popen[bytes], state.Record]:
    """Start a local cloud in a process session of its own, wait until it answers, and record it.

    Its output goes to `local.log` in the folder, so that it outlives the terminal.

    Returns:
        The process and its record.

    Raises:
        CliError: it ended, or did not answer within 60 s.
    """
    log = folder / "local.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
            command_line(port, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        ready = _wait_until_ready(process, log)
    except BaseException:
        _end(process)
        raise
    record = state.Record(
        endpoint=str(ready["endpoint"]),
        pid=int(ready.get("pid", process.pid)),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        log=str(log),
        state_dir=settings.state_dir,
        script=settings.script,
        model=settings.model,
        fixtures=settings.fixtures,
        iam=settings.iam,
    )
    state.write(folder, record)
    return process, record


def stop(record: state.Record, *, force: bool = False) -> None:
    """Ask a local cloud to end, and wait until it has (it saves its state first).

    Raises:
        CliError: it is still there after 20 s and `force` was not given.
    """
    if _signal_and_wait(record.pid, signal.SIGTERM):
        return
    if force and _signal_and_wait(record.pid, signal.SIGKILL):
        return
    raise CliError(
        f"The local cloud (process {record.pid}) did not stop within {STOP_SECONDS:.0f} s; "
        "end it without saving its state with `agentcore-harness local down --force`.",
        code="LocalCloudDoesNotStop",
    )


def _signal_and_wait(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not is_alive(pid):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        ready = _ready_line(log)
        if ready is not None and probe(str(ready["endpoint"])) is not None:
            return ready
        if process.poll() is not None:
            raise CliError(
                f"The local cloud ended while starting (exit code {process.returncode}): {last_words(log)} "
                f"Its log is {log}.",
                code="LocalCloudFailed",
            )
        time.sleep(_POLL_SECONDS)
    raise CliError(
        f"The local cloud was not ready within {READY_SECONDS:.0f} s: {last_words(log)} Its log is {log}.",
        code="LocalCloudFailed",
    )


def _ready_line(log: Path) -> dict[str, Any] | None:
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("{"):
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict) and "endpoint" in found:
                    return found
    return None


def last_words(log: Path) -> str:
    """The last line of a log that says something, as a sentence."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    said = lines[-1] if lines else "it wrote nothing"
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
