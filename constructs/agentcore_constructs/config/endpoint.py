"""The configuration of a named endpoint of a harness (botocore's `CreateHarnessEndpoint`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from .errors import Fault
from .node import Node, joined
from .primitives import Text
from .render import render
from .tags import TagMap
from .validation import validated

DEFAULT_ENDPOINT = "DEFAULT"
"""The endpoint every harness has; it follows the newest version."""

ENDPOINT_NAME = Text(
    "a name of 1–48 letters, digits and '_' that begins with a letter",
    "choose a name that fits, without hyphens",
    pattern=r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
)


class HarnessEndpointConfig(Node):
    """Everything CreateHarnessEndpoint takes.

    Attributes:
        harness_id: `<harnessName>-<10 characters>`.
        endpoint_name: A letter, then letters, digits and '_'; 1–48 characters. Not DEFAULT.
        target_version: 1–99999, as a string; the newest at creation unless given.
        description: 1–256 characters.
        tags: At most 50.
    """

    refused: ClassVar[Mapping[str, str]] = {
        "clientToken": "makes one API call idempotent and is no configuration; remove it"
    }

    harness_id: Annotated[
        str,
        Text(
            "the id of a harness (<name>-<10 characters>)",
            "pass harness.harness_id",
            pattern=r"[a-zA-Z][a-zA-Z0-9_]{0,39}-[a-zA-Z0-9]{10}",
        ),
    ]
    endpoint_name: Annotated[str, ENDPOINT_NAME]
    target_version: (
        Annotated[
            str,
            Text(
                "a version number from 1 to 99999, as a string",
                "write a version the harness has",
                min=1,
                max=5,
                pattern=r"([1-9][0-9]{0,4})",
            ),
        ]
        | None
    ) = None
    description: Annotated[str, Text("a description", "shorten it, or leave it out", min=1, max=256)] | None = None
    tags: TagMap | None = None

    @classmethod
    def create(
        cls,
        *,
        harness_id: str,
        endpoint_name: str,
        target_version: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        subject: str | None = None,
    ) -> HarnessEndpointConfig:
        """Makes a configuration; see the attributes of this class.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        return validated(
            cls.draft(
                harness_id=harness_id,
                endpoint_name=endpoint_name,
                target_version=target_version,
                description=description,
                tags=tags,
            ),
            subject=subject or "The endpoint configuration",
        )

    def to_api(self) -> dict[str, Any]:
        """Writes the CreateHarnessEndpoint request."""
        rendered: dict[str, Any] = render(self, "api")
        return rendered

    def to_cfn(self) -> dict[str, Any]:
        """Writes the properties of `AWS::BedrockAgentCore::HarnessEndpoint`."""
        rendered: dict[str, Any] = render(self, "cfn")
        if isinstance(self.tags, dict):
            rendered["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return rendered

    def rules(self, path: str) -> Iterator[Fault]:
        """DEFAULT is the service's own."""
        if self.endpoint_name == DEFAULT_ENDPOINT:
            yield Fault(
                joined(path, "endpointName"),
                "must be a name of its own",
                "'DEFAULT', which every harness has",
                "choose another name, or call the harness without a qualifier",
            )
