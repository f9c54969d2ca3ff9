"""`python -m agentcore_local`: the local cloud in the foreground, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from . import fixtures
from .process import DEFAULT_PORT, LocalCloudError
from .server import LocalCloud

if TYPE_CHECKING:
    from types import FrameType


def main(arguments: list[str] | None = None) -> int:
    """Run it; prints one JSON line with `endpoint`, `port` and `pid` when it is ready. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m agentcore_local", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: 127.0.0.1)")
    parser.add_argument("--state-dir", help="folder to keep state in between runs (default: forget everything)")
    parser.add_argument("--no-iam", action="store_true", help="do not check roles and permissions")
    parser.add_argument("--script", help="YAML file that decides what the scripted model says (docs/local-agents.md)")
    parser.add_argument(
        "--model", help="which model agents talk to: scripted, real, a URL, or name=choice,… (docs/local-agents.md)"
    )
    parser.add_argument(
        "--fixtures", help="YAML or JSON file that stands in for the world outside (docs/local-tools.md)"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")

    asked_to_stop = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    # Before the start, so that a signal during it also ends in a clean stop.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    _choose_models(options.script, options.model)
    _supply(options.fixtures)
    cloud = LocalCloud(options.port, options.state_dir, iam=not options.no_iam, host=options.host)
    cloud.start()
    ready = {"endpoint": cloud.endpoint_url, "port": cloud.port, "pid": os.getpid()}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    asked_to_stop.wait()
    cloud.stop()
    return 0


def _choose_models(script: str | None, model: str | None) -> None:
    """Let agents speak by a script or talk to another model, also after a reset, which reads the script anew.

    Raises:
        LocalCloudError: The script or the choice cannot be used.
    """
    if script is None and model is None:
        return
    from .agents import models, scripts  # noqa: PLC0415 - loads Strands, which the start would do without

    if script is not None:
        os.environ[models.SCRIPT_VARIABLE] = str(Path(script).resolve())
    if model is not None:
        os.environ[models.CHOICE_VARIABLE] = model
    try:
        models.choices.of("", "")
    except (models.ChoiceError, scripts.ScriptError) as problem:
        raise LocalCloudError(" ".join(str(problem).split())) from problem


def _supply(path: str | None) -> None:
    """Have the fixtures of a file, also after a reset, which reads it anew.

    Raises:
        LocalCloudError: They cannot be used.
    """
    if path is None:
        return
    os.environ[fixtures.VARIABLE] = str(Path(path).resolve())
    try:
        fixtures.get()
    except fixtures.FixturesError as problem:
        raise LocalCloudError(str(problem)) from problem


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalCloudError as problem:
        sys.stderr.write(f"agentcore_local: {problem}\n")
        sys.exit(1)
