"""A harness' truncation strategy as a conversation manager of Strands."""

from __future__ import annotations

from typing import Any

from strands.agent.conversation_manager import (
    ConversationManager,
    NullConversationManager,
    SlidingWindowConversationManager,
    SummarizingConversationManager,
)


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
    return SlidingWindowConversationManager() if count is None else SlidingWindowConversationManager(count)
