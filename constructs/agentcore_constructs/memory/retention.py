"""Keeps the managed memory of a harness when the harness goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.errors import received
from agentcore_constructs.custom_resources import CustomResource
from agentcore_constructs.custom_resources.provider import provider_of
from agentcore_constructs.harness.messages import AtSynthesis
from agentcore_constructs.harness.policy import ATTACHED_POLICIES
from agentcore_constructs.harness.updating import update_statements

if TYPE_CHECKING:
    from agentcore_constructs.config import HarnessMemoryConfiguration, Host
    from agentcore_constructs.config.memory import RetainedMemory
    from agentcore_constructs.harness import Harness

_KEEPING = (cdk.CfnDeletionPolicy.RETAIN, cdk.CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE)


class MemoryRetention(Construct):
    """Detaches the managed memory of a harness before CloudFormation deletes the harness, and the memory with it.

    `Memory.managed(retain=True)` makes one. The memory stays when the stack is deleted, when the harness is removed
    from it, and when the harness is replaced; a deployment that fails takes only a memory back that it made and
    nobody used. Taking `retain` away again leaves the memory with its harness.

    What is kept is an ordinary memory of the account: it costs what it holds and is deleted by hand. Its ARN is the
    output of the stack, and the physical id of this resource in the events of a deleted stack.
    """

    def __init__(self, scope: Construct, construct_id: str, *, harness: Harness) -> None:
        """Makes it.

        Args:
            scope: Where it belongs: in the stack of the harness.
            construct_id: Its id there.
            harness: Has a managed memory.

        Raises:
            HarnessConfigError: The harness is in another stack, was made elsewhere or has no managed memory, or the
                stack retains ten already.
        """
        super().__init__(scope, construct_id)
        self._check_harness(harness)
        self._check_room()
        memory_arn = harness.managed_memory_arn
        resource = harness.node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101  (a Harness always has one)
        policy = self._policy(harness, memory_arn)
        self._custom = CustomResource(
            self,
            "Resource",
            kind="MemoryRetention",
            properties={
                "HarnessId": harness.harness_id,
                "HarnessArn": harness.harness_arn,
                "HarnessResource": resource.logical_id,
                "MemoryArn": memory_arn,
                "IsKept": cdk.Lazy.string(_Kept(resource, "deletion_policy")),
                "IsKeptWhenReplaced": cdk.Lazy.string(_Kept(resource, "update_replace_policy")),
            },
            statements=(),
        )
        self.node.default_child = self._custom.resource.node.default_child
        # Whoever deletes the memory's last tie must still be allowed to.
        self._custom.resource.node.add_dependency(policy)
        cdk.CfnOutput(
            self, "MemoryArn", value=self.memory_arn, description=f"Memory of {harness.node.path}, kept when that goes"
        )
        cdk.Aspects.of(policy).add(AtSynthesis(lambda: self._let_endpoints_go_first(harness)))

    @property
    def memory_arn(self) -> str:
        """ARN of the memory that is kept."""
        return self._custom.get_att_string("MemoryArn")

    def _check_harness(self, harness: Any) -> None:
        """Refuses a harness that another stack makes or that is imported: CloudFormation says nothing of those here.

        Raises:
            HarnessConfigError: It is one.
        """
        resource = harness.node.default_child if isinstance(harness, Construct) else None
        if isinstance(resource, agentcore.CfnHarness) and cdk.Stack.of(resource) is cdk.Stack.of(self):
            return
        if isinstance(resource, agentcore.CfnHarness):
            given = f"one of the stack {cdk.Stack.of(resource).node.path}"
        else:
            given = "one that is imported" if isinstance(harness, Construct) else received(harness)
        must, fix = (
            "must be a Harness of the same stack",
            "make it with Memory.managed(retain=True) where the harness is",
        )
        raise HarnessConfigError([Fault("harness", must, given, fix)], f"The memory retention {self.node.path}")

    def _check_room(self) -> None:
        """Refuses one too many: each has a managed policy on the role of the function they share.

        Raises:
            HarnessConfigError: The stack has as many already as IAM attaches to a role.
        """
        stack = cdk.Stack.of(self)
        others = [
            one
            for one in stack.node.find_all()
            if isinstance(one, MemoryRetention) and one is not self and cdk.Stack.of(one) is stack
        ]
        if len(others) >= ATTACHED_POLICIES:
            must = f"must be one of at most {ATTACHED_POLICIES} managed memories that a stack retains"
            fix = "put the harness into another stack, or give it an AgentMemory"
            fault = Fault("memory", must, f"{len(others) + 1} in {stack.node.path}", fix)
            raise HarnessConfigError([fault], f"The memory retention {self.node.path}")

    def _policy(self, harness: Harness, memory_arn: str) -> iam.CfnManagedPolicy:
        """Lets the function switch off the memory of this harness, and nothing else.

        It is a managed policy for its description: another one replaces the policy. So when the harness is replaced,
        the policy for the old one lives on, with the old ARNs, until the old memory is detached.
        """
        stack = cdk.Stack.of(self)
        statements = [
            *update_statements(
                harness_arn=harness.harness_arn,
                runtime_arn=harness.runtime_arn,
                role_arn=harness.execution_role.role_arn,
                memory_arn=memory_arn,
            ),
            {
                "Sid": "WhetherItWasUsed",
                "Effect": "Allow",
                "Action": "bedrock-agentcore:ListActors",
                "Resource": memory_arn,
            },
            {
                "Sid": "WhatIsDeleted",
                "Effect": "Allow",
                "Action": [
                    "cloudformation:DescribeStacks",
                    "cloudformation:DescribeStackResource",
                    "cloudformation:GetTemplate",
                ],
                "Resource": stack.stack_id,
            },
        ]
        return iam.CfnManagedPolicy(
            self,
            "Policy",
            description=f"Detaches the memory of the harness {harness.harness_id}",
            policy_document={"Version": "2012-10-17", "Statement": statements},
            roles=[provider_of(self).role.role_name],
        )

    def _let_endpoints_go_first(self, harness: Harness) -> None:
        """Has endpoints be deleted before the memory is detached: both at once would be in each other's way."""
        resource = self.node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101  (made above)
        for endpoint in cdk.Stack.of(self).node.find_all():
            if isinstance(endpoint, agentcore.CfnHarnessEndpoint) and endpoint.harness_id == harness.harness_id:
                endpoint.node.add_dependency(resource)


@jsii.implements(cdk.IStableStringProducer)
class _Kept:
    """Tells at synthesis whether a template keeps a resource, as late as that can change."""

    def __init__(self, resource: cdk.CfnResource, policy: str) -> None:
        self._resource = resource
        self._policy = policy

    def produce(self) -> Any:
        """`true` or `false`."""
        return "true" if getattr(self._resource.cfn_options, self._policy) in _KEEPING else "false"


def retained(host: Host, wanted: RetainedMemory) -> HarnessMemoryConfiguration:
    """Has a `MemoryRetention` follow the harness."""

    def keep(harness: Harness) -> None:
        MemoryRetention(harness, "MemoryRetention", harness=harness)

    host.after(keep)
    return wanted.configuration
