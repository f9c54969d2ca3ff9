"""Takes ARNs and URIs apart, whether they are literal, contain CDK tokens, or are tokens as a whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from agentcore_constructs.config.tokens import is_string_token

Splitter: TypeAlias = Callable[[str, str, int], str]
"""Splits a token at deployment: (text, separator, index) → that part, itself a token (`Fn.select` of `Fn.split`)."""

_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_PROFILE_PREFIX = re.compile(r"(global|apac|us-gov|[a-z]{2})\.(.+)")
_BEDROCK_ARN = re.compile(r"arn:[^:]*:bedrock:[^:]*:[^:]*:([a-z-]+)/(.+)")
_PRIVATE_IMAGE = re.compile(r"([^./]+)\.dkr\.ecr\.([^./]+)\.[^/]+/([^:@]+)(?:[:@].*)?")


def after(text: str, marker: str, split: Splitter) -> str:
    """Returns what follows `marker` in a text that has it once."""
    if marker in text:
        return text.partition(marker)[2]
    return split(text, marker, 1)


def before(text: str, marker: str, split: Splitter) -> str:
    """Returns what precedes `marker` in a text that has it once."""
    if marker in text:
        return text.partition(marker)[0]
    return split(text, marker, 0)


def is_unknown(text: str) -> bool:
    """Tells whether a text is one token from end to end, so that nothing is known of its form."""
    return _TOKEN.fullmatch(text) is not None


def has_token(text: str) -> bool:
    """Tells whether a text contains a token."""
    return is_string_token(text)


def system_profile(model_id: str) -> str | None:
    """Returns the foundation model behind the id of a system inference profile, None for any other model id.

    A profile's id is a geography and the model's id: `global.anthropic.claude-sonnet-4-6`, `eu.amazon.nova-lite-v1:0`.
    No provider's name has two letters, so new geographies are recognised as well.
    """
    found = _PROFILE_PREFIX.fullmatch(model_id)
    return found[2] if found else None


def bedrock_resource(arn: str) -> tuple[str, str] | None:
    """Returns kind and id of a Bedrock resource, such as `("provisioned-model", "abc")`; None if it is no ARN."""
    found = _BEDROCK_ARN.fullmatch(arn)
    return (found[1], found[2]) if found else None


def private_image(uri: str) -> tuple[str, str, str] | None:
    """Returns account, Region and repository of an image in private ECR; None for any other image."""
    tokens: list[str] = []

    # Dots and colons take the URI apart, and tokens contain both.
    def hide(token: re.Match[str]) -> str:
        tokens.append(token[0])
        return f"\0{len(tokens) - 1}\0"

    found = _PRIVATE_IMAGE.fullmatch(_TOKEN.sub(hide, uri))
    if found is None:
        return None
    account, region, repository = (
        re.sub("\0(\\d+)\0", lambda hidden: tokens[int(hidden[1])], part) for part in found.groups()
    )
    return account, region, repository


def s3_location(uri: str, split: Splitter) -> tuple[str, str | None]:
    """Returns bucket and prefix of an S3 URI, the prefix without slashes at its ends; None when it is the whole bucket.

    Nothing is known of the prefix of a URI that is a token as a whole: then it is the whole bucket too.
    """
    if "://" not in uri:
        return split(uri, "/", 2), None
    bucket, _, prefix = uri.partition("://")[2].partition("/")
    return bucket, prefix.strip("/") or None
