"""What the research agent asks its caller to do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentcore_lambdas.tools import ToolError, tool

_LONGEST_TITLE = 80


@tool
def publish_brief(
    title: Annotated[str, Field(min_length=1)], summary: str, audience: Literal["team", "company"] = "team"
) -> dict[str, str]:
    """Publishes a finished brief on the noticeboard. Call it once the brief is written and checked.

    Args:
        title: At most 80 characters.
        summary: What the brief says, in one or two sentences.
        audience: Who sees it.
    """
    if len(title) > _LONGEST_TITLE:
        raise ToolError(f"A title has at most {_LONGEST_TITLE} characters; this one has {len(title)}. Shorten it.")
    slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return {"published": f"/{audience}/{slug}", "summary": summary}
