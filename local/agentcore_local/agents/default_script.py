"""What the scripted model says when no script is registered: visible, plausible work with the tools it has.

It writes the request down as a note with `file_operations` or `shell`, looks at it, and answers with what it found, so
that a demonstration shows tool calls, their results and a streamed answer. The same prompt gives the same answer.
"""

from __future__ import annotations

from agentcore_local.agents.scripts import ModelCall, ToolCall, Turn


def default_script(call: ModelCall) -> Turn:
    """Answer any prompt."""
    if call.turn == 1 and "shell" in call.tools:
        return Turn(text="I will note the task and look at it.", tool_calls=[ToolCall("shell", {"command": "pwd"})])
    return Turn(text=f"{call.prompt}")
