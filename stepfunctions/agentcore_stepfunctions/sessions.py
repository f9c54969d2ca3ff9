"""Session ids for workflow states: which calls share a conversation, said in a word instead of an expression.

A session id has 33–100 characters of `[a-zA-Z0-9_-]` (botocore 1.44.5). Execution names have 1–80 characters and may
hold others, so no id is made of a name: all but the fresh ones are SHA-256 hashes, 64 characters, the same in JSONata
and JSONPath.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aws_cdk.aws_stepfunctions import FieldUtils, JsonPath

from agentcore_constructs.config.errors import Fault, received
from agentcore_constructs.config.primitives import Text

from .expressions import inner, is_expression, json_paths, jsonata, looks_like_path, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION_ID = Text(
    "a session id of letters, digits, '-' and '_' that begins with a letter or a digit",
    "use SessionId.per_execution(), .per_item(), .from_input(…) or .fresh(), which always fit",
    min=33,
    max=100,
    pattern=r"[a-zA-Z0-9][a-zA-Z0-9-_]*",
)
_LABEL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_EXECUTION = "$states.context.Execution.Id"
_NAME_PATH = "$$.Execution.Name"
_INDEX = "$string($states.context.Map.Item.Index)"


@dataclass(frozen=True, slots=True)
class SessionId:
    """Which conversation a state takes part in. Made by the four functions below.

    One session is one conversation and one microVM: two calls must not use it at the same time.
    """

    kind: Literal["fresh", "execution", "item", "input"]
    key: str | None = None
    label: str | None = None

    @staticmethod
    def fresh() -> SessionId:
        """A conversation of its own each time the state runs; a retry starts anew."""
        return SessionId("fresh")

    @staticmethod
    def per_execution(label: str | None = None) -> SessionId:
        """One conversation for the whole execution; every state that says so continues it, also after a redrive.

        In the states of a Distributed Map, each child execution has its own.

        Args:
            label: Tells several conversations of one execution apart: 1–64 of letters, digits, '_' and '-'.
        """
        return SessionId("execution", label=label)

    @staticmethod
    def per_item(key: str | None = None, *, label: str | None = None) -> SessionId:
        """One conversation per item of a Map state; the states inside the Map share it.

        The item is known by its position in the innermost Map. Inside nested Maps give a `key`. The states of a
        Distributed Map run in executions of their own: with JSONPath, use `per_execution()` there.

        Args:
            key: What the item is known by instead, unique in the execution: a JSONata expression
                (`$states.input.orderId`) or a JSONPath (`$.orderId`), as the state's language is.
            label: Tells several conversations per item apart, and those of two Maps in one execution.
        """
        return SessionId("item", key, label)

    @staticmethod
    def from_input(key: str, *, label: str | None = None) -> SessionId:
        """One conversation per value of the input, such as a customer or a ticket, across executions.

        The value is hashed, so anything will do; JSONata states fail when it is missing, null or empty. To continue a
        session whose id the input already carries, give `session_id` that value: `jsonata("$states.input.sessionId")`
        or `JsonPath.string_at("$.sessionId")`.

        Args:
            key: Where the value is: a JSONata expression (`$states.input.customer`) or a JSONPath (`$.customer`).
            label: Tells several conversations with one value apart.
        """
        return SessionId("input", key, label)

    def faults(self, *, json_path: bool) -> Iterator[Fault]:
        """Yields what is wrong with it in a state of that language."""
        if self.label is not None and not _LABEL.fullmatch(self.label):
            must = "must have a label of 1–64 letters, digits, '_' and '-'"
            yield Fault("session_id", must, received(self.label), "rename the conversation")
        if self.key is not None and looks_like_path(self.key) is not json_path:
            must = f"must have a key in the state's language, {'JSONPath' if json_path else 'JSONata'}"
            fix = 'write "$.customer"' if json_path else 'write "$states.input.customer"'
            yield Fault("session_id", must, received(self.key), fix)

    def to_jsonata(self) -> str:
        """The expression that gives the id in a JSONata state."""
        if self.kind == "fresh":
            return jsonata("$uuid()")
        source = {
            "execution": _EXECUTION,
            "item": f"{_EXECUTION} & '/item/' & {_required(self.key) if self.key else _INDEX}",
            "input": _required(self.key or ""),
        }[self.kind]
        label = f" & {quoted('/' + self.label)}" if self.label else ""
        return jsonata(f"$hash({source}{label}, 'SHA-256')")

    def to_json_path(self) -> str:
        """The token that gives the id in a JSONPath state."""
        if self.kind == "fresh":
            return JsonPath.uuid()
        execution = JsonPath.string_at("$$.Execution.Id")
        item = JsonPath.string_at(self.key or "$$.Map.Item.Index")
        form, values = {
            "execution": ("{}", [execution]),
            "item": ("{}/item/{}", [execution, item]),
            "input": ("{}", [item]),
        }[self.kind]
        return JsonPath.hash(JsonPath.format(f"{form}/{self.label}" if self.label else form, *values), "SHA-256")


def name_fault(session_id: object) -> Fault | None:
    """What is wrong with an id that is the execution's name and nothing else: `abc` is a name, and too short an id."""
    is_name = is_expression(session_id) and inner(str(session_id)) == "$states.context.Execution.Name"
    if json_paths(session_id) == [_NAME_PATH]:
        is_name = FieldUtils.render_object({"id": session_id}) == {"id.$": _NAME_PATH}
    if not is_name:
        return None
    must = "must not be the execution's name, which may have 1 character and others than an id takes"
    return Fault("session_id", must, "the name", "use SessionId.per_execution(), one conversation per execution")


def _required(key: str) -> str:
    """JSONata that gives a key as text, and fails where it is missing: joined to text it would vanish silently."""
    problem = quoted(f"no session id: {inner(key)} is missing, null or empty")
    return f"($key := {inner(key)}; $exists($key) and $key != null and $key != '' ? $string($key) : $error({problem}))"
