"""The arguments of one InvokeHarness state, and everything that can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aws_cdk.aws_stepfunctions import FieldUtils
from pydantic.alias_generators import to_camel

from agentcore_constructs.config import HarnessConfig, HarnessConfigError, Tool, is_token
from agentcore_constructs.config.endpoint import ENDPOINT_NAME
from agentcore_constructs.config.errors import Fault, received
from agentcore_constructs.config.primitives import Text

from .expressions import is_expression, json_paths, looks_like_bare_jsonata, looks_like_path
from .messages import TEXT, Message
from .sessions import SESSION_ID, SessionId, name_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

QUALIFIER = replace(
    ENDPOINT_NAME,
    means="the name of an endpoint",
    fix="pass the endpoint, or its name as a literal: the state's role is granted this endpoint only."
    " To choose at run time, branch with a Choice to one state per endpoint",
)
ACTOR_ID = Text("the id of whom the agent talks to", "leave it out, or name the actor", min=1)
# A tool whose name the service infers: then nothing can be said of the names that are allowed.
_ANY_TOOLS = (Tool.browser(name=None),)
# What an override is called in Python and in the integration's arguments.
_ARGUMENTS = {
    "model": "Model",
    "tools": "Tools",
    "skills": "Skills",
    "allowed_tools": "AllowedTools",
    "max_iterations": "MaxIterations",
    "max_tokens": "MaxTokens",
}


@dataclass(frozen=True)
class Request:
    """What a state asks of a harness.

    Attributes:
        json_path: Whether the state's language is JSONPath; JSONata otherwise.
        harness_arn: Of the harness.
        session_id: Which conversation: a `SessionId`, or an id.
        prompt: One message of the user; or `messages`.
        messages: All messages, or one expression that gives them as the integration takes them.
        qualifier: Name of the endpoint, when one is named.
        actor_id: Whose memories the agent uses.
        overrides: What this call changes of the harness' configuration, by the names of `HarnessConfig`.
        timeout_seconds: What this call limits the harness to.
    """

    json_path: bool
    harness_arn: str
    session_id: SessionId | str
    prompt: str | None = None
    messages: Sequence[Message] | str | Any = None
    qualifier: str | None = None
    actor_id: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: int | None = None

    def faults(self) -> Iterator[Fault]:
        """Yields what is wrong with the request itself; overrides are checked by `configuration`."""
        yield from self._conversation_faults()
        yield from self._message_faults()
        if self.qualifier is not None:
            yield from _of(QUALIFIER, self.qualifier, "qualifier")
        if self.actor_id is not None:
            yield from _of(ACTOR_ID, self.actor_id, "actor_id")
            yield from self._language_faults("actor_id", self.actor_id)

    def configuration(self) -> HarnessConfig:
        """The overrides that are values, checked as the harness' own configuration would be.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        given = {name: value for name, value in self.overrides.items() if not self._is_direct(name, value)}
        # Which tools may be allowed is known at synthesis only: until then some can be added to the harness.
        checked = HarnessConfig.create(**{"tools": _ANY_TOOLS, **given}, timeout_seconds=self.timeout_seconds)
        return checked if "tools" in given else checked.model_copy(update={"tools": None})

    def api_overrides(self) -> dict[str, Any]:
        """What the call overrides, in the API's shape; expressions stand as they are."""
        api = {name: to_camel(name) for name in self.overrides}
        rendered = self.configuration().to_api()
        return {api[name]: rendered.get(api[name], value) for name, value in self.overrides.items()}

    def all_faults(self) -> list[Fault]:
        """Everything that is wrong with it."""
        faults = list(self.faults())
        for name, value in self.overrides.items():
            faults.extend(self._language_faults(name, value))
        try:
            self.configuration()
        except HarnessConfigError as error:
            faults.extend(error.faults)
        return faults

    def arguments(self) -> dict[str, Any]:
        """The integration's arguments: JSONata `Arguments`, or JSONPath `Parameters`.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        direct = {_ARGUMENTS[name]: value for name, value in self.overrides.items() if self._is_direct(name, value)}
        arguments = {
            "HarnessArn": self.harness_arn,
            "Qualifier": self.qualifier,
            "RuntimeSessionId": self._session(),
            "ActorId": self.actor_id,
            "Messages": self._messages(),
            **self.configuration().to_step_functions(),
            **direct,
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        return dict(FieldUtils.render_object(given) or {}) if self.json_path else given

    def _is_direct(self, name: str, value: object) -> bool:
        """An expression stands for the whole value; in the system prompt it is the text itself."""
        return not self.json_path and name in _ARGUMENTS and is_expression(value)

    def _session(self) -> str:
        if isinstance(self.session_id, SessionId):
            return self.session_id.to_json_path() if self.json_path else self.session_id.to_jsonata()
        return self.session_id

    def _messages(self) -> Any:
        if self.prompt is not None:
            return [Message.user(self.prompt).to_step_functions()]
        if isinstance(self.messages, (list, tuple)) and not is_token(self.messages):
            return [message.to_step_functions() for message in self.messages]
        return self.messages

    def _conversation_faults(self) -> Iterator[Fault]:
        if isinstance(self.session_id, SessionId):
            yield from self.session_id.faults(json_path=self.json_path)
            return
        wrong_language = list(self._language_faults("session_id", self.session_id))
        yield from wrong_language
        if not wrong_language and (fault := name_fault(self.session_id)) is not None:
            yield fault
        if not wrong_language and not is_expression(self.session_id):
            yield from _of(SESSION_ID, self.session_id, "session_id")

    def _message_faults(self) -> Iterator[Fault]:
        if (self.prompt is None) is (self.messages is None):
            given, fix = ("nothing", "give one") if self.prompt is None else ("both", "keep the one that is meant")
            yield Fault("prompt", "must be given, or messages instead", given, fix)
        elif self.prompt is not None:
            yield from _of(TEXT, self.prompt, "prompt")
            yield from self._language_faults("prompt", self.prompt)
        else:
            yield from self._list_faults(self.messages)

    def _list_faults(self, messages: Any) -> Iterator[Fault]:
        if is_token(messages) or (is_expression(messages) and not self.json_path):
            return
        if isinstance(messages, str):
            yield from self._language_faults("messages", messages)
        if not isinstance(messages, (list, tuple)) or not messages:
            must = "must be a list of at least one Message, or an expression that gives such a list"
            yield Fault("messages", must, received(messages), "write prompt=… for a single message of the user")
            return
        for index, message in enumerate(messages):
            path = f"messages[{index}]"
            if not isinstance(message, Message):
                yield Fault(
                    path, "must be a Message", received(message), "write Message.user(…) or Message.assistant(…)"
                )
                continue
            yield from message.faults(path)
            for number, block in enumerate(message.texts):
                yield from self._language_faults(f"{path}.texts[{number}]", block)

    def _language_faults(self, path: str, value: object) -> Iterator[Fault]:
        """Yields a fault where a value is written in the other language, or would go out as text by mistake."""
        if self.json_path:
            if is_expression(value):
                must = "must be text, a CDK token or a JsonPath in a JSONPath state"
                yield Fault(path, must, "a JSONata expression", "use InvokeHarness.jsonata, or JsonPath.string_at(…)")
            elif looks_like_path(value):
                fix = "write JsonPath.string_at('$.…'), or one of the other functions of JsonPath"
                yield Fault(path, "must not be a bare path, which the agent would read as text", received(value), fix)
        elif looks_like_bare_jsonata(value):
            must = "must have {% %} around a JSONata expression, or the agent reads it as text"
            yield Fault(path, must, received(value), "write jsonata('$states.…')")
        elif looks_like_path(value) or (paths := json_paths(value)):
            shown = received(value) if looks_like_path(value) else f"the path {paths[0]}"
            fix = "write jsonata('$states.input.…'), or use InvokeHarness.json_path"
            yield Fault(path, "must not hold a JSONPath in a JSONata state", shown, fix)


def _of(limit: Text, value: object, path: str) -> Iterator[Fault]:
    fault = limit.fault(value, path)
    if fault is not None:
        yield fault
