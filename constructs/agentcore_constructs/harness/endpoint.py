"""Named endpoints: each serves one version of a harness until it is told to serve another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessEndpointConfig
from agentcore_constructs.config.errors import received

from . import messages
from .base import HarnessBase, ImportedHarness
from .imported import harness_fault
from .metrics import HarnessMetrics
from .references import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from constructs import Construct

    from .base import IHarness

_REFERENCES = "@aws-cdk/core:defaultCrossStackReferences"


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of a harness an endpoint serves.

    Attributes:
        target: Says the version for a harness.
    """

    target: Callable[[IHarness], str]

    @staticmethod
    def latest() -> Version:
        """The version that the same deployment makes, so that the endpoint moves with every change of the harness."""
        return Version(_newest)

    @staticmethod
    def pinned(version: int | str) -> Version:
        """One version, until another is written here.

        A version keeps the execution role it was made with: keep that role as long as a version that has it is served.

        Args:
            version: Its number, or a token for it (an SSM parameter, say).
        """
        return Version(lambda _: version if isinstance(version, str) else str(version))


def _newest(harness: IHarness) -> str:
    return harness.harness_version


class HarnessEndpoint(HarnessMetrics, cdk.Resource):
    """A named endpoint of a harness: what callers give as the qualifier."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        endpoint_name: str,
        version: Version | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the endpoint.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: The harness it serves. Another one replaces the endpoint.
            endpoint_name: Starts with a letter, then letters, digits and '_'; at most 48 characters. Another one
                replaces the endpoint. `DEFAULT` exists in every harness and cannot be made.
            version: `Version.latest()` unless given. Without a version CloudFormation would freeze the endpoint on the
                one that is latest when it is made.
            description: 1–256 characters.
            tags: At most 50.

        Raises:
            HarnessConfigError: A name, description, version or tag the service would refuse.
        """
        super().__init__(scope, construct_id)
        if faults := list(_faults(harness, version)):
            raise HarnessConfigError(faults, f"The endpoint {self.node.path}")
        self._harness = harness
        self._name = endpoint_name
        target = (version or Version.latest()).target
        try:
            config = HarnessEndpointConfig.create(
                harness_id=harness.harness_id,
                endpoint_name=endpoint_name,
                target_version=target(harness),
                description=description,
                tags=tags,
            )
        except HarnessConfigError as error:
            raise error.about(f"The endpoint {self.node.path}") from None
        self._resource = agentcore.CfnHarnessEndpoint(
            self,
            "Resource",
            endpoint_name=endpoint_name,
            harness_id=config.harness_id,
            target_version=config.target_version,
            description=description,
            tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()] if tags else None,
        )
        # Nearly every endpoint follows a harness made beside it; to resolve its version takes as long as to make it.
        is_made = isinstance(harness, HarnessBase) and not isinstance(harness, ImportedHarness)
        if not (is_made and target is _newest and harness.stack is self.stack):
            self._warn_of_export(config.target_version)

    @property
    def harness(self) -> IHarness:
        """The harness it serves."""
        return self._harness

    @property
    def endpoint_name(self) -> str:
        """Its name: the qualifier of a call."""
        return self._name

    @property
    def endpoint_arn(self) -> str:
        """Its ARN."""
        return self._resource.attr_arn

    @property
    def live_version(self) -> str:
        """The version it serves."""
        return self._resource.attr_live_version

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal invoke the harness through this endpoint alone; see `Harness.grant_invoke`."""
        return self._harness.grant_invoke(grantee, endpoint=self)

    def grant_run_command(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal run commands in sessions of this endpoint alone; see `Harness.grant_run_command`."""
        return self._harness.grant_run_command(grantee, endpoint=self)

    def _warn_of_export(self, version: str | None) -> None:
        """Warns where the version is an attribute in another stack, which CloudFormation would export."""
        if not isinstance(version, str) or self.node.try_get_context(_REFERENCES) == "weak":
            return
        here = cdk.Stack.of(self)
        for reference in resolved(self, version)[1]:
            if (there := cdk.Stack.of(reference.target)).node.path != here.node.path:
                messages.version_across_stacks(self, there.node.path)

    def _metric_source(self) -> tuple[str, str, str]:
        return self._harness.runtime_name, self._harness.runtime_arn, self._name


def _faults(harness: object, version: object) -> Iterator[Fault]:
    if fault := harness_fault(harness):
        yield fault
    if version is not None and not isinstance(version, Version):
        must = "must be a version, made by Version.latest or Version.pinned"
        yield Fault("version", must, received(version), "write Version.pinned(3) to serve version 3")
