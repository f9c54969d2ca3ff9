"""What is written out where the user wrote nothing: the service's own defaults, so that a template tells the whole."""

from __future__ import annotations

from typing import Any

from agentcore_constructs.config import DEFAULT_MODEL_ID, HarnessConfig, Memory, Model

# https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-memory.html: what the service makes when a
# request has no memory. It is billed, so the template names it.
_DEFAULTS = HarnessConfig.create(
    model=Model.bedrock(DEFAULT_MODEL_ID),
    memory=Memory.managed(strategies=["SEMANTIC", "SUMMARIZATION"], expiry=30),
)


def completed(config: HarnessConfig, **known: Any) -> HarnessConfig:
    """Returns a valid configuration with model and memory written out.

    Args:
        config: As the user gave it.
        **known: Further fields, already valid: the derived name, the role.
    """
    defaults = {name: getattr(_DEFAULTS, name) for name in ("model", "memory") if getattr(config, name) is None}
    return config.model_copy(update={**defaults, **known})
