"""What a function is as a tool."""

from __future__ import annotations

import datetime as dt
import decimal  # noqa: TC003
import enum
import json
import pickle
import uuid  # noqa: TC003
from collections.abc import Callable  # noqa: TC003  (hints are read at run time)
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Optional

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator
from support.shop import defaults, orders

from agentcore_lambdas.tools import InputError, ToolContext, ToolDefinitionError, define, marked_in, tool


class Size(enum.IntEnum):
    S = 1
    L = 2


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Pick(BaseModel):
    pick: Literal["a", 1, None]  # noqa: PYI061  (pydantic writes it as one enumeration)
    nothing: Literal[None]  # noqa: PYI061


class Half(BaseModel):
    other: Missing  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Address:
    street: str
    zip: str = ""


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even.")
        return value


def everything(  # noqa: PLR0917  (one argument of each type)
    text: str,
    number: float,
    count: int,
    flag: bool,
    day: dt.date,
    moment: dt.datetime,
    amount: decimal.Decimal,
    key: uuid.UUID,
    size: Size,
    color: Literal["red", "blue"],
    tags: list[str],
    unique: set[int],
    prices: dict[str, float],
    address: Address,
    maybe: Optional[int],  # noqa: UP045
    many: Annotated[list[int], Field(max_length=3)],
    schema: str = "x",
    copy: int | None = None,
    model_config: str = "y",
) -> None:
    """Takes everything."""


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    return define(function).input_schema


def problems_of(function: Any, **options: Any) -> str:
    with pytest.raises(ToolDefinitionError) as caught:
        define(function, **options)
    return str(caught.value)


# ---- what is derived -------------------------------------------------------------------------------------------------


def test_name_description_and_approval_come_from_the_function() -> None:
    definition = define(orders.refund)
    assert definition.name == "refund"
    assert definition.description == (
        "Refunds an order, in part or as a whole.\n\nUse it only after the customer has confirmed."
    )
    assert definition.approval is True


def test_the_decorator_and_the_caller_may_say_otherwise() -> None:
    assert define(orders.status).name == "order-status"
    changed = define(orders.refund, name="give_back", description="Gives back.", approval=False)
    assert (changed.name, changed.description, changed.approval) == ("give_back", "Gives back.", False)


def test_the_schema_is_a_whole_document_without_references() -> None:
    assert schema_of(orders.refund) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["order_id", "lines", "reason"],
        "properties": {
            "order_id": {"type": "string", "description": "As printed on the invoice, without blanks."},
            "lines": {
                "type": "array",
                "description": "What is refunded.",
                "items": {
                    "type": "object",
                    "description": "One line of an order.",
                    "required": ["sku"],
                    "properties": {
                        "sku": {"type": "string", "description": "Stock number", "minLength": 1},
                        "count": {"type": "integer", "default": 1, "minimum": 1, "maximum": 99},
                        "note": {"type": "string"},
                    },
                },
            },
            "reason": {"type": "string", "description": "Why.", "enum": ["damaged", "late"]},
            "on": {"type": "string", "format": "date", "description": "The day of the refund; today unless given."},
            "currency": {
                "type": "string",
                "description": "Of the payment.",
                "enum": ["EUR", "USD"],
                "default": "EUR",
            },
        },
    }


def test_every_type_json_can_carry_has_a_schema() -> None:
    schema = schema_of(everything)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "$ref" not in json.dumps(schema)
    types = {name: member.get("type") for name, member in schema["properties"].items()}
    assert types["amount"] is None  # a number or its text
    assert types == {
        "text": "string", "number": "number", "count": "integer", "flag": "boolean", "day": "string",
        "moment": "string", "amount": None, "key": "string", "size": "integer", "color": "string", "tags": "array",
        "unique": "array", "prices": "object", "address": "object", "maybe": "integer", "many": "array",
        "schema": "string", "copy": "integer", "model_config": "string",
    }  # fmt: skip


def test_what_may_be_none_may_be_left_out() -> None:
    assert "maybe" not in schema_of(everything)["required"]


