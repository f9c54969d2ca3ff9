"""The protocol of inline functions: the agent hands a call to the caller and goes on with the result.

Fact sheet §4.2. The agent's side is an interruption of Strands: before an inline tool would run, a hook raises it, the
stream ends with ``tool_use``, and the next InvokeHarness of the session carries the result. Several calls in one turn
are handed out one at a time, in order; calls of the harness' own tools between them run when their turn comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_local.faults import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.sessions import Conversation, Pending

INTERRUPT_NAME = "agentcore-inline-function"
"""Strands' name of the interruption that waits for a caller's result."""


def answer(plan: Plan, conversation: Conversation) -> dict[str, Any] | None:
    """The result this request brings for the call the session waits for; None for an ordinary request.

    Returns:
        A tool result in Converse form.

    Raises:
        RequestRefused: ``ValidationException`` when the request brings a result nobody waits for, none although one is
            waited for, more than it, or the same one twice.
    """
    results = [
        block["toolResult"] for message in plan.messages for block in message["content"] if "toolResult" in block
    ]
    if conversation.pending is None:
        _refuse_unasked(plan.messages, conversation.messages)
        return None
    pending = conversation.pending
    _check_alone(plan.messages, results, pending)
    result = results[0]
    if result["toolUseId"] != pending.tool_use["toolUseId"]:
        raise RequestRefused.invalid(
            f"toolResult.toolUseId must be {pending.tool_use['toolUseId']!r}, the call of {pending.tool_use['name']!r} "
            f"this session waits for; received {result['toolUseId']!r}, which "
            f"{_history_of(result['toolUseId'], conversation.messages)}; send the result of the pending call."
        )
    _check_tool_is_there(plan, pending)
    return {
        "toolUseId": result["toolUseId"],
        "status": result.get("status", "success"),
        "content": result["content"],
    }


def _check_alone(messages: list[dict[str, Any]], results: list[dict[str, Any]], pending: Pending) -> None:
    tool_use_id, name = pending.tool_use["toolUseId"], pending.tool_use["name"]
    if not results:
        raise RequestRefused.invalid(
            f"messages must hold the toolResult of {tool_use_id!r}: this session waits for the result of the inline "
            f"function {name!r}; received no toolResult; send it, or start another session."
        )
    if len(results) > 1:
        same = len({result["toolUseId"] for result in results}) == 1
        raise RequestRefused.invalid(
            f"messages must hold exactly one toolResult, that of {tool_use_id!r}: inline calls are handed out one at a "
            f"time; received {len(results)}{' with the same toolUseId' if same else ''}; send the pending one only."
        )
    if len(messages) > 1 or len(messages[0]["content"]) > 1 or messages[0]["role"] != "user":
        raise RequestRefused.invalid(
            f"messages must hold one message of the user with nothing but the toolResult of {tool_use_id!r}; received "
            f"{_described(messages)}; leave out the assistant's toolUse and all other blocks, the session has them."
        )


def _refuse_unasked(messages: list[dict[str, Any]], history: list[dict[str, Any]]) -> None:
    """A history may be handed in with calls and their results; a result without its call may not."""
    asked: set[str] = set()
    for index, message in enumerate(messages):
        for block in message["content"]:
            if "toolUse" in block:
                asked.add(block["toolUse"]["toolUseId"])
            elif "toolResult" in block:
                tool_use_id = block["toolResult"]["toolUseId"]
                if tool_use_id not in asked:
                    raise RequestRefused.invalid(
                        f"messages[{index}] must not hold the toolResult of {tool_use_id!r}: this session waits for no "
                        f"result, and the call {_history_of(tool_use_id, history)}; send a text block instead."
                    )
                asked.discard(tool_use_id)
    if asked:
        raise RequestRefused.invalid(
            f"messages must hold the toolResult of each toolUse in them; received none for {', '.join(sorted(asked))}; "
            "leave the toolUse out or add its result."
        )


def _check_tool_is_there(plan: Plan, pending: Pending) -> None:
    name = pending.tool_use["name"]
    if not any(tool.type == "inline_function" and tool.name == name for tool in plan.tools):
        raise RequestRefused.invalid(
            f"tools must hold the inline function {name!r} whose result is sent; received "
            f"{', '.join(tool.name for tool in plan.tools) or 'none'}; a tool given with the request must be given "
            "again with the request that brings its result."
        )


def _history_of(tool_use_id: str, history: Iterable[dict[str, Any]]) -> str:
    blocks = [block for message in history for block in message["content"]]
    if any(block.get("toolResult", {}).get("toolUseId") == tool_use_id for block in blocks):
        return "was answered before"
    if any(block.get("toolUse", {}).get("toolUseId") == tool_use_id for block in blocks):
        return "is not the one being waited for"
    return "is not known in it"


def _described(messages: list[dict[str, Any]]) -> str:
    blocks = [next(iter(block)) for message in messages for block in message["content"]]
    return f"{len(messages)} message(s) with {', '.join(blocks)}"
