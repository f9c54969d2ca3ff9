"""Whose certificates are trusted when the local cloud calls servers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import httpx
import httpx2

if TYPE_CHECKING:
    import ssl


@cache
def context() -> ssl.SSLContext:
    """Trusts whom everybody trusts. Made once and shared: making it takes ten milliseconds and more."""
    return httpx.create_ssl_context()


@cache
def mcp_context() -> ssl.SSLContext:
    """Trusts whom MCP clients trust, the authorities that this machine knows. Made once and shared, too."""
    return httpx2.create_ssl_context()


def trusting(authority: str) -> ssl.SSLContext:
    """Trusts a private certificate authority as well.

    Args:
        authority: Its certificate, in PEM.

    Raises:
        ssl.SSLError, ValueError: It is none.
    """
    made = httpx.create_ssl_context()
    made.load_verify_locations(cadata=authority)
    return made
