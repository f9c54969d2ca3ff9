"""Writing to the terminal: answers go to stdout, everything about them to stderr.

That split lets `agentcore-harness invoke … > answer.md` hold the answer only, while the tool calls stay visible.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls without tab and newline: what an agent writes must not drive the terminal (titles, clipboard).
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Text with terminal control characters made visible; tab and newline stay."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def answer(text: str) -> None:
    """Write a piece of the answer to stdout at once; on a terminal, control characters are made visible."""
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def document(value: Any) -> None:
    """Write one JSON document to stdout: indented for people on a terminal, one line for pipes."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, indent=indent, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def line(value: Any) -> None:
    """Write one line of JSON to stdout, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def note(text: str = "", *, style: str = "", end: str = "\n") -> None:
    """Write about the work to stderr; styled only on a terminal and only without `NO_COLOR`."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        sys.stderr.write(printable(text) + end)
        sys.stderr.flush()
        return
    _terminal().print(printable(text), style=style or None, end=end, soft_wrap=True)


@functools.cache
def _terminal() -> Console:
    from rich.console import Console  # noqa: PLC0415 - scripts and pipes never pay for loading it

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def _plain(value: Any) -> str:
    """What JSON has no type for: bytes as base64 (as the API's own JSON has them), times in ISO 8601."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
