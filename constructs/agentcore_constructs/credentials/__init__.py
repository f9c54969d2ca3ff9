"""Credentials in AgentCore Identity, made from secrets that nobody has to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcore_constructs.lazy import loading

if TYPE_CHECKING:
    from .api_key import ApiKey as ApiKey
    from .api_key import ModelKey as ModelKey
    from .oauth import OAuthClient as OAuthClient
    from .oauth import OAuthVendor as OAuthVendor

# The registry beside them is read without the CDK.
_CONSTRUCTS = {"ApiKey": "api_key", "ModelKey": "api_key", "OAuthClient": "oauth", "OAuthVendor": "oauth"}

__all__ = ["ApiKey", "ModelKey", "OAuthClient", "OAuthVendor"]

__getattr__ = loading(__name__, _CONSTRUCTS)
