"""Commands that callers run on a session's machine, past the agent: what is behind InvokeAgentRuntimeCommand.

They see the files that the agent sees and run while it works, too. On the service they run as root without any
credentials (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html); here in the jail
that keeps the agent's own commands in their directories, without credentials as well.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from agentcore_local.agents import mounts, permissions, plan
from agentcore_local.agents.sandbox.runner import ISOLATION_VARIABLE, NoIsolation, runner
from agentcore_local.agents.tools.directories import Directories
from agentcore_local.faults import StreamFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentcore_local.agents.events import Event
    from agentcore_local.agents.invocation import Invocation
    from agentcore_local.agents.sessions import Store

DEFAULT_TIMEOUT = 300
MAX_TIMEOUT = 3600
"""Seconds a command may take: unless the request says otherwise, and at most (botocore, InvokeAgentRuntimeCommand)."""
_NOT_SAID = [{"role": "user", "content": [{"text": "-"}]}]  # a plan is of an invocation, and this is none


async def run(invocation: Invocation, store: Store) -> AsyncGenerator[list[Event], None]:
    """Run a command; its output as it comes.

    Args:
        invocation: Its request is one of InvokeAgentRuntimeCommand.
        store: Of the sessions.

    Yields:
        Lists of `chunk` events: `contentStart`, `contentDelta` each with one of `stdout` and `stderr`, `contentStop`.

    Raises:
        RequestRefused: Before the first event: the session cannot be started with the harness' role.
        StreamFailed: Nothing on this machine can keep the command in its session.
    """
    request = invocation.request
    session_id, body = request["runtimeSessionId"], request["body"]
    seconds = body.get("timeout", DEFAULT_TIMEOUT)
    planned = plan.resolve(replace(invocation, request={"runtimeSessionId": session_id, "messages": _NOT_SAID}))
    session = store.visit(planned)
    try:
        permissions.start(planned, session)
    except BaseException:
        store.leave(session)
        raise
    environment = {
        "AWS_REGION": planned.region,
        "AWS_DEFAULT_REGION": planned.region,
        **planned.environment_variables,
    }
    directories = Directories(session.machine, planned.mount_paths, mounts.shared(planned))
    pieces: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()

    def heard(name: str, text: str) -> None:
        pieces.put_nowait({name: text})

    async def work() -> int | None:
        buckets = mounts.has_buckets(planned)
        try:
            if buckets:
                await asyncio.to_thread(mounts.bring_in, planned)
            place = await asyncio.to_thread(directories.place)
            return (await runner.run(body["command"], place, environment, seconds, heard)).exit_code
        finally:
            if buckets:
                await asyncio.to_thread(mounts.take_out, planned)
            pieces.put_nowait(None)

    running = asyncio.create_task(work())
    try:
        yield [("chunk", {"contentStart": {}})]
        while (piece := await pieces.get()) is not None:
            yield [("chunk", {"contentDelta": piece})]
        exit_code = await running
    except NoIsolation as reason:
        raise StreamFailed(
            "runtimeClientError",
            "The local cloud does not run commands on this machine, because nothing here can keep them in the "
            f"session's directory ({reason}). Run it on Linux with user namespaces, or set {ISOLATION_VARIABLE}="
            "landlock to accept weaker isolation.",
        ) from reason
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.leave(session)
    ended = {"exitCode": -1, "status": "TIMED_OUT"}
    if exit_code is not None:
        ended = {"exitCode": exit_code, "status": "COMPLETED"}
    yield [("chunk", {"contentStop": ended})]
