"""What somebody says in a chat, read line by line: from a terminal and from a pipe by the same rules.

- A line is a turn.
- A line that ends with a backslash goes on in the next one.
- A line that is only three double quotes begins a block, and the next such line ends it. What is between is one turn as
  it stands: blank lines, backslashes, a `/` at its beginning.
- Blank lines between turns are nothing. The end of the input ends an open block.
- A turn that begins with `/` is a command of the chat; with `//` it is a turn that begins with `/`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcore_cli import console
from agentcore_cli.errors import misused

if TYPE_CHECKING:
    from collections.abc import Callable

FENCE: Final = '"""'
_MORE: Final = "... "


@dataclass(frozen=True)
class Turn:
    """One turn.

    Attributes:
        text: What to send; of a command, everything behind its name.
        command: Name of the command without the slash; None when the text is to be sent.
    """

    text: str
    command: str | None = None


def read(line: Callable[[str], str], prompt: str) -> Turn:
    """The next turn.

    Args:
        line: Gives the next line without its ending; takes the prompt to show.
        prompt: For the first line.

    Raises:
        EOFError: the input has ended.
    """
    first = line(prompt)
    while not first.strip():
        first = line(prompt)
    if first.strip() == FENCE:
        return Turn(_block(line))
    if "\n" in first:
        return Turn(first.rstrip("\n"))  # pasted as a whole
    return interpret(_continued(first, line))


def interpret(text: str) -> Turn:
    """A turn that was typed without a block: a command, or text to send."""
    if text.startswith("//"):
        return Turn(text[1:])
    if not text.startswith("/"):
        return Turn(text)
    name, _, argument = text[1:].partition(" ")
    return Turn(argument.strip(), name.strip())


def _block(line: Callable[[str], str]) -> str:
    lines: list[str] = []
    with contextlib.suppress(EOFError):
        while (following := line(_MORE)).strip() != FENCE:
            lines.append(following)
    return "\n".join(lines)


def _continued(first: str, line: Callable[[str], str]) -> str:
    lines = [first]
    with contextlib.suppress(EOFError):
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            lines.append(line(_MORE))
    return "\n".join(lines)


def source() -> Callable[[str], str]:
    """Lines of stdin: with line editing and history on a terminal, without a word from a pipe."""
    if not sys.stdin.isatty():
        return _piped
    if not sys.stdout.isatty():
        return _asked
    _edit()
    return input


def _edit() -> None:
    """Load readline, which `input` then uses, and let a paste of several lines be one turn."""
    try:
        import readline  # noqa: PLC0415 - only chats on a terminal need it
    except ImportError:  # Windows: the terminal itself edits lines
        return
    if "libedit" not in (readline.__doc__ or "") and os.environ.get("TERM") != "dumb":
        readline.parse_and_bind("set enable-bracketed-paste on")
    readline.set_auto_history(True)


def _asked(prompt: str) -> str:
    console.note(prompt, end="")  # the answers on stdout go to a file: no prompt in there
    return _piped(prompt)


def _piped(_prompt: str) -> str:
    try:
        found = sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise misused(f"The input must be text in UTF-8; {error}.", code="InvalidInput") from error
    if not found:
        raise EOFError
    return found.rstrip("\r\n")
