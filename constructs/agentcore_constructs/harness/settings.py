"""What only UpdateHarness can say, set by a custom resource after CloudFormation has made or updated the harness."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import HarnessConfig
from agentcore_constructs.config.api_only import removals

from .execution import has_managed_memory
from .updating import update_statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

    from agentcore_constructs.custom_resources import CustomResource

KIND = "HarnessSettings"
_ID = "Settings"


@jsii.implements(cdk.IStringProducer)
class _AtSynthesis:
    """A text that is known when the app is complete."""

    def __init__(self, produce: Callable[[], str]) -> None:
        self._produce = produce

    def produce(self, context: cdk.IResolveContext) -> str:  # noqa: ARG002  (the interface's signature)
        """Returns the text."""
        return self._produce()


class Settings:
    """The custom resource of one harness; made when the configuration first asks for it."""

    def __init__(self, scope: Construct, resource: Any, role_arn: str) -> None:
        """Remembers the harness.

        Args:
            scope: The harness, below which the custom resource is made.
            resource: Its L1.
            role_arn: ARN of its execution role.
        """
        self._scope = scope
        self._resource = resource
        self._role_arn = role_arn
        self._made: CustomResource | None = None
        self._fields: dict[str, Any] = {}

    def apply(self, config: HarnessConfig, members: frozenset[str]) -> None:
        """Sets members of a configuration after the deployment.

        Args:
            config: The whole configuration.
            members: API names of the members that CloudFormation cannot say in full; none takes nothing back.
        """
        self._fields = {name: value for name, value in config.to_api().items() if name in members}
        if members and self._made is None:
            self._made = self._make(config)

    @property
    def version(self) -> str:
        """The version that the last deployment made, settings included."""
        return cdk.Lazy.uncached_string(_AtSynthesis(self._version))

    def _version(self) -> str:
        return self._native if self._made is None else self._made.get_att_string("Version")

    @property
    def _native(self) -> str:
        return str(self._resource.attr_version)

    def _make(self, config: HarnessConfig) -> CustomResource:
        # Few harnesses need it, and with it come several modules of the CDK.
        from agentcore_constructs.custom_resources import CustomResource  # noqa: PLC0415

        stack = cdk.Stack.of(self._scope)
        properties = {
            "HarnessId": self._resource.attr_harness_id,
            "HarnessVersion": self._native,
            "Settings": cdk.Lazy.uncached_string(_AtSynthesis(lambda: stack.to_json_string(self._fields))),
            "Removals": json.dumps([asdict(removal) for removal in removals(HarnessConfig)]),
        }
        return CustomResource(
            self._scope, _ID, kind=KIND, properties=properties, statements=self._statements(config, stack)
        )

    def _statements(self, config: HarnessConfig, stack: cdk.Stack) -> list[iam.PolicyStatement]:
        resource, has_memory = self._resource, has_managed_memory(config)
        update = update_statements(
            harness_arn=resource.attr_arn,
            runtime_arn=resource.attr_environment_agent_core_runtime_environment_agent_runtime_arn,
            role_arn=self._role_arn,
            memory_arn=resource.attr_memory_managed_memory_configuration_arn if has_memory else None,
        )
        see = iam.PolicyStatement(
            sid="SeeWhetherTheStackIsDeleted", actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id]
        )
        return [*(iam.PolicyStatement.from_json(statement) for statement in update), see]
