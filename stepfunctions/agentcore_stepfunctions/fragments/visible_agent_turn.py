"""A turn whose tool calls are states of their own, so that the execution's graph and history show each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from agentcore_lambdas.tools.context import TOOL_NAME
from agentcore_stepfunctions.expressions import jsonata, quoted

from .agent_turn import ANSWER, AgentTurn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from agentcore_constructs import IHarness, InlineTool

    from .agent_turn import AgentTurnProps

_KEPT = {name: jsonata(f"$states.input.{name}") for name in ("request", "input", "answer")}
_CALL = f"{ANSWER}.call"


class VisibleAgentTurn(AgentTurn):
    """Asks an agent as `AgentTurn` does, and runs each call of an inline tool in a Lambda state named after the tool.

    What goes in and comes out is that of an `AgentTurn`. It takes three more transitions per call, and an execution of
    a Standard workflow has 25,000 events; in return, graph, history, retries and catches show every call.

    A call runs once here as well: a tool's state is tried again only when Lambda says that it was throttled, before
    anything ran. Where a tool may run twice, say so: `turn.tool_states["status"].add_retry(…)`. A tool that fails is
    told to the agent, which goes on; errors that must end the turn go into `tool_errors`.

    Attributes:
        tool_states: Name of a tool → the state that runs it.
    """

    _mode = "step"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        tool_errors: Mapping[str, sfn.IChainable] | None = None,
        **turn: Unpack[AgentTurnProps],
    ) -> None:
        """Makes the states.

        Args:
            scope: Where it belongs.
            construct_id: Its id there; the names of its states begin with it.
            harness: The harness, as `AgentTurn` takes it.
            tool_errors: Name of an error of a tool, such as the class of an exception → where the workflow goes on. All
                other errors are told to the agent.
            **turn: What else `AgentTurn` takes.

        Raises:
            HarnessConfigError: With everything that is wrong with the turn.
        """
        self.tool_states: dict[str, tasks.LambdaInvoke] = {}
        self._tool_errors = dict(tool_errors or {})
        super().__init__(scope, construct_id, harness=harness, **turn)

    def _add_tools(self, tools: Mapping[str, InlineTool]) -> None:
        for name, tool in tools.items():
            state = self._tool(name, tool)
            self.tool_states[name] = state
            is_called = jsonata(f"{ANSWER}.status = 'tool' and {_CALL}.name = {quoted(name)}")
            self._next.when(sfn.Condition.jsonata(is_called), state)

    def _tool(self, name: str, tool: InlineTool) -> tasks.LambdaInvoke:
        told = (
            f"{{'{TOOL_NAME}': {_CALL}.name, 'toolUseId': {_CALL}.toolUseId, 'runtimeSessionId': {ANSWER}.sessionId}}"
        )
        state = tasks.LambdaInvoke.jsonata(
            self,
            f"State{name}",
            lambda_function=tool.function,  # only tools with a function get here
            payload=sfn.TaskInput.from_text(jsonata(f"{_CALL}.input")),
            client_context=jsonata(f"$base64encode($string({{'custom': {told}}}))"),
            # What Lambda's service errors leave open is whether the tool has run.
            retry_on_service_exceptions=False,
            outputs={
                **_KEPT,
                "output": {"toolUseId": jsonata(f"{_CALL}.toolUseId"), "payload": jsonata("$states.result.Payload")},
            },
            state_name=self._named(name),
        )
        state.add_retry(
            errors=["Lambda.TooManyRequestsException"],
            interval=cdk.Duration.seconds(2),
            max_attempts=4,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )
        for error, handler in self._tool_errors.items():
            state.add_catch(handler, errors=[error])
        failed = {"errorType": "$states.errorOutput.Error", "errorMessage": "$states.errorOutput.Cause"}
        told_to_agent = {
            "toolUseId": jsonata(f"{_CALL}.toolUseId"),
            "failed": True,
            "payload": {key: jsonata(value) for key, value in failed.items()},
        }
        state.add_catch(self._turn, errors=["States.ALL"], outputs={**_KEPT, "output": told_to_agent})
        state.next(self._turn)
        return state
