"""Ministack's HTTP server: its application, its state as a whole, and the routes of AgentCore."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from .base import Seam, internals

HttpResponse = tuple[int, dict[str, Any], Any]
HttpHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[HttpResponse]]

_AGENTCORE = "ministack.services.bedrock_agentcore"
_STACKS = "ministack.services.cloudformation.stacks"
_RESPONSES = "ministack.core.responses"
_PERSISTENCE = "ministack.core.persistence"

SEAMS: tuple[Seam, ...] = (
    Seam("ministack.app", "app", "serve HTTP", ("scope", "receive", "send")),
    Seam("ministack.app", "_reset_all_state", "reset every service", ()),
    Seam(_PERSISTENCE, "PERSIST_STATE", "clear memory but not what is on disk"),
    Seam("ministack.app", "_docker_socket_present", "keep away from Docker", ()),
    Seam("ministack.app", "_reset_lock", "serve again in the same process after a stop"),
    Seam("ministack.app", "_loaded_modules", "know whether calls are recorded"),
    Seam(
        _AGENTCORE,
        "handle_request",
        "add the harness routes to the AgentCore services",
        ("method", "path", "headers", "body", "query_params"),
    ),
    Seam(_RESPONSES, "StreamingResponse", "stream events", ("runner",)),
    Seam("ministack.app", "pin_request_origin", "count loopback as TLS", ("source_ip", "secure_transport")),
)


def load() -> None:
    """Import ministack without letting it configure the process' logging."""
    configure = logging.basicConfig
    logging.basicConfig = lambda **_: None
    try:
        internals("ministack.app")
        internals(_STACKS)
    finally:
        logging.basicConfig = configure


def asgi_app() -> Any:
    """Ministack's ASGI application."""
    return internals("ministack.app").app


def reset_all(*, keep_files: bool = False) -> None:
    """Wipe every ministack service, in every account; with `keep_files`, only what is in memory."""
    if not keep_files:
        internals("ministack.app")._reset_all_state()
        return
    persistence, kept = internals(_PERSISTENCE), os.environ.pop("S3_PERSIST", None)
    was, persistence.PERSIST_STATE = persistence.PERSIST_STATE, False
    try:
        internals("ministack.app")._reset_all_state()
    finally:
        persistence.PERSIST_STATE = was
        if kept is not None:
            os.environ["S3_PERSIST"] = kept


def forget_loop() -> None:
    """Drop what is bound to the event loop of a stopped server."""
    internals("ministack.app")._reset_lock = None


def must_see_requests() -> bool:
    """Whether ministack has to see every request itself: it records them for CloudTrail, or is about to be reset."""
    app = internals("ministack.app")
    trail = app._loaded_modules.get("cloudtrail")
    asked = os.environ.get("CLOUDTRAIL_RECORDING", "0") == "1"
    recording = asked if trail is None else getattr(trail, "_recording_enabled", False)
    return recording or (app._reset_lock is not None and app._reset_lock.locked())


def keep_away_from_docker() -> None:
    """Lambda, ECS and the container reaper must not reach a Docker daemon that happens to run here."""
    internals("ministack.app")._docker_socket_present = lambda: False


def streaming(runner: Callable[[Any, Any], Awaitable[None]]) -> Any:
    """A response body that `runner(send, receive)` writes frame by frame."""
    return internals(_RESPONSES).StreamingResponse(runner)


def route_agentcore(handler: Callable[[HttpHandler], HttpHandler]) -> None:
    """Put a handler in front of ministack's AgentCore services; it gets the original to delegate to."""
    module = internals(_AGENTCORE)
    original = getattr(module.handle_request, "__wrapped__", module.handle_request)
    wrapped = handler(original)
    wrapped.__wrapped__ = original  # type: ignore[attr-defined]
    module.handle_request = wrapped


def count_loopback_as_tls() -> None:
    """Policies that demand TLS (CDK's bootstrap bucket) hold for plain HTTP on the loopback interface."""
    app = internals("ministack.app")
    original = getattr(app.pin_request_origin, "__wrapped__", app.pin_request_origin)

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001, FBT001
        original(source_ip, True)  # noqa: FBT003 - ministack's signature

    pin_request_origin.__wrapped__ = original  # type: ignore[attr-defined]
    app.pin_request_origin = pin_request_origin
