"""State between runs, written while the local cloud runs: a process that is killed loses what its last second brought.

A snapshot is a folder with a file for each service, written whole under another name before `current` names it: there
is always one that is whole, and its files belong together. While a stack is being deployed none is taken; a process
that is killed then comes back as it was before the deployment. Events of memories, and with them conversations, are
beyond that written into a journal as they happen.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

from . import seams
from .process import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

logger = logging.getLogger(__name__)

_CURRENT = "current"
_SNAPSHOTS = "snapshots"
_JOURNAL = "events.jsonl"
DELAY = 0.3
"""Seconds from a change to the snapshot that has it, if nothing else comes in the way."""
PATIENCE = 600.0
"""Seconds a deployment may keep a snapshot waiting; then one is taken in the middle of it."""
_REST = 20  # how much longer than a snapshot takes the next one waits: it must not take the time of the agents
_LONGEST_PAUSE = 60.0
_POLL = 0.1
_ATTEMPTS = 5
INTERRUPTED = "The local cloud ended while this operation was in progress"


class Kept:
    """Who keeps the state of this process' local cloud; nobody without a folder for it."""

    keeper: Keeper | None = None

    def touch(self) -> None:
        """Say that something may have changed."""
        if self.keeper is not None:
            self.keeper.touch()


KEPT = Kept()


class Journal:
    """Events of memories since the last snapshot: one line each, written at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: list[TextIO] = []

    def open(self, folder: Path) -> TextIO:
        """Write into this folder, too."""
        file = (folder / _JOURNAL).open("a", encoding="utf-8", buffering=1)
        with self._lock:
            self._files.append(file)
        return file

    def keep_only(self, wanted: TextIO | None) -> None:
        """Write into one file only, or into none."""
        with self._lock:
            others, self._files = [file for file in self._files if file is not wanted], [wanted] if wanted else []
        for file in others:
            file.close()

    def note(self, scope: tuple[str, str], memory_id: str, event: dict[str, Any], *, deleted: bool) -> None:
        """Write that an event was created, or deleted."""
        if self._files:
            line = json.dumps({"scope": scope, "memory": memory_id, "event": event, "deleted": deleted}, default=str)
            with self._lock:
                for file in self._files:
                    file.write(f"{line}\n")


def _replay(folder: Path) -> None:
    path = folder / _JOURNAL
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the line it was killed in
        scope = (entry["scope"][0], entry["scope"][1])
        restore = seams.forget_event if entry["deleted"] else seams.restore_event
        restore(scope, entry["memory"], entry["event"])


class Keeper:
    """Takes snapshots after changes, on a thread of its own.

    Args:
        folder: The folder for state.
        ours: What there is to keep beside the services of ministack: file name to its content.
    """

    def __init__(self, folder: Path, ours: Callable[[], dict[str, str]]) -> None:
        self._folder = folder
        self._ours = ours
        self._journal = Journal()
        self._file: TextIO | None = None
        self._written: dict[str, str] = {}
        self._saving = threading.Lock()
        self._touched, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def snapshot(self) -> Path:
        """The folder of the last snapshot; without one the folder for state itself, where earlier versions had it."""
        current, taken = self._folder / _CURRENT, self._folder / _SNAPSHOTS
        name = current.read_text(encoding="utf-8", errors="replace").strip() if current.exists() else ""
        if not (
            name.isdecimal() and (taken / name).is_dir()
        ):  # it was lost, or the machine went down as it was written
            whole = [int(one.name) for one in taken.glob("*") if one.name.isdecimal()]
            name = str(max(whole, default=""))
        return taken / name if name else self._folder

    def check(self) -> None:
        """See that all of the last snapshot can be read.

        Raises:
            LocalCloudError: A file cannot; started without it, the next snapshot would forget what was in it.
        """
        for path in sorted(self.snapshot.glob("*.json")):
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise LocalCloudError(
                    f"the state in {path} cannot be read ({error}); put the file right, or use an empty state folder"
                ) from error

    def restored(self) -> None:
        """The services have read their state: the journal is read after it, and what was interrupted is over."""
        _replay(self.snapshot)
        seams.settle_stacks(INTERRUPTED)

    def start(self) -> None:
        """Begin to take snapshots."""
        seams.note_events(self._journal.note)
        self.save()
        self._thread = threading.Thread(target=self._run, name="agentcore-state", daemon=True)
        self._thread.start()

    def flush(self) -> None:
        """Take a snapshot before an answer goes out, unless a deployment is under way."""
        if not seams.stacks_in_progress():
            self.save()

    def touch(self) -> None:
        """Say that something may have changed."""
        self._touched.set()

    def stop(self) -> None:
        """Take the last snapshot; nothing is written after it."""
        self._stopping.set()
        self._touched.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.save()
        finally:
            self._journal.keep_only(None)

    def _run(self) -> None:
        pause = DELAY
        while True:
            changed = self._touched.wait(pause)
            if self._stopping.is_set():
                return
            self._touched.clear()
            # What goes on after a request (workflows, functions) tells nobody: looked for, ever less often.
            pause = DELAY if changed else min(pause * 2, _LONGEST_PAUSE)
            self._stopping.wait(DELAY)
            self._wait_for_stacks()
            if self._stopping.is_set():
                return
            started = time.monotonic()
            try:
                self.save()
            except Exception:
                logger.exception("folder=<%s> | state not written", self._folder)
            self._stopping.wait((time.monotonic() - started) * _REST)

    def _wait_for_stacks(self) -> None:
        end = time.monotonic() + PATIENCE
        while seams.stacks_in_progress() and time.monotonic() < end and not self._stopping.is_set():
            self._stopping.wait(_POLL)

    def save(self) -> None:
        """Take a snapshot now, unless nothing has changed."""
        with self._saving:
            number = int(self.snapshot.name) + 1 if self.snapshot != self._folder else 1
            fresh = self._folder / _SNAPSHOTS / f"{number}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            file = self._journal.open(fresh)  # before the state is read: what comes in between is in both
            try:
                texts = dict(self._texts())
                if texts == self._written:
                    self._journal.keep_only(self._file)
                    shutil.rmtree(fresh)
                    return
                self._write(fresh, texts)
            except BaseException:
                self._journal.keep_only(self._file)
                shutil.rmtree(fresh, ignore_errors=True)
                raise
            before = self.snapshot
            fresh.rename(fresh.with_suffix(""))
            _replace(self._folder / _CURRENT, str(number))
            self._journal.keep_only(file)
            self._file, self._written = file, texts
            if before != self._folder:
                shutil.rmtree(before, ignore_errors=True)
            seams.prune_code()

    def _texts(self) -> Iterator[tuple[str, str]]:
        for service, get in seams.service_states().items():
            name = f"{service}.json"
            text = _steady(service, get)
            if text is None:
                text = self._written.get(name)
            if text is not None:
                yield name, text
        yield from self._ours().items()

    def _write(self, fresh: Path, texts: Mapping[str, str]) -> None:
        before = self.snapshot
        for name, text in texts.items():
            if self._written.get(name) == text and before != self._folder:
                with contextlib.suppress(OSError):  # not every file system has hard links
                    os.link(before / name, fresh / name)
                    continue
            (fresh / name).write_text(text, encoding="utf-8")


def _steady(name: str, get: Callable[[], str | None]) -> str | None:
    """The state of a service that others may be changing; None when it cannot be had, and the last one stays."""
    for _ in range(_ATTEMPTS):
        try:
            return get()
        except RuntimeError:  # a dictionary changed while it was copied
            time.sleep(0)
        except Exception:
            logger.exception("service=<%s> | its state is not kept", name)
            return None
    return None


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
