"""Scripts decide what the scripted model says: registered from Python, or read from YAML.

A script is a function of the model's input alone: it gets a `ModelCall` and returns a `Turn`. So the same conversation
gets the same answers, in any process, also after a session was resumed or a model was switched.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Literal

ErrorKind = Literal["throttling", "access_denied", "validation", "server", "context_overflow", "drop", "hang"]
ERROR_KINDS: tuple[ErrorKind, ...] = (
    "throttling", "access_denied", "validation", "server", "context_overflow", "drop", "hang",
)  # fmt: skip


class ScriptError(Exception):
    """A script that cannot be used, or that has nothing to say where the agent asks it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool by the scripted model.

    Attributes:
        name: The tool's name as the model sees it.
        input: The tool's arguments. A string is sent as it is, also when it is not JSON.
        id: ``toolUseId``; derived from the place in the conversation when left out.
    """

    name: str
    input: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """How a scripted provider fails.

    Attributes:
        kind: What goes wrong: the provider refuses (``throttling``, ``access_denied``, ``validation``), fails
            (``server``), finds the context too large (``context_overflow``), drops the connection (``drop``), or
            never answers (``hang``).
        message: The provider's words; a plain sentence when left out.
        after_tokens: Tokens sent before it fails; 0 fails before the first one.
    """

    kind: ErrorKind
    message: str = ""
    after_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the scripted model.

    Attributes:
        text: What it says. ``$prompt``, ``$tool_result`` and ``$model`` stand for those of the call (``$$`` for a $).
        tool_calls: The tools it calls, in order.
        reasoning: What it thinks first.
        stop_reason: Instead of ``end_turn`` (or ``tool_use`` when there are calls).
        delay: Seconds before the first token.
        token_delay: Seconds between two tokens.
        usage: Instead of the estimate of 4 characters per token: ``inputTokens``, ``outputTokens``.
        error: How the call fails.
    """

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    reasoning: str = ""
    stop_reason: str | None = None
    delay: float = 0.0
    token_delay: float = 0.0
    usage: Mapping[str, int] | None = None
    error: ModelFailure | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What the model is given in one call, and where in the conversation it is.

    Attributes:
        prompt: Text of the user's last message that has any.
        turn: Number of the model's answers since then, from 1: 1 answers the prompt, 2 the tools' first results.
        messages: The whole conversation in Converse form.
        system_prompt: The system prompt's text.
        tools: Names of the tools the model may call, with their specifications.
        tool_results: Results that came since the prompt, oldest first, each with its ``toolUseId``.
        model_id: The model that would be called.
        harness_name: Name of the harness.
        session_id: ``runtimeSessionId`` of the invocation.
        actor_id: ``actorId`` of the invocation.
    """

    prompt: str
    turn: int
    messages: Sequence[Mapping[str, Any]]
    system_prompt: str
    tools: Mapping[str, Mapping[str, Any]]
    tool_results: Sequence[Mapping[str, Any]]
    model_id: str
    harness_name: str
    session_id: str
    actor_id: str

    @property
    def tool_result(self) -> str:
        """Text of the last tool result since the prompt; empty when there is none."""
        return result_text(self.tool_results[-1]) if self.tool_results else ""


Script = Callable[[ModelCall], "Turn | str | Awaitable[Turn | str]"]


def result_text(result: Mapping[str, Any]) -> str:
    """A tool result's content as text."""
    parts = [part["text"] if "text" in part else json.dumps(part.get("json")) for part in result["content"]]
    return "\n".join(parts)


async def answer(script: Script, call: ModelCall) -> Turn:
    """What `script` says to `call`; a plain string is a turn with that text.

    Raises:
        ScriptError: when the script raised, or returned something else.
    """
    try:
        said = script(call)
        if inspect.isawaitable(said):
            said = await said
    except ScriptError:
        raise
    except Exception as error:
        raise ScriptError(f"The script raised {type(error).__name__}: {error}.") from error
    turn = Turn(text=said) if isinstance(said, str) else said
    if not isinstance(turn, Turn):
        raise ScriptError(f"A script must return a Turn or a string; received {type(turn).__name__}.")
    return turn


