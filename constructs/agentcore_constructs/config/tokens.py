"""The one place that recognises AWS CDK tokens, without importing the CDK.

A token stands for a value that is known only at deployment, so no limit can be checked on it: every check lets it pass.
The markers are those of `aws-cdk-lib/core/lib/private/encoding.ts`; `tests/unit/config/test_tokens.py` holds this
module against real tokens of every kind, so a change of the encoding in an upgrade is seen.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from .cdk import offers

_STRING_MARKER = "${Token["
_LIST_MARKER = "#{Token["
# A number token that was formatted into a string keeps its digits, and the CDK resolves it there as well.
_NUMBER_IN_STRING = re.compile(r"-1\.[0-9]{10,16}e\+289")
# A number token is a double whose first two bytes are these; the rest is the token's index.
_NUMBER_MARKER = b"\xfb\xff"


def is_token(value: object) -> bool:
    """Tells whether `value` is, or contains, something the CDK resolves at deployment.

    Args:
        value: Anything a user may write into a configuration field.

    Returns:
        True for a string with a token inside, an encoded number, a list that stands for a token, and any `IResolvable`.
    """
    kind = type(value)
    if kind is str:
        return is_string_token(value)  # type: ignore[arg-type]  # narrowed by the exact type check above
    if kind is int or kind is bool or value is None:
        return False
    if kind is float:
        return struct.pack(">d", value)[:2] == _NUMBER_MARKER
    if isinstance(value, (list, tuple)):
        return is_list_token(value)
    if isinstance(value, str):
        return is_string_token(value)
    # Both are members of IResolvable; one alone would take a pathlib.Path for a token.
    return offers(value, "resolve") and offers(value, "creation_stack")


def is_string_token(value: str) -> bool:
    """Tells whether a string contains a string token or a formatted number token."""
    return _STRING_MARKER in value or ("e+289" in value and _NUMBER_IN_STRING.search(value) is not None)


def is_list_token(value: list[Any] | tuple[Any, ...]) -> bool:
    """Tells whether a list stands for a list that is known only at deployment (`Fn.split`, list parameters)."""
    return any(isinstance(item, str) and _LIST_MARKER in item for item in value)
