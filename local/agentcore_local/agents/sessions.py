"""What stays between the invocations of one session.

A session is one machine (here: one directory) and the conversations of its actors. Its id belongs to one harness of one
account and Region. On the service the machine stops after an idle time or at the end of its life; the conversation then
lives on only if the harness has a memory. The same happens here, measured by the same settings.

`Store` keeps conversations in the process as long as the machine lives. A `Repository` given to it is asked for those
the process does not know and told what is added to them: `agentcore_local.memory.conversations` keeps them in the
memory of their harness. What it sees is plain JSON.
"""

from __future__ import annotations

import atexit
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from agentcore_local.agents.machine import Machine, remove
from agentcore_local.faults import RequestRefused

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from agentcore_local.agents.plan import Plan

_SWEEP_SECONDS = 60


class SessionKey(NamedTuple):
    """One session (and one machine)."""

    account: str
    region: str
    harness_arn: str
    session_id: str


@dataclass(slots=True)
class Pending:
    """An inline function call that waits for the caller's result.

    Attributes:
        interrupt_id: Strands' name for the interruption to answer.
        tool_use: The call: ``toolUseId``, ``name``, ``input``.
    """

    interrupt_id: str
    tool_use: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Conversation:
    """What one actor and the agent have said in a session.

    Attributes:
        messages: The history in Converse form, as the truncation strategy has left it.
        snapshot: Strands' state beyond the messages (interruption, conversation manager), when there is any.
        pending: The inline call the agent waits for; None when it waits for nothing.
        turns: How often the user has said something that the agent worked on to an end.
        usage: Tokens of all model calls, also of those whose invocation failed.
    """

    messages: list[dict[str, Any]] = field(default_factory=list, repr=False)
    snapshot: dict[str, Any] | None = field(default=None, repr=False)
    pending: Pending | None = None
    turns: int = 0
    usage: dict[str, int] = field(default_factory=lambda: {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0})

    def count(self, usage: dict[str, int]) -> None:
        """Add the tokens of an invocation."""
        for name, tokens in usage.items():
            self.usage[name] = self.usage.get(name, 0) + tokens

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for a `Repository`."""
        pending = self.pending
        return {
            "messages": self.messages,
            "snapshot": self.snapshot,
            "pending": pending and {"interruptId": pending.interrupt_id, "toolUse": pending.tool_use},
            "turns": self.turns,
            "usage": self.usage,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Conversation:
        """The conversation that `to_json` described."""
        pending = data.get("pending")
        conversation = cls(
            messages=data["messages"],
            snapshot=data.get("snapshot"),
            pending=Pending(pending["interruptId"], pending["toolUse"]) if pending else None,
            turns=data.get("turns", 0),
        )
        conversation.count(data.get("usage", {}))
        return conversation


class Repository(Protocol):
    """Where conversations live beyond the process."""

    def keeps(self, plan: Plan) -> bool:
        """Whether conversations of this plan's harness are kept at all."""

    def load(self, plan: Plan) -> dict[str, Any] | None:
        """The conversation's JSON, or None when there is none."""

    def save(self, plan: Plan, said: Sequence[dict[str, Any]], state: dict[str, Any] | None) -> None:
        """Keep what an invocation has added: its messages, and what the agent waits for now.

        Raises:
            StreamFailed: It cannot be kept.
        """


@dataclass(slots=True)
class Session:
    """One session and its machine.

    Attributes:
        is_kept: Whether a repository keeps its conversations.
        visitors: Commands that callers run on the machine at the moment.
        last_delivery: What brings the session's last lifecycle event to a topic or a bus; the next one waits for it.
    """

    key: SessionKey
    machine: Machine
    started: float
    last_used: float
    version: str
    idle_seconds: int
    lifetime_seconds: int
    has_memory: bool
    is_kept: bool = False
    busy: bool = False
    visitors: int = 0
    last_delivery: asyncio.Task[None] | None = None
    conversations: dict[str, Conversation] = field(default_factory=dict)


