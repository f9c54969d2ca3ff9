"""Long-term records from events. Approximated: the service has a model do it, minutes later; here it is done by rule.

| strategy | record |
|---|---|
| SEMANTIC | each statement of the user, word for word; no questions |
| USER_PREFERENCE | each of them with a word such as "prefer", "always" or "favourite", as the service's JSON |
| SUMMARIZATION | one for each session: what the user said in its last 40 messages, and the last answer |
| EPISODIC | one for each session: the first request, the tools that were used, the last answer; no reflections |

The same statement is kept once. Strategies with prompts or models of your own, and self-managed ones, extract nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .events import Event

# botocore's `MemoryContentTextString`.
MAX_RECORD = 16_000
_FEWEST_WORDS = 3
_SUMMARIZED = 40
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?")
_PREFERENCE = re.compile(
    r"\b(prefer\w*|likes?|loves?|enjoy\w*|favou?rite|always|never|hates?|dislike\w*|rather)\b",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\{([a-zA-Z][a-zA-Z0-9]*)\}")


@dataclass(frozen=True, slots=True)
class Record:
    """One long-term record to keep.

    Attributes:
        strategy_id: Of the strategy it comes from.
        namespace: Where it is filed.
        text: What it says.
        key: What makes it the same record as an earlier one, within its namespace and strategy.
    """

    strategy_id: str
    namespace: str
    text: str
    key: str


def records(strategies: Iterable[dict[str, Any]], event: Event, session: Sequence[Event]) -> Iterator[Record]:
    """What an event adds to the long-term memory.

    Args:
        strategies: Of the memory, as GetMemory shows them.
        event: The new event.
        session: All events of its session, oldest first, the new one among them.
    """
    for strategy in strategies:
        extract = _EXTRACT.get(strategy["type"])
        if extract is None or strategy.get("status") != "ACTIVE":
            continue
        for template in strategy.get("namespaces") or strategy.get("namespaceTemplates") or ():
            namespace = resolved(template, event["actorId"], event["sessionId"], strategy["strategyId"])
            if namespace is None:
                continue
            for key, text in extract(event, session):
                yield Record(strategy["strategyId"], namespace, text[:MAX_RECORD], key)


def resolved(template: str, actor_id: str, session_id: str, strategy_id: str) -> str | None:
    """A namespace with its variables filled in; None when it has one that is not known here."""
    known = {"actorId": actor_id, "sessionId": session_id, "memoryStrategyId": strategy_id}
    if any(name not in known for name in _VARIABLE.findall(template)):
        return None
    return _VARIABLE.sub(lambda match: known[match[1]], template)


def statements(text: str) -> Iterator[str]:
    """The sentences of a text that state something."""
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        if not sentence.endswith("?") and len(sentence.split()) >= _FEWEST_WORDS:
            yield sentence


def _facts(event: Event, _session: Sequence[Event]) -> Iterator[tuple[str, str]]:
    for role, text in events.said(event):
        if role == "USER":
            for sentence in statements(text):
                yield sentence.lower(), sentence


def _preferences(event: Event, session: Sequence[Event]) -> Iterator[tuple[str, str]]:
    for key, sentence in _facts(event, session):
        if _PREFERENCE.search(sentence):
            yield key, json.dumps({"context": sentence, "preference": sentence, "categories": []})


def _summary(_event: Event, session: Sequence[Event]) -> Iterator[tuple[str, str]]:
    asked, answered = _dialogue(session[-_SUMMARIZED:])
    if asked:
        lines = [f"The user said: {text}" for text in asked]
        lines += [f"The agent last answered: {answered[-1]}"] if answered else []
        yield "summary", "\n".join(['<topic name="conversation">', *lines, "</topic>"])


def _episode(_event: Event, session: Sequence[Event]) -> Iterator[tuple[str, str]]:
    asked, answered = _dialogue(session)
    if asked and answered:
        tools = list(dict.fromkeys(name for event in session for name in events.tools_used(event)))
        yield "episode", json.dumps({"intent": asked[0], "actions": tools, "outcome": answered[-1]})


def _dialogue(session: Sequence[Event]) -> tuple[list[str], list[str]]:
    spoken = [pair for event in session for pair in events.said(event)]
    return [text for role, text in spoken if role == "USER"], [text for role, text in spoken if role == "ASSISTANT"]


_EXTRACT: dict[str, Callable[[Event, Sequence[Event]], Iterator[tuple[str, str]]]] = {
    "SEMANTIC": _facts,
    "USER_PREFERENCE": _preferences,
    "SUMMARIZATION": _summary,
    "EPISODIC": _episode,
}
