"""What a harness is when nothing says otherwise, and which configuration belongs to which type of tool.

The control plane shows these values, the agents work by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL: Mapping[str, Any] = {"bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}}
"""The service's model when a harness names none (devguide harness-models)."""

TRUNCATION: Mapping[str, Any] = {"strategy": "sliding_window"}

MAX_ITERATIONS = 75
TIMEOUT_SECONDS = 3600
"""Limits when neither harness nor request sets them (devguide harness-operations)."""

IDLE_SECONDS = 900
LIFETIME_SECONDS = 28_800
"""Life of a session's machine (botocore, ``LifecycleConfiguration``). A lifetime cannot be longer either."""

TOOL_CONFIG: Mapping[str, str] = {
    "remote_mcp": "remoteMcp",
    "agentcore_browser": "agentCoreBrowser",
    "agentcore_gateway": "agentCoreGateway",
    "inline_function": "inlineFunction",
    "agentcore_code_interpreter": "agentCoreCodeInterpreter",
}
"""``HarnessToolType`` → the member of ``HarnessToolConfiguration`` that belongs to it."""
