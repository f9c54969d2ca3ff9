"""Tags of a resource, as the AgentCore control plane limits them (botocore's `TagsMap`)."""

from __future__ import annotations

from typing import Annotated

from .primitives import Entries, Text

_CHARACTERS = "letters, digits, blanks and _ . : / = + - @"

TagKey = Annotated[
    str,
    Text(
        f"a tag key of {_CHARACTERS}, not beginning with 'aws:'",
        "choose another key; those beginning with 'aws:' are reserved for AWS",
        min=1,
        max=128,
        # "aws:" is reserved, in any case of letters:
        # https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
        pattern=r"(?![aA][wW][sS]:)[a-zA-Z0-9\s._:/=+@-]*",
    ),
]
TagValue = Annotated[
    str,
    Text(f"a tag value of {_CHARACTERS}", "correct the value", min=0, max=256, pattern=r"[a-zA-Z0-9\s._:/=+@-]*"),
]
TagMap = Annotated[dict[TagKey, TagValue], Entries("tags", min=0, max=50, fix="keep at most 50 tags")]