class Registry:
    """Which script speaks for which harness."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: dict[str | None, Script] = {}

    def register(self, harness: str | None, script: Script | str | Path | Sequence[Any] | Mapping[str, Any]) -> None:
        """Let a script speak for a harness (name or ARN), or, with None, for all that have none of their own.

        Args:
            harness: The harness' name or ARN, or None.
            script: A function, the path of a YAML file, or the parsed content of one. See docs/local-agents.md.

        Raises:
            ScriptError: when the script is malformed.
        """
        parsed = script if callable(script) else parse(script)
        with self._lock:
            self._scripts[harness] = parsed

    def load(self, path: str | Path) -> None:
        """Register what a YAML file holds: one script for all harnesses, or, under ``harnesses``, one for each name.

        Raises:
            ScriptError: when the file cannot be read or is malformed.
        """
        data = _read(path)
        named = data.get("harnesses") if isinstance(data, Mapping) else None
        if named is None:
            self.register(None, data)
            return
        _check_keys(data, {"harnesses", "rules"}, str(path))
        _check_keys(named, set(named), "harnesses")
        for name, rules in named.items():
            self.register(name, rules)
        if "rules" in data:
            self.register(None, data["rules"])

    def clear(self) -> None:
        """Forget all scripts: the built-in one speaks again."""
        with self._lock:
            self._scripts.clear()

    def find(self, arn: str, name: str) -> Script | None:
        """The most particular script for a harness: by ARN, by name, for all; None when there is none."""
        with self._lock:
            return self._scripts.get(arn) or self._scripts.get(name) or self._scripts.get(None)


@dataclass(frozen=True, slots=True)
class _Rule:
    prompt: re.Pattern[str] | None
    model: re.Pattern[str] | None
    tools: frozenset[str]
    turns: tuple[Turn, ...]

    def matches(self, call: ModelCall) -> bool:
        return (
            (self.prompt is None or self.prompt.search(call.prompt) is not None)
            and (self.model is None or self.model.search(call.model_id) is not None)
            and self.tools <= call.tools.keys()
        )


def parse(source: str | Path | Sequence[Any] | Mapping[str, Any]) -> Script:
    """A script from YAML (a path) or from its parsed content: one list of rules, or ``{rules: [...]}``.

    Raises:
        ScriptError: naming the place of the first fault.
    """
    data = _read(source) if isinstance(source, str | Path) else source
    entries = data.get("rules") if isinstance(data, Mapping) else data
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise ScriptError("A script must be a list of rules (or hold one under 'rules'), each with 'turns'.")
    rules = tuple(_rule(entry, f"rules[{index}]") for index, entry in enumerate(entries))

    def script(call: ModelCall) -> Turn:
        for number, rule in enumerate(rules):
            if not rule.matches(call):
                continue
            if call.turn > len(rule.turns):
                raise ScriptError(
                    f"rules[{number}] has {len(rule.turns)} turn(s), and the agent asks for turn {call.turn}; end the "
                    "last turn without tool calls or add a turn."
                )
            return rule.turns[call.turn - 1]
        raise ScriptError(f"No rule matches the prompt {call.prompt[:80]!r}; add a last rule without 'when'.")

    return script


def _read(path: str | Path) -> Any:
    import yaml  # noqa: PLC0415 - only scripts from files need it

    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScriptError(f"The script {path} cannot be read: {error}.") from error


_RULE_KEYS = {"when", "turns"}
_WHEN_KEYS = {"prompt", "model", "tools"}
_TURN_KEYS = {"text", "tool_calls", "reasoning", "stop_reason", "delay", "token_delay", "usage", "error"}
_CALL_KEYS = {"name", "input", "id"}
_ERROR_KEYS = {"kind", "message", "after_tokens"}


def _rule(entry: Any, path: str) -> _Rule:
    _check_keys(entry, _RULE_KEYS, path)
    when = entry.get("when") or {}
    _check_keys(when, _WHEN_KEYS, f"{path}.when")
    turns = entry.get("turns")
    if not isinstance(turns, list) or not turns:
        raise ScriptError(f"{path}.turns must be a list of at least one turn.")
    return _Rule(
        prompt=_pattern(when.get("prompt"), f"{path}.when.prompt"),
        model=_pattern(when.get("model"), f"{path}.when.model"),
        tools=frozenset(when.get("tools") or ()),
        turns=tuple(_turn(turn, f"{path}.turns[{index}]") for index, turn in enumerate(turns)),
    )


def _turn(entry: Any, path: str) -> Turn:
    if isinstance(entry, str):
        return Turn(text=entry)
    _check_keys(entry, _TURN_KEYS, path)
    values = dict(entry)
    calls = values.pop("tool_calls", None) or []
    error = values.pop("error", None)
    for index, call in enumerate(calls):
        _check_keys(call, _CALL_KEYS, f"{path}.tool_calls[{index}]")
        if "name" not in call:
            raise ScriptError(f"{path}.tool_calls[{index}].name is missing.")
    return Turn(**values, tool_calls=tuple(ToolCall(**call) for call in calls), error=_failure(error, f"{path}.error"))


def _failure(entry: Any, path: str) -> ModelFailure | None:
    if entry is None:
        return None
    entry = {"kind": entry} if isinstance(entry, str) else entry
    _check_keys(entry, _ERROR_KEYS, path)
    if entry.get("kind") not in ERROR_KINDS:
        raise ScriptError(f"{path}.kind must be one of {', '.join(ERROR_KINDS)}; received {entry.get('kind')!r}.")
    return ModelFailure(**entry)


def _check_keys(entry: Any, known: set[str], path: str) -> None:
    if not isinstance(entry, Mapping):
        raise ScriptError(f"{path} must be a mapping; received {type(entry).__name__}.")
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ScriptError(f"{path} must hold only {', '.join(sorted(known))}; received {', '.join(map(str, unknown))}.")


def _pattern(value: Any, path: str) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(value, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise ScriptError(f"{path} must be a regular expression; received {value!r}: {error}.") from error


def fill(text: str, call: ModelCall) -> str:
    """`text` with ``$prompt``, ``$tool_result`` and ``$model`` filled in."""
    if "$" not in text:
        return text
    return Template(text).safe_substitute(prompt=call.prompt, tool_result=call.tool_result, model=call.model_id)


registry = Registry()
register = registry.register
