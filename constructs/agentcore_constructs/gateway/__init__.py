"""Gateways: what an agent reaches over MCP, made from Lambda functions, APIs, MCP servers and web search."""

from __future__ import annotations

from .target import Target
from .tool_gateway import ToolGateway

__all__ = ["Target", "ToolGateway"]
