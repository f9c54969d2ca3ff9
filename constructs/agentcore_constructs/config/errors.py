"""What is wrong with a configuration, said so that it can be put right at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SHOWN_CHARACTERS = 60


class _Absent:
    """Stands where a required value was left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        path: Where, in the API's own names: `tools[1].config.inlineFunction.description`.
        must: What the value must be, beginning with "must".
        received: What was given instead; never the text of a sensitive value.
        fix: What to do about it.
    """

    path: str
    must: str
    received: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.must}; received {self.received}; {self.fix}."


@dataclass(frozen=True, slots=True)
class Refused:
    """A value a factory could not make sense of.

    Factories never raise on values, so that all faults of a configuration appear together; they put this in the
    place of the value, and validation reports it where it belongs.
    """

    must: str
    received: str
    fix: str


class HarnessConfigError(ValueError):
    """A configuration that the service would refuse, or that cannot mean what was written.

    Raised when a harness or a configuration is made, with every fault that could be found at once.

    Attributes:
        faults: All of them: those of single values in the order of the configuration, then those of several together.
        subject: What is configured, such as a construct path; None when it is not known.
    """

    def __init__(self, faults: Iterable[Fault], subject: str | None = None) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        self.subject = subject
        super().__init__(self._text())

    def about(self, subject: str) -> HarnessConfigError:
        """Returns the same faults under a heading that names what is configured."""
        return HarnessConfigError(self.faults, subject)

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error cross process boundaries."""
        return type(self), (self.faults, self.subject)

    def _text(self) -> str:
        count = len(self.faults)
        noun = "fault" if count == 1 else "faults"
        heading = f"{self.subject or 'The harness configuration'} has {count} {noun}:"
        return "\n".join([heading, *(f"  {fault}" for fault in self.faults)])


def received(value: object, *, sensitive: bool = False) -> str:
    """Describes a value for an error message.

    Args:
        value: What was given.
        sensitive: True where the value may hold a secret: then only its kind and size are told.

    Returns:
        A short phrase. Containers are described by their size only, since anything may be inside them.
    """
    if value is ABSENT or value is None:
        return "nothing" if value is ABSENT else "null"
    if isinstance(value, str):
        return _received_text(value, sensitive=sensitive)
    if isinstance(value, (bool, int, float)):
        return "a number or a flag" if sensitive else repr(value)
    if isinstance(value, Mapping):
        return f"an object with {_counted(len(value), 'key')}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"a list of {_counted(len(value), 'item')}"
    return f"an object of class {type(value).__name__}"


def _received_text(value: str, *, sensitive: bool) -> str:
    length = _counted(len(value), "character")
    if not value:
        return f"'' ({length})"
    if sensitive:
        return f"a value of {length}"
    shown = value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…"
    return f"{shown!r} ({length})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
