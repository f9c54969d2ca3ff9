"""Which attributes of resources a value is made of, found where the CDK would resolve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import IConstruct


class _References(cdk.DefaultTokenResolver):
    """Remembers the references that it resolves."""

    def __init__(self) -> None:
        super().__init__(cdk.StringConcat())
        self.found: list[Any] = []

    def resolve_token(self, t: Any, context: Any, post_processor: Any) -> Any:
        """Resolves a token as the CDK does."""
        if cdk.Reference.is_reference(t):
            self.found.append(t)
        return super().resolve_token(t, context, post_processor)


def resolved(scope: IConstruct, value: Any) -> tuple[Any, list[Any]]:
    """Returns a value as the template will hold it, and the references (`cdk.Reference`) within.

    Args:
        scope: Where the value is used.
        value: Anything with tokens in it.
    """
    references = _References()
    plain = cdk.Tokenization.resolve(value, scope=scope, resolver=references, preparing=False)
    return plain, references.found
