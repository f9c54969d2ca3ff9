"""The client context of a Lambda invocation: what a caller says beside the event, such as the name of a tool.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: up to 3,583 bytes of Base64-encoded JSON.
"""

from __future__ import annotations

import base64
import json
from typing import Any

_LIMIT = 3583


def read(header: str) -> dict[str, Any]:
    """Returns the client context that a header holds.

    Raises:
        ValueError: It holds none; with Lambda's sentence for it.
    """
    if len(header) > _LIMIT:
        raise ValueError(f"Client context must be no more than {_LIMIT} bytes when base64-encoded.")
    try:
        context = json.loads(base64.b64decode(header, validate=True))
    except ValueError:
        context = None
    if not isinstance(context, dict):
        raise ValueError("Client context must be a valid Base64-encoded JSON object.")
    return context
