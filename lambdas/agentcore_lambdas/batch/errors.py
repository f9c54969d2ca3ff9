"""How a batch fails as a whole; the class names are what workflows catch."""

from __future__ import annotations


class BatchInputInvalid(Exception):  # noqa: N818  (workflows catch it by this name)
    """The execution's input, or the file it names, is not what a batch takes."""


class BatchTooLarge(Exception):  # noqa: N818  (workflows catch it by this name)
    """The file is more than one invocation of the function can read; split it."""
