"""The `application/vnd.amazon.eventstream` frames that InvokeHarness answers with.

Format: botocore `eventstream` (prelude with total and header length, CRC32 of it, string headers, JSON payload, CRC32).
"""

from __future__ import annotations

import json
import struct
from binascii import crc32
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
_PRELUDE = struct.Struct("!II")


def event_frame(name: str, payload: dict[str, Any]) -> bytes:
    """One event, such as `contentBlockDelta`."""
    return _frame({":message-type": "event", ":event-type": name}, payload)


def exception_frame(name: str, payload: dict[str, Any]) -> bytes:
    """An error within the stream, such as `runtimeClientError`; SDKs raise it and read no further."""
    return _frame({":message-type": "exception", ":exception-type": name}, payload)


def _frame(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    body = json.dumps(payload, separators=(",", ":")).encode()
    encoded = b"".join(_header(name, value) for name, value in {**headers, ":content-type": "application/json"}.items())
    prelude = _PRELUDE.pack(len(encoded) + len(body) + 16, len(encoded))
    message = prelude + struct.pack("!I", crc32(prelude)) + encoded + body
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(text)) + text
