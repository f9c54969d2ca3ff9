"""The four lifecycle events as the harness sends them, with what truncation leaves of a context over 64 KiB.

Source: the developer guide's page on harness lifecycle hooks (September 2026). Fields that the service adds later are
kept in `model_extra`, not refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.alias_generators import to_camel


class IncompleteContextError(ValueError):
    """The hook asked for a value of which the harness sent only a preview, because the context exceeded 64 KiB."""


class _Payload(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="allow")


class Truncated(_Payload):
    """Stands where a value was too large: `preview` is a prefix of its serialized form, not valid JSON."""

    model_config = ConfigDict(extra="forbid")

    truncated: Literal[True] = True
    preview: str


# Left to right: what looks like the marker is the marker. A model that forges it only makes its own call incomplete.
_Json = Annotated[Truncated | JsonValue, Field(union_mode="left_to_right")]
_Text = Annotated[Truncated | str, Field(union_mode="left_to_right")]


class Message(_Payload):
    """One message of the request, with its content blocks as InvokeHarness took them."""

    role: str
    content: list[dict[str, JsonValue]]

    @property
    def text(self) -> str:
        """The text blocks of the message, one per line."""
        return "\n".join(str(block["text"]) for block in self.content if "text" in block)


class TokenUsage(_Payload):
    """Tokens of one invocation."""

    input_tokens: int = 0
    output_tokens: int = 0


class BeforeInvocationContext(_Payload):
    """The messages of this request, oldest first; earlier turns of the session are not part of it.

    `message_count` counts them before truncation, which drops the oldest messages, and all of them when the newest one
    alone exceeds the limit.
    """

    message_count: int
    messages: list[Message]
    truncated: bool = False


class BeforeToolCallContext(_Payload):
    """The call the model asks for. `tool_name` is the name the model sees, such as `github___create_issue`."""

    tool_name: str
    tool_type: str
    tool_use_id: str
    tool_input: _Json


class AfterToolCallContext(_Payload):
    """What the call gave. For an inline function, `tool_result` proves only that the caller sent a result."""

    tool_name: str
    tool_type: str
    tool_use_id: str
    tool_result: _Json
    error: _Text | None = None


class AfterInvocationContext(_Payload):
    """How the invocation ended. Some error paths end without a stop reason."""

    stop_reason: str | None = None
    usage: TokenUsage = TokenUsage()


class _Event(_Payload):
    """What every event carries. `name` is the hook's; `hook_event_id` is that of the `hookEvent` in the stream."""

    hook_event_id: str
    name: str
    harness_arn: str
    session_id: str


class BeforeInvocation(_Event):
    """Before the agent starts. Deny ends the invocation with `hook_stopped`."""

    event: Literal["before_invocation"] = "before_invocation"
    context: BeforeInvocationContext

    @property
    def truncated(self) -> bool:
        """Whether messages are missing from the context."""
        return self.context.truncated

    @property
    def messages(self) -> list[Message]:
        """All messages of the request.

        Raises:
            IncompleteContextError: Some were dropped. `context.messages` holds those that fitted.
        """
        if self.truncated:
            received = f"{len(self.context.messages)} of {self.context.message_count}"
            raise IncompleteContextError(f"the request's messages exceeded 64 KiB; received {received} messages")
        return self.context.messages


class BeforeToolCall(_Event):
    """Before a tool runs. Deny skips the call; the agent goes on."""

    event: Literal["before_tool_call"] = "before_tool_call"
    context: BeforeToolCallContext

    @property
    def truncated(self) -> bool:
        """Whether only a preview of the tool's input arrived."""
        return isinstance(self.context.tool_input, Truncated)

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """The whole input of the tool.

        Raises:
            IncompleteContextError: Only a preview arrived, or the model's input is no JSON object.
        """
        given = self.context.tool_input
        if isinstance(given, Truncated):
            raise IncompleteContextError("the tool's input exceeded 64 KiB; received a preview")
        if not isinstance(given, dict):
            raise IncompleteContextError(f"the tool's input must be a JSON object; received {type(given).__name__}")
        return given


class AfterToolCall(_Event):
    """After a tool ran. Deny keeps the result and ends the invocation with `hook_stopped`."""

    event: Literal["after_tool_call"] = "after_tool_call"
    context: AfterToolCallContext

    @property
    def truncated(self) -> bool:
        """Whether only a preview of the result or of the error arrived."""
        return isinstance(self.context.tool_result, Truncated) or isinstance(self.context.error, Truncated)

    @property
    def result(self) -> JsonValue:
        """The whole result of the tool.

        Raises:
            IncompleteContextError: Only a preview arrived.
        """
        if isinstance(self.context.tool_result, Truncated):
            raise IncompleteContextError("the tool's result exceeded 64 KiB; received a preview")
        return self.context.tool_result


class AfterInvocation(_Event):
    """After the invocation. A decision is only reported; nothing can be taken back."""

    event: Literal["after_invocation"] = "after_invocation"
    context: AfterInvocationContext

    @property
    def truncated(self) -> bool:
        """Always false: this context is small."""
        return False


AnyHookEvent = BeforeInvocation | BeforeToolCall | AfterToolCall | AfterInvocation
HookEvent = Annotated[AnyHookEvent, Field(discriminator="event")]
# A validation error ends up in a log, and what agents are told does not belong there.
ANY_EVENT: TypeAdapter[AnyHookEvent] = TypeAdapter(HookEvent, config=ConfigDict(hide_input_in_errors=True))
