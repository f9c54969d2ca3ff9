"""Account and Region of what runs now."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .base import Scope, Seam, internals

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESPONSES = "ministack.core.responses"

SEAMS: tuple[Seam, ...] = (
    Seam(_RESPONSES, "request_scope", "act for an account and Region", ("account_id", "region")),
    Seam(_RESPONSES, "get_account_id", "know the caller's account", ()),
    Seam(_RESPONSES, "get_region", "know the caller's Region", ()),
)


def current_scope() -> Scope:
    """Account and Region of the request or the stack operation that runs now."""
    responses = internals(_RESPONSES)
    return responses.get_account_id(), responses.get_region()


@contextlib.contextmanager
def acting_for(scope: Scope) -> Iterator[None]:
    """Act for an account and Region within the block."""
    with internals(_RESPONSES).request_scope(*scope):
        yield
