"""Clients for calls that may be silent for a quarter of an hour: sent once, waited for, and kept alive meanwhile."""

from __future__ import annotations

import socket
from typing import Any

import boto3
from botocore.config import Config

KEEPALIVE_SECONDS = 60
"""NAT gateways, VPC endpoints and load balancers on the way drop a connection that was silent for 350 s; the system
would first probe after two hours. `tcp_keepalive` of the SDK leaves that interval to the system:
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-lifecycle-hooks.html"""


def patient_client(service: str, *, read_seconds: int) -> Any:
    """Returns a client that sends a request once, since it may have taken effect when its answer is lost.

    Args:
        service: boto3's name of the service.
        read_seconds: How long it waits for the next byte.
    """
    once: Any = {"total_max_attempts": 1, "mode": "standard"}
    client: Any = boto3.client(
        service,  # type: ignore[call-overload]
        config=Config(read_timeout=read_seconds, tcp_keepalive=True, retries=once),
    )
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)  # Linux, macOS
    options = getattr(client._endpoint.http_session, "_socket_options", None)  # noqa: SLF001  (there is no public way)
    if idle is not None and isinstance(options, list):
        options += [(socket.IPPROTO_TCP, idle, KEEPALIVE_SECONDS)]
        options += [(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS)]
    return client
