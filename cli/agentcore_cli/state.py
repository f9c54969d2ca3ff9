"""Where the running local cloud is written down: `.agentcore/local.json` beside the project's `cdk.json`.

One file for one project, so two projects on a machine can each have a local cloud and never answer for one another.
`AGENTCORE_HOME` names another folder, for instance one that several checkouts share.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentcore_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

try:
    import fcntl
except (
    ImportError
):  # pragma: no cover - Windows has no advisory locks of this kind; starting twice is then the user's race
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "local.json"


@dataclass(frozen=True)
class Record:
    """One running local cloud.

    Attributes:
        endpoint: Base URL; always on this machine.
        pid: Process id of the server.
        started_at: ISO 8601, UTC.
        log: The server's log file; empty when it writes to the terminal that started it.
        state_dir: Folder the server keeps its state in; empty when it keeps it in memory.
        script: File with what the scripted model says; empty when that is built in.
        model: Which model agents talk to; empty is the scripted one.
        iam: Whether it checks roles and permissions.
        fixtures: File that stands in for the world outside; empty when there is none.
    """

    endpoint: str
    pid: int
    started_at: str
    log: str = ""
    state_dir: str = ""
    script: str = ""
    model: str = ""
    iam: bool = True
    fixtures: str = ""

    @property
    def port(self) -> int:
        """TCP port of the endpoint."""
        return urlsplit(self.endpoint).port or 80

    def to_json(self) -> dict[str, str | int | bool]:
        """The record as it stands in the file."""
        return {
            "endpoint": self.endpoint,
            "pid": self.pid,
            "startedAt": self.started_at,
            "log": self.log,
            "stateDir": self.state_dir,
            "script": self.script,
            "model": self.model,
            "fixtures": self.fixtures,
            "iam": self.iam,
        }


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine and nowhere else."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def home(environ: Mapping[str, str] | None = None, start: Path | None = None) -> Path:
    """The folder for the command's own files: `AGENTCORE_HOME`, or `.agentcore` in the project.

    The project is the nearest folder upwards that holds a `cdk.json`; without one, the current folder.
    """
    environ = os.environ if environ is None else environ
    start = Path.cwd() if start is None else start
    if chosen := environ.get("AGENTCORE_HOME"):
        return (start / Path(chosen).expanduser()).resolve()
    project = next((folder for folder in (start, *start.parents) if (folder / "cdk.json").is_file()), start)
    return project / ".agentcore"


def read(folder: Path) -> Record | None:
    """The recorded local cloud, or None.

    Raises:
        CliError: the file is there and does not describe a server on this machine.
    """
    path = folder / FILE_NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        record = Record(
            endpoint=str(found["endpoint"]),
            pid=int(found["pid"]),
            started_at=str(found["startedAt"]),
            log=str(found.get("log", "")),
            state_dir=str(found.get("stateDir", "")),
            script=str(found.get("script", "")),
            model=str(found.get("model", "")),
            fixtures=str(found.get("fixtures", "")),
            iam=bool(found.get("iam", True)),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(
            f"{path} does not describe a local cloud ({type(error).__name__}: {error}); "
            "remove it with `agentcore-harness local down`.",
            code="LocalRecordUnreadable",
        ) from error
    if not is_loopback(record.endpoint):
        # A file in a checkout is not trusted to send prompts to another machine.
        raise CliError(
            f"{path} names {record.endpoint}, which is not on this machine; "
            "a local cloud is always on a loopback address. Remove the file with `agentcore-harness local down`.",
            code="LocalRecordUnreadable",
        )
    return record


def write(folder: Path, record: Record) -> None:
    """Record a running local cloud; readers see the old file or the new one, never a part."""
    prepare(folder)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=FILE_NAME)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(record.to_json(), file, indent=2)
        file.write("\n")
    Path(temporary).replace(folder / FILE_NAME)


def forget(folder: Path, pid: int | None = None) -> None:
    """Remove the record; with a pid only when the record is that process's."""
    if pid is not None:
        with contextlib.suppress(CliError):
            record = read(folder)
            if record is not None and record.pid != pid:
                return
    (folder / FILE_NAME).unlink(missing_ok=True)


def prepare(folder: Path) -> None:
    """Create the folder, invisible to git.

    Raises:
        CliError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"The folder {folder} cannot be written to ({error.strerror}); "
            "name another one in the environment variable AGENTCORE_HOME.",
            code="HomeNotWritable",
        ) from error


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Hold the right to start a local cloud in this folder: of two at once one waits and then sees the other."""
    prepare(folder)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