def test_no_schema_holds_null_or_a_number_without_a_form() -> None:
    definition = define(defaults.deliver)
    schema = definition.input_schema
    json.dumps(schema, allow_nan=False)
    assert not [value for value in values_in(schema) if value is None]
    assert schema["properties"] == {
        "mode": {"enum": ["fast"], "type": "string", "description": "How."},
        "window": {
            "type": "object",
            "description": "When to deliver.",
            "default": {"day": "2027-01-02"},
            "properties": {
                "day": {"type": "string", "format": "date", "default": "2027-01-02"},
                "hour": {"type": "integer"},
            },
        },
        "limit": {"type": "number"},
        "notes": {},
        "floors": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "count": {"type": "integer"},
        "choice": {"enum": ["ring"], "type": "string"},
    }
    positional, named = definition.bind({})
    assert defaults.deliver(*positional, **named) == (
        "(None, datetime.date(2027, 1, 2), None, inf, None, [None], None, None)"
    )


def test_null_stays_a_choice_within_what_must_be_given() -> None:
    def choose(choice: Pick) -> None:
        """Chooses."""

    assert schema_of(choose)["properties"]["choice"] == {
        "type": "object",
        "properties": {"pick": {"anyOf": [{"enum": ["a", 1]}, {"type": "null"}]}, "nothing": {"type": "null"}},
        "required": ["pick", "nothing"],
    }


def values_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [found for member in value.values() for found in values_in(member)]
    if isinstance(value, list):
        return [found for member in value for found in values_in(member)]
    return [value]


def test_the_context_is_not_shown_to_the_model() -> None:
    assert list(schema_of(orders.misbehave)["properties"]) == ["how"]


def test_a_property_called_title_stays() -> None:
    def write(title: str, default: int) -> None:
        """Writes."""

    assert set(schema_of(write)["properties"]) == {"title", "default"}


def test_a_function_without_arguments_has_an_empty_object() -> None:
    def now() -> str:
        """Tells the time."""
        return "now"

    assert schema_of(now) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_marked_functions_of_a_module_come_in_its_order() -> None:
    assert [function.__name__ for function in marked_in(orders)] == ["refund", "status", "misbehave"]


def test_a_marked_function_stays_a_function() -> None:
    @tool
    def double(number: int) -> int:
        """Doubles."""
        return 2 * number

    assert double(4) == 8


# ---- for a gateway ---------------------------------------------------------------------------------------------------

GATEWAY_KEYS = {"type", "properties", "required", "items", "description"}


def keys_of(schema: dict[str, Any]) -> set[str]:
    found = set(schema)
    for member in schema.get("properties", {}).values():
        found |= keys_of(member)
    return found | (keys_of(schema["items"]) if "items" in schema else set())


def test_a_gateway_schema_says_the_rest_in_words() -> None:
    schema = define(orders.refund).gateway_schema
    assert keys_of(schema) <= GATEWAY_KEYS
    properties = schema["properties"]
    assert properties["reason"] == {"type": "string", "description": 'Why. One of: "damaged", "late".'}
    assert properties["on"]["description"] == "The day of the refund; today unless given. Format: date."
    assert properties["lines"]["items"]["properties"]["count"] == {
        "type": "integer",
        "description": "At least 1, at most 99. 1 unless given.",
    }
    assert schema["required"] == ["order_id", "lines", "reason"]


def test_what_has_no_form_for_a_gateway_is_refused() -> None:
    def pick(choice: int | str, anything: Any, pair: tuple[int, str], many: list) -> None:  # type: ignore[type-arg]
        """Picks."""

    definition = define(pick)  # fine as an inline tool
    with pytest.raises(ToolDefinitionError) as caught:
        _ = definition.gateway_schema
    assert [problem.path for problem in caught.value.problems] == [
        "parameters.choice", "parameters.anything", "parameters.pair", "parameters.many",
    ]  # fmt: skip
    assert str(caught.value.problems[0]) == (
        "parameters.choice: must be of one type for a gateway, whose schemas know string, number, integer, boolean, "
        "array and object; received a choice of 2 types; give it one type, or use the function as an inline tool."
    )


# ---- what cannot be a tool -------------------------------------------------------------------------------------------


