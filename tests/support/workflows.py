"""State machines as they would be deployed, and JSONata as Step Functions evaluates it."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import jsonata as engine
from aws_cdk import aws_stepfunctions as sfn

from . import synth

if TYPE_CHECKING:
    import aws_cdk as cdk


class Machine:
    """The state machine of a stack, with CloudFormation's functions resolved to stand-ins such as `<Agent.Arn>`."""

    def __init__(
        self,
        stack: cdk.Stack,
        start: sfn.IChainable | None = None,
        language: sfn.QueryLanguage | None = sfn.QueryLanguage.JSONATA,
    ) -> None:
        """Makes it of a chain, or takes the one the stack has."""
        if start is not None:
            body = sfn.DefinitionBody.from_chainable(start)
            sfn.StateMachine(stack, "Machine", definition_body=body, query_language=language)
        self._resources = synth.template_of(stack).to_json()["Resources"]

    def _properties(self, kind: str, part: str = "") -> dict[str, Any]:
        (one,) = (r for name, r in self._resources.items() if r["Type"] == kind and part in name)
        properties: dict[str, Any] = one["Properties"]
        return properties

    @property
    def definition_text(self) -> str:
        """The definition as it is written; not JSON where a number is one of CloudFormation's."""
        return str(resolved(self._properties("AWS::StepFunctions::StateMachine")["DefinitionString"]))

    @property
    def definition(self) -> dict[str, Any]:
        """The definition in Amazon States Language."""
        parsed: dict[str, Any] = json.loads(self.definition_text)
        return parsed

    def state(self, name: str) -> dict[str, Any]:
        """A state of the top level."""
        state: dict[str, Any] = self.definition["States"][name]
        return state

    @property
    def statements(self) -> list[dict[str, Any]]:
        """What the machine's role may do."""
        document = self._properties("AWS::IAM::Policy", "MachineRole")["PolicyDocument"]
        return [{key: resolved(value) for key, value in statement.items()} for statement in document["Statement"]]


def resolved(value: Any) -> Any:
    """A template value with a stand-in for each function."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolved(part) for part in parts)
        case {"Ref": name} | {"Fn::ImportValue": name}:
            return "aws" if name == "AWS::Partition" else f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name[:-8]}.{attribute}>"
        case dict():
            return {key: resolved(item) for key, item in value.items()}
        case list():
            return [resolved(item) for item in value]
    return value


def evaluate(expression: str, **states: Any) -> Any:
    """Evaluates `{% … %}` with `$states` and the functions that Step Functions adds to JSONata.

    Raises:
        jsonata.JException: The expression fails.
    """
    assert expression.startswith("{%")
    assert expression.endswith("%}")
    compiled = engine.Jsonata(expression[2:-2].strip())
    compiled.register_lambda("hash", lambda text, name: hashlib.new(name.replace("-", ""), text.encode()).hexdigest())
    compiled.register_lambda("uuid", lambda: str(uuid.uuid4()))
    compiled.register_lambda("parse", json.loads)
    frame = compiled.create_frame()
    frame.bind("states", states)
    return compiled.evaluate(None, frame)
