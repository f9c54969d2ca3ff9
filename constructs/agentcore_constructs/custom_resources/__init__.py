"""Custom resources: what CloudFormation cannot say, done by one function per stack."""

from __future__ import annotations

from .resource import CustomResource

__all__ = ["CustomResource"]
