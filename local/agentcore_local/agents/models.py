"""Which model an invocation talks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore_local.agents import scripts
from agentcore_local.agents.default_script import default_script
from agentcore_local.agents.scripted import Place, ScriptedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from strands.models.model import Model

    from agentcore_local.agents.plan import Plan


@dataclass(frozen=True, slots=True)
class Provider:
    """A model of Strands and how to limit it.

    Attributes:
        model: The model.
        max_tokens: The limit of one answer by the harness' configuration; None without one.
        cap: Sets the limit of the next answer.
        attempts: How often a throttled call is tried.
    """

    model: Model
    max_tokens: int | None
    cap: Callable[[int], None]
    attempts: int


def provider(plan: Plan) -> Provider:
    """The model of a plan."""
    config: dict[str, Any] = next(iter(plan.model.values()))
    max_tokens = config.get("maxTokens")
    script = scripts.registry.find(plan.harness_arn, plan.harness_name) or default_script
    place = Place(plan.model_id, plan.harness_name, plan.session_id, plan.actor_id)
    model = ScriptedModel(script, place, max_tokens=max_tokens)
    return Provider(model, max_tokens, lambda limit: model.update_config(max_tokens=limit), attempts=1)
