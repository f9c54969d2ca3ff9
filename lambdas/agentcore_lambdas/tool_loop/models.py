"""What the tool loop is asked, what it remembers between invocations, and what it answers.

Names are the API's (camelCase), since a workflow state writes and reads them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Immutable, in camelCase outside and in snake_case here; what is misspelt is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class ToolFunction(Model):
    """What runs an inline tool.

    Attributes:
        function: ARN of the Lambda function; none for a tool that only the caller can run.
        approval: Whether a person must agree first.
        timeout_seconds: How long the function may run, where that is known.
    """

    function: str | None = None
    approval: bool = False
    timeout_seconds: int | None = None


class Call(Model):
    """A call of an inline tool that the harness waits for.

    Attributes:
        tool_use_id: Which call.
        name: Of the tool.
        input: What the agent passes.
        fault: What is wrong with the input; the agent is told, and no tool runs.
    """

    tool_use_id: str
    name: str
    input: Any = None
    fault: str | None = None


class Decision(Model):
    """What a person said about a call."""

    tool_use_id: str
    approved: bool
    comment: str = ""


class Result(Model):
    """What a tool gave; text, since JSON in a result that is echoed can break the SDK's parser of the stream."""

    tool_use_id: str
    text: str
    is_error: bool = False


class Output(Model):
    """What the Lambda function of a tool answered to a workflow that invoked it by itself.

    Attributes:
        tool_use_id: Of which call.
        payload: Its answer; of one that failed, Lambda's error: `errorType` and `errorMessage`.
        failed: Whether it raised, was ended, or was not reached.
    """

    tool_use_id: str
    payload: Any = None
    failed: bool = False


class Usage(Model):
    """Tokens of all invocations of a turn together, as the harness counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        """Returns the sum."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
        )


class Ran(Model):
    """A call that was answered; without input and result, which may be large or private."""

    tool_use_id: str
    name: str
    status: Literal["success", "error", "rejected"]


class State(Model):
    """Where a turn is; small, since it goes through the workflow.

    Attributes:
        pending: The call the harness waits for.
        asked: Whether the harness was asked at all.
        cut: Whether the last answer was cut off because this function had to end.
        in_flight: Whether something was sent whose answer was not read.
        text: Of the last message; only noted of a turn that is done.
        stop_reason: Of the last answer.
        usage: Tokens so far.
        tool_calls: Calls answered so far.
    """

    pending: Call | None = None
    asked: bool = False
    cut: bool = False
    in_flight: bool = False
    text: str = ""
    stop_reason: str | None = None
    usage: Usage = Usage()
    tool_calls: tuple[Ran, ...] = ()


class Turn(Model):
    """One turn of a conversation, however many invocations it takes.

    Attributes:
        harness_arn: The harness.
        session_id: The conversation: 33–100 characters.
        turn_id: The same whenever this turn is tried again, and no other turn's.
        prompt: What the user says.
        messages: The messages instead, as InvokeHarness takes them.
        qualifier: The endpoint; DEFAULT unless given.
        actor_id: Whose memories.
        overrides: Members of InvokeHarness: `model`, `systemPrompt`, `tools`, `skills`, `allowedTools` and limits. They
            go along with every request, since the harness forgets them.
        functions: Name of an inline tool → what runs it.
        mode: `drive` runs tools here; `step` hands every call out.
        state: Where the turn is, as an earlier answer said.
        decision: What a person said about the pending call.
        result: What somebody else's run of the pending call gave, as text.
        output: What the function of the pending call answered, as it is, instead.
    """

    harness_arn: str
    session_id: str = Field(min_length=33, max_length=100)
    turn_id: str = Field(min_length=1, max_length=1024)
    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    qualifier: str | None = None
    actor_id: str | None = None
    overrides: dict[str, Any] = {}
    functions: dict[str, ToolFunction] = {}
    mode: Literal["drive", "step"] = "drive"
    state: State | None = None
    decision: Decision | None = None
    result: Result | None = None
    output: Output | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Turn:
        if (self.prompt is None) == (self.messages is None):
            message = "exactly one of prompt and messages must be given"
            raise ValueError(message)
        return self


class Answer(Model):
    """What an invocation of the loop answers.

    Attributes:
        status: `done`; `more` when it must be invoked again with the state; `approval` when a person must decide about
            the call; `tool` when somebody else must run it.
        text: Of the last message; may be empty.
        stop_reason: Why the agent stopped.
        usage: Tokens of the whole turn.
        tool_calls: The calls that were answered, in order.
        session_id: The conversation.
        call: The call to decide about or to run.
        state: To come back with; none when it is done.
    """

    status: Literal["done", "more", "approval", "tool"]
    text: str
    stop_reason: str | None
    usage: Usage
    tool_calls: tuple[Ran, ...]
    session_id: str
    call: Call | None = None
    state: State | None = None
