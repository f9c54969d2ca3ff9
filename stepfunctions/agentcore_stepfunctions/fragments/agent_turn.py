"""One turn with an agent that has inline tools: asked once, answered when it is done, however often it calls a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from agentcore_constructs.config import Fault
from agentcore_constructs.config.cdk import found, seconds
from agentcore_stepfunctions.expressions import jsonata
from agentcore_stepfunctions.harnesses import (
    Bound,
    allow_overrides,
    allowed_tools_faults,
    caller_faults,
    endpoint_faults,
    must_be_harness,
    own_timeout,
    warn_of_allowed_tools,
)
from agentcore_stepfunctions.names import long_names, states_of
from agentcore_stepfunctions.request import Request
from agentcore_stepfunctions.sessions import SessionId
from agentcore_stepfunctions.timeouts import unmeasured
from agentcore_stepfunctions.tool_loop import ToolLoop

from . import tools as inline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from agentcore_constructs import (
        Deferred,
        HarnessModelConfiguration,
        HarnessSkill,
        HarnessTool,
        IEndpoint,
        IHarness,
        InlineTool,
    )
    from agentcore_stepfunctions.messages import Message

    from .human_approval import HumanApproval


ANSWER = "$states.input.answer"
"""JSONata of the last states of a fragment: what the agent answered."""
INPUT = "$states.input.input"
"""JSONata of the last states of a fragment: the fragment's own input."""
RESULT: Mapping[str, str] = {
    name: jsonata(f"{ANSWER}.{name}") for name in ("text", "stopReason", "usage", "toolCalls", "sessionId")
}
"""Output of a turn unless given."""

RETRIED_ERRORS = (
    "HarnessThrottled",
    "InlineToolThrottled",
    "HarnessInternalError",
    "ToolRecordUnavailable",
    "Lambda.TooManyRequestsException",
    # The function was ended in the middle; the next one takes the turn up where it was.
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Lambda.Unknown",
)
"""What a turn retries by itself beside Lambda's own service errors. No retry runs a tool twice."""

_TURN = (
    "$merge([$states.input.request, "
    f"$exists({ANSWER}.state) ? {{'state': {ANSWER}.state}} : {{}}, "
    f"$exists($states.input.decision) ? {{'decision': {{'toolUseId': {ANSWER}.call.toolUseId, "
    "'approved': $states.input.decision.approved, 'comment': $string($states.input.decision.comment)}} : {}, "
    "$exists($states.input.output) ? {'output': $states.input.output} : {}])"
)


class AgentTurnProps(TypedDict, total=False):
    """What a turn takes beside its harness; `AgentTurn` says what each is."""

    prompt: str
    messages: Sequence[Message] | str
    session_id: SessionId | str
    endpoint: IEndpoint
    qualifier: str
    actor_id: str
    model: HarnessModelConfiguration | str
    system_prompt: str | Sequence[str]
    tools: Sequence[HarnessTool | Deferred]
    skills: Sequence[HarnessSkill | Deferred] | str
    allowed_tools: Sequence[str] | str
    max_iterations: int
    max_tokens: int
    harness_timeout: cdk.Duration | int
    approval: HumanApproval
    loop: ToolLoop
    assign: Mapping[str, Any]
    outputs: Any


