"""What is the process' own: the settings ministack reads at import, the folder for temporary files, the endpoint.

ministack keeps its state in modules and reads its settings once, so there is one local cloud per process, and a cloud
that is started again in the same process listens on the port of the first one.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

DEFAULT_PORT = 4570
"""Beside, not on, 4566: whoever has another emulator there can run both."""
_FOLDER = "agentcore-local-"
_OBJECTS, _CLAIM = "s3", "claim"
# Python and Node workers get these from the server's environment; nothing else of it (a Lambda function sees what it
# would see on AWS). PATH is where `node` and the interpreter are found.
_LAMBDA_KEEPS = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "AGENTCORE_GIT_MIRRORS")


class LocalCloudError(RuntimeError):
    """The local cloud cannot do what it was asked; the message says why and what to do."""


@dataclass
class Process:
    """The one local cloud of this process."""

    port: int | None = None
    host: str = "127.0.0.1"
    folder: Path | None = None
    state_dir: Path | None = None
    running: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    _claim: TextIO | None = None
    _before: dict[str, str | None] = field(default_factory=dict)

    @property
    def endpoint_url(self) -> str:
        """URL of the running cloud."""
        if not self.running:
            raise LocalCloudError("the local cloud is not running; start it with LocalCloud().start()")
        return f"http://{self.host}:{self.port}"

    def prepare(self, *, host: str, port: int, state_dir: Path | None) -> None:
        """Set what ministack reads; call before it is imported.

        Args:
            host: Address to listen on and to be addressed by.
            port: The port that was bound.
            state_dir: Folder to keep state in between runs; None keeps it in memory.

        Raises:
            LocalCloudError: The folder for state cannot be used, or another local cloud uses it.
        """
        self._claim = None if state_dir is None else _claimed(state_dir)
        self.host, self.port, self.state_dir = host, port, state_dir
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        self.settings = {
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": host,
            "BIND_HOST": host,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_REGION": "us-east-1",
        }
        if state_dir is not None:
            objects = str(state_dir / _OBJECTS)
            kept = {"PERSIST_STATE": "1", "STATE_DIR": str(state_dir), "S3_PERSIST": "1", "S3_DATA_DIR": objects}
            self.settings.update(kept)
        self._before = {name: os.environ.get(name) for name in self.settings}
        os.environ.update(self.settings)

    def restore(self) -> None:
        """Give the environment and the folder for state back, and remove the temporary folder."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def lambda_environment(self) -> dict[str, str]:
        """The environment Lambda workers start from, in place of the server's own."""
        folder = self.folder or Path(tempfile.gettempdir())
        home, scratch = folder / "lambda-home", folder / "lambda-tmp"
        for needed in (home, scratch):
            needed.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in _LAMBDA_KEEPS if name in os.environ}
        interpreter = str(Path(sys.executable).parent)
        path = os.pathsep.join([kept.get("PATH", os.defpath), interpreter])
        return {
            **kept,
            "PATH": path,
            "HOME": str(home),
            "TMPDIR": str(scratch),
            "TZ": ":UTC",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": self.host,
        }


def _claimed(folder: Path) -> TextIO:
    """A file in the folder for state, which is made if need be, and this process' own while the file is open.

    Two that write there in turn would each take the other's state away. The system forgets the claim of a process that
    is killed; where it has no such claims, nothing is checked.

    Raises:
        LocalCloudError: It cannot be written, or is another one's.
    """
    try:
        (folder / _OBJECTS).mkdir(parents=True, exist_ok=True)
        claim = (folder / _CLAIM).open("a+", encoding="utf-8")
        try:
            _lock(claim)
            claim.truncate(0)
            claim.write(str(os.getpid()))
            claim.flush()
        except BaseException:
            claim.close()
            raise
    except BlockingIOError as error:
        owner = (folder / _CLAIM).read_text(encoding="utf-8").strip() or "unknown"
        raise LocalCloudError(
            f"the folder {folder} keeps the state of another local cloud, which runs (process {owner}); stop that one "
            "or choose another folder"
        ) from error
    except OSError as error:
        raise LocalCloudError(
            f"state cannot be kept in {folder} ({error.strerror}); choose a folder that can be written"
        ) from error
    return claim


def _lock(file: TextIO) -> None:
    """Have a file alone; BlockingIOError when somebody else has it."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # a file system without claims


def _sweep() -> None:
    """Remove the folders of local clouds that were killed: they had no time to do it themselves."""
    if sys.platform == "win32":
        return  # asking whether a process runs would end it there
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}[0-9]*-*"):
        owner = folder.name.removeprefix(_FOLDER).split("-")[0]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


PROCESS = Process()
