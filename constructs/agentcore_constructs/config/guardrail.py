"""Guardrails of Amazon Bedrock, which the API carries inside a model's additional parameters.

The form is that of botocore's `GuardrailStreamConfiguration` (service `bedrock-runtime`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from .cdk import HasKeyArn, attribute
from .errors import Fault, received
from .node import joined
from .primitives import Choice, Text
from .tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

GuardrailTrace = Literal["enabled", "disabled", "enabled_full"]

_IDENTIFIER = Text(
    "the id or ARN of a guardrail",
    "pass the guardrail's id or ARN",
    max=2048,
    min=1,
    pattern=r"([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+)",
)
_VERSION = Text(
    "a guardrail version: a number or DRAFT", "write the version as a string", pattern=r"[1-9][0-9]{0,7}|DRAFT"
)
_TRACE = Choice(get_args(GuardrailTrace))


class HasGuardrailId(Protocol):
    """A Bedrock guardrail construct."""

    @property
    def guardrail_id(self) -> str:
        """Its id."""


@dataclass(frozen=True)
class Guardrail:
    """A Bedrock guardrail on what goes into and comes out of a Bedrock model.

    It must be in the harness's Region, and works only with the API format `converse_stream`.

    Attributes:
        guardrail: Its id or ARN, or a construct with `guardrail_id` (a `CfnGuardrail` too).
        version: A version number as a string, or `DRAFT`.
        trace: Whether the assessment is traced.
        encryption_key: The customer key that encrypts it, so that the role may decrypt it.
    """

    guardrail: str | HasGuardrailId | Any
    version: str
    trace: GuardrailTrace | None = None
    encryption_key: str | HasKeyArn | None = None

    @property
    def arn(self) -> str | None:
        """Its ARN, where one is known."""
        if isinstance(self.guardrail, str):
            return self.guardrail if self.guardrail.startswith("arn:") else None
        found = attribute(self.guardrail, "guardrail_arn", "attr_guardrail_arn")
        return found if isinstance(found, str) else None

    def params(self) -> dict[str, Any]:
        """Returns the `guardrailConfig` of the API."""
        config = {
            "guardrailIdentifier": attribute(self.guardrail, "guardrail_id", "attr_guardrail_id"),
            "guardrailVersion": self.version,
        }
        return config if self.trace is None else {**config, "trace": self.trace}


def guardrail_faults(config: object, path: str) -> Iterator[Fault]:
    """Yields what is wrong with a `guardrailConfig`."""
    if is_token(config):
        return
    if not isinstance(config, Mapping):
        yield Fault(path, "must be a JSON object", received(config), "write guardrailIdentifier and guardrailVersion")
        return
    for name, limit in (("guardrailIdentifier", _IDENTIFIER), ("guardrailVersion", _VERSION), ("trace", _TRACE)):
        if name not in config:
            if name != "trace":
                yield Fault(joined(path, name), "must be given", "nothing", "name the guardrail and its version")
        elif (fault := limit.fault(config[name], joined(path, name))) is not None:
            yield fault
