"""The local cloud: an AWS on 127.0.0.1 to deploy harness stacks to and to talk to their agents, without an account.

`LocalCloud` starts it in this process; `python -m agentcore_local` in one of its own. docs/local-cloud.md says what it
emulates, what it approximates and what it refuses.
"""

from __future__ import annotations

from .process import LocalCloudError
from .server import Account, LocalCloud

__all__ = ["Account", "LocalCloud", "LocalCloudError"]
