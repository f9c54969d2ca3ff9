"""Runs a session's commands in the strongest jail this machine offers, or refuses to run them."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
import sys
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JAIL = Path(__file__).with_name("jail.py")

ISOLATION_VARIABLE = "AGENTCORE_LOCAL_ISOLATION"
"""Set to ``landlock`` to accept that level where namespaces are not available; see `jail` for what it lacks."""

MAX_OUTPUT = 100_000
"""Bytes of a command's output that are kept: the first and the last halves of it."""

MAX_CONCURRENT = 32
"""Commands that run at the same time, over all sessions; more wait."""

_GIBIBYTE = 1 << 30
_LIMITS = {
    "RLIMIT_FSIZE": _GIBIBYTE,  # session storage is 1 GB on the service
    "RLIMIT_DATA": 4 * _GIBIBYTE,
    "RLIMIT_NOFILE": 4096,
    "RLIMIT_CORE": 0,
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KILL_AFTER_SECONDS = 2.0


Listener = Callable[[str, str], None]
"""Told where output came from, `stdout` or `stderr`, and what it is."""


class NoIsolation(Exception):  # noqa: N818 - not an error of the program: a property of the machine
    """This machine offers no way to keep a command in its directory."""


@dataclass(frozen=True, slots=True)
class Place:
    """The directories a command may use.

    Attributes:
        root: Directory of the session, with an empty one named ``jail``.
        writable: Each directory with the path the agent knows it by; the first is the working directory.
        read_only: The same for directories that can only be read.
    """

    root: Path
    writable: tuple[tuple[Path, str], ...]
    read_only: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did.

    Attributes:
        output: Standard output and error, as they came, at most `MAX_OUTPUT` bytes of them.
        exit_code: Its exit code; None when it was ended for taking too long.
    """

    output: str
    exit_code: int | None


class Runner:
    """Runs commands; finds out on first use how well it can isolate them.

    Args:
        levels: The levels to try, strongest first; by default those the user accepts.
    """

    def __init__(self, levels: tuple[str, ...] | None = None) -> None:
        self._levels = levels
        self._level: str | None = None
        self._reasons: list[str] = []
        self._slots: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._slots = weakref.WeakKeyDictionary()

    async def level(self) -> str:
        """The level commands are isolated with here.

        Raises:
            NoIsolation: saying why each level is out of reach.
        """
        if self._level is None and not self._reasons:
            await self._probe()
        if self._level is None:
            raise NoIsolation("; ".join(self._reasons))
        return self._level

    async def run(
        self,
        command: str,
        place: Place,
        environment: dict[str, str],
        timeout: float,
        listen: Listener | None = None,
    ) -> Outcome:
        """Run `command` with bash.

        Args:
            command: What to run.
            place: Where.
            environment: Variables beside ``PATH``, ``HOME``, ``LANG`` and the like; nothing of this process' own
                environment is passed on.
            timeout: Seconds after which it is ended, with everything it has started.
            listen: Told of output as it comes, standard output and error apart; the outcome then holds none.

        Raises:
            NoIsolation: when nothing can keep the command in its directory.
        """
        level = await self.level()
        slots = self._slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MAX_CONCURRENT))
        async with slots:
            status, outcome = await _start(level, command, place, environment, timeout, listen=listen)
        if status != "ok":
            raise NoIsolation(f"{level}: {status}")
        return outcome

    async def _probe(self) -> None:
        reasons = []
        for level in self._levels or _accepted_levels():
            if not sys.platform.startswith("linux"):
                reasons.append(f"{level} needs Linux, this is {sys.platform}")
                continue
            with tempfile.TemporaryDirectory(prefix="agentcore-probe-") as name:
                place = Place(Path(name), ((Path(name, "workspace"), "/workspace"),))
                for directory in ("jail", "workspace"):
                    Path(name, directory).mkdir()
                status, outcome = await _start(level, "echo works", place, {}, 10)
            if status == "ok" and outcome.output == "works\n":
                self._level = level
                return
            reasons.append(f"{level}: {status if status != 'ok' else outcome.output.strip() or 'bash does not run'}")
        self._reasons = reasons


def _accepted_levels() -> tuple[str, ...]:
    return ("namespaces", "landlock") if os.environ.get(ISOLATION_VARIABLE) == "landlock" else ("namespaces",)


def describe(place: Place, level: str) -> tuple[str, dict[str, str]]:
    """The working directory's path as a command sees it, and each other directory's."""
    directories = (*place.writable, *place.read_only)
    own = {known: known if level == "namespaces" else str(source) for source, known in directories}
    return own[place.writable[0][1]], own


async def _start(
    level: str,
    command: str,
    place: Place,
    environment: dict[str, str],
    timeout: float,
    *,
    listen: Listener | None = None,
) -> tuple[str, Outcome]:
    home, paths = describe(place, level)
    base = {
        "PATH": f"{_PATH}:{sys.base_prefix}/bin",
        "HOME": home,
        "USER": "root",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": paths.get("/tmp", home),  # noqa: S108 - the agent's own /tmp
    }
    specification: dict[str, Any] = {
        "level": level,
        "root": str(place.root / "jail"),
        "readable": [sys.base_prefix] if sys.base_prefix not in {"/", "/usr"} else [],
        "writable": [[str(source), known] for source, known in place.writable],
        "read_only": [[str(source), known] for source, known in place.read_only],
        "cwd": home,
        "limits": _LIMITS,
        "command": command,
        "environment": {**base, **environment},
    }
    reader, writer = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(JAIL), str(writer),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if listen is None else asyncio.subprocess.PIPE,
            pass_fds=[writer], env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    try:
        exit_code, output = await _finish(process, json.dumps(specification).encode(), timeout, listen)
        status = os.read(reader, 4096).decode(errors="replace") or "the jail did not start"
    finally:
        os.close(reader)
    return status, Outcome(output, exit_code)


async def _finish(
    process: asyncio.subprocess.Process, specification: bytes, timeout: float, listen: Listener | None
) -> tuple[int | None, str]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The jail's pipes are missing.")
    output = _Output()
    try:
        async with asyncio.timeout(timeout):
            process.stdin.write(specification)
            process.stdin.close()
            if listen is None:
                while chunk := await process.stdout.read(65_536):
                    output.add(chunk)
            else:
                await asyncio.gather(
                    _pass_on("stdout", process.stdout, listen), _pass_on("stderr", process.stderr, listen)
                )
            return await process.wait(), output.text()
    except TimeoutError:
        return None, output.text()
    finally:
        await _end(process)


async def _pass_on(name: str, stream: asyncio.StreamReader | None, listen: Listener) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two pieces
    while stream is not None and (chunk := await stream.read(65_536)):
        if text := decoder.decode(chunk):
            listen(name, text)
    if rest := decoder.decode(b"", final=True):
        listen(name, rest)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Make sure nothing runs any more. The jail ends its command, and all that the command started, on SIGTERM."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), _KILL_AFTER_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


class _Output:
    """Keeps the beginning and the end of a long output."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, chunk: bytes) -> None:
        room = MAX_OUTPUT // 2 - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        surplus = len(self._tail) - MAX_OUTPUT // 2
        if surplus > 0:
            del self._tail[:surplus]
            self._left_out += surplus

    def text(self) -> str:
        head, tail = (bytes(part).decode(errors="replace") for part in (self._head, self._tail))
        return f"{head}\n[... {self._left_out} bytes left out ...]\n{tail}" if self._left_out else head + tail


runner = Runner()
