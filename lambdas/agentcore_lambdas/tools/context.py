"""What a tool may know of the call it serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOL_NAME = "bedrockAgentCoreToolName"
"""The key of the client context that names the tool."""


@dataclass(frozen=True)
class ToolContext:
    """The circumstances of one call. A parameter of this type gets it and is not shown to the model.

    Attributes:
        tool_name: The tool, as it is called here, without the name of a gateway's target.
        request_id: Lambda's id of the invocation; empty outside of Lambda.
        caller: What the caller says about itself: AgentCore Gateway names `bedrockAgentCoreGatewayId`,
            `bedrockAgentCoreTargetId`, `bedrockAgentCoreMcpMessageId` and others.
        remaining_seconds: How long the call may still take when it begins; None where nothing limits it.
    """

    tool_name: str
    request_id: str = ""
    caller: Mapping[str, Any] = field(default_factory=dict)
    remaining_seconds: float | None = None