def test_every_reason_is_told_at_once() -> None:
    def bad(first, *rest: int, **named: str) -> None:  # type: ignore[no-untyped-def]
        """Documents what is not there.

        Args:
            other: Hm.
        """

    assert problems_of(bad, name="no blanks").splitlines()[1:] == [
        (
            "  name: must be 1–64 letters, digits, '_' and '-'; received 'no blanks'; give it a name that fits: "
            "@tool(name=…)."
        ),
        "  parameters.first: must have a type hint; received none; add one: the model learns from it what to pass.",
        (
            "  parameters.rest: must be a single argument; received *rest; name the arguments one by one, or take "
            "one of type list or dict."
        ),
        (
            "  parameters.named: must be a single argument; received *named; name the arguments one by one, or take "
            "one of type list or dict."
        ),
        (
            "  parameters.other: must be a parameter; received none of that name; the docstring describes an argument "
            "'other': rename it, or remove it there."
        ),
    ]


@pytest.mark.parametrize(("length", "fits"), [(1, True), (64, True), (65, False)])
def test_names_have_64_characters(length: int, fits: bool) -> None:
    if fits:
        assert define(orders.refund, name="n" * length).name == "n" * length
    else:
        assert "must be 1–64 letters" in problems_of(orders.refund, name="n" * length)


@pytest.mark.parametrize(("length", "fits"), [(4096, True), (4097, False)])
def test_descriptions_have_4096_characters(length: int, fits: bool) -> None:
    if fits:
        assert define(orders.refund, description="d" * length).description
    else:
        told = problems_of(orders.refund, description="d" * length)
        assert "must be at most 4096 characters; received 4097 characters; shorten the docstring" in told


def test_a_docstring_is_needed() -> None:
    def silent() -> None: ...

    assert "must say when to use the tool; received no docstring" in problems_of(silent)


