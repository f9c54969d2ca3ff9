"""A harness' truncation strategy as a conversation manager of Strands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strands.agent.conversation_manager import (
    ConversationManager,
    NullConversationManager,
    SlidingWindowConversationManager,
    SummarizingConversationManager,
)

if TYPE_CHECKING:
    from strands import Agent


class _WindowAtTheEnd(SlidingWindowConversationManager):
    """A window that is applied once, by `finish`: a long invocation is several runs of Strands, which would each."""

    def apply_management(self, agent: Agent, **kwargs: Any) -> None:
        """Not yet."""

    def apply(self, agent: Agent) -> None:
        """Now."""
        super().apply_management(agent)


def finish(agent: Agent) -> None:
    """Truncate the history at the end of an invocation."""
    if isinstance(agent.conversation_manager, _WindowAtTheEnd):
        agent.conversation_manager.apply(agent)


def manager(truncation: dict[str, Any]) -> ConversationManager:
    """The manager for ``HarnessTruncationConfiguration``; what the configuration leaves out is Strands' default."""
    config = truncation.get("config") or {}
    strategy = truncation["strategy"]
    if strategy == "none":
        return NullConversationManager()
    if strategy == "summarization":
        settings = config.get("summarization") or {}
        names = {
            "summaryRatio": "summary_ratio",
            "preserveRecentMessages": "preserve_recent_messages",
            "summarizationSystemPrompt": "summarization_system_prompt",
        }
        return SummarizingConversationManager(
            **{name: settings[member] for member, name in names.items() if settings.get(member) is not None}
        )
    count = (config.get("slidingWindow") or {}).get("messagesCount")
    return _WindowAtTheEnd() if count is None else _WindowAtTheEnd(count)
