"""The clients that are made where none is given: nothing that takes effect is sent twice, and long silence is borne."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from agentcore_lambdas.run_command import main as run_command
from agentcore_lambdas.tool_loop.execution import Execution
from agentcore_lambdas.tool_loop.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable

DROPPED_AFTER_SECONDS = 350
LAMBDA_SECONDS = 900  # as long as a function may run, and as a hook may hold a stream silent


def of_tools() -> Any:
    return Execution("calls", dynamodb=boto3.client("dynamodb"))._client


def of_harnesses() -> Any:
    return Harness()._client


def of_commands() -> Any:
    return run_command._client.__wrapped__()


@pytest.mark.parametrize("made", [of_tools, of_harnesses, of_commands])
def test_sends_once_and_waits_long_enough(monkeypatch: pytest.MonkeyPatch, made: Callable[[], Any]) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = made().meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout > LAMBDA_SECONDS
    assert config.tcp_keepalive


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="Linux, as in Lambda")
@pytest.mark.parametrize("made", [of_tools, of_harnesses, of_commands])
def test_probes_a_silent_connection_before_it_is_dropped_on_the_way(
    monkeypatch: pytest.MonkeyPatch, made: Callable[[], Any]
) -> None:
    """NAT gateways and VPC endpoints drop what was silent for 350 s; a system probes after 7200 unless it is told."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    options = made()._endpoint.http_session._manager.connection_pool_kw["socket_options"]
    with socket.socket() as one:
        for level, name, value in options:
            one.setsockopt(level, name, value)
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < DROPPED_AFTER_SECONDS
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) < DROPPED_AFTER_SECONDS
