"""What CloudFormation cannot say, done by one function per stack behind the CDK's provider framework."""

from __future__ import annotations

from .framework import Failed, Handler, Outcome, Properties, Request, client, sentence

__all__ = ["Failed", "Handler", "Outcome", "Properties", "Request", "client", "sentence"]
