"""What the `agentcore-harness` command asks this local cloud beyond AWS's own operations. Read-only, unsigned.

- `GET /_agentcore/harnesses?account=…&region=…`: names, ARNs and endpoints, for the shell's completion.
- `GET /_agentcore/sessions?account=…&region=…`: the conversations, with their turns and tokens.

An underscore cannot begin the name of a bucket, so these paths hide none of S3's.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .harness.store import Scope

PREFIX = "/_agentcore/"


def answer(path: str, query: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON body for a path below `PREFIX`."""
    view = _VIEWS.get(path.removeprefix(PREFIX).rstrip("/"))
    if view is None:
        return HTTPStatus.NOT_FOUND, {"message": f"{path} is none of {', '.join(PREFIX + name for name in _VIEWS)}"}
    given = parse_qs(query)
    missing = [name for name in ("account", "region") if name not in given]
    if missing:
        return HTTPStatus.BAD_REQUEST, {"message": f"{path} needs the query parameter(s) {', '.join(missing)}"}
    return HTTPStatus.OK, view((given["account"][0], given["region"][0]))


def _harnesses(scope: Scope) -> dict[str, Any]:
    from .harness import operations  # noqa: PLC0415 - every pytest of a user loads this module, few use it
    from .harness.store import STORE  # noqa: PLC0415

    found = sorted(STORE.of(scope), key=lambda harness: harness.name)
    return {
        "harnesses": [
            {"name": harness.name, "arn": harness.arn, "endpoints": sorted(operations.live_endpoints(harness))}
            for harness in found
        ]
    }


def _sessions(scope: Scope) -> dict[str, Any]:
    # Nobody has talked to an agent while the agents are not loaded, and loading them takes most of a second.
    agents = sys.modules.get("agentcore_local.agents")
    return {"sessions": list(_conversations(agents.sessions, scope)) if agents else []}


def _conversations(store: Any, scope: Scope) -> Iterator[dict[str, Any]]:
    now = time.time()
    for session in store:
        if (session.key.account, session.key.region) != scope:
            continue
        for actor_id, conversation in list(session.conversations.items()):
            pending = conversation.pending
            if not (session.busy or conversation.turns or conversation.usage["totalTokens"]):
                continue  # the request that opened it was refused
            yield {
                "harnessArn": session.key.harness_arn,
                "sessionId": session.key.session_id,
                "actorId": actor_id,
                "version": session.version,
                "turns": conversation.turns,
                "usage": dict(conversation.usage),
                "lastUsedAt": datetime.fromtimestamp(now - store.unused_seconds(session), UTC).isoformat(),
                "working": session.busy,
                "waitsFor": pending and {name: pending.tool_use[name] for name in ("toolUseId", "name")},
            }


_VIEWS: dict[str, Callable[[Scope], dict[str, Any]]] = {"harnesses": _harnesses, "sessions": _sessions}
