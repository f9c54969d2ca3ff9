"""The `application/vnd.amazon.eventstream` frames that InvokeHarness answers with.

Format: botocore `eventstream` (prelude with total and header length, CRC32 of it, string headers, JSON payload, CRC32).
"""

from __future__ import annotations

import json
import struct
from binascii import crc32
from functools import cache
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_PRELUDE = struct.Struct("!II")
_CRC = struct.Struct("!I")


def event_frame(name: str, payload: dict[str, Any]) -> bytes:
    """One event, such as `contentBlockDelta`."""
    return _frame(_headers("event", name), payload)


def exception_frame(name: str, payload: dict[str, Any]) -> bytes:
    """An error within the stream, such as `runtimeClientError`; SDKs raise it and read no further."""
    return _frame(_headers("exception", name), payload)


def _frame(headers: bytes, payload: dict[str, Any]) -> bytes:
    body = _encode(payload)
    prelude = _PRELUDE.pack(len(headers) + len(body) + 16, len(headers))
    message = prelude + _CRC.pack(crc32(prelude)) + headers + body
    return message + _CRC.pack(crc32(message))


def _encode(payload: dict[str, Any]) -> bytes:
    try:
        return to_json(payload)
    except PydanticSerializationError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(payload, separators=(",", ":")).encode()


@cache
def _headers(kind: str, name: str) -> bytes:
    """The headers of one kind of frame; there are about a dozen."""
    values = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
    return b"".join(_header(header, value) for header, value in values.items())


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(text)) + text
