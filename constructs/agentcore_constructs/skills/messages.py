"""Warnings about skills, each with an id to acknowledge it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from agentcore_constructs.harness.messages import PREFIX

from .front_matter import RECOMMENDED_LINES

if TYPE_CHECKING:
    from constructs import IConstruct

FLOATING_SKILL = PREFIX + "floating-skill"
LONG_SKILL = PREFIX + "long-skill"


def floating_skill(scope: IConstruct, url: str) -> None:
    """Warns that a skill is whatever its repository's default branch holds when a session starts."""
    text = (
        f"The skill from {url} floats: every new session gets what is on the default branch then, in all versions of "
        "the harness, whoever pushed it. Skill.git(url, ref=…) pins it to a commit."
    )
    cdk.Annotations.of(scope).add_warning_v2(FLOATING_SKILL, text)


def long_skill(scope: IConstruct, shown: str, lines: int) -> None:
    """Warns that a SKILL.md takes much room in the model's context."""
    text = (
        f"{shown} has {lines} lines, and all of them go into the model's context when the skill is used. Keep it under "
        f"{RECOMMENDED_LINES}, and move details into files that it refers to (https://agentskills.io/specification)."
    )
    cdk.Annotations.of(scope).add_warning_v2(LONG_SKILL, text)
