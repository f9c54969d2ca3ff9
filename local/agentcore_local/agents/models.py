"""Which model an invocation talks to: the script (unless something else is asked for), or a real one.

``AGENTCORE_LOCAL_MODEL`` decides when the process starts, `choose` at any time:

- ``scripted``: what `scripts` says; deterministic, offline, free.
- ``real``: the provider the harness configures, with the credentials of whoever started the local cloud.
- a URL: an OpenAI-compatible server (Ollama, llama.cpp, vLLM, …), whatever the harness configures;
  ``AGENTCORE_LOCAL_MODEL_ID`` names the model to ask it for, else the harness' own model id is used.

``name=choice`` makes it hold for one harness; several are separated by commas.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from agentcore_local.agents import scripts
from agentcore_local.agents.default_script import default_script
from agentcore_local.agents.provider import Provider
from agentcore_local.agents.scripted import Place, ScriptedModel

if TYPE_CHECKING:
    from agentcore_local.agents.plan import Plan

CHOICE_VARIABLE = "AGENTCORE_LOCAL_MODEL"
SCRIPT_VARIABLE = "AGENTCORE_LOCAL_SCRIPT"
"""Path of a YAML file that is registered on first use; see docs/local-agents.md."""


class ChoiceError(Exception):
    """A choice of model that cannot be understood."""


class Choices:
    """The model choices of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._choices: dict[str | None, str] = {}
        self._environment_read = False

    def choose(self, choice: str, harness: str | None = None) -> None:
        """Let a harness (name or ARN; None for all others) talk to ``scripted``, ``real`` or a URL.

        Raises:
            ChoiceError: for anything else.
        """
        if choice not in {"scripted", "real"} and not choice.startswith(("http://", "https://")):
            raise ChoiceError(f"A model choice must be scripted, real or a URL; received {choice!r}.")
        with self._lock:
            self._choices[harness] = choice

    def of(self, arn: str, name: str) -> str:
        """The choice for a harness."""
        self._read_environment()
        with self._lock:
            found = (self._choices.get(key) for key in (arn, name, None))
            return next((choice for choice in found if choice), "scripted")

    def clear(self) -> None:
        """Forget all choices but those of the environment."""
        with self._lock:
            self._choices.clear()
            self._environment_read = False

    def _read_environment(self) -> None:
        with self._lock:
            if self._environment_read:
                return
            self._environment_read = True
        for part in filter(None, os.environ.get(CHOICE_VARIABLE, "").split(",")):
            name, equals, choice = part.strip().partition("=")
            # A URL may hold an = of its own.
            if equals and not name.startswith("http"):
                self.choose(choice, name)
            else:
                self.choose(part.strip())
        path = os.environ.get(SCRIPT_VARIABLE)
        if path:
            scripts.registry.load(path)


choices = Choices()
choose = choices.choose


def is_scripted(plan: Plan) -> bool:
    """Whether `provider` gives a scripted model, at once and without any I/O.

    Raises:
        ChoiceError: when ``AGENTCORE_LOCAL_MODEL`` is malformed.
        ScriptError: when the file of ``AGENTCORE_LOCAL_SCRIPT`` is.
    """
    return choices.of(plan.harness_arn, plan.harness_name) == "scripted"


def provider(plan: Plan) -> Provider:
    """The model of a plan. Blocks for a real one, whose SDK is loaded and set up.

    Raises:
        Unavailable: when the real provider lacks an SDK or a key.
    """
    choice = choices.of(plan.harness_arn, plan.harness_name)
    if choice == "scripted":
        return _scripted(plan)
    from agentcore_local.agents import providers  # noqa: PLC0415 - loads the providers' SDKs

    return providers.real(plan) if choice == "real" else providers.compatible(plan, choice)


def _scripted(plan: Plan) -> Provider:
    max_tokens = next(iter(plan.model.values())).get("maxTokens")
    script = scripts.registry.find(plan.harness_arn, plan.harness_name) or default_script
    place = Place(plan.model_id, plan.harness_name, plan.session_id, plan.actor_id)
    model = ScriptedModel(script, place, max_tokens=max_tokens)
    # No second attempts: a script that says "throttling" means that the service has given up.
    return Provider(model, max_tokens, lambda limit: model.update_config(max_tokens=limit), attempts=1)
