"""The client of MCP servers, where a server does not answer as it should."""

from __future__ import annotations

import gc
import socket

import pytest

from agentcore_local.gateway import mcp_target


def test_a_connection_that_fails_says_why_and_leaves_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/mcp"

    made = [mcp_target.client(url) for _ in range(5)]
    for client in made:
        with pytest.raises(mcp_target.Unreachable, match="connect"):
            mcp_target.connect(client)
        client.stop(None, None, None)
    del client
    made.clear()
    gc.collect()
    assert [str(one.message) for one in recwarn if "never awaited" in str(one.message)] == []
