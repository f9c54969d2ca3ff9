"""One custom resource, with the rights it needs and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from constructs import Construct

from .provider import provider_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam

_TIMEOUT = cdk.Duration.hours(1)


class CustomResource(Construct):
    """A custom resource of ours: `Custom::AgentCore<kind>`.

    Attributes:
        resource: The CDK's own construct.
        shared: Policies of the function that others have as well, in the order they were said in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        properties: Mapping[str, Any],
        statements: Sequence[iam.PolicyStatement],
        shared: Sequence[Sequence[iam.PolicyStatement]] = (),
        timeout: cdk.Duration = _TIMEOUT,
    ) -> None:
        """Declares it.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            kind: One of `agentcore_lambdas.custom_resources.main.KINDS`.
            properties: In PascalCase; never a secret, since they can be read in the template.
            statements: What the function may do for it.
            shared: What the function may do for it and for others of the stack, as each of them says it: a policy's
                worth of statements each. All policies of the function's role together have 10,240 characters.
            timeout: After which CloudFormation gives up; at most one hour.
        """
        super().__init__(scope, construct_id)
        provider = provider_of(self)
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            service_token=provider.service_token,
            resource_type=f"Custom::AgentCore{kind}",
            properties={"Kind": kind, **properties},
            service_timeout=timeout,
        )
        self.node.default_child = self.resource.node.default_child
        if statements:
            # A policy of its own, not statements in a shared one: when this resource leaves the template, an update
            # would take its statements away before CloudFormation deletes it, which then ends in AccessDenied.
            self.resource.node.add_dependency(provider.policy(self, "Policy", statements))
        self.shared = [provider.shared_policy(group) for group in shared]
        for policy in self.shared:
            self.resource.node.add_dependency(policy)

    @property
    def ref(self) -> str:
        """Physical id."""
        return self.resource.ref

    def get_att_string(self, name: str) -> str:
        """Returns an attribute that the handler gave."""
        return self.resource.get_att_string(name)
