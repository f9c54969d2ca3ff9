"""What happens around the model's and the tools' calls of one invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strands.hooks import (
    AfterModelCallEvent,
    AfterToolCallEvent,
    BeforeModelCallEvent,
    BeforeToolCallEvent,
    HookProvider,
    HookRegistry,
)

from agentcore_local.agents import inline, permissions
from agentcore_local.agents.tools.base import Answered

if TYPE_CHECKING:
    from agentcore_local.agents.events import Stream
    from agentcore_local.agents.lifecycle import Lifecycle
    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.provider import Provider
    from agentcore_local.agents.tools.toolbox import Toolbox


class LoopHooks(HookProvider):
    """Writes tool results to the stream, asks the lifecycle hooks, hands out inline calls, keeps the token budget.

    Attributes:
        usage: Tokens of the invocation's model calls so far.
        model_error: What the last model call failed with.
        provider: The model to keep within the invocation's budget; set before the agent starts.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        lifecycle: Lifecycle,
        stream: Stream,
        tools: Toolbox,
        answer: dict[str, Any] | None,
    ) -> None:
        self._plan = plan
        self._lifecycle = lifecycle
        self._stream = stream
        self._tools = tools
        self._answered_id = answer["toolUseId"] if answer else None
        self._written: set[str] = set()
        self._resumed = answer is not None
        self.usage = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
        self.model_error: Exception | None = None
        self.provider: Provider | None = None

    def register_hooks(self, registry: HookRegistry, **_kwargs: Any) -> None:
        """Called by Strands when the agent is made."""
        registry.add_callback(BeforeModelCallEvent, self._before_model_call)
        registry.add_callback(AfterModelCallEvent, self._after_model_call)
        registry.add_callback(BeforeToolCallEvent, self._before_tool_call)
        registry.add_callback(AfterToolCallEvent, self._after_tool_call)

    def on_message(self, message: dict[str, Any]) -> None:
        """A message has been added to the history."""
        if message["role"] == "assistant":
            self._stream.model_message_complete()
            return
        results = [block["toolResult"] for block in message["content"] if "toolResult" in block]
        if self._resumed:
            # The batch began in an earlier invocation, whose stream has told the results before the pending call.
            before = [result["toolUseId"] for result in results].index(self._answered_id)
            results, self._resumed = results[before:], False
        for result in results:
            self._write(result)
        self._written.clear()  # an id of a later turn may be the same
        self._stream.tool_results_complete()

    def _before_model_call(self, event: BeforeModelCallEvent) -> None:  # noqa: ARG002 - Strands passes it by name
        permissions.call_model(self._plan)  # it may have been taken away since the last one
        if self._plan.max_tokens is None or self.provider is None:
            return
        own = self.provider.max_tokens
        left = max(1, self._plan.max_tokens - self.usage["outputTokens"])
        budget_binds = own is None or left < own
        self.provider.cap(left if own is None else min(left, own))
        self._stream.cap_reason = "max_output_tokens_exceeded" if budget_binds else "max_tokens"

    def _after_model_call(self, event: AfterModelCallEvent) -> None:
        self.model_error = event.exception
        if event.stop_response is not None:
            usage: Any = event.stop_response.message.get("metadata", {}).get("usage", {})
            for name in self.usage:
                self.usage[name] += usage.get(name, 0)

    async def _before_tool_call(self, event: BeforeToolCallEvent) -> None:
        tool_use: Any = event.tool_use
        answered = tool_use["toolUseId"] == self._answered_id
        kind = self._tools.kind(tool_use["name"])
        if not answered:
            denied = await self._lifecycle.before_tool_call(tool_use, kind)
            if denied is not None:
                event.cancel_tool = denied
                return
        if kind == "inline_function":
            call = {name: tool_use[name] for name in ("toolUseId", "name", "input")}
            response = event.interrupt(inline.INTERRUPT_NAME, reason=call)
            if event.selected_tool is not None:
                event.selected_tool = Answered(event.selected_tool, response)

    async def _after_tool_call(self, event: AfterToolCallEvent) -> None:
        tool_use: Any = event.tool_use
        result: Any = event.result
        self._write(result)
        kind = self._tools.kind(tool_use["name"])
        stopped = await self._lifecycle.after_tool_call(tool_use, kind, result)
        if stopped is not None:
            event.agent.cancel(message=stopped)

    def _write(self, result: dict[str, Any]) -> None:
        if result["toolUseId"] not in self._written:
            self._written.add(result["toolUseId"])
            self._stream.tool_result(result)
