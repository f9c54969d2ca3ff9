"""What a gateway refuses, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_apigateway as apigateway
from support import synth
from support.capabilities_gateway import LOOKUP, OPEN_API, function

from agentcore_constructs import HarnessConfigError, Target, ToolGateway

if TYPE_CHECKING:
    from pathlib import Path

    import aws_cdk as cdk


@pytest.fixture(scope="module")
def stack() -> cdk.Stack:
    return synth.new_stack()


@pytest.fixture(scope="module")
def served(stack: cdk.Stack) -> Any:
    return function(stack)


_made = iter(range(10_000))


def faults(stack: cdk.Stack, *targets: Any, **settings: Any) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        ToolGateway(stack, f"Tools{next(_made)}", targets=targets, **settings)
    return [str(fault) for fault in caught.value.faults]


def test_names(stack: cdk.Stack, served: Any) -> None:
    assert faults(stack, Target.lambda_(served, [LOOKUP], name="my_orders"), gateway_name="a_b") == [
        (
            "gateway_name: must be 1–48 letters and digits with single hyphens between them; received 'a_b' "
            "(3 characters); choose a name that fits, without '_'."
        ),
        (
            "targets[0].name: must be 1–100 letters and digits with single hyphens between them; received 'my_orders' "
            "(9 characters); choose a name that fits, without '_'."
        ),
    ]


def test_a_lambda_target_without_a_name(stack: cdk.Stack, served: Any) -> None:
    (fault,) = faults(stack, Target.lambda_(served, [LOOKUP]))
    assert fault.startswith("targets[0].name: must be 1–100 letters and digits")
    assert "received nothing" in fault


def test_two_targets_of_one_name(stack: cdk.Stack, served: Any) -> None:
    one = Target.lambda_(served, [LOOKUP], name="orders")
    assert faults(stack, one, one) == [
        "targets[1].name: must be unique within the gateway; received 'orders' (6 characters); choose another name."
    ]


def test_a_target_added_later(stack: cdk.Stack, served: Any) -> None:
    gateway = ToolGateway(stack, "Later", targets=[Target.lambda_(served, [LOOKUP], name="orders")])
    with pytest.raises(HarnessConfigError, match=r"targets\[1\].name: must be unique within the gateway"):
        gateway.add_target(Target.web_search(name="orders"))


def test_what_is_no_target(stack: cdk.Stack, served: Any) -> None:
    assert faults(stack, served)[0].startswith("targets[0]: must be a target; received an object of class Function")


def test_texts(stack: cdk.Stack) -> None:
    target = Target.web_search(description="x" * 201)
    found = faults(stack, target, description="", instructions="x" * 2049)
    assert [fault.split(";")[0] for fault in found] == [
        "description: must have 1–200 characters",
        "instructions: must have 1–2048 characters",
        "targets[0].description: must have 1–200 characters",
    ]


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ({}, ".name: must be 1–64 letters, digits, '_' and '-', which is what models take; received nothing"),
        (LOOKUP | {"name": "look up"}, ".name: must be 1–64 letters, digits"),
        (LOOKUP | {"description": ""}, ".description: must be a text; received '' (0 characters); describe when"),
        (LOOKUP | {"input_schema": {}}, ".input_schema: must be a field of a tool; received the key; write one of"),
        (LOOKUP | {"inputSchema": {"type": "string"}}, ".inputSchema.type: must be 'object'; received 'string'"),
        (LOOKUP | {"inputSchema": 3}, ".inputSchema: must be a JSON schema; received 3; pass {'type': …}"),
        (
            LOOKUP | {"inputSchema": {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}}},
            (
                ".inputSchema.properties.a.enum: must be written with type, description, properties, required, items: "
                "a gateway's schemas have nothing else; received the key 'enum'; list the values in the description"
            ),
        ),
        (
            LOOKUP | {"inputSchema": {"type": "object", "properties": {"a": {"type": "array"}}}},
            ".inputSchema.properties.a.items: must say what the array holds; received nothing; add {'type': …}",
        ),
        (
            LOOKUP | {"inputSchema": {"type": "object", "required": ["a"]}},
            ".inputSchema.required: must name properties of the object; received 'a' (1 character); correct it",
        ),
        (
            LOOKUP | {"inputSchema": {"type": "object", "properties": {"a": {"type": "date"}}}},
            ".inputSchema.properties.a.type: must be one of string, number, integer, boolean, object, array; received",
        ),
        ("lookup", ": must be a tool; received 'lookup' (6 characters)"),
    ],
)
def test_tools(stack: cdk.Stack, served: Any, tool: Any, sentence: str) -> None:
    found = faults(stack, Target.lambda_(served, [tool], name="orders"))
    assert found[0].startswith(f"targets[0].schema[0]{sentence}")


def test_two_tools_of_one_name(stack: cdk.Stack, served: Any) -> None:
    assert faults(stack, Target.lambda_(served, [LOOKUP, LOOKUP], name="orders")) == [
        "targets[0].schema[1].name: must be unique within the target; received 'lookup' (6 characters); rename one."
    ]


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ([], "must be a list of at least one tool; received a list of 0 items"),
        (None, "must be a list of at least one tool; received null"),
        ("nowhere.json", "must be a file that can be read; received nowhere.json: No such file or directory"),
    ],
)
def test_schemas(stack: cdk.Stack, served: Any, schema: Any, sentence: str) -> None:
    (fault,) = faults(stack, Target.lambda_(served, schema, name="orders"))
    assert fault.startswith(f"targets[0].schema: {sentence}")


def test_a_file_that_is_not_json(stack: cdk.Stack, served: Any, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text("[")
    (fault,) = faults(stack, Target.lambda_(served, tmp_path / "tools.json", name="orders"))
    assert fault.startswith("targets[0].schema: must be JSON; received")


def test_documents(stack: cdk.Stack) -> None:
    found = faults(stack, Target.open_api("nowhere.yaml", name="a"), Target.smithy(3, name="b"))  # type: ignore[arg-type]
    assert [fault.split(";")[0] for fault in found] == [
        "targets[0].schema: must be a file",
        "targets[1].schema: must be a document",
    ]


def test_an_api_without_operations(stack: cdk.Stack) -> None:
    found = faults(
        stack,
        Target.api_gateway(None, name="a", stage="s", operations={}),  # type: ignore[arg-type]
        Target.api_gateway(None, name="b", stage="s", operations={"/x": ["FETCH"]}),  # type: ignore[arg-type]
    )
    assert [fault.split(";")[0] for fault in found] == [
        "targets[0].operations: must have at least one path",
        'targets[1].operations["/x"]: must be methods of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS',
    ]


def test_a_server_without_tls_and_its_address_is_not_shown(stack: cdk.Stack) -> None:
    assert faults(stack, Target.mcp_server("http://user:secret@x", name="docs")) == [
        (
            "targets[0].endpoint: must be an https:// URL, the only ones a gateway calls; received a value of 20 "
            "characters; write the server's URL; the local cloud can redirect it."
        )
    ]


def test_domains(stack: cdk.Stack) -> None:
    found = faults(
        stack,
        Target.web_search(
            include_domains=["https://docs.aws.amazon.com", "a.example"],
            exclude_domains=[*(f"d{index}.example" for index in range(100)), "a.example"],
        ),
        Target.web_search(name="b", include_domains="docs.aws.amazon.com"),
    )
    assert [fault.split(";")[0] for fault in found] == [
        "targets[0].include_domains[0]: must be a domain",
        "targets[0].exclude_domains: must have at most 100 domains",
        "targets[0].include_domains: must not be excluded as well",
        "targets[1].include_domains: must be a list of domains",
    ]


def test_everything_is_told_at_once(stack: cdk.Stack, served: Any) -> None:
    found = faults(
        stack,
        Target.lambda_(served, [{"name": "a b"}], name="x_y"),
        Target.open_api(OPEN_API, name="z_z"),
        gateway_name="g_g",
    )
    assert len(found) == 6


WRONG: tuple[Any, ...] = (5, True, object(), [None], [5], {"x": None}, {5: "x"})


@pytest.mark.parametrize(
    "make",
    [
        lambda served, wrong: Target.web_search(include_domains=wrong),
        lambda served, wrong: Target.web_search(name=wrong),
        lambda served, wrong: Target.web_search(description=wrong),
        lambda served, wrong: Target.lambda_(wrong, [LOOKUP], name="a"),
        lambda served, wrong: Target.lambda_(served, [wrong], name="a"),
        lambda served, wrong: Target.open_api([wrong], name="a"),
        lambda served, wrong: Target.open_api(OPEN_API, name="a", credentials=wrong),
        lambda served, wrong: Target.mcp_server(wrong, name="a"),
        lambda served, wrong: Target.mcp_server("https://a.example.com", name="a", credentials=wrong),
        lambda served, wrong: Target.api_gateway(served, name="a", stage="s", operations=wrong),
        lambda served, wrong: Target.api_gateway(served, name="a", stage="s", operations={"/a": wrong}),
        lambda served, wrong: Target.api_gateway(served, name="a", stage="s", operations={"/a": ["GET"]}, names=wrong),
    ],
)
def test_what_is_of_a_wrong_type_is_refused_in_sentences(stack: cdk.Stack, served: Any, make: Any) -> None:
    for wrong in WRONG:
        assert faults(stack, make(served, wrong))


@pytest.mark.parametrize("field", ["targets", "gateway_name", "description", "instructions"])
def test_settings_of_a_wrong_type_are_refused_in_sentences(stack: cdk.Stack, field: str) -> None:
    for wrong in (5, True, object(), [5], {"x": None}):
        settings: dict[str, Any] = {field: wrong}
        with pytest.raises(HarnessConfigError, match=f"{field}.*: must "):
            ToolGateway(stack, f"Wrong{next(_made)}", **settings)


def test_an_api_made_elsewhere_needs_its_stage(stack: cdk.Stack) -> None:
    api = apigateway.RestApi.from_rest_api_id(stack, "Api", "a1b2c3")
    target = Target.api_gateway(api, name="shop", operations={"/orders": ["GET"]})
    assert faults(stack, target) == [
        "targets[0].stage: must be given for an API that tells none of its own; received nothing; write stage='<name>'."
    ]
