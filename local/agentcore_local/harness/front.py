"""InvokeHarness ahead of ministack's dispatch, for most requests: those that an account signs as itself.

ministack asks of every request whether it is one of some eighty services', decodes and routes it, and resolves its
caller. All of that is known here from the signature: a 12-digit access key is the root of its account and may do
everything. Requests with a token in place of a signature are answered here too. Whatever else may matter to ministack
(users, sessions and roles, presigned and compressed requests, host names of its own) is left to it; both ways end in
the same handler and give the same answer.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from agentcore_local import seams

from . import api, bearer, routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATH = "/harnesses/invoke"
_ROOT = re.compile(rb"AWS4-HMAC-SHA256 Credential=(\d{12})/\d{8}/([a-z0-9-]+)/bedrock-agentcore/aws4_request,")
_LOOPBACK = re.compile(rb"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?")
_NOT_PLAIN = frozenset({b"content-encoding", b"transfer-encoding", b"x-forwarded-proto"})
# As ministack's, but for what only answers to OPTIONS need; the server adds the date.
_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]


async def serve(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> bool:
    """Answer a request, if it is one to answer here; nothing of it has been read otherwise.

    Args:
        scope: Of ASGI, of type `http`.
        receive: Of ASGI.
        send: Of ASGI.

    Returns:
        Whether it is answered.
    """
    if scope["path"] != PATH or scope["method"] != "POST":
        return False
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if headers.get(b"authorization", b"").lower().startswith(bearer.SCHEME.encode()):
        await _serve_bearer(scope, receive, send)
        return True
    root = _ROOT.match(headers.get(b"authorization", b""))
    plain = _NOT_PLAIN.isdisjoint(headers) and len(headers) == len(scope["headers"])
    if root is None or not plain or b"X-Amz-" in scope["query_string"] or seams.must_see_requests():
        return False
    if not _LOOPBACK.fullmatch(headers.get(b"host", b"")):
        return False
    body = await _body(receive, headers.get(b"content-length", b""))
    if body is None:
        return True  # nobody waits for an answer
    with seams.acting_for((root[1].decode(), root[2].decode())):
        await _answer(await api.answer(_request(scope, headers, body)), receive, send)
    return True


async def _serve_bearer(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Ministack knows no callers with tokens, so none of their requests goes on to it."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    body = await _body(receive, headers.get(b"content-length", b""))
    if body is not None:
        await _answer(await bearer.answer(_request(scope, headers, body)), receive, send)


def _request(scope: dict[str, Any], headers: dict[bytes, bytes], body: bytes) -> routes.Request:
    return routes.Request(
        "POST",
        PATH,
        {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()},
        body,
        parse_qs(scope["query_string"].decode(), keep_blank_values=True),
    )


async def _body(receive: Callable[[], Awaitable[Any]], length: bytes) -> bytes | None:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            body = b"".join(parts)
            return body if not length or len(body) == int(length) else None


async def _answer(
    response: seams.HttpResponse, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    status, given, body = response
    headers = [
        *((name.lower().encode(), value.encode()) for name, value in given.items()),
        *_HEADERS,
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    if isinstance(body, bytes):
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await body.runner(send, receive)
