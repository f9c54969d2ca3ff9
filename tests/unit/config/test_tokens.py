"""The markers of CDK tokens, held against real ones, so that a change of their encoding is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest

from agentcore_constructs.config import HarnessConfig, HarnessConfigError, Model, Tool, is_token


@jsii.implements(cdk.IResolvable)
class Resolvable:
    """What a user's own IResolvable looks like."""

    @property
    def creation_stack(self) -> list[str]:
        return []

    @property
    def type_hint(self) -> None:
        return None

    def resolve(self, context: Any) -> Any:
        return "resolved"

    def to_string(self) -> str:
        return "resolvable"


REF = {"Ref": "Something"}
TOKENS = {
    "string": lambda: cdk.Token.as_string(REF),
    "part of a string": lambda: f"prefix-{cdk.Token.as_string(REF)}-suffix",
    "pseudo parameter": lambda: cdk.Aws.REGION,
    "number": lambda: cdk.Token.as_number(REF),
    "number in a string": lambda: f"{cdk.Token.as_number(REF)}",
    "list": lambda: cdk.Token.as_list(REF),
    "split": lambda: cdk.Fn.split(",", cdk.Token.as_string(REF)),
    "any": lambda: cdk.Token.as_any(REF),
    "intrinsic": lambda: cdk.Fn.get_att("A", "B"),
    "lazy": lambda: cdk.Lazy.any(_Producer()),
    "lazy string": lambda: cdk.Lazy.string(_Producer()),
    "own resolvable": Resolvable,
    "duration": lambda: cdk.Duration.seconds(cdk.Token.as_number(REF)).to_seconds(),
}


@jsii.implements(cdk.IStableAnyProducer, cdk.IStableStringProducer)
class _Producer:
    def produce(self) -> str:
        return "produced"


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS.keys())
def test_a_real_token_is_recognised(make: Any) -> None:
    assert is_token(make())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text",
        "${Tok",
        "$" + "{arn:aws:iam::1:role/x}",
        0,
        1,
        -5,
        1.5,
        -1.8e308,
        True,
        None,
        [],
        ["a"],
        {},
        Path("/x"),
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_plain_value_is_not_taken_for_a_token(value: Any) -> None:
    assert not is_token(value)


def test_tokens_pass_where_literals_would_be_refused() -> None:
    text, number = cdk.Token.as_string(REF), cdk.Token.as_number(REF)
    config = HarnessConfig.create(
        harness_name=text,
        execution_role_arn=text,
        model=Model.openai(text, api_key=text, api_base=text, temperature=number, max_tokens=number, api_format=text),
        tools=[
            Tool.gateway(text, name=text),
            Tool.inline(text, description=text, input_schema=cdk.Token.as_any(REF)),
        ],
        allowed_tools=cdk.Token.as_list(REF),
        environment_variables={"A": text},
        max_iterations=number,
        timeout_seconds=cdk.Duration.seconds(number),
        tags={"a": text},
    )
    assert config.to_api()["maxIterations"] == number
    assert config.to_l1()["allowed_tools"] == cdk.Token.as_list(REF) or is_token(config.to_l1()["allowed_tools"])


@pytest.mark.parametrize("make", [TOKENS["any"], TOKENS["own resolvable"], TOKENS["number"]])
def test_any_kind_of_token_passes_as_text(make: Any) -> None:
    token = make()
    assert HarnessConfig.create(harness_name=token).harness_name is token


def test_a_token_cannot_stand_for_a_list_of_structures() -> None:
    """What is inside decides what the role is granted, so it must be known at synthesis."""
    with pytest.raises(HarnessConfigError) as caught:
        HarnessConfig.create(tools=cdk.Token.as_any(REF))
    assert (
        str(caught.value.faults[0])
        == "tools: must be a list of tools; received an object of class Intrinsic; pass a list."
    )
