"""What an older aws-cdk-lib cannot say in its L1 although CloudFormation takes it.

The L1 drops nested keys it does not know without a word. aws-cdk-lib 2.273, the oldest this package runs on, lacks some
properties that the resource has had since; they are put in as property overrides.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import HarnessConfig, Node
from agentcore_constructs.config.node import fields
from agentcore_constructs.config.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

# aws-cdk-lib's CloudFormation Validate plugin knows older schemas than its own L1s: it takes these for unexpected
# (F3002), and `cdk init` turns that into an error. Path of fields from the configuration, and their name in the
# message.
_UNKNOWN_TO_VALIDATION = (
    (("hooks",), "Hooks"),
    (("model", "open_ai_model_config", "api_base"), "ApiBase"),
    (("model", "gemini_model_config", "additional_params"), "AdditionalParams"),
    (
        ("authorizer_configuration", "custom_jwt_authorizer", "advertised_scope_mapping"),
        "AdvertisedScopeMapping",
    ),
)
UNEXPECTED_PROPERTY = "CloudFormation-Validate::F3002"


def unknown_to_validation(config: HarnessConfig) -> list[str]:
    """Returns the properties of a configuration that the synth check wrongly calls unexpected."""
    return [name for path, name in _UNKNOWN_TO_VALIDATION if _at(config, path) is not None]


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        node = getattr(node, name, None)
    return node


def overrides(config: HarnessConfig) -> dict[str, Any]:
    """Returns property path → value for everything this aws-cdk-lib's L1 would drop."""
    return dict(_dropped(config, ""))


def _dropped(node: Node, path: str) -> Iterator[tuple[str, Any]]:
    missing = _missing(type(node))
    for field in fields(type(node)):
        value = node.__dict__[field.name]
        if value is None or field.companion:
            continue
        here = f"{path}.{field.cfn}" if path else field.cfn
        if field.name in missing:
            yield here, render(value, "cfn")
        elif isinstance(value, Node):
            yield from _dropped(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Node):
                    yield from _dropped(item, f"{here}.{index}")


@cache
def _missing(node: type[Node]) -> frozenset[str]:
    known = getattr(agentcore.CfnHarness, f"{node.__name__}Property", None)
    if known is None:
        return frozenset()
    return frozenset(field.name for field in fields(node) if not field.companion and not hasattr(known, field.name))
