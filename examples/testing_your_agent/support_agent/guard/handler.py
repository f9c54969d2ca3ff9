"""The function AWS Lambda runs before each tool call: it may deny."""

from __future__ import annotations

from typing import Any

MOST_EUROS = 100


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Lets the agent refund small amounts only."""
    call = event["context"]
    euros = call["toolInput"].get("euros", 0)
    if call["toolName"] == "refund" and euros > MOST_EUROS:
        return {"decision": "deny", "reason": f"A refund of {euros} euros needs a person."}
    return {"decision": "allow"}
