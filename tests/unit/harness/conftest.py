"""Looking into synthesized templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import assertions
from support import synth

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

HARNESS = "AWS::BedrockAgentCore::Harness"
ENDPOINT = "AWS::BedrockAgentCore::HarnessEndpoint"


def flat(value: Any) -> str:
    """A resolved value as text: references in angle brackets."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return str(value["Fn::Join"][0]).join(flat(part) for part in value["Fn::Join"][1])
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    return f"<{value['Ref']}>" if "Ref" in value else repr(value)


class Synthesized:
    """A template, and shortcuts to what the tests ask of it."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.template = assertions.Template.from_stack(stack)
        self.resources: dict[str, Any] = self.template.to_json().get("Resources", {})

    def of_type(self, kind: str) -> dict[str, Any]:
        return {key: one for key, one in self.resources.items() if one["Type"] == kind}

    def only(self, kind: str) -> Any:
        (one,) = self.of_type(kind).values()
        return one

    @property
    def harness(self) -> Any:
        """Properties of the one harness."""
        return self.only(HARNESS)["Properties"]

    def statements(self, policy: str = "") -> dict[str, Any]:
        """Sid → statement of all policies whose logical id contains a text; resources as flat text."""
        found = {}
        for key, one in self.resources.items():
            if one["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"} and policy in key:
                for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                    resources = statement["Resource"]
                    listed = resources if isinstance(resources, list) else [resources]
                    sid = statement.get("Sid", statement["Action"] if isinstance(statement["Action"], str) else "")
                    found[sid] = {**statement, "Resource": [flat(resource) for resource in listed]}
        return found


@pytest.fixture
def synthesized(stack: cdk.Stack) -> Callable[[], Synthesized]:
    return lambda: Synthesized(stack)


@pytest.fixture
def warnings(stack: cdk.Stack) -> Callable[[], list[str]]:
    """The warnings of the stack."""

    def read() -> list[str]:
        found = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
        return [str(one.entry.data) for one in found]

    return read


@pytest.fixture
def agnostic() -> cdk.Stack:
    """A stack for any account and Region."""
    return synth.new_stack(account=None, region=None)
