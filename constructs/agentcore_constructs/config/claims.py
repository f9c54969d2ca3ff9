"""Conditions on the claims of a token.

Limits are those of botocore's `CustomClaimValidationType`. That a STRING is compared with EQUALS, and a STRING_ARRAY
with CONTAINS (one value) or CONTAINS_ANY (several), is from what aws-cdk-lib's `RuntimeCustomClaim` documents and
renders (https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_bedrockagentcore.RuntimeCustomClaim.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from .errors import Fault
from .node import Node, OneOf, joined
from .primitives import Choice, Items, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ClaimValueType = Literal["STRING", "STRING_ARRAY"]
ClaimMatchOperator = Literal["EQUALS", "CONTAINS", "CONTAINS_ANY"]

_MatchValue = Annotated[
    str,
    Text(
        "a value of letters, digits, '_', '.' and '-'",
        "write the value as the token carries it",
        min=1,
        max=255,
        pattern=r"[A-Za-z0-9_.-]+",
    ),
]


class ClaimMatchValueType(OneOf):
    """What a claim is compared with.

    Attributes:
        match_value_string: One value, 1–255 of letters, digits, '_', '.' and '-'.
        match_value_string_list: At least one such value.
    """

    match_value_string: _MatchValue | None = None
    match_value_string_list: Annotated[tuple[_MatchValue, ...], Items("values", min=1)] | None = None


class AuthorizingClaimMatchValueType(Node):
    """A comparison.

    Attributes:
        claim_match_value: What a claim is compared with.
        claim_match_operator: How.
    """

    claim_match_value: ClaimMatchValueType
    claim_match_operator: Annotated[ClaimMatchOperator, Choice(get_args(ClaimMatchOperator))]


class CustomClaimValidationType(Node):
    """A condition on a claim of the token; made by `Claim`.

    Attributes:
        inbound_token_claim_name: 1–255 characters.
        inbound_token_claim_value_type: Whether the token carries one string or several.
        authorizing_claim_match_value: What it must be.
    """

    expects: ClassVar[str] = "a claim, made by Claim.equals, Claim.contains or Claim.contains_any"

    inbound_token_claim_name: Annotated[
        str,
        Text("a claim name", "write the name as the token carries it", min=1, max=255, pattern=r"[A-Za-z0-9_.-:]+"),
    ]
    inbound_token_claim_value_type: Annotated[ClaimValueType, Choice(get_args(ClaimValueType))]
    authorizing_claim_match_value: AuthorizingClaimMatchValueType

    def rules(self, path: str) -> Iterator[Fault]:
        """Operator, type of the claim and kind of the value must go together."""
        match = self.authorizing_claim_match_value
        if not isinstance(match, AuthorizingClaimMatchValueType):
            return
        operator, kind = match.claim_match_operator, self.inbound_token_claim_value_type
        if operator not in get_args(ClaimMatchOperator):
            return
        where = joined(path, "authorizingClaimMatchValue")
        wanted = "STRING" if operator == "EQUALS" else "STRING_ARRAY"
        if kind in get_args(ClaimValueType) and kind != wanted:
            allowed = "EQUALS" if kind == "STRING" else "CONTAINS or CONTAINS_ANY"
            yield Fault(
                joined(where, "claimMatchOperator"), f"must be {allowed} for a claim of type {kind}", repr(operator),
                f"write {allowed}, or inboundTokenClaimValueType {wanted}",
            )  # fmt: skip
        value = match.claim_match_value
        if not isinstance(value, ClaimMatchValueType):
            return
        member = "matchValueStringList" if operator == "CONTAINS_ANY" else "matchValueString"
        other = "matchValueString" if operator == "CONTAINS_ANY" else "matchValueStringList"
        given = value.match_value_string if operator == "CONTAINS_ANY" else value.match_value_string_list
        both = value.match_value_string is not None and value.match_value_string_list is not None
        if given is not None and not both:
            yield Fault(
                joined(where, "claimMatchValue"), f"must have the member {member} for the operator {operator}", other,
                f"write {member}",
            )  # fmt: skip


class Claim:
    """Makes the conditions on a token's claims; all of them must hold."""

    @staticmethod
    def equals(name: str, value: str) -> CustomClaimValidationType:
        """The claim is one string, and this one."""
        return _claim(name, "STRING", "EQUALS", match_value_string=value)

    @staticmethod
    def contains(name: str, value: str) -> CustomClaimValidationType:
        """The claim is a list of strings, and this one is among them."""
        return _claim(name, "STRING_ARRAY", "CONTAINS", match_value_string=value)

    @staticmethod
    def contains_any(name: str, values: Sequence[str]) -> CustomClaimValidationType:
        """The claim is a list of strings, and at least one of these is among them."""
        return _claim(name, "STRING_ARRAY", "CONTAINS_ANY", match_value_string_list=values)


def _claim(name: str, kind: ClaimValueType, operator: ClaimMatchOperator, **value: Any) -> CustomClaimValidationType:
    return CustomClaimValidationType.draft(
        inbound_token_claim_name=name,
        inbound_token_claim_value_type=kind,
        authorizing_claim_match_value=AuthorizingClaimMatchValueType.draft(
            claim_match_value=ClaimMatchValueType.draft(**value), claim_match_operator=operator
        ),
    )
