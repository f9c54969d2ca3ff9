"""The `agentcore-harness` command: the local cloud's switch, and a way to talk to a harness there or on AWS.

Importing this package, or asking the command for help, imports neither boto3 nor the CDK nor the local cloud's server.
"""

from __future__ import annotations

__all__: list[str] = []
