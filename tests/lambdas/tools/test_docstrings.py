"""Docstrings in Google's style."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentcore_lambdas.tools.docstrings import parse


def test_text_ends_where_the_first_section_begins() -> None:
    parsed = parse(
        """Refunds an order.

        In part or as a whole.

        Args:
            order: As printed.

        Raises:
            KeyError: There is none.
        """
    )
    assert parsed.text == "Refunds an order.\n\nIn part or as a whole."
    assert parsed.arguments == {"order": "As printed."}


def test_arguments_may_have_types_stars_and_several_lines() -> None:
    parsed = parse(
        """X.

        Args:
            first (int): One: with a colon
                and a second line.
            *rest: Others.

            last: After a blank line.
        Returns:
            A value: of some kind.
        """
    )
    assert parsed.arguments == {
        "first": "One: with a colon and a second line.",
        "rest": "Others.",
        "last": "After a blank line.",
    }


def test_a_colon_at_the_end_of_a_line_is_no_section() -> None:
    assert parse("Takes these:\n\nwhatever:\n").text == "Takes these:\n\nwhatever:"


def test_no_docstring_says_nothing() -> None:
    assert parse(None).text == ""
    assert parse(None).arguments == {}


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    parsed = parse(text)
    assert isinstance(parsed.text, str)