class AgentTurn(sfn.StateMachineFragment):
    """Asks an agent and waits until it is done, running its inline tools on the way.

    It stands wherever a state may: in chains, in Map and Parallel; `AgentTurn(...).next(...)`. One Lambda function does
    the work (see `ToolLoop`); a turn that takes longer than its 15 minutes is taken up by its next invocation. Each
    tool call runs once, whatever is retried: a call that was cut off is not run again, and the agent is told.

    Output unless `outputs` is given: `{text, stopReason, usage, toolCalls, sessionId}`; `text` may be empty, `usage`
    has the tokens of the whole turn, `toolCalls` name and status of each call (`success`, `error`, `rejected`).

    Fails with `HarnessThrottled`, `HarnessAccessDenied`, `HarnessNotFound`, `HarnessInvalidRequest`,
    `HarnessRuntimeFailed`, `HarnessInternalError`, `HarnessConnectionLost`, `InlineToolUnknown`,
    `InlineToolThrottled` or `ToolRecordUnavailable`; catch them with `add_catch`.

    Attributes:
        loop: The function that drives the agent.
    """

    _mode: str | None = None  # of the loop: its own unless another kind of turn says

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        prompt: str | None = None,
        messages: Sequence[Message] | str | None = None,
        session_id: SessionId | str | None = None,
        endpoint: IEndpoint | None = None,
        qualifier: str | None = None,
        actor_id: str | None = None,
        model: HarnessModelConfiguration | str | None = None,
        system_prompt: str | Sequence[str] | None = None,
        tools: Sequence[HarnessTool | Deferred] | None = None,
        skills: Sequence[HarnessSkill | Deferred] | str | None = None,
        allowed_tools: Sequence[str] | str | None = None,
        max_iterations: int | None = None,
        max_tokens: int | None = None,
        harness_timeout: cdk.Duration | int | None = None,
        approval: HumanApproval | None = None,
        loop: ToolLoop | None = None,
        assign: Mapping[str, Any] | None = None,
        outputs: Any = None,
    ) -> None:
        """Makes the states. Strings may be JSONata expressions where the value is used at run time.

        Args:
            scope: Where it belongs.
            construct_id: Its id there; the names of its states begin with it.
            harness: The harness, made here or imported. The functions of its inline tools must be known: declare them
                with `InlineTool.from_function` or `.from_lambda`.
            prompt: What the user says.
            messages: The messages instead.
            session_id: Which conversation; `SessionId.fresh()` unless given.
            endpoint: The endpoint to call; DEFAULT unless given.
            qualifier: The endpoint's name instead.
            actor_id: Whose memories the agent reads and writes.
            model: Overrides the model.
            system_prompt: Overrides the system prompt.
            tools: Replaces the tools; inline tools with a function are welcome.
            skills: Skills for this turn.
            allowed_tools: Overrides which tools may be used.
            max_iterations: Overrides the limit of the loop.
            max_tokens: Overrides the limit of output.
            harness_timeout: How long the agent may work between two inline calls.
            approval: How people are asked about tools that want approval; required where there are such.
            loop: The function to use; one per harness and stack unless given.
            assign: Workflow variables to set when the agent is done; `ANSWER` and `INPUT` name what there is.
            outputs: Output; `RESULT` unless given. `ANSWER` and `INPUT` name what there is.

        Raises:
            HarnessConfigError: With everything that is wrong with the turn.
        """
        super().__init__(scope, construct_id)
        must_be_harness(self, self._subject, harness, endpoint)
        self._harness = harness
        given = {
            "model": model,
            "system_prompt": system_prompt,
            "tools": tools,
            "skills": skills,
            "allowed_tools": allowed_tools,
            "max_iterations": max_iterations,
            "max_tokens": max_tokens,
        }
        bound = Bound(self, harness, given)
        overrides, limit = bound.overrides, seconds(harness_timeout)
        too_odd = unmeasured("harness_timeout", limit)
        request = Request(
            json_path=False,
            harness_arn=harness.harness_arn,
            session_id=session_id or SessionId.fresh(),
            prompt=prompt,
            messages=messages,
            qualifier=endpoint.endpoint_name if endpoint is not None else qualifier,
            actor_id=actor_id,
            overrides=overrides,
            timeout_seconds=None if too_odd else limit,
        )
        self._approvals = approval is not None
        self._rendered: set[str] | None = None
        faults = [*self._faults(request, endpoint, qualifier), *([too_odd] if too_odd else [])]
        bound.refuse(self, self._subject, faults or self._tool_faults(request.api_overrides()))
        self._overrides = request.api_overrides()
        allow_overrides(self, harness, overrides)
        warn_of_allowed_tools(self, harness, self._overrides)
        known = inline.functions_of(self, harness)
        functions = {tool.name: tool.function for tool in known.values() if tool.function is not None}
        self.loop = used = loop or ToolLoop.of(self, harness)
        used.allow(functions if self._mode is None else {}, request.qualifier)
        self.node.add_validation(inline.AtSynthesis(self._faults_at_synthesis))
        self._turn = self._states(used, self._request(request, known), approval, assign, outputs)
        self._add_tools({name: tool for name, tool in known.items() if tool.function is not None})
        self._rendered = set(functions)

    @property
    def start_state(self) -> sfn.State:
        """The first state."""
        return self._begin

    @property
    def end_states(self) -> list[sfn.INextable]:
        """The state that is left when the agent is done."""
        return [self._done]

    def add_catch(self, handler: sfn.IChainable, *, errors: Sequence[str] | None = None, outputs: Any = None) -> Self:
        """Goes on elsewhere when the turn fails.

        Args:
            handler: What comes then.
            errors: Names of errors; all of them unless given.
            outputs: What it gets; `$states.errorOutput` unless given.
        """
        self._turn.add_catch(handler, errors=None if errors is None else list(errors), outputs=outputs)
        return self

    def _states(
        self,
        loop: ToolLoop,
        request: Mapping[str, Any],
        approval: HumanApproval | None,
        assign: Mapping[str, Any] | None,
        outputs: Any,
    ) -> tasks.LambdaInvoke:
        begin = {"request": request, "input": jsonata("$states.input")}
        self._begin = sfn.Pass.jsonata(self, "Begin", outputs=begin, state_name=self._named("Begin"))
        turn = tasks.LambdaInvoke.jsonata(
            self,
            "Turn",
            lambda_function=loop.function,
            payload=sfn.TaskInput.from_text(jsonata(_TURN)),
            outputs={
                "request": jsonata("$states.input.request"),
                "input": jsonata("$states.input.input"),
                "answer": jsonata("$states.result.Payload"),
            },
            state_name=self._named("Turn"),
        )
        turn.add_retry(
            errors=list(RETRIED_ERRORS),
            interval=cdk.Duration.seconds(2),
            max_attempts=4,
            backoff_rate=2,
            max_delay=cdk.Duration.seconds(30),
            jitter_strategy=sfn.JitterType.FULL,
        )
        self._done = sfn.Pass.jsonata(
            self, "Done", outputs=dict(RESULT) if outputs is None else outputs, assign=assign,
            state_name=self._named("Done"),
        )  # fmt: skip
        stuck = sfn.Fail.jsonata(
            self,
            "Stuck",
            error="InlineToolUnknown",
            cause=jsonata(f"'nobody runs the inline tool ' & {ANSWER}.call.name"),
            state_name=self._named("Stuck"),
        )
        self._next = choice = sfn.Choice.jsonata(self, "Next", state_name=self._named("What next?"))
        choice.when(_is("done"), self._done).when(_is("more"), turn)
        if approval is not None:
            choice.when(_is("approval"), approval)
            for end in approval.end_states:
                end.next(turn)
        choice.otherwise(stuck)
        self._begin.next(turn)
        turn.next(choice)
        return turn

    def _add_tools(self, tools: Mapping[str, InlineTool]) -> None:
        """Adds states for tools, where the loop does not run them."""

    def _request(self, request: Request, known: Mapping[str, Any]) -> dict[str, Any]:
        arguments = request.arguments()
        functions = {
            name: {"function": tool.function.function_arn, "approval": tool.approval, **_limit(tool.function)}
            for name, tool in known.items()
            if tool.function is not None
        }
        conversation = (
            {"prompt": request.prompt} if request.prompt is not None else {"messages": _messages(arguments["Messages"])}
        )
        # The loop limits each request to what is left of its own time, which must not raise the harness' limit.
        limit = own_timeout(self._harness) if request.timeout_seconds is None else request.timeout_seconds
        limits = {} if limit is None else {"timeoutSeconds": limit}
        named = {"qualifier": request.qualifier, "actorId": request.actor_id}
        return {
            "harnessArn": request.harness_arn,
            "sessionId": arguments["RuntimeSessionId"],
            # The same in every retry of a state, and another each time the fragment is entered.
            "turnId": jsonata("$states.context.Execution.Id & '/' & $uuid()"),
            **conversation,
            **{name: value for name, value in named.items() if value is not None},
            "overrides": {**self._overrides, **limits},
            "functions": functions,
            **({} if self._mode is None else {"mode": self._mode}),
        }

    def _faults(self, request: Request, endpoint: IEndpoint | None, qualifier: str | None) -> list[Fault]:
        faults = [*caller_faults(self, self._harness), *request.all_faults()]
        if endpoint is not None:
            faults += endpoint_faults(self._harness, endpoint)
            if qualifier is not None:
                faults.append(Fault("qualifier", "must not be given next to endpoint", "both", "keep the endpoint"))
        return faults

    def _tool_faults(self, overrides: Mapping[str, Any]) -> list[Fault]:
        known = inline.functions_of(self, self._harness)
        return [
            *inline.faults(self._harness, overrides, known, approvals=self._approvals, rendered=self._rendered),
            *allowed_tools_faults(self._harness, overrides),
        ]

    def _faults_at_synthesis(self) -> list[str]:
        return [str(fault) for fault in (*self._tool_faults(self._overrides), *long_names(states_of(self)))]

    def _named(self, state: str) -> str:
        return f"{self.node.id}: {state}"

    @property
    def _subject(self) -> str:
        return f"The turn {self.node.path}"


def _is(status: str) -> sfn.Condition:
    return sfn.Condition.jsonata(jsonata(f"{ANSWER}.status = '{status}'"))


def _limit(function: Any) -> dict[str, Any]:
    limit = seconds(found(function, "timeout"))
    return {"timeoutSeconds": limit} if isinstance(limit, int) else {}


def _messages(messages: Any) -> Any:
    """Messages as InvokeHarness itself takes them; an expression gives them so at run time."""
    if not isinstance(messages, list):
        return messages
    return [{"role": one["Role"], "content": [{"text": block["Text"]} for block in one["Content"]]} for one in messages]
