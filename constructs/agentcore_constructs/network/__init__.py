"""Where sessions are: in which subnets of a VPC, and what they reach from there."""

from __future__ import annotations

from .endpoints import AgentCoreVpcEndpoints as AgentCoreVpcEndpoints

__all__ = ["AgentCoreVpcEndpoints"]
