"""The InvokeHarness state: an agent as one step of a workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from agentcore_constructs import Harness, Memory
from agentcore_constructs.config import (
    Deferred,
    Fault,
    HarnessConfigError,
    HarnessModelConfiguration,
    HarnessSkill,
    HarnessTool,
)
from agentcore_constructs.harness.base import ENDPOINT_SEGMENT, INVOKE_ACTIONS

from .expressions import RESULT_TEXT, RESULT_USAGE
from .harnesses import (
    Bound,
    allow_overrides,
    allowed_tools_faults,
    caller_faults,
    endpoint_faults,
    inline_tool_faults,
    must_be_harness,
    own_timeout,
    warn_of_allowed_tools,
)
from .json_answers import NO_FALLBACK, JsonAnswer
from .names import STATE_NAME, long_names
from .request import Request
from .sessions import SessionId
from .timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct
    from pydantic import BaseModel

    from agentcore_constructs import IEndpoint, IHarness

    from .messages import Message

RETRIED_ERRORS = ("BedrockAgentCore.ThrottlingException", "BedrockAgentCore.InternalServerException")
"""What the state retries by itself. Anything else would fail again, or has left the agent at work."""

DEFAULT_OUTPUTS: Mapping[str, str] = {
    "text": RESULT_TEXT,
    "stopReason": "{% $join([$states.result.StopReason]) %}",
    "usage": RESULT_USAGE,
}
"""Output of a JSONata state unless given. It holds when the last message has no text, which fails `Content[0].Text`."""

DEFAULT_RESULT_SELECTOR: Mapping[str, str] = {
    "texts.$": "$.Output.Message.Content[*].Text",
    "stopReason.$": "$.StopReason",
    "usage.$": "$.Usage",
}
"""Result of a JSONPath state unless given. `texts` is a list: JSONPath has no default for a text that is not there."""


class InvokeHarnessProps(TypedDict, total=False):
    """What `InvokeHarness`, `.jsonata` and `.json_path` have in common; `InvokeHarness` says what each is."""

    prompt: str
    messages: Sequence[Message] | str
    answer: JsonAnswer
    session_id: SessionId | str
    endpoint: IEndpoint
    qualifier: str
    actor_id: str
    model: HarnessModelConfiguration | str
    system_prompt: str | Sequence[str]
    tools: Sequence[HarnessTool | Deferred] | str
    skills: Sequence[HarnessSkill | Deferred] | str
    allowed_tools: Sequence[str] | str
    max_iterations: int | str
    max_tokens: int | str
    harness_timeout: cdk.Duration | int
    timeout: cdk.Duration | int
    retry_on_service_exceptions: bool
    assign: Mapping[str, Any]
    comment: str
    state_name: str


class InvokeHarness(sfn.CustomState):
    """A state that invokes a harness and waits for its answer, at most 900 seconds.

    It stands wherever a state of `aws_stepfunctions_tasks` may: in chains, in Map, Distributed Map and Parallel, with
    `next`, `add_retry` and `add_catch`. The role of the state machine is granted the harness, and the endpoint when one
    is named.

    Step Functions gives back the text of the agent's last message, why it stopped, and the tokens it took
    (https://docs.aws.amazon.com/step-functions/latest/dg/connect-bedrockagentcore.html). A result has at most 256 KiB.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        prompt: str | None = None,
        messages: Sequence[Message] | str | None = None,
        answer: JsonAnswer | None = None,
        session_id: SessionId | str | None = None,
        endpoint: IEndpoint | None = None,
        qualifier: str | None = None,
        actor_id: str | None = None,
        model: HarnessModelConfiguration | str | None = None,
        system_prompt: str | Sequence[str] | None = None,
        tools: Sequence[HarnessTool | Deferred] | str | None = None,
        skills: Sequence[HarnessSkill | Deferred] | str | None = None,
        allowed_tools: Sequence[str] | str | None = None,
        max_iterations: int | str | None = None,
        max_tokens: int | str | None = None,
        harness_timeout: cdk.Duration | int | None = None,
        timeout: cdk.Duration | int | None = None,
        retry_on_service_exceptions: bool = True,
        assign: Mapping[str, Any] | None = None,
        outputs: Any = None,
        input_path: str | None = None,
        output_path: str | None = None,
        result_path: str | None = None,
        result_selector: Mapping[str, Any] | None = None,
        comment: str | None = None,
        state_name: str | None = None,
        query_language: sfn.QueryLanguage = sfn.QueryLanguage.JSONATA,
    ) -> None:
        """Makes the state. Strings may be expressions of the state's language wherever the value is used at run time.

        Args:
            scope: Where it belongs.
            construct_id: Its id there, and its name in the workflow unless `state_name` is given.
            harness: The harness, made here or imported.
            prompt: What the user says, as one message.
            messages: The messages instead, or an expression for all of them in the integration's PascalCase form.
            answer: JSON to answer with, made by `parse_json`: the instruction is appended to the prompt, and the output
                unless given is `{answer, stopReason, usage}`. JSONata only.
            session_id: Which conversation this is; `SessionId.fresh()` unless given. A string is used as it is: 33–100
                of letters, digits, '-' and '_'.
            endpoint: The endpoint to call; DEFAULT, which follows the newest version, unless given.
            qualifier: The endpoint's name instead.
            actor_id: Whose memories the agent reads and writes. It is not authenticated.
            model: Overrides the model, made by `Model`.
            system_prompt: Overrides the system prompt.
            tools: Replaces the tools, made by `Tool`. Inline tools are refused.
            skills: Skills for this call, made by `Skill`; folders and commits are copied to S3 as for a harness.
            allowed_tools: Overrides which tools may be used.
            max_iterations: Overrides the limit of the loop.
            max_tokens: Overrides the limit of output.
            harness_timeout: How long the agent may work. Unless given, the harness' own limit; where it has none, the
                state's timeout less 10 %, at most 30 seconds. To be given next to a timeout that is a token.
            timeout: How long the state waits, 2–900 seconds; 900 unless given. The agent's limit must be shorter: it
                works on when the state has given up.
            retry_on_service_exceptions: Retry throttling and internal errors, three times after at most 2, 4 and
                8 seconds.
            assign: Workflow variables to set.
            outputs: JSONata: the state's output; `DEFAULT_OUTPUTS` unless given.
            input_path: JSONPath: selects from the input.
            output_path: JSONPath: selects from the output.
            result_path: JSONPath: where the result goes in the output.
            result_selector: JSONPath: what of the result; `DEFAULT_RESULT_SELECTOR` unless given.
            comment: In the definition.
            state_name: Name of the state in the workflow, 1–80 characters.
            query_language: JSONata unless given; inside a JSONata workflow nothing else is possible.

        Raises:
            HarnessConfigError: With everything that is wrong with the state, and why the harness cannot be invoked from
                one. Tools that are added to the harness later are checked at synthesis.
        """
        self._state_name_given = state_name
        super().__init__(scope, construct_id, state_json={})
        must_be_harness(self, f"The state {self.node.path}", harness, endpoint)
        self._json_path = query_language == sfn.QueryLanguage.JSON_PATH
        self._harness = harness
        overrides = {
            "model": model,
            "system_prompt": system_prompt,
            "tools": tools,
            "skills": skills,
            "allowed_tools": allowed_tools,
            "max_iterations": max_iterations,
            "max_tokens": max_tokens,
        }
        self._bound = Bound(self, harness, overrides)
        given = self._bound.overrides
        self._timeouts = Timeouts.chosen(timeout, harness_timeout, own_timeout(harness))
        self._request = Request(
            json_path=self._json_path,
            harness_arn=harness.harness_arn,
            session_id=session_id or SessionId.fresh(),
            prompt=prompt if answer is None or prompt is None else answer.asked(prompt),
            messages=messages if answer is None or messages is None else answer.appended(messages),
            qualifier=endpoint.endpoint_name if endpoint is not None else qualifier,
            actor_id=actor_id,
            overrides=given,
            timeout_seconds=self._timeouts.limit,
        )
        paths = {
            "input_path": input_path,
            "output_path": output_path,
            "result_path": result_path,
            "result_selector": result_selector,
        }
        self._refuse(endpoint, qualifier, outputs, paths, answer)
        if answer is not None and outputs is None:
            outputs = {"answer": answer.expression, **{name: DEFAULT_OUTPUTS[name] for name in ("stopReason", "usage")}}
        self._api_overrides = self._request.api_overrides()
        self._fields = self._rendered(outputs, paths, assign, comment)
        allow_overrides(self, harness, given)
        warn_of_allowed_tools(self, harness, self._api_overrides)
        if retry_on_service_exceptions:
            self.add_retry(
                errors=list(RETRIED_ERRORS),
                interval=cdk.Duration.seconds(2),
                max_attempts=3,
                backoff_rate=2,
                max_delay=cdk.Duration.seconds(20),
                jitter_strategy=sfn.JitterType.FULL,
            )

    @classmethod
    def jsonata(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        outputs: Any = None,
        **props: Unpack[InvokeHarnessProps],
    ) -> InvokeHarness:
        """Makes a state in JSONata, in a workflow of either language. See `InvokeHarness` for all arguments."""
        return cls(scope, construct_id, harness=harness, outputs=outputs, **props)

    @classmethod
    def json_path(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        input_path: str | None = None,
        output_path: str | None = None,
        result_path: str | None = None,
        result_selector: Mapping[str, Any] | None = None,
        **props: Unpack[InvokeHarnessProps],
    ) -> InvokeHarness:
        """Makes a state in JSONPath, for workflows in that language. See `InvokeHarness` for all arguments."""
        return cls(
            scope,
            construct_id,
            harness=harness,
            input_path=input_path,
            output_path=output_path,
            result_path=result_path,
            result_selector=result_selector,
            query_language=sfn.QueryLanguage.JSON_PATH,
            **props,
        )

    @staticmethod
    def parse_json(schema: type[BaseModel] | Mapping[str, Any], *, fallback: Any = NO_FALLBACK) -> JsonAnswer:
        """Has an agent answer in JSON: gives what to tell it, and the JSONata that reads its answer.

        The object is found in prose and in code fences, the last one where there are several; its members are checked
        against the schema: which are required, their types and enumerations. Pass the result as `answer`, or use its
        `instruction` and `expression`.

        Args:
            schema: A pydantic model, or the JSON Schema of an object.
            fallback: What stands in for an answer that is not as asked for; may hold expressions. Without one the state
                fails with `States.QueryEvaluationError`, whose cause says what is wrong.

        Raises:
            HarnessConfigError: The schema is not that of an object.
        """
        return JsonAnswer.of(schema, fallback)

    @classmethod
    def quick_create(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        model: HarnessModelConfiguration,
        prompt: str | None = None,
        system_prompt: str | None = None,
        harness_props: Mapping[str, Any] | None = None,
        **props: Any,
    ) -> InvokeHarness:
        """Makes a harness, its execution role and the state that invokes it, as Quick Create in Workflow Studio does.

        The harness has no memory unless `harness_props` says so: a managed one costs money from the day it is made.

        Args:
            scope: Where they belong; the harness is `<construct_id>Harness` there, without what is no letter or digit.
            construct_id: Id of the state.
            model: The harness' model, made by `Model`.
            prompt: What the user says; or `messages` among `props`.
            system_prompt: The harness' system prompt.
            harness_props: What else `Harness` takes: `tools`, `memory`, `harness_name`, ….
            **props: What else `InvokeHarness` takes.

        Raises:
            HarnessConfigError: With everything that is wrong with the harness or with the state.
        """
        given = {"model": model, "system_prompt": system_prompt, "memory": Memory.disabled(), **(harness_props or {})}
        harness_id = re.sub(r"[^A-Za-z0-9]", "", construct_id) + "Harness"
        made = Harness(scope, harness_id, **given)
        return cls(scope, construct_id, harness=made, prompt=prompt, **props)

    @property
    def harness(self) -> IHarness:
        """The harness it invokes."""
        return self._harness

    @property
    def state_id(self) -> str:
        """Name of the state in the workflow, with the prefixes of the fragments it is in."""
        full = super().state_id
        if self._state_name_given is None:
            return full
        return full.removesuffix(self.node.id) + self._state_name_given

    def to_state_json(self, query_language: sfn.QueryLanguage | None = None) -> Mapping[Any, Any]:
        """The state in Amazon States Language.

        Args:
            query_language: That of the workflow; None inside Map and Parallel, where aws-cdk-lib does not tell.
        """
        language = sfn.QueryLanguage.JSON_PATH if self._json_path else sfn.QueryLanguage.JSONATA
        if self._json_path and query_language == sfn.QueryLanguage.JSONATA:
            fault = Fault(
                "query_language",
                "must be JSONata in a workflow whose language is JSONata",
                "JSONPath",
                "use InvokeHarness.jsonata",
            )
            raise HarnessConfigError([fault], self._subject)
        state = dict(self._fields)
        if not self._json_path and query_language != sfn.QueryLanguage.JSONATA:
            state["QueryLanguage"] = "JSONata"
        # CustomState renders its catchers as JSONPath and so loses their `outputs`.
        state |= self._render_retry_catch(language) or {}
        state |= self._render_next_end()
        return state

    def _rendered(
        self, outputs: Any, paths: Mapping[str, Any], assign: Mapping[str, Any] | None, comment: str | None
    ) -> dict[str, Any]:
        state = {
            "Type": "Task",
            "Resource": f"arn:{cdk.Stack.of(self).partition}:states:::bedrockagentcore:invokeHarness",
            "Comment": comment,
            "TimeoutSeconds": self._timeouts.state,
        }
        if self._json_path:
            selector = paths["result_selector"]
            state |= {
                "Parameters": self._request.arguments(),
                "InputPath": paths["input_path"],
                "OutputPath": paths["output_path"],
                "ResultPath": paths["result_path"],
                "ResultSelector": DEFAULT_RESULT_SELECTOR
                if selector is None
                else sfn.FieldUtils.render_object(selector),
                "Assign": assign and sfn.FieldUtils.render_object(assign),
            }
        else:
            state |= {
                "Arguments": self._request.arguments(),
                "Output": DEFAULT_OUTPUTS if outputs is None else outputs,
                "Assign": assign,
            }
        return {name: value for name, value in state.items() if value is not None}

    def _refuse(
        self,
        endpoint: IEndpoint | None,
        qualifier: str | None,
        outputs: Any,
        paths: Mapping[str, Any],
        answer: JsonAnswer | None,
    ) -> None:
        faults = [*caller_faults(self, self._harness), *self._request.all_faults(), *self._timeouts.faults()]
        if answer is not None:
            faults += answer.faults(self._request.messages, json_path=self._json_path)
        name = (
            ("construct_id", self.node.id) if self._state_name_given is None else ("state_name", self._state_name_given)
        )
        if (fault := STATE_NAME.fault(name[1], name[0])) is not None:
            faults.append(fault)
        if endpoint is not None:
            faults += endpoint_faults(self._harness, endpoint)
            if qualifier is not None:
                faults.append(Fault("qualifier", "must not be given next to endpoint", "both", "keep the endpoint"))
        if self._json_path and outputs is not None:
            fix = "use result_selector and result_path, or InvokeHarness.jsonata"
            faults.append(Fault("outputs", "must be left out in a JSONPath state, which has no Output", "a value", fix))
        if not self._json_path:
            must, fix = (
                "must be left out in a JSONata state, which has no paths",
                "use outputs, or InvokeHarness.json_path",
            )
            faults += [Fault(name, must, "a value", fix) for name, value in paths.items() if value is not None]
        if not faults:
            faults += inline_tool_faults(self._harness, self._request.api_overrides())
        self._bound.refuse(self, self._subject, faults)

    @property
    def _subject(self) -> str:
        return f"The state {self.node.path}"

    def _validate_state(self) -> list[str]:
        """What has become wrong since the state was made: the CDK asks at synthesis."""
        faults = [
            *inline_tool_faults(self._harness, self._api_overrides),
            *allowed_tools_faults(self._harness, self._api_overrides),
            *long_names([self.state_id]),
        ]
        return [str(fault) for fault in faults]

    def _when_bound_to_graph(self, graph: sfn.StateGraph) -> None:
        super()._when_bound_to_graph(graph)
        arn = self._request.harness_arn
        resources = [arn]
        if self._request.qualifier is not None:
            resources.append(f"{arn}/{ENDPOINT_SEGMENT}/{self._request.qualifier}")
        graph.register_policy_statement(iam.PolicyStatement(actions=list(INVOKE_ACTIONS), resources=resources))