def test_types_must_be_known_at_run_time() -> None:
    def lost(value: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Is lost."""

    assert "received name 'Missing' is not defined; import the type at the top" in problems_of(lost)


def test_a_hint_that_is_no_type_is_refused_in_a_sentence() -> None:
    def cut(value: "int |") -> None:  # type: ignore[valid-type]  # noqa: F722
        """Is cut off."""

    def gone(value: dt.Nowhere) -> None:  # type: ignore[name-defined]
        """Is gone."""

    def final(value: Final[int]) -> None:  # type: ignore[valid-type]
        """Is final."""

    for function in (cut, gone, final):
        told = problems_of(function)
        assert "must have type hints that name types; received " in told
        assert told.endswith("; correct the hint; a type checker finds which one it is.")


def test_a_type_whose_own_hints_are_unknown_is_refused() -> None:
    def take(half: Half) -> None:
        """Takes."""

    assert (
        "parameters: must be of types whose own hints are known; received the unknown Missing; import it at the top"
    ) in problems_of(take)


def test_a_type_that_contains_itself_has_no_schema() -> None:
    def plant(tree: Node) -> None:
        """Plants."""

    assert "must be of types that do not contain themselves; received the type Node" in problems_of(plant)


def test_a_type_json_cannot_carry_is_refused() -> None:
    def call(back: Callable[[], None]) -> None:
        """Calls back."""

    def open_it(handle: ToolDefinitionError) -> None:
        """Opens."""

    assert "must be of types that have a JSON schema" in problems_of(call)
    assert "must be of types pydantic knows" in problems_of(open_it)


def test_only_functions_are_tools() -> None:
    assert "must be a function; received an object of class int" in problems_of(3)


def test_an_asynchronous_generator_has_no_result() -> None:
    async def stream(count: int) -> Any:
        """Counts."""
        yield count

    assert "must return one result; received an asynchronous generator; collect" in problems_of(stream)


def test_the_error_crosses_processes() -> None:
    with pytest.raises(ToolDefinitionError) as caught:
        define(orders.refund, name="no blanks")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problems) == (str(caught.value), caught.value.problems)


# ---- what validates --------------------------------------------------------------------------------------------------


def test_input_becomes_what_the_hints_say() -> None:
    positional, named = define(orders.refund).bind(
        {"order_id": "7", "lines": [{"sku": "a"}], "reason": "late", "on": "2026-11-21"}
    )
    assert positional == []
    assert named == {
        "order_id": "7",
        "lines": [orders.Line(sku="a")],
        "reason": orders.Reason.LATE,
        "on": dt.date(2026, 11, 21),
    }


def test_what_is_left_out_is_left_to_the_function() -> None:
    def add(number: int, box: list[int] = [], maybe: int | None = 3) -> None:  # noqa: B006
        """Adds."""

    assert define(add).bind({"number": 1}) == ([], {"number": 1})


def test_what_may_be_none_and_has_no_default_becomes_none() -> None:
    def find(name: str, near: str | None) -> None:
        """Finds."""

    assert define(find).bind({"name": "x"}) == ([], {"name": "x", "near": None})


def test_positional_arguments_and_the_context_are_passed() -> None:
    def put(key: str, value: int = 1, /, *, context: ToolContext | None = None) -> None:
        """Puts."""

    context = ToolContext("put")
    assert define(put).bind({"key": "k"}, context) == (["k", 1], {"context": context})
    assert define(put).bind({"key": "k", "value": 2}, context) == (["k", 2], {"context": context})


def test_what_comes_after_an_argument_that_was_left_out_is_passed() -> None:
    def find(text: str = "", limit: int = 10, /, deep: bool = False, *, sort: str = "name") -> tuple[Any, ...]:
        """Finds."""
        return text, limit, deep, sort

    positional, named = define(find).bind({"limit": 3, "sort": "date"})
    assert find(*positional, **named) == ("", 3, False, "date")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"lines": [{"sku": ""}], "reason": "bored", "extra": 1},
            (
                "The input of refund does not fit: order_id: field required; lines[0].sku: string should have at least "
                "1 character; reason: input should be 'damaged' or 'late'; extra: extra inputs are not permitted."
            ),
        ),
        (
            ["not", "an", "object"],
            "The input of refund does not fit: the input: input should be an object.",
        ),
        (None, "The input of refund does not fit: the input: input should be an object."),
    ],
)
def test_wrong_input_is_one_sentence(given: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        define(orders.refund).bind(given)
    assert str(caught.value) == sentence


def test_a_validator_of_the_user_is_heard() -> None:
    def halve(value: Even) -> None:
        """Halves."""

    with pytest.raises(InputError) as caught:
        define(halve).bind({"value": {"number": 3}})
    assert str(caught.value) == "The input of halve does not fit: value.number: must be even."


def test_at_most_ten_faults_are_told() -> None:
    def many(items: list[int]) -> None:
        """Takes many."""

    with pytest.raises(InputError) as caught:
        define(many).bind({"items": ["x"] * 25})
    assert str(caught.value).count("input should be") == 10
    assert str(caught.value).endswith("; and 15 more.")


def test_half_a_character_is_refused_in_words() -> None:
    with pytest.raises(InputError) as caught:
        define(orders.status).bind({"order_id": "\ud83d"})
    assert "order-status" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=9), children, max_size=3),
    max_leaves=8,
)
LINE = st.fixed_dictionaries(
    {"sku": st.text(min_size=1)}, optional={"count": st.integers(1, 99), "note": st.text() | st.none()}
)
REFUNDING = define(orders.refund)
REFUND = st.fixed_dictionaries(
    {"order_id": st.text(), "lines": st.lists(LINE, max_size=3), "reason": st.sampled_from(["damaged", "late"])},
    optional={"on": st.dates().map(str), "currency": st.sampled_from(["EUR", "USD"])},
)


@given(JSON)
def test_any_input_is_taken_or_refused_in_a_sentence(given: Any) -> None:
    told = ""
    try:
        REFUNDING.bind(given)
    except InputError as error:
        told = str(error)
    assert not told or told.startswith("The input of refund")
    assert "\n" not in told


@given(REFUND)
def test_what_the_schema_allows_the_function_gets(given: dict[str, Any]) -> None:
    definition = REFUNDING
    if all(line.get("note", "") is not None for line in given["lines"]):
        jsonschema.validate(given, definition.input_schema)
    _, named = definition.bind(given)
    assert named["order_id"] == given["order_id"]
    assert len(named["lines"]) == len(given["lines"])
