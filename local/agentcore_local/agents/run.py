"""One invocation from its first event to its last: a Strands agent, made for it, on the session's history."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from strands import Agent, ModelRetryStrategy, Snapshot
from strands.tools.executors import SequentialToolExecutor
from strands.types.exceptions import ContextWindowOverflowException, EventLoopException, MaxTokensReachedException

from agentcore_local.agents import inline, models, mounts, permissions, skills, strands_agent, truncation
from agentcore_local.agents.failures import in_stream
from agentcore_local.agents.lifecycle import Lifecycle
from agentcore_local.agents.loop_hooks import LoopHooks
from agentcore_local.agents.sessions import Conversation, Pending, Session
from agentcore_local.agents.tools import toolbox
from agentcore_local.faults import StreamFailed
from agentcore_local.memory import conversations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from strands.agent.agent_result import AgentResult

    from agentcore_local.agents.events import Stream
    from agentcore_local.agents.plan import Plan
    from agentcore_local.agents.provider import Provider

_SEGMENT_TURNS = 50
"""Turns Strands runs in one go. Each turn nests its generators deeper; far more would end in a RecursionError."""


class Run:
    """One invocation.

    Args:
        plan: What to do.
        session: Where it happens.
        conversation: Its history; changed only when the invocation ends in a stop reason, never by one that fails.
        answer: The result of an inline call this invocation goes on with; None for an ordinary one.
        stream: Where the events go.
        room: Waited for between two events, so that a slow reader slows the agent down.
        keep: Told what the invocation has added to the conversation, before that counts.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        session: Session,
        conversation: Conversation,
        answer: dict[str, Any] | None,
        stream: Stream,
        room: Callable[[], Awaitable[None]],
        keep: Callable[[Plan, list[dict[str, Any]], Conversation], None],
    ) -> None:
        self._plan = plan
        self._conversation = conversation
        self._answer = answer
        self._stream = stream
        self._room = room
        self._keep = keep
        self._said: list[dict[str, Any]] = []
        self._pending: Pending | None = None
        self._cancelled = threading.Event()
        self._lifecycle = Lifecycle(plan, session, stream)
        self._session = session
        permissions.start(plan, session)
        self._skills = skills.Skills(plan, session)
        self._tools = toolbox.build(plan, session.machine, self._skills.tools)
        self._hooks = LoopHooks(plan=plan, lifecycle=self._lifecycle, stream=stream, tools=self._tools, answer=answer)

    @property
    def usage(self) -> dict[str, int]:
        """Tokens of the model calls so far."""
        return self._hooks.usage

    @property
    def is_turn(self) -> bool:
        """Whether the user said something; the result of an inline call belongs to an earlier turn."""
        return self._answer is None

    async def execute(self) -> None:
        """Run the agent and write its stream; the conversation is up to date afterwards.

        Raises:
            StreamFailed: what ends the stream with an exception.
        """
        buckets = mounts.has_buckets(self._plan)
        if buckets:
            await asyncio.to_thread(mounts.bring_in, self._plan)
        try:
            await self._skills.ready()
            permissions.load(self._plan, self._session, resumes=self._answer is not None)
            conversations.check(self._plan)
            if await self._lifecycle.before_invocation(self._plan.messages):
                self._stream.end("hook_stopped")
            else:
                await self._work()
            await self._lifecycle.after_invocation(self._stream.last_stop, self._hooks.usage)
        except StreamFailed:
            await self._lifecycle.after_invocation(None, self._hooks.usage)
            raise
        finally:
            self._cancelled.set()  # what a provider's SDK still does on a thread of its own ends soon
            await self._tools.close()
            if buckets:
                await asyncio.to_thread(mounts.take_out, self._plan)

    async def _work(self) -> None:
        permissions.call_model(self._plan)
        await self._tools.load()
        agent = self._agent(await self._provider())
        limit = asyncio.timeout(self._plan.timeout_seconds)
        try:
            async with limit:
                await self._drive(agent)
        except MaxTokensReachedException:
            pass  # the model's messageStop has said so
        except ContextWindowOverflowException:
            self._stream.end("model_context_window_exceeded")
        except Exception as error:
            if not limit.expired():
                original = error.original_exception if isinstance(error, EventLoopException) else error
                raise in_stream(original, from_model=original is self._hooks.model_error) from error
            self._stream.end("timeout_exceeded")
        self._commit(agent)

    def _commit(self, agent: Agent) -> None:
        """Make what happened the conversation's history; only now, so that a failed invocation leaves no trace."""
        truncation.finish(agent)
        permissions.keep(self._plan)
        now = Conversation(
            messages=cast("list[dict[str, Any]]", agent.messages),
            pending=self._pending,
            snapshot=agent.take_snapshot(include=["interrupt_state"]).to_dict() if self._pending is not None else None,
        )
        # What the user said is not among what the agent tells; the answer to a call is in the tools' message.
        self._keep(self._plan, [*(self._plan.messages if self.is_turn else ()), *self._said], now)
        self._conversation.messages = now.messages
        self._conversation.pending = now.pending
        self._conversation.snapshot = now.snapshot

    async def _provider(self) -> Provider:
        try:
            if models.is_scripted(self._plan):
                provider = models.provider(self._plan)
            else:
                provider = await asyncio.to_thread(models.provider, self._plan)
        except Exception as error:
            raise StreamFailed("runtimeClientError", f"The model cannot be used: {error}") from error
        self._hooks.provider = provider
        return provider

    def _agent(self, provider: Provider) -> Agent:
        history = list(self._conversation.messages)
        remembered = conversations.remembered(self._plan, history)
        agent = Agent(
            model=provider.model,
            messages=cast("Any", history),
            system_prompt=cast("Any", [*self._plan.system_prompt, *self._skills.prompt, *remembered]) or None,
            callback_handler=None,
            conversation_manager=truncation.manager(self._plan.truncation),
            hooks=[self._hooks],
            tool_executor=SequentialToolExecutor(),
            retry_strategy=ModelRetryStrategy(max_attempts=provider.attempts) if provider.attempts > 1 else None,
            name=self._plan.harness_name,
            plugins=[strands_agent.NO_DELEGATION],
        )
        # Past Strands' own check of names: it refuses a-b beside a_b, the service is not known to.
        agent.tool_registry.registry.update({tool.tool_name: tool for tool in self._tools.tools})
        # Strands normalizes and checks all tools anew, four times for each turn; ours stay as they are.
        known = strands_agent.specifications(self._tools.tools, shared=models.is_scripted(self._plan))
        agent.tool_registry.get_all_tools_config = lambda: dict(known)  # type: ignore[method-assign]
        if self._answer is not None and self._conversation.snapshot is not None:
            agent.load_snapshot(Snapshot.from_dict(self._conversation.snapshot))
        return agent

    async def _drive(self, agent: Agent) -> None:
        prompt = self._prompt(agent)
        # A resumed turn has had its model call already; Strands counts it, the service's limit is on what follows.
        turns = self._plan.max_iterations + (1 if self._answer is not None else 0)
        while True:
            segment = min(turns, _SEGMENT_TURNS)
            result = await self._segment(agent, prompt, segment)
            turns -= segment
            if result.stop_reason != "limit_turns" or turns <= 0:
                break
            prompt = None
        self._finish(result)

    async def _segment(self, agent: Agent, prompt: Any, turns: int) -> AgentResult:
        limits: dict[str, int] = {"turns": turns}
        if self._plan.max_tokens is not None:
            limits["output_tokens"] = max(1, self._plan.max_tokens - self._hooks.usage["outputTokens"])
        events = agent.stream_async(prompt, limits=cast("Any", limits), cancel_signal=self._cancelled)
        result: AgentResult | None = None
        async with aclosing(cast("Any", events)) as items:
            async for item in items:
                if "event" in item:
                    self._stream.model_chunk(item["event"])
                elif "message" in item:
                    self._hooks.on_message(item["message"])
                    self._said.append(item["message"])
                elif "result" in item:
                    result = item["result"]
                await self._room()
        if result is None:
            raise RuntimeError("Strands ended without a result.")
        return result

    def _prompt(self, agent: Agent) -> Any:
        pending = self._conversation.pending
        if self._answer is not None and pending is not None:
            return [{"interruptResponse": {"interruptId": pending.interrupt_id, "response": self._answer}}]
        first, *others = [dict(message, content=list(message["content"])) for message in self._plan.messages]
        history = cast("list[dict[str, Any]]", agent.messages)
        if not history or history[-1]["role"] != first["role"]:
            return [first, *others]
        # Providers want the roles to alternate, and a limit has ended the last invocation after a message of the user.
        # Into the history at once: Strands would answer a toolUse that is last without its result.
        history[-1] = {**history[-1], "content": [*history[-1]["content"], *first["content"]]}
        history.extend(others)
        return None

    def _finish(self, result: AgentResult) -> None:
        reason: str = result.stop_reason
        if reason == "interrupt":
            waiting = next(item for item in result.interrupts or () if item.name == inline.INTERRUPT_NAME)
            self._pending = Pending(waiting.id, waiting.reason)
            self._stream.hand_off(waiting.reason)
        elif reason == "limit_turns":
            self._stream.end("max_iterations_exceeded")
        elif reason == "limit_output_tokens":
            self._stream.end("max_output_tokens_exceeded")
        elif reason == "cancelled":
            self._stream.end("hook_stopped")
