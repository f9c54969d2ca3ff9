"""The scripted model: a Strands model that streams what a script says, token by token, the same every time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from botocore.exceptions import ClientError
from strands.models.model import Model
from strands.types.exceptions import ContextWindowOverflowException, ModelThrottledException

from agentcore_local.agents.scripts import ModelCall, ModelFailure, Script, Turn, answer, fill
from agentcore_local.agents.strands_agent import Fixed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence

    from strands.types.content import Messages, SystemContentBlock
    from strands.types.streaming import StreamEvent
    from strands.types.tools import ToolSpec

CONTEXT_WINDOW = 200_000
"""Tokens the scripted model claims to take, like the service's default model."""

_TOKEN = re.compile(r"\s*\S{1,12}|\s+")
_JSON_CHARACTERS_PER_TOKEN = 12
# Tokens between two visits of the event loop, so that a fast script does not starve the other agents.
_BURST = 16

_CLIENT_ERRORS = {
    "access_denied": ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "validation": ("ValidationException", "The provided model identifier is invalid."),
    "server": ("InternalServerException", "The model provider failed."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scripted model speaks."""

    model_id: str
    harness_name: str
    session_id: str
    actor_id: str


class ScriptedModel(Model):
    """Streams the turns of a script in the form of ConverseStream chunks.

    Args:
        script: Decides each turn.
        place: Told to the script.
        max_tokens: Tokens of one answer; the rest is cut off with ``max_tokens``.
    """

    def __init__(self, script: Script, place: Place, *, max_tokens: int | None = None) -> None:
        self._script = script
        self._place = place
        self._max_tokens = max_tokens

    def update_config(self, **model_config: Any) -> None:
        """Take over ``max_tokens``; nothing else can be configured."""
        self._max_tokens = model_config.get("max_tokens", self._max_tokens)

    def get_config(self) -> dict[str, Any]:
        """The model's id and the size of its context."""
        return {"model_id": self._place.model_id, "context_window_limit": CONTEXT_WINDOW}

    def structured_output(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not offered: InvokeHarness has no structured output."""
        raise NotImplementedError("The scripted model has no structured output; let the script return JSON text.")

    async def count_tokens(
        self,
        messages: Messages,
        tool_specs: list[ToolSpec] | None = None,
        system_prompt: str | None = None,
        system_prompt_content: list[SystemContentBlock] | None = None,
    ) -> int:
        """Strands' estimate; what a tool adds to it is estimated once."""
        total = await super().count_tokens(messages, None, system_prompt, system_prompt_content)
        for spec in tool_specs or ():
            known = spec.tokens if isinstance(spec, Fixed) else None
            tokens = await super().count_tokens([], [spec]) if known is None else known
            if isinstance(spec, Fixed):
                spec.tokens = tokens
            total += tokens
        return total

    async def stream(
        self,
        messages: Sequence[Mapping[str, Any]],
        tool_specs: Sequence[Mapping[str, Any]] | None = None,
        system_prompt: str | None = None,
        **_kwargs: Any,
    ) -> AsyncGenerator[StreamEvent, None]:
        """One answer of the model."""
        started = time.monotonic()
        call = model_call(self._place, messages, tool_specs or (), system_prompt or "")
        turn = await answer(self._script, call)
        await asyncio.sleep(turn.delay)
        failure = turn.error
        if failure is not None and failure.after_tokens == 0:
            await _fail(failure)
        limit = self._max_tokens
        tokens = 0
        cut = open_block = False
        async for weight, chunk in _paced(_chunks(turn, call), turn.token_delay):
            if failure is not None and tokens + weight > failure.after_tokens:
                await _fail(failure)
            if limit is not None and tokens + weight > limit:
                if open_block:
                    yield {"contentBlockStop": {}}
                cut = True
                break
            tokens += weight
            open_block = "contentBlockStart" in chunk or "contentBlockDelta" in chunk
            yield cast("StreamEvent", chunk)
        if failure is not None:
            await _fail(failure)
        yield {"messageStop": {"stopReason": cast("Any", _stop_reason(turn, cut=cut))}}
        given = turn.usage or {}
        inputs = given.get("inputTokens", None)
        if inputs is None:
            inputs = await self.count_tokens(cast("Any", messages), cast("Any", list(tool_specs or ())), system_prompt)
        outputs = given.get("outputTokens", tokens)
        usage = {**given, "inputTokens": inputs, "outputTokens": outputs, "totalTokens": inputs + outputs}
        latency = round((time.monotonic() - started) * 1000)
        yield {"metadata": {"usage": cast("Any", usage), "metrics": {"latencyMs": latency}}}


def model_call(
    place: Place, messages: Sequence[Mapping[str, Any]], tool_specs: Sequence[Mapping[str, Any]], system_prompt: str
) -> ModelCall:
    """What a script is told about one call."""
    asked = max((i for i, message in enumerate(messages) if _is_prompt(message)), default=-1)
    since = messages[asked + 1 :]
    return ModelCall(
        prompt="\n".join(_texts(messages[asked])) if asked >= 0 else "",
        turn=1 + sum(1 for message in since if message["role"] == "assistant"),
        messages=messages,
        system_prompt=system_prompt,
        tools={spec["name"]: spec for spec in tool_specs},
        tool_results=[
            block["toolResult"] for message in since for block in message["content"] if "toolResult" in block
        ],
        model_id=place.model_id,
        harness_name=place.harness_name,
        session_id=place.session_id,
        actor_id=place.actor_id,
    )


def _is_prompt(message: Mapping[str, Any]) -> bool:
    return message["role"] == "user" and any("text" in block for block in message["content"])


def _texts(message: Mapping[str, Any]) -> list[str]:
    return [block["text"] for block in message["content"] if "text" in block]


def _chunks(turn: Turn, call: ModelCall) -> Iterator[tuple[int, dict[str, Any]]]:
    """The answer as chunks, each with the tokens it counts."""
    yield 0, {"messageStart": {"role": "assistant"}}
    yield from _text_block(turn.reasoning, lambda piece: {"reasoningContent": {"text": piece}})
    yield from _text_block(fill(turn.text, call), lambda piece: {"text": piece})
    for index, tool_call in enumerate(turn.tool_calls):
        tool_use = {"toolUseId": tool_call.id or _tool_use_id(call, index), "name": tool_call.name}
        arguments = tool_call.input if isinstance(tool_call.input, str) else json.dumps(tool_call.input)
        yield 1, {"contentBlockStart": {"start": {"toolUse": tool_use}}}
        for start in range(0, len(arguments), _JSON_CHARACTERS_PER_TOKEN):
            piece = arguments[start : start + _JSON_CHARACTERS_PER_TOKEN]
            yield 1, {"contentBlockDelta": {"delta": {"toolUse": {"input": piece}}}}
        yield 0, {"contentBlockStop": {}}


def _text_block(text: str, delta: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if text:
        for match in _TOKEN.finditer(text):
            yield 1, {"contentBlockDelta": {"delta": delta(match.group())}}
        yield 0, {"contentBlockStop": {}}


async def _paced(
    chunks: Iterator[tuple[int, dict[str, Any]]], token_delay: float
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    for number, (weight, chunk) in enumerate(chunks, 1):
        if token_delay and weight:
            await asyncio.sleep(token_delay)
        elif number % _BURST == 0:
            await asyncio.sleep(0)
        yield weight, chunk


def _stop_reason(turn: Turn, *, cut: bool) -> str:
    if cut:
        return "max_tokens"
    return turn.stop_reason or ("tool_use" if turn.tool_calls else "end_turn")


def _tool_use_id(call: ModelCall, index: int) -> str:
    """Different for each call of a conversation, the same in each run of it."""
    seed = json.dumps([call.session_id, call.actor_id, index, call.messages], sort_keys=True, default=str)
    return f"tooluse_{hashlib.sha256(seed.encode()).hexdigest()[:22]}"


async def _fail(failure: ModelFailure) -> NoReturn:
    if failure.kind == "hang":
        await asyncio.Event().wait()
    if failure.kind == "throttling":
        raise ModelThrottledException(failure.message or "Too many requests, please wait before trying again.")
    if failure.kind == "context_overflow":
        raise ContextWindowOverflowException(failure.message or "Input is too long for requested model.")
    if failure.kind == "drop":
        raise ConnectionResetError(failure.message or "The connection to the model provider was lost.")
    code, message = _CLIENT_ERRORS[failure.kind]
    raise ClientError({"Error": {"Code": code, "Message": failure.message or message}}, "ConverseStream")
