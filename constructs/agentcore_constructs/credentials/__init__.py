"""Credentials in AgentCore Identity, made from secrets that nobody has to show."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api_key import ApiKey as ApiKey
    from .api_key import ModelKey as ModelKey
    from .oauth import OAuthClient as OAuthClient
    from .oauth import OAuthVendor as OAuthVendor

# The registry beside them is read without the CDK.
_CONSTRUCTS = {"ApiKey": "api_key", "ModelKey": "api_key", "OAuthClient": "oauth", "OAuthVendor": "oauth"}

__all__ = ["ApiKey", "ModelKey", "OAuthClient", "OAuthVendor"]


def __getattr__(name: str) -> Any:
    """Loads the constructs, and with them the CDK, when the first one is asked for."""
    if name not in _CONSTRUCTS:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = globals()[name] = getattr(import_module(f"{__name__}.{_CONSTRUCTS[name]}"), name)
    return value