class Store:
    """All sessions of this process. Safe to use from several threads.

    Args:
        clock: Seconds that only go up.
        repository: Keeps conversations beyond the process; None keeps them only in it.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, repository: Repository | None = None) -> None:
        self._clock = clock
        self._repository = repository
        self._lock = threading.Lock()
        self._sessions: dict[SessionKey, Session] = {}
        self._root: Path | None = None
        self._cleared_at_exit = False
        self._next_sweep = clock() + _SWEEP_SECONDS

    def acquire(self, plan: Plan) -> tuple[Session, Conversation]:
        """Reserve the session a plan belongs to and give its conversation; `release` must follow.

        Raises:
            RequestRefused: ``ValidationException``, reason ``ResourceConflict``, while another invocation runs in it.
        """
        key = SessionKey(plan.account, plan.region, plan.harness_arn, plan.session_id)
        with self._lock:
            now = self._clock()
            session = self._sessions.get(key)
            if session is None:
                session = self._new(key, plan, now)
            if session.busy:
                raise RequestRefused.invalid(
                    f"Session {plan.session_id} is working on another invocation; wait until its stream has ended, or "
                    "use a session id of its own for each conversation.",
                    reason="ResourceConflict",
                )
            session.busy = True
        self._settle(session, plan, now)
        return session, self._conversation(session, plan)

    def release(self, session: Session) -> None:
        """Give the session back."""
        with self._lock:
            session.last_used = self._clock()
            session.busy = False

    def visit(self, plan: Plan) -> Session:
        """The session a plan belongs to, for a command that may run beside an invocation; `leave` must follow."""
        key = SessionKey(plan.account, plan.region, plan.harness_arn, plan.session_id)
        with self._lock:
            now = self._clock()
            session = self._sessions.get(key) or self._new(key, plan, now)
            alone = not session.busy and not session.visitors
            session.visitors += 1
            session.last_used = now if not _expired(session, now) else session.last_used
        if alone:
            self._settle(session, plan, now)
        return session

    def leave(self, session: Session) -> None:
        """The command has ended."""
        with self._lock:
            session.last_used = self._clock()
            session.visitors -= 1

    def unused_seconds(self, session: Session) -> float:
        """How long ago the session was last worked in; 0 while it is."""
        return 0.0 if session.busy or session.visitors else max(0.0, self._clock() - session.last_used)

    def save(self, plan: Plan, said: Sequence[dict[str, Any]], now: Conversation) -> None:
        """Tell the repository what an invocation adds to its conversation.

        Args:
            plan: The invocation.
            said: Its messages.
            now: The conversation with them.

        Raises:
            StreamFailed: The repository cannot keep it.
        """
        if self._repository is not None:
            whole = now.to_json()
            state = {name: whole[name] for name in ("pending", "snapshot")} if now.pending is not None else None
            self._repository.save(plan, said, state)

    def clear(self, account: str | None = None) -> None:
        """Forget all sessions, or those of one account, and remove their directories."""
        with self._lock:
            doomed = [key for key in self._sessions if account is None or key.account == account]
            for key in doomed:
                self._sessions.pop(key).machine.wipe()
            if account is None and self._root is not None:
                remove(self._root)
                self._root = None

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        with self._lock:
            return iter(list(self._sessions.values()))

    def _new(self, key: SessionKey, plan: Plan, now: float) -> Session:
        session = Session(
            key=key,
            machine=Machine(self._make_directory),
            started=now,
            last_used=now,
            version=plan.version,
            idle_seconds=plan.idle_seconds,
            lifetime_seconds=plan.lifetime_seconds,
            has_memory=plan.has_memory,
        )
        self._sessions[key] = session
        return session

    def _settle(self, session: Session, plan: Plan, now: float) -> None:
        """Start a fresh machine when the old one has expired or runs another version of the harness."""
        if session.version != plan.version:
            session.machine.expire(with_storage=True)  # devguide harness-environment: a new version starts empty
            self._forget(session)
            session.started = now
        elif _expired(session, now):
            self._stop(session)
            session.started = now
        session.version, session.has_memory = plan.version, plan.has_memory
        session.is_kept = self._repository is not None and self._repository.keeps(plan)
        session.idle_seconds, session.lifetime_seconds = plan.idle_seconds, plan.lifetime_seconds

    def _stop(self, session: Session) -> None:
        session.machine.expire(with_storage=False)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        """What was said is gone with the machine, or is read again from where it is kept."""
        if session.is_kept or not session.has_memory:
            session.conversations.clear()

    def is_sweep_due(self) -> bool:
        """Whether it is time for the next `sweep`; says so once."""
        with self._lock:
            now = self._clock()
            due = now >= self._next_sweep
            if due:
                self._next_sweep = now + _SWEEP_SECONDS
            return due

    def sweep(self) -> None:
        """Remove the files of machines that have expired (blocking)."""
        with self._lock:
            now = self._clock()
            idle = [session for session in self._sessions.values() if not session.busy and not session.visitors]
            stopped = [session for session in idle if _expired(session, now)]
            for session in stopped:
                self._stop(session)
        for session in stopped:
            session.machine.clean()

    def _conversation(self, session: Session, plan: Plan) -> Conversation:
        conversation = session.conversations.get(plan.actor_id)
        if conversation is None:
            stored = self._repository.load(plan) if self._repository is not None else None
            conversation = Conversation.from_json(stored) if stored else Conversation()
            session.conversations[plan.actor_id] = conversation
        return conversation

    def _make_directory(self) -> Path:
        with self._lock:
            if self._root is None:
                self._root = Path(mkdtemp(prefix="agentcore-sessions-"))
                if not self._cleared_at_exit:
                    self._cleared_at_exit = True
                    atexit.register(self.clear)
            root = self._root
        return Path(mkdtemp(prefix="session-", dir=root))


def _expired(session: Session, now: float) -> bool:
    return now - session.last_used > session.idle_seconds or now - session.started > session.lifetime_seconds
